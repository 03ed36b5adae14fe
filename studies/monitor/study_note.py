"""The note on a study's page in Optuna dashboard: the answer and the ranking, as Markdown."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from storage.variants import name_of, recipe_of
from studies.report.text.formatting import NONE, amount, case_count, dsc, estimate, interval
from studies.report.text.sentences import UNREACHED, has_unreached, sentences
from studies.report.text.terminal import footnote

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from search.analysis.answer import Answer
    from search.analysis.ranking import RankedConfiguration
    from search.curves.curve_answer import DepthAnswer
    from storage.records import Cell, CellRecord

MOST_ROWS = 10
PROGRESS = "cells"  # the name of that fact
GAP = "\N{EM SPACE}"  # the dashboard sets columns without any
_SPECIAL = re.compile(r"([\\`*_{}\[\]<>#|~!])")


def study_note(records: Sequence[CellRecord], found: Answer, currency: str) -> str:
    """The note as Markdown, which shows every text of a user's as it was written.

    Args:
        records: All cells of the study.
        found: What the finished ones say.
        currency: Of its prices.
    """
    parts = [
        "## The answer so far" if any(_is_open(record.cell) for record in records) else "## The answer",
        *(plain(sentence) for sentence in sentences(found, currency)),
        f"{progress([record.cell for record in records])}. The whole report: `dicecurve report`.",
    ]
    if found.depths:
        parts += ["### Enough cases at each depth", "\n".join(_depths(found))]
    if has_unreached(found):
        parts.append(plain(UNREACHED))
    if found.ranking:
        parts += ["### Ranking by cost per DSC", "\n".join(_ranking(found, currency)), plain(footnote(found))]
    return "\n\n".join(parts) + "\n"


def study_facts(records: Sequence[CellRecord], found: Answer, currency: str) -> dict[str, str]:
    """The answer in a few words, for the page's table of attributes; the names are the same each time."""
    row = found.recommended
    return {
        "answer": "none yet" if row is None else f"{recipe_of(row)} with {row.num_cases} of {found.num_train} cases",
        PROGRESS: progress([record.cell for record in records]),
        "details": "see the note of this study",
        "price": NONE if row is None else f"{amount(row.price)} {currency}",
        "test DSC": NONE if row is None else estimate(row.estimate),
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


def _depths(found: Answer) -> Iterator[str]:
    yield from _table("depth", *_variant_head(found), "enough cases", "plateau", "gain by doubling")
    for depth in found.depths:
        yield _row(str(depth.depth), *map(plain, _variant(depth.variant, found)), *_read_off(depth))


def _read_off(depth: DepthAnswer) -> tuple[str, str, str]:
    curve = depth.on_test
    if curve is None:
        return plain(depth.reason or NONE), NONE, NONE
    gain = f"{dsc(curve.doubling_gain)} {interval(curve.doubling_gain_interval)}"
    fewest = depth.fewest_cases
    plateau = case_count(curve.plateau, fewest, unsure=not curve.reached)
    return plain(case_count(curve.sufficient, fewest)), plain(plateau), plain(gain)


def _ranking(found: Answer, currency: str) -> Iterator[str]:
    prices = (plain(currency), plain(f"{currency} per 0.01"))
    yield from _table("rank", "depth", *_variant_head(found), "cases", "ratio", "val", "test DSC", *prices, "P")
    for row in found.ranking[:MOST_ROWS]:
        yield _row(*(plain(cell) for cell in _configuration(row, found)))
    if len(found.ranking) > MOST_ROWS:
        yield _row(f"and {len(found.ranking) - MOST_ROWS} more", *[""] * (8 + found.has_variants))


def _configuration(row: RankedConfiguration, found: Answer) -> Iterator[str]:
    yield NONE if row.rank is None else str(row.rank)
    yield str(row.depth)
    yield from _variant(row.variant, found)
    yield str(row.num_cases)
    yield f"{row.ratio:.4g}"
    yield dsc(row.validation_dsc if row.validation_fitted is None else row.validation_fitted)
    marks = [row.flag.replace("_", " ")] if row.flag else ["forecast"] if row.is_forecast else []
    yield " ".join([estimate(row.estimate), *marks])
    yield f"{'~' if row.seconds_estimated else ''}{amount(row.price)}"
    yield amount(row.cost_per_dsc)
    yield NONE if row.p_floor is None else f"{row.p_floor:.2f}"


def _variant_head(found: Answer) -> list[str]:
    return ["variant"] if found.has_variants else []


def _variant(variant: str, found: Answer) -> list[str]:
    return [name_of(variant)] if found.has_variants else []


def _table(*titles: str) -> Iterator[str]:
    yield _row(*titles)
    yield "|---:" * len(titles) + "|"


def _row(*cells: str) -> str:
    return "".join(f"| {GAP}{cell} " for cell in cells) + "|"
