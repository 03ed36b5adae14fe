"""A study as files: `study.json` and one table each of `study_frames.py`, as Parquet or CSV; back into a new study.

Nothing that a report needs is left out: cells, every attempt's curve and cost, forecasts, counts of every case, the
spec with its changes. Checkpoints stay where they are: a cell that was open trains anew when the study goes on.
"""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import TYPE_CHECKING, Any, Literal

import pandas as pd

from storage.errors import InputError, StorageError
from storage.frames.imported_rows import insert_study
from storage.frames.study_frames import (
    cases_frame,
    cells_frame,
    changes_frame,
    costs_frame,
    curves_frame,
    forecasts_frame,
    orders_frame,
    skips_frame,
)

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from storage.frames.imported_rows import Row
    from storage.ledger.ledger import Ledger
    from storage.records import StudyRecord

Kind = Literal["parquet", "csv"]
TABLES = ("cells", "curves", "costs", "forecasts", "skips", "cases", "orders", "changes")
PARTS = ("identity", "running", "fingerprint", "split", "groups", "facts")


def export_study(ledger: Ledger, study: StudyRecord, folder: Path, kind: Kind) -> None:
    """Write a study into a folder, which is made where it is missing."""
    folder.mkdir(parents=True, exist_ok=True)
    parts = {name: value for name, value in asdict(study).items() if name in {"name", *PARTS}}
    (folder / "study.json").write_text(json.dumps(parts, indent=2) + "\n", encoding="utf-8")
    for name, frame in _frames(ledger, study).items():
        if kind == "parquet":
            frame.to_parquet(folder / f"{name}.parquet", index=False)
        else:
            frame.to_csv(folder / f"{name}.csv", index=False, lineterminator="\n")


def import_study(ledger: Ledger, folder: Path, name: str | None) -> StudyRecord:
    """Make a new study of what `export_study` wrote, in one transaction for its cells.

    Raises:
        InputError: A file is missing or cannot be read.
        StorageError: A study of that name is there already.
    """
    parts = _read_parts(folder)
    tables = {table: _read_table(folder, table) for table in TABLES}
    study = new_study(ledger, name or parts["name"], {part: parts[part] for part in PARTS})
    with ledger.engine.begin() as connection:
        insert_study(connection, study.study_id, tables)
    return study


def new_study(ledger: Ledger, name: str, parts: Mapping[str, Any]) -> StudyRecord:
    """A study that must not be there yet.

    Raises:
        StorageError: It is.
    """
    if ledger.find_study(name) is not None:
        raise StorageError(f"study {name!r} is in this storage already; choose another --name")
    return ledger.create_study(name, **parts)


def _frames(ledger: Ledger, study: StudyRecord) -> dict[str, pd.DataFrame]:
    return _without_untold(
        {
            "cells": cells_frame(ledger, study.study_id),
            "curves": curves_frame(ledger, study.study_id),
            "costs": costs_frame(ledger, study.study_id),
            "forecasts": forecasts_frame(ledger, study.study_id),
            "skips": skips_frame(ledger, study.study_id),
            "cases": cases_frame(ledger, study),
            "orders": orders_frame(ledger, study.study_id),
            "changes": changes_frame(ledger, study.study_id),
        }
    )


def _without_untold(frames: dict[str, pd.DataFrame]) -> dict[str, pd.DataFrame]:
    """The frames with nothing where the ledger has a 0 for what an imported table did not tell."""
    cells, curves, costs = frames["cells"], frames["curves"], frames["costs"]
    told = cells["cell"][cells["told_dsc"].notna()]
    without_seconds = costs["cell"][costs["cell"].isin(told) & (costs["spent_seconds"] == 0)]
    for frame in (curves, costs):
        seconds = [str(name) for name in frame if str(name).endswith("_seconds")]
        frame[seconds] = frame[seconds].mask(frame["cell"].isin(without_seconds))
    return frames | {"cells": cells.assign(parameters=cells["parameters"].where(cells["parameters"] > 0))}


def _read_parts(folder: Path) -> dict[str, Any]:
    try:
        parts: dict[str, Any] = json.loads((folder / "study.json").read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise InputError(f"{folder} holds no exported study: study.json: {error}") from None
    missing = [part for part in ("name", *PARTS) if part not in parts]
    if missing:
        raise InputError(f"{folder / 'study.json'} lacks {', '.join(missing)}; export the study again")
    return parts


def _read_table(folder: Path, table: str) -> list[Row]:
    try:
        if (folder / f"{table}.parquet").exists():
            frame = pd.read_parquet(folder / f"{table}.parquet")
        else:
            frame = pd.read_csv(folder / f"{table}.csv", keep_default_na=False, na_values=[""])
    except (OSError, ValueError) as error:
        raise InputError(f"{folder} holds no readable table {table!r}: {error}") from None
    return frame.astype(object).where(frame.notna(), None).to_dict("records")
