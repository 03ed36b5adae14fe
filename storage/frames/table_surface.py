"""The surface of an imported table: the columns that the table told, under their own names, and no others."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from storage.frames.run_flags import FLAG
from storage.records import CellState

if TYPE_CHECKING:
    from collections.abc import Mapping

    import pandas as pd

TABLE = "table"  # the fact of a study that says what its table told
SCORES = {"dsc": "dsc", "validation": "val_dsc", "test": "test_dsc", "both": "val_dsc"}  # by what the table names
MADE = ("evaluation", "epoch", "step")  # numbers that the ledger needs, made where the table tells none
SECONDS = ("train_seconds", "val_seconds")
FLAGS = (CellState.NOT_LEARNED, CellState.COLLAPSED)


def surface_of_table(surface: pd.DataFrame, told: Mapping[str, Any]) -> pd.DataFrame:
    """A surface without what was made up for the ledger.

    Args:
        surface: Columns of `SURFACE_COLUMNS`, any variant, and the state of each cell.
        told: The fact of the study that says what the table told; empty where an earlier version imported it.
    """
    scores = told.get("scores", "dsc")
    has_curves = bool((surface["evaluation"] > 1).any())
    columns = told.get("columns", [*surface.columns] if has_curves else [])
    has_seconds = told.get("seconds", bool((surface[[*SECONDS]] > 0).any(axis=None)))
    untold = [name for name in MADE if name not in columns and not (has_curves and name == "evaluation")]
    flags = surface["state"].where(surface["state"].isin(FLAGS), "")
    return (
        surface.drop(columns=["state", *untold, *([] if has_seconds else SECONDS)])
        .drop(columns=[] if scores == "both" else "test_dsc")
        .rename(columns={"val_dsc": SCORES[scores]})
        .assign(**({FLAG: flags} if told.get("flags") or (flags != "").any() else {}))
    )
