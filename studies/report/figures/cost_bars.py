"""The figure of the ranking: cost per DSC of every configuration."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING, Any

from plotly import graph_objects as go

from storage.variants import recipe_of
from studies.report.components import Figure
from studies.report.figures.theme import CLEAR, NEUTRAL, drawn
from studies.report.text.formatting import amount, estimate
from studies.report.text.known_words import price_covers
from studies.results.known_facts import known_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from search.analysis.answer import Answer
    from search.analysis.ranking import RankedConfiguration

MOST_BARS = 40
MARKERS: dict[str, dict[str, Any]] = {
    "recommended": {"color": "#009E73"},
    "eligible": {"color": "#0072B2"},
    "eligible by forecast": {"color": CLEAR, "line": {"color": "#0072B2", "width": 2}},
    "not eligible": {
        "color": CLEAR,
        "line": {"color": NEUTRAL, "width": 1},
        "pattern": {"shape": "/", "fgcolor": NEUTRAL, "bgcolor": CLEAR, "fgopacity": 1, "size": 7},
    },
}


def cost_bars(answer: Answer, currency: str) -> Figure | None:
    """Cost per 0.01 DSC of every configuration that learned, in the order of the ranking."""
    rows = [row for row in answer.ranking if row.cost_per_dsc is not None]
    if not rows:
        return None
    known = known_of(answer)
    shown = rows[:MOST_BARS]
    height = 130 + 26 * len(shown)
    figure = drawn(
        [_bars(name, group, MARKERS[name], known.test) for name, group in _groups(shown, answer).items() if group],
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
        f"Price of one configuration ({price_covers(known)}) in {currency} per 0.01 of fitted {known.validation}; "
        "in the order of the ranking. Hatched bars are not eligible: P is below the assurance."
    )
    if len(rows) > MOST_BARS:
        caption += f" The first {MOST_BARS} of {len(rows)}; the table holds all."
    return Figure("ranking-bars", caption, figure, height)


def _groups(rows: Sequence[RankedConfiguration], answer: Answer) -> dict[str, list[RankedConfiguration]]:
    """The rows by what is said of them in the legend."""
    others = [row for row in rows if row is not answer.recommended]
    return {
        "recommended": [row for row in rows if row is answer.recommended],
        "eligible": [row for row in others if row.eligible and not row.is_forecast],
        "eligible by forecast": [row for row in rows if row.eligible and row.is_forecast],
        "not eligible": [row for row in others if not row.eligible],
    }


def _bars(name: str, rows: Sequence[RankedConfiguration], marker: dict[str, Any], score: str) -> Any:
    return go.Bar(
        name=name,
        x=[row.cost_per_dsc for row in rows],
        y=[_bar_name(row) for row in rows],
        orientation="h",
        marker=marker,
        text=[amount(row.cost_per_dsc) for row in rows],
        textposition="outside",
        cliponaxis=False,
        hovertext=[_hover(row, score) for row in rows],
        hovertemplate="%{hovertext}<extra></extra>",
    )


def _bar_name(row: RankedConfiguration) -> str:
    return f"{recipe_of(row)}, {row.num_cases} cases"


def _hover(row: RankedConfiguration, score: str) -> str:
    flag = f"<br>{row.flag.replace('_', ' ')}" if row.flag else ""
    kind = "forecast " if row.is_forecast else ""
    runs = f"{row.seeds} run{'' if row.seeds == 1 else 's'}"
    return f"{_bar_name(row)} ({runs})<br>{kind}{score} {estimate(row.estimate)}{flag}"
