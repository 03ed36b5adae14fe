"""A table of numbers alone, such as a published one, as runs that have been measured, without any training.

Columns, a row a run, or a row an evaluation where `evaluation` or `epoch` is given, as `dicecurve export` writes them;
others are not read, and what no column tells stays unknown:

depth       of the network
cases       training cases; or `ratio`, their share, with their number at ratio 1 besides; or both, which must agree
dsc         measured on cases that are not named; or `val_dsc`, `test_dsc` or both, which name them. Of a run with
            several evaluations that with the best dsc, or val_dsc, counts
seed        of the run; without it, rows of the same depth and cases are repeats, numbered from 0. Rows that are alike
            in every number are refused: one run written twice, or two that no column tells apart
variant     of the training, such as loss=dice_ce; none where the column is missing, or empty
flag        not_learned, collapsed or empty; without the column the clear cases are flagged (`run_flags.py`)
evaluation  or `epoch`: number of the evaluation; `step`: optimiser steps up to it
seconds     device seconds of the run, or of this evaluation, or since the run began; or `train_seconds` and
            `val_seconds` of this evaluation alone

How files and numbers may be written stands in `text_table.py` and `table_numbers.py`: decimal commas and percentages
are read.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from statistics import fmean
from typing import TYPE_CHECKING

from storage.errors import InputError
from storage.frames.run_flags import FLAG, flag_clear_cases, read_flags
from storage.frames.table_columns import columns_of
from storage.frames.table_runs import runs_of, with_seeds
from storage.frames.table_sizes import sizes_of
from storage.frames.text_table import read_text_table
from storage.variants import configuration_of, recipe_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from storage.frames.table_columns import Columns, Scores
    from storage.frames.table_runs import PublishedRun
    from storage.frames.text_table import TextTable

MOST_NAMED = 3  # flagged runs in a note
FALL = 0.02  # of the DSC from the fewest cases to the most, which more data seldom bring


@dataclass(frozen=True)
class PublishedTable:
    """A table that was read.

    Attributes:
        runs: In the order of their variants, cases, depths and seeds.
        num_train: Training cases at ratio 1.
        scores: Which cases its DSC are measured on.
        columns: Its columns of numbers that were read.
        has_seconds: Whether it tells what runs took.
        has_flags: Whether it tells itself which runs learned nothing.
        notes: How it was read, where that may surprise.
    """

    runs: tuple[PublishedRun, ...]
    num_train: int
    scores: Scores
    columns: tuple[str, ...]
    has_seconds: bool
    has_flags: bool
    notes: tuple[str, ...]


def read_published(path: Path, num_train: int | None = None) -> PublishedTable:
    """Read a table.

    Args:
        path: CSV or Parquet.
        num_train: Training cases at ratio 1; None: as its columns tell.

    Raises:
        InputError: The first row or column that is not as it must be, or that could mean two things.
    """
    table = read_text_table(path)
    columns = columns_of(table)
    cases, whole = sizes_of(table, columns.numbers, num_train)
    rows = with_seeds(table, columns.rows(cases), columns.order)
    runs = _flagged(table, runs_of(rows, whole, columns.order))
    if columns.scores == "both":
        _check_test_scores(table, runs)
    return PublishedTable(
        runs=tuple(runs),
        num_train=whole,
        scores=columns.scores,
        columns=tuple(map(str, columns.numbers)),
        has_seconds=columns.has_seconds,
        has_flags=FLAG in table.texts,
        notes=(*_notes(columns, runs), *_flag_notes(table, runs)),
    )


def _flagged(table: TextTable, runs: Sequence[PublishedRun]) -> list[PublishedRun]:
    if FLAG not in table.texts:
        return flag_clear_cases(runs)
    flags = read_flags(table)
    return [replace(run, flag=next((flags[line] for line in run.lines if flags[line]), None)) for run in runs]


def _check_test_scores(table: TextTable, runs: Sequence[PublishedRun]) -> None:
    untold = next((run for run in runs if run.best.evaluation not in run.test_curve), None)
    if untold is not None:
        place = table.place(untold.lines[untold.best.evaluation - 1])
        raise InputError(
            "test_dsc must be told of the evaluation with the best val_dsc of each run, got nothing for "
            f"{configuration_of(untold.plan)} in {place}; complete it, or drop the column test_dsc"
        )


def _notes(columns: Columns, runs: Sequence[PublishedRun]) -> Iterator[str]:
    if columns.percentages:
        yield f"read as percentages: {', '.join(columns.percentages)}"
    if "seed" not in columns.numbers and any(run.plan.seed for run in runs):
        yield "no column seed: rows of the same depth and cases are read as repeats"
    if columns.not_read:
        yield f"not read: {', '.join(columns.not_read)}"
    yield from _falls(runs)


def _falls(runs: Sequence[PublishedRun]) -> Iterator[str]:
    """A note on each recipe that scores less with the most cases than with the fewest: a column may be wrong."""
    learned = [run for run in runs if run.flag is None]
    for recipe in sorted({recipe_of(run.plan) for run in learned}):
        own = [run for run in learned if recipe_of(run.plan) == recipe]
        sizes = [run.plan.num_cases for run in own]
        few, many = (
            fmean(run.validation_dsc for run in own if run.plan.num_cases == size) for size in (min(sizes), max(sizes))
        )
        if few - many > FALL:
            yield f"{recipe}: the DSC falls from {few:.3f} with {min(sizes)} cases to {many:.3f} with {max(sizes)}"


def _flag_notes(table: TextTable, runs: Sequence[PublishedRun]) -> Iterator[str]:
    flagged = [run for run in runs if run.flag is not None]
    if not flagged or FLAG in table.texts:
        return
    named = ", ".join(
        f"{configuration_of(run.plan)} ({'best ' * (len(run.curve) > 1)}DSC {run.validation_dsc:.3f}, {table.unit} "
        f"{run.lines[0]}) as {str(run.flag).replace('_', ' ')}"
        for run in flagged[:MOST_NAMED]
    )
    more = f", and {len(flagged) - MOST_NAMED} more" if len(flagged) > MOST_NAMED else ""
    yield (
        f"flagged and left out of every fit: {named}{more}; a column flag (collapsed, not_learned or empty) says "
        "otherwise"
    )
