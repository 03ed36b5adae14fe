"""The figure of data curves: DSC against training cases.

Measured values are filled markers in the full colour of their depth; what is fitted or forecast has no marker or an
open one, and a faded colour.
"""

from __future__ import annotations

from dataclasses import dataclass
from html import escape
from typing import TYPE_CHECKING, Any

from plotly import graph_objects as go

from studies.report.components import Figure
from studies.report.figures.theme import CLEAR, NEUTRAL, drawn, faded, hue, see_through, symbol
from studies.report.text.known_words import capital
from studies.results.known_facts import known_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from search.analysis.answer import Answer
    from search.analysis.ranking import RankedConfiguration
    from search.curves.flagged_runs import FlaggedCell
    from search.curves.intervals import Interval
    from studies.report.figures.fitted_curves import FittedCurve, FittedCurves

HEIGHT = 460
BAND_ALPHA = 0.15
DODGE, MOST_DODGE = 0.007, 0.014  # between two depths, and between the outermost; shares of the axis
NO_POINT: list[Any] = [None]  # a trace without any has no entry in the legend


def data_curves(answer: Answer, curves: FittedCurves) -> Figure | None:
    """Test DSC against training cases: measured, fitted, and forecast to twice the cases at hand."""
    if not answer.ranking:
        return None
    known = known_of(answer)
    depths = [depth.depth for depth in answer.depths]
    traces = [trace for curve in curves.curves for trace in _fitted_traces(curve, hue(curve.depth, depths))]
    traces += [trace for depth in depths for trace in _depth_traces(depth, depths, answer, curves)]
    traces += _keys_of_data_curves(answer, curves)
    figure = drawn(traces, x_title="training cases", y_title=known.test, height=HEIGHT, hovermode="closest")
    figure.update_layout(showlegend=True)
    figure.update_xaxes(rangemode="tozero")
    at_hand = f"{answer.num_train} at hand"
    figure.add_vline(
        x=answer.num_train,
        line={"color": NEUTRAL, "width": 1, "dash": "dot"},
        annotation_text=at_hand,
        annotation_position="bottom right",
        annotation_font_size=12,
    )
    caption = (
        f"{capital(known.test)}{'' if known.is_table else ', mean over cases'}. "
        "Filled markers are measured, mean over seeds, with the 90 % interval of the mean; "
        "solid lines are fitted through them; dashed lines with their 90 % band are forecast. An open x is a flagged "
        "run, and left out of the fit. Depths stand slightly apart, so that no interval hides another."
    )
    if curves.expected:
        caption += " Open markers: measured DSC and forecast remaining gain of runs that were stopped early."
    return Figure("data-curves", caption, figure, HEIGHT)


def _fitted_traces(curve: FittedCurve, colour: str) -> Iterator[Any]:
    group = {"legendgroup": str(curve.depth), "showlegend": False}
    measured, beyond = curve.num_cases <= curve.most_cases, curve.num_cases >= curve.most_cases
    x, line = curve.num_cases[beyond].tolist(), faded(colour)
    yield go.Scatter(
        x=x + x[::-1],
        y=curve.upper[beyond].tolist() + curve.lower[beyond].tolist()[::-1],
        mode="lines",
        fill="toself",
        line={"width": 0, "color": CLEAR},
        fillcolor=see_through(colour, BAND_ALPHA),
        hoverinfo="skip",
        **group,
    )
    for positions, dash, name in ((measured, "solid", "fitted"), (beyond, "dash", "forecast")):
        yield go.Scatter(
            x=curve.num_cases[positions].tolist(),
            y=curve.dsc[positions].tolist(),
            mode="lines",
            line={"color": line, "width": 2, "dash": dash},
            hovertemplate=f"depth {curve.depth}, {name}<br>%{{x:.0f}} cases: %{{y:.3f}}<extra></extra>",
            **group,
        )


@dataclass(frozen=True)
class _Look:
    """How the points of one depth are drawn, what their scores are called, how far beside their number of cases."""

    depth: int
    colour: str
    mark: str
    score: str
    shift: float


