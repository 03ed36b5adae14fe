"""Tables of numbers as people write them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from storage.frames.published_table import read_published
from storage.records import AttemptRecord, Cell, CellRecord, CellState
from studies.results.findings import findings_of
from tests.helpers.reported_study import study_record

if TYPE_CHECKING:
    from pathlib import Path

    from storage.frames.published_table import PublishedTable
    from studies.results.findings import Findings


def table_file(folder: Path, text: str) -> Path:
    """A CSV file, its bytes as the text has them."""
    path = folder / "surface.csv"
    path.write_bytes(text.encode())
    return path


def read(folder: Path, text: str, num_train: int | None = None) -> PublishedTable:
    """A table that was written and read."""
    return read_published(table_file(folder, text), num_train)


def curve(dsc: list[float], *, depth: int = 3, head: str = "cases,depth,dsc") -> str:
    """A table of one depth: 40, 80, 160, ... cases."""
    rows = [f"{40 * 2**i},{depth},{value}" for i, value in enumerate(dsc)]
    return "\n".join([head, *rows]) + "\n"


def table_findings(table: PublishedTable, *, facts: dict[str, Any] | None = None) -> Findings:
    """What is found in a table, as its import records it, or with other facts."""
    told = {"scores": table.scores, "seconds": table.has_seconds, "flags": table.has_flags}
    study = study_record(
        identity={"data": {"kind": "imported"}},
        split={"train": [str(case) for case in range(table.num_train)], "validation": [], "test": []},
        groups={},
        facts={"table": told} if facts is None else facts,
    )
    records = [
        CellRecord(
            Cell(run.plan, run.flag or CellState.DONE, 1, 0, None, 0, 0, number),
            AttemptRecord(told_dsc=run.test_dsc, planned_steps=run.curve[-1].step),
            run.curve,
        )
        for number, run in enumerate(table.runs)
    ]
    return findings_of(study, records, 0.0)
