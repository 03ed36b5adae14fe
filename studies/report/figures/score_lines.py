"""Each metric against ratio at each depth, and against depth at each ratio (the paper's Fig 1 and S5 to S12)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from plotly import graph_objects as go

from studies.report.components import Figure
from studies.report.figures.theme import dash, drawn, hue, shade, symbol
from studies.report.text.known_words import averaged_over, capital, error_name, score_name
from studies.results.known_facts import EVERYTHING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from studies.results.known_facts import KnownFacts
    from studies.results.scores import Scored

HEIGHT = 380
MOST_RATIOS = 12  # lines that can be told apart
SHARES = (0.01, 0.02, 0.05, 0.1, 0.2, 0.3, 0.5, 0.7, 1.0)  # ticks of a logarithmic axis
ERRORS = (0.01, 0.02, 0.03, 0.05, 0.07, 0.1, 0.15, 0.2, 0.25, 0.3, 0.4, 0.5, 0.6, 0.8, 1.0)


def against_ratio(metric: str, scored: Sequence[Scored], known: KnownFacts = EVERYTHING) -> Figure | None:
    """A line a depth."""
    learned = [score for score in scored if score.runs and metric in score.mean]
    if not learned:
        return None
    lines = [_depth_line(depth, learned, metric, _depths(scored), error=False) for depth in _depths(learned)]
    return Figure(
        f"{metric}-by-ratio",
        f"{capital(score_name(metric, known))} against the ratio of training cases, a line a depth; measured, mean "
        f"over {averaged_over(known)}.",
        _drawn(lines, "ratio of the training cases", score_name(metric, known)),
        HEIGHT,
    )


def dsc_error(scored: Sequence[Scored], known: KnownFacts = EVERYTHING) -> Figure | None:
    """1 - DSC against ratio, a line a depth, both axes logarithmic, where power laws are straight."""
    learned = [score for score in scored if score.runs]
    if not learned:
        return None
    lines = [_depth_line(depth, learned, "dsc", _depths(scored), error=True) for depth in _depths(learned)]
    figure = _drawn(lines, "ratio of the training cases", f"{error_name(known)}, 1 - DSC")
    figure.update_xaxes(type="log", tickvals=SHARES, ticktext=[f"{share:g}" for share in SHARES])
    figure.update_yaxes(type="log", tickvals=ERRORS, ticktext=[f"{error:g}" for error in ERRORS])
    return Figure(
        error_name(known).replace(" ", "-"),
        f"{capital(error_name(known))}, 1 - DSC, against the ratio of training cases, a line a depth; measured. Both "
        "axes are logarithmic: an error that falls by a power of the number of cases is a straight line.",
        figure,
        HEIGHT,
    )


def against_depth(metric: str, scored: Sequence[Scored], known: KnownFacts = EVERYTHING) -> Figure | None:
    """A line a ratio; of many, some that are spread over all."""
    learned = [score for score in scored if score.runs and metric in score.mean]
    if len(_depths(learned)) < len(("one", "other")):
        return None
    cases = sorted({score.num_cases for score in learned})
    step = -(-len(cases) // MOST_RATIOS)
    shown = cases[::-1][::step][::-1]
    shares = [i / max(1, len(shown) - 1) for i in range(len(shown))]
    lines = [
        _ratio_line(n, learned, metric, place, share)
        for place, (n, share) in enumerate(zip(shown, shares, strict=True))
    ]
    figure = _drawn(lines, "depth", score_name(metric, known))
    figure.update_xaxes(dtick=1)
    some = f" {len(shown)} of {len(cases)} ratios." if len(shown) < len(cases) else ""
    return Figure(
        f"{metric}-by-depth",
        f"{capital(score_name(metric, known))} against depth, a line a ratio, from blue (fewest cases) to amber; "
        f"measured, mean over {averaged_over(known)}.{some}",
        figure,
        HEIGHT,
    )


def _depths(scored: Sequence[Scored]) -> list[int]:
    return sorted({score.depth for score in scored})


def _depth_line(depth: int, learned: Sequence[Scored], metric: str, depths: Sequence[int], *, error: bool) -> Any:
    """A line in the colour that the depth has among all depths of the study."""
    own = [score for score in learned if score.depth == depth]
    colour = hue(depth, depths)
    return go.Scatter(
        name=f"depth {depth}",
        x=np.array([score.ratio for score in own]),
        y=np.array([1 - score.mean[metric] if error else score.mean[metric] for score in own]),
        mode="lines+markers",
        line={"color": colour, "width": 1.5, "dash": dash(depth, depths)},
        marker={"color": colour, "symbol": symbol(depth, depths), "size": 7},
        text=[f"{score.num_cases} cases" for score in own],
        hovertemplate=f"depth {depth}, %{{text}}: %{{y:.3f}}<extra></extra>",
    )


def _ratio_line(num_cases: int, scored: Sequence[Scored], metric: str, place: int, share: float) -> Any:
    own = [score for score in scored if score.num_cases == num_cases]
    colour = shade(share)
    return go.Scatter(
        name=f"ratio {own[0].ratio:.4g}",
        x=np.array([score.depth for score in own]),
        y=np.array([score.mean[metric] for score in own]),
        mode="lines+markers",
        line={"color": colour, "width": 1.5},
        marker={"color": colour, "symbol": place, "size": 7},
        hovertemplate=f"{num_cases} cases, depth %{{x}}: %{{y:.3f}}<extra></extra>",
    )


def _drawn(lines: Sequence[Any], x_title: str, y_title: str) -> Any:
    figure = drawn(lines, x_title=x_title, y_title=y_title, height=HEIGHT, hovermode="closest")
    figure.update_layout(showlegend=True)
    return figure
