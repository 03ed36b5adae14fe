"""Which runs of an imported table are flagged: those that it flags itself, else those that can have learned nothing.

A table tells neither D0, the score of "everything is foreground", nor often more of a run than one DSC. So only what
is clear whatever D0 may be is flagged:

not learned  a best DSC under 0.05: D0 is 0 or more, and a curve takes off 0.05 above it.
collapsed    a best DSC under half of what its recipe reached with fewer cases, and under half of what it reached with
             more; with the most cases of all, under half of what each of the next two smaller numbers reached. A DSC
             under 0.05 where fewer cases reached 0.1. A curve that ends with two evaluations under 0.05 after 0.1.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import replace
from typing import TYPE_CHECKING

from storage.errors import InputError
from storage.records import CellState
from storage.variants import recipe_of

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from storage.frames.table_runs import PublishedRun
    from storage.frames.text_table import TextTable
    from storage.variants import Recipe

FLAG = "flag"  # the column
FLAGS = {
    "": None,
    "not_learned": CellState.NOT_LEARNED,
    "not learned": CellState.NOT_LEARNED,
    "collapsed": CellState.COLLAPSED,
}
TAKE_OFF = 0.05  # above D0, which is 0 or more
FALLEN_FROM, STAYS_UNDER = 0.1, 2  # a best DSC, and how many evaluations lie under TAKE_OFF at the end
SHARE = 0.5  # of its neighbours' DSC
NEAREST = 2  # smaller numbers of cases that a run with the most cases of all is compared with


def read_flags(table: TextTable) -> dict[int, CellState | None]:
    """What the column says of each line.

    Raises:
        InputError: A text is no flag.
    """
    known = table.texts[FLAG].str.lower().isin(list(FLAGS))
    if not known.all():
        line = table.first(~known)
        raise InputError(
            f"{FLAG} must be not_learned, collapsed or empty, got {table.text(FLAG, line)!r} in {table.place(line)}; "
            "correct it, or drop the row of a run that failed"
        )
    return {line: FLAGS[table.text(FLAG, line).lower()] for line in table.lines}


def flag_clear_cases(runs: Sequence[PublishedRun]) -> list[PublishedRun]:
    """The runs, the clear cases among them flagged."""
    best: dict[Recipe, dict[int, float]] = defaultdict(dict)
    for run in runs:
        own = best[recipe_of(run.plan)]
        own[run.plan.num_cases] = max(run.validation_dsc, own.get(run.plan.num_cases, 0.0))
    return [replace(run, flag=_flag(run, best[recipe_of(run.plan)])) for run in runs]


def _flag(run: PublishedRun, best: Mapping[int, float]) -> CellState | None:
    """The flag of a run, by the best DSC of its recipe at each number of cases."""
    dsc, num_cases = run.validation_dsc, run.plan.num_cases
    fewer = [best[number] for number in sorted(best) if number < num_cases]
    more = [best[number] for number in best if number > num_cases]
    if dsc < TAKE_OFF:
        return CellState.COLLAPSED if max(fewer, default=0.0) >= FALLEN_FROM else CellState.NOT_LEARNED
    dipped = dsc < SHARE * max(fewer, default=0.0) and dsc < SHARE * max(more, default=0.0)
    dropped = not more and len(fewer) >= NEAREST and dsc < SHARE * min(fewer[-NEAREST:])
    return CellState.COLLAPSED if dipped or dropped or _fell(run) else None


def _fell(run: PublishedRun) -> bool:
    """Whether its curve ends on the ground after it had left it."""
    end = [point.val_dsc for point in run.curve[-STAYS_UNDER:]]
    return run.validation_dsc >= FALLEN_FROM and len(run.curve) > STAYS_UNDER and max(end) < TAKE_OFF