def _depth_traces(depth: int, depths: Sequence[int], answer: Answer, curves: FittedCurves) -> Iterator[Any]:
    gaps = len(depths) - 1
    step = min(DODGE, MOST_DODGE / max(1, gaps)) * 2 * answer.num_train
    shift = step * (sorted(depths).index(depth) - gaps / 2)
    look = _Look(depth, hue(depth, depths), symbol(depth, depths), known_of(answer).test, shift)
    rows = [row for row in answer.ranking if row.depth == depth and row.flag is None and not row.is_forecast]
    expected = {point.num_cases: point.dsc for point in curves.expected if point.depth == depth}
    stopped = [(row, expected[row.num_cases]) for row in rows if row.num_cases in expected]
    flagged = [cell for cell in answer.flagged if cell.depth == depth]
    yield _measured(look, rows, set(expected))
    if stopped:
        yield _expected(look, stopped)
    if flagged:
        yield _flagged(look, flagged)


def _measured(look: _Look, rows: Sequence[RankedConfiguration], without_interval: set[int]) -> Any:
    """Measured points; those of stopped runs leave their interval, which is of the full budget, to the expected one."""
    measured = [row.test_dsc or row.estimate for row in rows]
    intervals = [
        None if row.num_cases in without_interval else one.mean_interval
        for row, one in zip(rows, measured, strict=True)
    ]
    values = [one.value for one in measured]
    return go.Scatter(
        name=f"depth {look.depth}",
        legendgroup=str(look.depth),
        x=[row.num_cases + look.shift for row in rows] or NO_POINT,
        y=values or NO_POINT,
        mode="markers",
        marker={"color": look.colour, "symbol": look.mark, "size": 9},
        error_y=_error_bars(values, intervals, look.colour),
        text=[
            f"depth {row.depth}, {row.num_cases} cases<br>measured {look.score} {value:.3f}"
            for row, value in zip(rows, values, strict=True)
        ],
        hovertemplate="%{text}<extra></extra>",
    )


def _expected(look: _Look, points: Sequence[tuple[RankedConfiguration, float]]) -> Any:
    values, colour = [value for _, value in points], faded(look.colour)
    return go.Scatter(
        legendgroup=str(look.depth),
        showlegend=False,
        x=[row.num_cases + look.shift for row, _ in points],
        y=values,
        mode="markers",
        marker={"color": colour, "symbol": f"{look.mark}-open", "size": 10},
        error_y=_error_bars(values, [row.estimate.mean_interval for row, _ in points], colour),
        text=[f"depth {row.depth}, {row.num_cases} cases" for row, _ in points],
        hovertemplate="%{text}<br>expected after the full budget %{y:.3f}<extra></extra>",
    )


def _flagged(look: _Look, cells: Sequence[FlaggedCell]) -> Any:
    return go.Scatter(
        legendgroup=str(look.depth),
        showlegend=False,
        x=[cell.num_cases + look.shift for cell in cells],
        y=[cell.test_dsc for cell in cells],
        mode="markers",
        marker={"color": look.colour, "symbol": "x-thin-open", "size": 9, "line": {"width": 2}},
        text=[f"{escape(cell.key)}<br>{cell.flag.replace('_', ' ')}" for cell in cells],
        hovertemplate=f"%{{text}}<br>{look.score} %{{y:.3f}}<extra></extra>",
    )


def _error_bars(values: Sequence[float], intervals: Sequence[Interval | None], colour: str) -> dict[str, Any]:
    """From each value to the ends of its interval; none where there is no interval."""
    pairs = list(zip(values, intervals, strict=True))
    return {
        "type": "data",
        "symmetric": False,
        "array": [0.0 if inside is None else max(0.0, inside.upper - value) for value, inside in pairs],
        "arrayminus": [0.0 if inside is None else max(0.0, value - inside.lower) for value, inside in pairs],
        "color": colour,
        "width": 4,
        "thickness": 1.3,
    }


def _keys_of_data_curves(answer: Answer, curves: FittedCurves) -> Iterator[Any]:
    """Legend entries for the kinds of marks, in no depth's colour."""
    if curves.curves:
        yield _key("fitted", mode="lines", line={"color": NEUTRAL, "width": 2})
        yield _key("forecast", mode="lines", line={"color": NEUTRAL, "width": 2, "dash": "dash"})
    if answer.flagged:
        yield _key(
            "flagged",
            mode="markers",
            marker={"color": NEUTRAL, "symbol": "x-thin-open", "size": 9, "line": {"width": 2}},
        )


def _key(name: str, **look: Any) -> Any:
    return go.Scatter(name=name, x=NO_POINT, y=NO_POINT, hoverinfo="skip", **look)
