"""The figure of training curves: validation DSC against evaluation."""

from __future__ import annotations

from collections import defaultdict
from html import escape
from typing import TYPE_CHECKING, Any

import numpy as np
from plotly import graph_objects as go

from studies.report.components import Figure
from studies.report.figures.theme import NEUTRAL, dash, drawn, faded, hue
from studies.report.text.known_words import capital
from studies.results.known_facts import EVERYTHING

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from storage.records import CellRecord
    from studies.results.known_facts import KnownFacts

HEIGHT = 460
MANY_CELLS = 24
MOST_CURVES = 240  # more lines are a carpet, and heavy


def training_curves(records: Sequence[CellRecord], d0: float | None, known: KnownFacts = EVERYTHING) -> Figure | None:
    """Validation DSC against evaluation, a line a cell; the legend switches a whole depth on and off."""
    begun = [record for record in records if record.curve]
    if not begun or not known.curves:
        return None
    shown = begun[:: -(-len(begun) // MOST_CURVES)]
    number = sum(record.totals.evaluations > 0 for record in records)
    depths = sorted({record.cell.plan.depth for record in records})
    stopped = [record for record in shown if record.attempt.stop_reason is not None]
    traces = [*_training_traces(shown, depths, known.validation), *(_stops(stopped, depths) if stopped else [])]
    figure = drawn(traces, x_title="evaluation", y_title=known.validation, height=HEIGHT, hovermode="closest")
    figure.update_layout(showlegend=True, legend={"groupclick": "togglegroup"})
    figure.update_xaxes(rangemode="tozero")
    caption = (
        f"{capital(known.validation)} at each evaluation, a line a cell. Choose a depth in the legend to hide or show "
        "its cells."
    )
    if len(shown) < number:
        caption += f" {len(shown)} of {number:,} cells, spread over all."
    if stopped:
        caption += " A square marks where a training was stopped early; an open diamond, the plateau forecast there."
    if d0 is not None:
        figure.add_hline(
            y=d0,
            line={"color": NEUTRAL, "width": 1, "dash": "dot"},
            annotation_text="everything is foreground",
            annotation_position="bottom right",
            annotation_font_size=12,
        )
        caption += f" Dotted: the DSC of calling everything foreground, {d0:.3f}."
    return Figure("training-curves", caption, figure, HEIGHT)


def _training_traces(shown: Sequence[CellRecord], depths: Sequence[int], score: str) -> Iterator[Any]:
    by_depth: dict[int, list[CellRecord]] = defaultdict(list)
    for record in shown:
        by_depth[record.cell.plan.depth].append(record)
    width = 1.0 if len(shown) > MANY_CELLS else 1.6
    for depth, members in sorted(by_depth.items()):
        look = {"color": hue(depth, depths), "dash": dash(depth, depths), "width": width}
        for record in members:
            yield _training_trace(record, look, score, first=record is members[0])


def _training_trace(record: CellRecord, line: dict[str, Any], score: str, *, first: bool) -> Any:
    plan = record.cell.plan
    return go.Scatter(
        name=f"depth {plan.depth}",
        legendgroup=str(plan.depth),
        showlegend=first,
        # plotly looks at each number of a list, and takes an array as it is.
        x=np.array([point.evaluation for point in record.curve]),
        y=np.array([point.val_dsc for point in record.curve]),
        # The line of a single evaluation is not seen.
        mode="lines" if len(record.curve) > 1 else "markers",
        line=line,
        marker={"color": line["color"]},
        hovertemplate=f"{escape(plan.key)}, {plan.num_cases} cases<br>"
        f"evaluation %{{x}}: {score} %{{y:.3f}}<extra></extra>",
    )


def _stops(stopped: Sequence[CellRecord], depths: Sequence[int]) -> list[Any]:
    """Where trainings were stopped, and what was forecast for their last evaluation."""
    forecast = [record for record in stopped if record.attempt.forecast is not None]
    return [_stop_marks(stopped, depths), *([_forecast_marks(forecast, depths)] if forecast else [])]


def _stop_marks(stopped: Sequence[CellRecord], depths: Sequence[int]) -> Any:
    colours = [hue(record.cell.plan.depth, depths) for record in stopped]
    return go.Scatter(
        name="stopped",
        x=[record.curve[-1].evaluation for record in stopped],
        y=[record.curve[-1].val_dsc for record in stopped],
        mode="markers",
        marker={"color": colours, "symbol": "square", "size": 8},
        text=[escape(record.cell.plan.key) for record in stopped],
        hovertemplate="%{text}<br>stopped at evaluation %{x}, measured %{y:.3f}<extra></extra>",
    )


def _forecast_marks(stopped: Sequence[CellRecord], depths: Sequence[int]) -> Any:
    colours = [faded(hue(record.cell.plan.depth, depths)) for record in stopped]
    ends = [record.attempt.forecast for record in stopped if record.attempt.forecast is not None]
    return go.Scatter(
        name="forecast plateau",
        x=[record.curve[-1].evaluation for record in stopped],
        y=[end.mean for end in ends],
        mode="markers",
        marker={"color": colours, "symbol": "diamond-open", "size": 10},
        error_y={
            "type": "data",
            "symmetric": False,
            "color": NEUTRAL,
            "width": 3,
            "thickness": 1,
            "array": [max(0.0, end.upper - end.mean) for end in ends],
            "arrayminus": [max(0.0, end.mean - end.lower) for end in ends],
        },
        text=[escape(record.cell.plan.key) for record in stopped],
        hovertemplate="%{text}<br>forecast for the last evaluation: %{y:.3f}<extra></extra>",
    )
