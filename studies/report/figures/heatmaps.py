"""Heatmaps of each metric over ratio and depth (the paper's S1 to S4)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from plotly import graph_objects as go

from studies.report.components import Figure
from studies.report.figures.theme import CLEAR, drawn
from studies.report.text.formatting import dsc
from studies.report.text.known_words import averaged_over, capital, score_name
from studies.results.known_facts import EVERYTHING

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from storage.records import CellRecord
    from studies.results.known_facts import KnownFacts
    from studies.results.scores import Scored

FIELD, FLAGGED_FIELD = 48, 86  # widths that hold a value, and the word for a flag
NARROW_FIELD = 12  # without a value
MOST_WRITTEN = 30  # ratios up to which values stand in the fields


def heatmap(
    metric: str, scored: Sequence[Scored], records: Sequence[CellRecord], known: KnownFacts = EVERYTHING
) -> Figure | None:
    """Mean over test cases and seeds; flagged configurations hold their value and flag, uncoloured."""
    if not any(metric in score.mean for score in scored):
        return None
    plans = [record.cell.plan for record in records]
    ratios = {plan.num_cases: plan.ratio for plan in plans}
    cases, depths = sorted(ratios), sorted({plan.depth for plan in plans})
    by_configuration = {(score.depth, score.num_cases): score for score in scored}
    grid = [[by_configuration.get((depth, n)) for n in cases] for depth in depths]
    written = len(cases) <= MOST_WRITTEN
    placed = [(x, y, score) for y, line in enumerate(grid) for x, score in enumerate(line) if score is not None]
    apart = [(x, y, score) for x, y, score in placed if not score.runs]
    coloured = [(x, y, score) for x, y, score in placed if score.runs]
    height = 120 + 52 * len(depths)
    figure = drawn(
        [
            _heat(metric, grid, score_name(metric, known), written=written),
            *([_values(metric, coloured)] if written else []),
        ],
        x_title="ratio of the training cases (cases)",
        y_title="depth",
        height=height,
        margin={"l": 8, "r": 12, "t": 32, "b": 8},  # the buttons stand above the fields
        shapes=[_outline(x, y) for x, y, _ in apart],
        annotations=[_inside(x, y, _text(metric, score)) for x, y, score in apart] if written else [],
    )
    _label(figure, {n: f"{ratios[n]:.4g}<br>({n})" for n in cases}, depths)
    flagged = any(score.flags for score in scored)
    field = (FLAGGED_FIELD if flagged else FIELD) if written else NARROW_FIELD
    return Figure(
        "scores" if metric == "dsc" else f"{metric}-heatmap",
        _caption(score_name(metric, known), known),
        figure,
        height,
        min_width=70 + field * len(cases),
    )


def _caption(name: str, known: KnownFacts) -> str:
    empty = "is not in the table" if known.is_table else "is not measured yet"
    return (
        f"{capital(name)}, mean over {averaged_over(known, 'the seeds')} that learned; measured. An outlined cell "
        f"without colour is flagged (did not learn, or collapsed) and left out of every fit; an empty one {empty}."
    )


def _heat(metric: str, grid: Sequence[Sequence[Scored | None]], name: str, *, written: bool) -> Any:
    return go.Heatmap(
        x=list(range(len(grid[0]))),
        y=list(range(len(grid))),
        z=[[None if score is None or not score.runs else score.mean[metric] for score in line] for line in grid],
        customdata=[[_hover(metric, score, name) for score in line] for line in grid],
        hovertemplate="%{customdata}<extra></extra>",
        colorscale="Cividis",
        xgap=2 if written else 0,
        ygap=2,
        showscale=not written,  # else the values stand in the fields
    )


def _label(figure: Any, ratios: Mapping[int, str], depths: Sequence[int]) -> None:
    every = max(1, len(ratios) // MOST_WRITTEN)
    places = list(range(0, len(ratios), every))
    texts = list(ratios.values())
    figure.update_xaxes(tickvals=places, ticktext=[texts[i] for i in places], range=[-0.5, len(ratios) - 0.5])
    figure.update_yaxes(tickvals=list(range(len(depths))), ticktext=[str(d) for d in depths])
    figure.update_yaxes(range=[-0.5, len(depths) - 0.5])
    figure.update_xaxes(showgrid=False, fixedrange=True)
    figure.update_yaxes(showgrid=False, fixedrange=True)


def _text(metric: str, score: Scored) -> str:
    value = dsc(score.mean[metric])
    if not score.runs:
        return f"{value}<br>{score.flags[0].replace('_', ' ')}"
    number = len(score.flags)
    return f"{value}<br>{number} of {score.runs + number} flagged" if number else value


def _hover(metric: str, score: Scored | None, name: str) -> str:
    if score is None:
        return "not measured"
    flag = "" if score.runs else f"<br>{score.flags[0].replace('_', ' ')}"
    runs = f"{score.runs} run{'' if score.runs == 1 else 's'}"
    pooled = f", pooled {dsc(score.pooled[metric])}" if metric in score.pooled else ""
    value = f"{name} {dsc(score.mean[metric])}{pooled}"
    return f"depth {score.depth}, {score.num_cases} cases ({runs})<br>{value}{flag}"


def _values(metric: str, fields: Sequence[tuple[int, int, Scored]]) -> Any:
    """The values inside the coloured fields, light on the dark half of the scale and dark on the light one."""
    scores = [score.mean[metric] for _, _, score in fields]
    middle = (max(scores) + min(scores)) / 2 if scores else 0.0
    return go.Scatter(
        x=[x for x, _, _ in fields],
        y=[y for _, y, _ in fields],
        text=[_text(metric, score) for _, _, score in fields],
        mode="text",
        textfont={"color": ["#fff" if value < middle else "#000" for value in scores], "size": 12},
        hoverinfo="skip",
        showlegend=False,
    )


def _outline(x: int, y: int) -> dict[str, Any]:
    box = {"x0": x - 0.47, "x1": x + 0.47, "y0": y - 0.46, "y1": y + 0.46}
    return {"type": "rect", "line": {"color": "#D55E00", "width": 1.5, "dash": "dot"}, "fillcolor": CLEAR, **box}


def _inside(x: int, y: int, text: str) -> dict[str, Any]:
    return {"x": x, "y": y, "text": text, "showarrow": False, "font": {"size": 12}}
