"""The note on a study's page in Optuna dashboard: the answer and the ranking, as Markdown."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from storage.variants import name_of, recipe_of
from studies.report.text.formatting import NONE, amount, bounded_case_count, dsc_with_interval, estimate
from studies.report.text.ranking_columns import columns_of
from studies.report.text.sentences import UNREACHED, has_unreached, sentences
from studies.report.text.terminal import footnote
from studies.results.known_facts import known_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from search.analysis.answer import Answer
    from search.curves.curve_answer import DepthAnswer
    from storage.records import Cell, CellRecord

MOST_ROWS = 10
PROGRESS = "cells"  # the name of that fact
GAP = "\N{EM SPACE}"  # the dashboard sets columns without any
_SPECIAL = re.compile(r"([\\`*_{}\[\]<>#|~!])")


def study_note(records: Sequence[CellRecord], answer: Answer, currency: str) -> str:
    """The note as Markdown, which shows every text of a user's as it was written.

    Args:
        records: All cells of the study.
        answer: What the finished ones say.
        currency: Of its prices.
    """
    blocks = [
        "## The answer so far" if any(_is_open(record.cell) for record in records) else "## The answer",
        *(plain(sentence) for sentence in sentences(answer, currency)),
        f"{progress([record.cell for record in records])}. The whole report: `dicecurve report`.",
    ]
    if answer.depths:
        blocks += ["### Data curve of each depth", "\n".join(_depths(answer))]
    if has_unreached(answer):
        blocks.append(plain(UNREACHED))
    if answer.ranking:
        blocks += ["### Ranking by cost per DSC", "\n".join(_ranking(answer, currency)), plain(footnote(answer))]
    return "\n\n".join(blocks) + "\n"


def study_facts(records: Sequence[CellRecord], answer: Answer, currency: str) -> dict[str, str]:
    """The answer in a few words, for the page's table of attributes; the names are the same each time."""
    row = answer.recommended
    return {
        "answer": "none yet" if row is None else f"{recipe_of(row)} with {row.num_cases} of {answer.num_train} cases",
        PROGRESS: progress([record.cell for record in records]),
        "details": "see the note of this study",
        "price": NONE if row is None else f"{amount(row.price)} {currency}",
        known_of(answer).test: NONE if row is None else estimate(row.estimate),
    }


def plain(text: str) -> str:
    """The text in Markdown, with nothing in it that Markdown would read as a mark."""
    return _SPECIAL.sub(r"\\\1", text)


def progress(cells: Sequence[Cell]) -> str:
    """How many cells were finished, and how many skipped."""
    skipped = sum(cell.skip is not None for cell in cells)
    finished = len(cells) - skipped - sum(map(_is_open, cells))
    return f"{finished} of {len(cells)} cells finished" + (f", {skipped} skipped" if skipped else "")


def _is_open(cell: Cell) -> bool:
    return cell.state.is_open and cell.skip is None


def _depths(answer: Answer) -> Iterator[str]:
    named = answer.has_variants
    within = f"within {answer.tolerance:g} of all"
    yield from _table("depth", *(["variant"] if named else []), within, "plateau", "gain by doubling")
    for depth in answer.depths:
        variant = [name_of(depth.variant)] if named else []
        yield _row(*map(plain, (str(depth.depth), *variant, *_read_off(depth))))


def _read_off(depth: DepthAnswer) -> tuple[str, str, str]:
    curve = depth.on_test
    if curve is None:
        return depth.reason or NONE, NONE, NONE
    return (
        bounded_case_count(curve.sufficient, depth.fewest_cases),
        bounded_case_count(curve.plateau, depth.fewest_cases, unsure=not curve.reached),
        dsc_with_interval(curve.doubling_gain, curve.doubling_gain_interval),
    )


def _ranking(answer: Answer, currency: str) -> Iterator[str]:
    columns = columns_of("note", answer)
    yield from _table(*(plain(column.heading("note", currency)) for column in columns))
    for row in answer.ranking[:MOST_ROWS]:
        texts = (column.text(row, answer) for column in columns)
        yield _row(*(NONE if text is None else plain(text) for text in texts))
    if len(answer.ranking) > MOST_ROWS:
        yield _row(f"and {len(answer.ranking) - MOST_ROWS} more", *[""] * (len(columns) - 1))


def _table(*titles: str) -> Iterator[str]:
    yield _row(*titles)
    yield "|---:" * len(titles) + "|"


def _row(*cells: str) -> str:
    return "".join(f"| {GAP}{cell} " for cell in cells) + "|"
