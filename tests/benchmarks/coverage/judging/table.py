"""The tables: coverage, chances and shares beside what is wanted; widths and interval scores; all of it as CSV."""

from __future__ import annotations

import csv
import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from tests.benchmarks.coverage.asked.contenders import ORACLE, OURS
from tests.benchmarks.coverage.judging.rows import ChanceRow, CoverageRow
from tests.benchmarks.coverage.judging.summaries import Calibrated, Covered, Share, calibrated, covered, share_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence
    from pathlib import Path

    from tests.benchmarks.coverage.judging.rows import Row, Width
    from tests.benchmarks.coverage.scenes.scenarios import Answers

    Pairs = Callable[[Row, str], list[tuple[Answers, Any]]]

RECORD = (
    *("row", "judged", "wanted", "contender", "items", "studies"),
    *("share", "lower", "upper", "stated", "width", "score", "verdict"),
)
Summary = Covered | Calibrated | Share


@dataclass(frozen=True)
class Line:
    """A row of the table, filled: what each contender that was asked makes of it."""

    row: Row
    summaries: dict[str, Summary]

    @property
    def verdict(self) -> str:
        """Whether ours is as wanted; or may be, as far as so few studies tell; or is not."""
        ours = self.summaries.get(OURS)
        if ours is None or _share(ours).items == 0:
            return "no items"
        if isinstance(ours, Calibrated):
            return _met(holds=ours.agrees)
        return "reported" if self.row.wanted is None else verdict(_share(ours), self.row.wanted)


def verdict(share: Share, wanted: tuple[float, float]) -> str:
    """Of a share, and the range that it is wanted in."""
    if wanted[0] <= share.value <= wanted[1]:
        return "met"
    return "MISSED" if share.upper < wanted[0] or share.lower > wanted[1] else "open: too few to tell"


def filled(rows: Iterable[Row], names: Sequence[str], pairs: Pairs) -> list[Line]:
    """Judge every contender's answers of every row."""
    lines = []
    for row in rows:
        answered = {name: pairs(row, name) for name in names}
        lines.append(Line(row, {name: _summary(row, own) for name, own in answered.items() if own}))
    return [line for line in lines if line.summaries]


def _summary(row: Row, pairs: list[tuple[Answers, Any]]) -> Summary:
    clusters = [list(row.judge(answers, truth)) for answers, truth in pairs]
    if isinstance(row, CoverageRow):
        return covered(clusters)
    return calibrated(clusters) if isinstance(row, ChanceRow) else share_of(clusters)


def main_table(lines: Iterable[Line], names: Sequence[str]) -> list[str]:
    """Markdown: a share with its 95 % interval for each contender; of chances also the mean that was stated."""
    heading = ("row", "judged", "wanted", "items (studies)", *names, "ours is")
    return markdown(
        heading,
        [
            (
                str(line.row.number),
                line.row.label,
                _wanted(line.row),
                _count(line.summaries.get(OURS, next(iter(line.summaries.values())))),
                *(_cell(line.summaries.get(name)) for name in names),
                line.verdict,
            )
            for line in lines
        ],
    )


def width_table(lines: Iterable[Line], names: Sequence[str]) -> list[str]:
    """Markdown: mean width and mean interval score of every row of intervals, in 0.001 DSC; the oracle is no rival."""
    heading = ("row", "judged", *(f"width, {name}" for name in names), *(f"score, {name}" for name in names), "score")
    rows = [
        (
            str(line.row.number),
            line.row.label,
            *(_thousandths(_covered(line, name).width) for name in names),
            *(_thousandths(_covered(line, name).score) for name in names),
            _least(line, names),
        )
        for line in lines
        if isinstance(line.row, CoverageRow)
    ]
    return markdown(heading, rows) if rows else []


def bound_table(lines: Iterable[Line], widths: Iterable[Width]) -> list[str]:
    """Markdown: our mean widths as multiples of a rival's, where they are bounded."""
    by_label = {line.row.label: line for line in lines}
    rows = []
    for width in widths:
        line = by_label.get(width.label)
        if line is None or not {OURS, width.rival} <= set(line.summaries):
            continue
        times = _covered(line, OURS).width / _covered(line, width.rival).width
        rows.append((width.label, width.rival, f"{times:.2f}", f"{width.most:g}", _met(holds=times <= width.most)))
    return markdown(("mean width of", "times that of", "ours", "at most", ""), rows) if rows else []


