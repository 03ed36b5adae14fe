"""The front of price and DSC: every configuration, and those that no other beats."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING, Any

from plotly import graph_objects as go

from storage.variants import recipe_of
from studies.report.components import Figure
from studies.report.figures.theme import NEUTRAL, drawn, faded, hue, symbol
from studies.report.text.formatting import amount
from studies.report.text.known_words import price_covers
from studies.results.known_facts import known_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from search.analysis.answer import Answer
    from search.analysis.ranking import RankedConfiguration
    from storage.variants import Recipe

HEIGHT = 400


def front_figure(answer: Answer, currency: str) -> Figure | None:
    """Price against fitted validation DSC; the front as a line."""
    rows = [row for row in answer.ranking if row.validation_fitted is not None]
    if not rows:
        return None
    known = known_of(answer)
    recipes = sorted({recipe_of(row) for row in answer.ranking})
    points = [
        _points(recipe, recipes, own, forecast=forecast)
        for recipe in recipes
        for forecast in (False, True)
        if (own := [row for row in rows if recipe_of(row) == recipe and row.is_forecast == forecast])
    ]
    figure = drawn(
        [_line(answer), *points],
        x_title=f"price, {escape(currency)}",
        y_title=f"{known.validation}, fitted",
        height=HEIGHT,
        hovermode="closest",
    )
    figure.update_layout(showlegend=True)
    return Figure(
        "front",
        f"Every configuration by its price ({price_covers(known)}) and its fitted {known.validation}. The line joins "
        "those that no other beats and no mixture of two others either. Filled markers were measured, open ones are "
        "forecast.",
        figure,
        HEIGHT,
    )


def _line(answer: Answer) -> Any:
    return go.Scatter(
        name="front",
        x=[step.price for step in answer.front],
        y=[step.validation_fitted for step in answer.front],
        mode="lines",
        line={"color": NEUTRAL, "width": 2},
        hoverinfo="skip",
    )


def _points(recipe: Recipe, recipes: Sequence[Recipe], rows: Sequence[RankedConfiguration], *, forecast: bool) -> Any:
    colour, mark = hue(recipe, recipes), symbol(recipe, recipes)
    return go.Scatter(
        name=f"{recipe}{', forecast' if forecast else ''}",
        x=[row.price for row in rows],
        y=[row.validation_fitted for row in rows],
        mode="markers",
        marker={
            "color": faded(colour) if forecast else colour,
            "symbol": f"{mark}-open" if forecast else mark,
            "size": 9,
        },
        text=[f"{row.num_cases} cases, {amount(row.price)}" for row in rows],
        hovertemplate=f"{recipe}, %{{text}}: %{{y:.3f}}<extra></extra>",
    )
