"""The front of price and DSC: every configuration, and those that no other beats."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING, Any

from plotly import graph_objects as go

from studies.report.drawing import NEUTRAL, drawn, faded, hue, symbol
from studies.report.parts import Figure
from studies.report.words import amount

if TYPE_CHECKING:
    from collections.abc import Sequence

    from search.answer import Answer
    from search.ranking import RankedConfiguration

HEIGHT = 400


def front_figure(found: Answer, currency: str) -> Figure | None:
    """Price against fitted validation DSC; the front as a line."""
    rows = [row for row in found.ranking if row.validation_fitted is not None]
    if not rows:
        return None
    depths = sorted({row.depth for row in found.ranking})
    points = [
        _points(depth, depths, [r for r in rows if r.depth == depth and r.is_forecast == forecast], forecast=forecast)
        for depth in depths
        for forecast in (False, True)
        if any(r.depth == depth and r.is_forecast == forecast for r in rows)
    ]
    figure = drawn(
        [_line(found), *points],
        x_title=f"price, {escape(currency)}",
        y_title="validation DSC, fitted",
        height=HEIGHT,
        hovermode="closest",
    )
    figure.update_layout(showlegend=True)
    return Figure(
        "front",
        "Every configuration by its price (one training and all cases) and its fitted validation DSC. The line joins "
        "those that no other beats and no mixture of two others either. Filled markers were measured, open ones are "
        "forecast.",
        figure,
        HEIGHT,
    )


def _line(found: Answer) -> Any:
    return go.Scatter(
        name="front",
        x=[step.price for step in found.front],
        y=[step.validation_fitted for step in found.front],
        mode="lines",
        line={"color": NEUTRAL, "width": 2},
        hoverinfo="skip",
    )


def _points(depth: int, depths: Sequence[int], rows: Sequence[RankedConfiguration], *, forecast: bool) -> Any:
    colour, mark = hue(depth, depths), symbol(depth, depths)
    return go.Scatter(
        name=f"depth {depth}{', forecast' if forecast else ''}",
        x=[row.price for row in rows],
        y=[row.validation_fitted for row in rows],
        mode="markers",
        marker={
            "color": faded(colour) if forecast else colour,
            "symbol": f"{mark}-open" if forecast else mark,
            "size": 9,
        },
        text=[f"{row.num_cases} cases, {amount(row.price)}" for row in rows],
        hovertemplate=f"depth {depth}, %{{text}}: %{{y:.3f}}<extra></extra>",
    )
