"""Histogram of training times, coloured by ratio (the paper's Fig 8)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from plotly import graph_objects as go

from studies.report.components import Figure
from studies.report.figures.theme import NEUTRAL, drawn, shade

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from storage.records import CellRecord

    Floats = NDArray[np.float64]

HEIGHT = 340
BINS = 24
MOST_RATIOS = 12
UNITS = ((2 * 3600.0, 3600.0, "hours"), (120.0, 60.0, "minutes"), (0.0, 1.0, "seconds"))


def training_times(records: Sequence[CellRecord]) -> Figure | None:
    """Device time of each finished training, stacked by ratio; times are drawn on a logarithmic axis."""
    done = [record for record in records if not record.cell.state.is_open and record.device_seconds > 0]
    if not done:
        return None
    seconds = np.array([record.device_seconds for record in done])
    _, unit, unit_name = next(scale for scale in UNITS if seconds.max() >= scale[0])
    edges = np.geomspace(seconds.min() / 1.001, seconds.max() * 1.001, BINS + 1)
    ratios = sorted({record.cell.plan.ratio for record in done})
    groups = np.array_split(np.array(ratios), min(len(ratios), MOST_RATIOS))
    own = np.array([record.cell.plan.ratio for record in done])
    bars = [
        _bars(group, seconds[np.isin(own, group)], edges / unit, unit, place / max(1, len(groups) - 1))
        for place, group in enumerate(groups)
    ]
    figure = drawn(
        bars, x_title=f"training time, device {unit_name}", y_title="cells", height=HEIGHT, barmode="stack", bargap=0
    )
    figure.update_layout(showlegend=True)
    ticks = [step * 10.0**power for power in range(-3, 5) for step in (1, 2, 3, 5, 7)]
    figure.update_xaxes(type="log", tickvals=ticks, ticktext=[f"{tick:g}" for tick in ticks])
    figure.update_yaxes(tickformat="d", rangemode="tozero", dtick=max(1, len(done) // len(edges)))
    return Figure(
        "training-times",
        "How long finished trainings took, validation included, coloured by the ratio of training cases, from "
        "blue (smallest) to amber. Measured; the axis of times is logarithmic.",
        figure,
        HEIGHT,
    )


def _bars(group: Floats, seconds: Floats, edges: Floats, unit: float, share: float) -> Any:
    counts, _ = np.histogram(seconds / unit, bins=edges)
    colour = shade(share)
    name = f"ratio {group[0]:.4g}" if len(group) == 1 else f"ratio {group[0]:.4g} to {group[-1]:.4g}"
    return go.Bar(
        name=name,
        x=np.sqrt(edges[:-1] * edges[1:]).tolist(),
        width=np.diff(edges).tolist(),
        y=counts.tolist(),
        marker={"color": colour, "line": {"color": NEUTRAL, "width": 0.5}},
        hovertemplate=f"{name}: %{{y}} cells of about %{{x:.3g}}<extra></extra>",
    )