def pair_table(lines: Iterable[Line], pairs: Iterable[tuple[str, str]]) -> list[str]:
    """Markdown: our coverages of pairs of rows, of which the second is to be no lower than the first."""
    by_label = {line.row.label: _covered(line, OURS).share for line in lines if isinstance(line.row, CoverageRow)}
    rows = [
        (first, second, f"{by_label[first].value:.3f}", f"{by_label[second].value:.3f}", _no_lower(by_label, pair))
        for pair in pairs
        for first, second in [pair]
        if first in by_label and by_label[second].items
    ]
    return markdown(("first", "then, no lower", "first", "then", ""), rows) if rows else []


def _no_lower(shares: dict[str, Share], pair: tuple[str, str]) -> str:
    first, second = (shares[label] for label in pair)
    if second.value >= first.value:
        return "met"
    return "MISSED" if second.upper < first.value else "open: too few to tell"


def _met(*, holds: bool) -> str:
    return "met" if holds else "MISSED"


def records(lines: Iterable[Line]) -> list[tuple[object, ...]]:
    """A record for each row and contender, under `RECORD`."""
    every: list[tuple[object, ...]] = []
    for line in lines:
        for name, summary in line.summaries.items():
            share = _share(summary)
            stated = summary.stated if isinstance(summary, Calibrated) else ""
            width, score = (summary.width, summary.score) if isinstance(summary, Covered) else ("", "")
            what = line.row.number, line.row.label, _wanted(line.row), name, share.items, share.studies
            said = line.verdict if name == OURS else ""
            every.append((*what, share.value, share.lower, share.upper, stated, width, score, said))
    return every


def write_csv(heading: Sequence[str], rows: Iterable[Sequence[object]], path: Path) -> None:
    """Records under their heading."""
    with path.open("w", newline="", encoding="utf-8") as file:
        csv.writer(file).writerows([heading, *rows])


def markdown(heading: Sequence[str], rows: Iterable[Sequence[str]]) -> list[str]:
    """A table with columns of even width."""
    lines = [heading, *rows]
    widths = [max(len(line[column]) for line in lines) for column in range(len(heading))]
    padded = ["| " + " | ".join(c.ljust(w) for c, w in zip(line, widths, strict=True)) + " |" for line in lines]
    return [padded[0], "|" + "|".join("-" * (width + 2) for width in widths) + "|", *padded[1:]]


def _share(summary: Summary) -> Share:
    if isinstance(summary, Covered):
        return summary.share
    return summary.true if isinstance(summary, Calibrated) else summary


def _covered(line: Line, name: str) -> Covered:
    """Of a row of intervals; empty for a contender that was not asked."""
    summary = line.summaries.get(name, covered([]))
    assert isinstance(summary, Covered)
    return summary


def _wanted(row: Row) -> str:
    if isinstance(row, ChanceRow):
        return "as stated, 0.07"
    return "-" if row.wanted is None else "{:g} to {:g}".format(*row.wanted)


def _count(summary: Summary) -> str:
    share = _share(summary)
    return f"{share.items} ({share.studies})"


def _cell(summary: Summary | None) -> str:
    share = None if summary is None else _share(summary)
    if summary is None or share is None or not share.items:
        return "-"
    said = f"said {summary.stated:.2f}, true " if isinstance(summary, Calibrated) else ""
    return f"{said}{share.value:.3f} [{share.lower:.2f}, {share.upper:.2f}]"


def _thousandths(value: float) -> str:
    return "-" if math.isnan(value) else f"{1000 * value:.1f}"


def _least(line: Line, names: Sequence[str]) -> str:
    """Whether our interval score is below both rivals'."""
    scores = {name: _covered(line, name).score for name in names}
    rivals = [score for name, score in scores.items() if name not in {OURS, ORACLE} and not math.isnan(score)]
    ours = scores.get(OURS, math.nan)
    if not rivals or math.isnan(ours):
        return "-"
    return "least" if ours < min(rivals) else "NOT least"
