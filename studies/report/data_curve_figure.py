"""The figure of data curves: DSC against training cases.

Measured values are filled markers in the full colour of their depth; what is fitted or forecast has no marker or an
open one, and a faded colour.
"""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING, Any

from plotly import graph_objects as go

from studies.report.drawing import CLEAR, FIT_ALPHA, NEUTRAL, drawn, faded, hue, symbol
from studies.report.parts import Figure
from studies.report.words import estimate

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from search.answer import Answer
    from search.ranking import RankedConfiguration
    from studies.report.fitted import FittedCurve, FittedCurves

HEIGHT = 460
BAND_ALPHA = 0.12


def data_curves(found: Answer, fitted: FittedCurves) -> Figure | None:
    """Test DSC against training cases: measured, fitted, and forecast to twice the cases at hand."""
    if not found.ranking:
        return None
    depths = [each.depth for each in found.depths]
    traces = [trace for curve in fitted.curves for trace in _fitted_traces(curve, hue(curve.depth, depths))]
    traces += [trace for depth in depths for trace in _measured_traces(depth, depths, found, fitted)]
    traces += _keys_of_data_curves(found, fitted)
    figure = drawn(traces, x_title="training cases", y_title="test DSC", height=HEIGHT, hovermode="closest")
    figure.update_xaxes(rangemode="tozero")
    at_hand = f"{found.num_train} at hand"
    figure.add_vline(
        x=found.num_train,
        line={"color": NEUTRAL, "width": 1, "dash": "dot"},
        annotation_text=at_hand,
        annotation_position="bottom right",
        annotation_font_size=12,
    )
    caption = (
        "Test DSC, mean over cases. Filled markers are measured, mean over seeds, with the 90 % interval of the mean; "
        "lines are fitted with their 90 % band, solid where cases were measured, dashed beyond: a forecast. An open x "
        "is a flagged run, and left out of the fit."
    )
    if fitted.expected:
        caption += " Open markers: measured DSC and forecast remaining gain of runs that were stopped early."
    return Figure("data-curves", caption, figure, HEIGHT)


def _fitted_traces(curve: FittedCurve, colour: str) -> Iterator[Any]:
    group = {"legendgroup": str(curve.depth), "showlegend": False}
    x, line = curve.num_cases.tolist(), faded(colour, FIT_ALPHA)
    yield go.Scatter(
        x=x + x[::-1],
        y=curve.upper.tolist() + curve.lower.tolist()[::-1],
        mode="lines",
        fill="toself",
        line={"width": 0, "color": CLEAR},
        fillcolor=faded(colour, BAND_ALPHA),
        hoverinfo="skip",
        **group,
    )
    measured = curve.num_cases <= curve.most_cases
    beyond = curve.num_cases >= curve.most_cases
    for part, dash, word in ((measured, "solid", "fitted"), (beyond, "dash", "forecast")):
        yield go.Scatter(
            x=curve.num_cases[part].tolist(),
            y=curve.dsc[part].tolist(),
            mode="lines",
            line={"color": line, "width": 2, "dash": dash},
            hovertemplate=f"depth {curve.depth}, {word}<br>%{{x:.0f}} cases: %{{y:.3f}}<extra></extra>",
            **group,
        )


def _measured_traces(depth: int, depths: Sequence[int], found: Answer, fitted: FittedCurves) -> Iterator[Any]:
    colour, mark = hue(depth, depths), symbol(depth, depths)
    expected = {each.num_cases: each.dsc for each in fitted.expected if each.depth == depth}
    rows = [row for row in found.ranking if row.depth == depth and row.flag is None]
    rows.sort(key=lambda row: row.num_cases)
    group = {"legendgroup": str(depth)}
    yield go.Scatter(
        name=f"depth {depth}",
        # A trace without points has no entry in the legend: a depth of which nothing learned keeps its own.
        x=[row.num_cases for row in rows] or [None],
        y=[row.test_dsc.value for row in rows] or [None],
        mode="markers",
        marker={"color": colour, "symbol": mark, "size": 9},
        error_y=_error_bars([(row.test_dsc.value, row) for row in rows if row.num_cases not in expected], colour)
        if not expected
        else _error_bars([(row.test_dsc.value, row) for row in rows], colour, expected),
        text=[f"depth {depth}, {row.num_cases} cases<br>measured test DSC {estimate(row.test_dsc)}" for row in rows],
        hovertemplate="%{text}<extra></extra>",
        **group,
    )
    stopped = [row for row in rows if row.num_cases in expected]
    if stopped:
        values = [expected[row.num_cases] for row in stopped]
        yield go.Scatter(
            x=[row.num_cases for row in stopped],
            y=values,
            mode="markers",
            marker={"color": faded(colour, FIT_ALPHA), "symbol": f"{mark}-open", "size": 10},
            error_y=_error_bars(list(zip(values, stopped, strict=True)), faded(colour, FIT_ALPHA)),
            hovertemplate=f"depth {depth}, %{{x}} cases<br>expected after the full budget %{{y:.3f}}<extra></extra>",
            showlegend=False,
            **group,
        )
    flagged = [each for each in found.flagged if each.depth == depth]
    if flagged:
        yield go.Scatter(
            x=[each.num_cases for each in flagged],
            y=[each.test_dsc for each in flagged],
            mode="markers",
            marker={"color": colour, "symbol": "x-open", "size": 9},
            text=[f"{escape(each.key)}<br>{each.flag.replace('_', ' ')}" for each in flagged],
            hovertemplate="%{text}<br>test DSC %{y:.3f}<extra></extra>",
            showlegend=False,
            **group,
        )


def _error_bars(
    points: Sequence[tuple[float, RankedConfiguration]], colour: str, without: dict[int, float] | None = None
) -> dict[str, Any]:
    """From each point to the ends of its interval; none for a number of cases in ``without``."""
    up, down = [], []
    for value, row in points:
        inside = None if row.num_cases in (without or {}) else row.test_dsc.mean_interval
        up.append(0.0 if inside is None else max(0.0, inside.upper - value))
        down.append(0.0 if inside is None else max(0.0, value - inside.lower))
    return {
        "type": "data",
        "symmetric": False,
        "array": up,
        "arrayminus": down,
        "color": colour,
        "width": 4,
        "thickness": 1.3,
    }


def _keys_of_data_curves(found: Answer, fitted: FittedCurves) -> Iterator[Any]:
    """Legend entries for the kinds of marks, in no depth's colour."""
    if fitted.curves:
        yield _key("fitted", mode="lines", line={"color": faded(NEUTRAL, FIT_ALPHA), "width": 2})
        yield _key("forecast", mode="lines", line={"color": faded(NEUTRAL, FIT_ALPHA), "width": 2, "dash": "dash"})
    if found.flagged:
        yield _key("flagged", mode="markers", marker={"color": NEUTRAL, "symbol": "x-open", "size": 9})


def _key(name: str, **look: Any) -> Any:
    return go.Scatter(name=name, x=[None], y=[None], hoverinfo="skip", **look)


