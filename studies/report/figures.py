"""The figures over configurations: scores by ratio and depth, and the ranking."""

from __future__ import annotations

from collections import Counter
from html import escape
from typing import TYPE_CHECKING, Any

from plotly import graph_objects as go

from studies.report.drawing import CLEAR, NEUTRAL, drawn
from studies.report.parts import Figure
from studies.report.words import amount, dsc, estimate

if TYPE_CHECKING:
    from collections.abc import Sequence

    from search.answer import Answer
    from search.ranking import RankedConfiguration
    from storage.records import CellRecord

MOST_BARS = 40
FIELD, FLAGGED_FIELD = 48, 86  # widths that hold a value, and the word for a flag


def dsc_heatmap(records: Sequence[CellRecord], found: Answer) -> Figure | None:
    """Test DSC over ratio and depth, mean over seeds; flagged configurations hold their value and flag, uncoloured."""
    if not found.ranking:
        return None
    counts = {record.cell.plan.num_cases: record.cell.plan.ratio for record in records}
    cases, depths = sorted(counts), sorted({record.cell.plan.depth for record in records})
    rows = {(row.depth, row.num_cases): row for row in found.ranking if not row.is_forecast}
    flagged = Counter((each.depth, each.num_cases) for each in found.flagged)
    ratios = [f"{counts[n]:.4g}<br>({n})" for n in cases]
    grid = [[rows.get((depth, n)) for n in cases] for depth in depths]
    heat = go.Heatmap(
        x=list(range(len(cases))),
        y=list(range(len(depths))),
        z=[[None if row is None or row.flag else row.estimate.value for row in line] for line in grid],
        customdata=[[_hover(row) for row in line] for line in grid],
        hovertemplate="%{customdata}<extra></extra>",
        colorscale="Cividis",
        xgap=2,
        ygap=2,
        showscale=False,  # the values stand in the fields
    )
    coloured = [(x, y, row) for y, line in enumerate(grid) for x, row in enumerate(line) if row and not row.flag]
    apart = [(x, y, row) for y, line in enumerate(grid) for x, row in enumerate(line) if row and row.flag]
    height = 120 + 52 * len(depths)
    figure = drawn(
        [heat, _values(coloured, flagged)],
        x_title="ratio of the training cases (cases)",
        y_title="depth",
        height=height,
        margin={"l": 8, "r": 12, "t": 32, "b": 8},  # the buttons stand above the fields
        shapes=[_outline(x, y) for x, y, _ in apart],
        annotations=[_inside(x, y, _cell_text(row, flagged)) for x, y, row in apart],
    )
    figure.update_xaxes(tickvals=list(range(len(cases))), ticktext=ratios, range=[-0.5, len(cases) - 0.5])
    figure.update_yaxes(tickvals=list(range(len(depths))), ticktext=[str(d) for d in depths])
    figure.update_yaxes(range=[-0.5, len(depths) - 0.5])
    figure.update_xaxes(showgrid=False, fixedrange=True)
    figure.update_yaxes(showgrid=False, fixedrange=True)
    caption = (
        "Test DSC, mean over cases and over the seeds that learned. An outlined cell without colour is flagged (did "
        "not learn, or collapsed) and left out of every fit; an empty one is not measured yet."
    )
    return Figure(
        "scores", caption, figure, height, min_width=70 + (FLAGGED_FIELD if found.flagged else FIELD) * len(cases)
    )


def cost_bars(found: Answer, currency: str) -> Figure | None:
    """Cost per 0.01 DSC of every configuration that learned, in the order of the ranking."""
    rows = [row for row in found.ranking if row.cost_per_dsc is not None]
    if not rows:
        return None
    shown = rows[:MOST_BARS]
    chosen = found.recommended
    groups = (
        ("recommended", [r for r in shown if r is chosen], {"color": "#009E73"}),
        ("eligible", [r for r in shown if r.eligible and r is not chosen and not r.is_forecast], {"color": "#0072B2"}),
        (
            "eligible by forecast",
            [r for r in shown if r.eligible and r.is_forecast],
            {"color": CLEAR, "line": {"color": "#0072B2", "width": 2}},
        ),
        (
            "not eligible",
            [r for r in shown if not r.eligible and r is not chosen],
            {
                "color": CLEAR,
                "line": {"color": NEUTRAL, "width": 1},
                "pattern": {"shape": "/", "fgcolor": NEUTRAL, "bgcolor": CLEAR, "fgopacity": 1, "size": 7},
            },
        ),
    )
    height = 130 + 26 * len(shown)
    figure = drawn(
        [_bars(name, members, marker) for name, members, marker in groups if members],
        x_title=f"{escape(currency)} per 0.01 DSC",
        y_title="",
        height=height,
        barmode="overlay",
        bargap=0.3,
        showlegend=True,
    )
    names = [_bar_name(row) for row in shown]
    figure.update_yaxes(categoryorder="array", categoryarray=names, range=[len(shown) - 0.4, -0.6], fixedrange=True)
    figure.update_yaxes(ticklabelstandoff=6, showgrid=False)
    # Room for the amounts at the ends of the bars.
    figure.update_xaxes(range=[0, 1.18 * max(row.cost_per_dsc or 0.0 for row in shown) or 1.0], fixedrange=True)
    caption = (
        f"Price of one configuration, trained once with its cases, in {currency} per 0.01 of fitted validation DSC; "
        "in the order of the ranking. Hatched bars are not eligible: less likely than not to reach the floor."
    )
    if len(rows) > MOST_BARS:
        caption += f" The first {MOST_BARS} of {len(rows)}; the table holds all."
    return Figure("ranking-bars", caption, figure, height)


def _bars(name: str, rows: Sequence[RankedConfiguration], marker: dict[str, Any]) -> Any:
    return go.Bar(
        name=name,
        x=[row.cost_per_dsc for row in rows],
        y=[_bar_name(row) for row in rows],
        orientation="h",
        marker=marker,
        text=[amount(row.cost_per_dsc) for row in rows],
        textposition="outside",
        cliponaxis=False,
        hovertext=[_hover(row) for row in rows],
        hovertemplate="%{hovertext}<extra></extra>",
    )


def _bar_name(row: RankedConfiguration) -> str:
    return f"depth {row.depth}, {row.num_cases} cases"


def _cell_text(row: RankedConfiguration, flagged: Counter[tuple[int, int]]) -> str:
    value = dsc(row.estimate.value)
    number = flagged[row.depth, row.num_cases]
    if row.flag:
        return f"{value}<br>{row.flag.replace('_', ' ')}"
    return f"{value}<br>{number} of {row.seeds + number} flagged" if number else value


def _hover(row: RankedConfiguration | None) -> str:
    if row is None:
        return "not measured"
    flag = f"<br>{row.flag.replace('_', ' ')}" if row.flag else ""
    kind = "forecast test" if row.is_forecast else "test"
    runs = f"{row.seeds} run{'' if row.seeds == 1 else 's'}"
    return f"depth {row.depth}, {row.num_cases} cases ({runs})<br>{kind} DSC {estimate(row.estimate)}{flag}"


def _values(cells: Sequence[tuple[int, int, RankedConfiguration]], flagged: Counter[tuple[int, int]]) -> Any:
    """The values inside the coloured fields, light on the dark half of the scale and dark on the light one."""
    scores = [row.estimate.value for _, _, row in cells]
    middle = (max(scores) + min(scores)) / 2 if scores else 0.0
    return go.Scatter(
        x=[x for x, _, _ in cells],
        y=[y for _, y, _ in cells],
        text=[_cell_text(row, flagged) for _, _, row in cells],
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
