"""The smallest study that really trains: one cell on drawn images."""

from __future__ import annotations

from typing import TYPE_CHECKING

from studies.launch.start import prepare_study
from studies.spec import parse_spec

if TYPE_CHECKING:
    from studies.launch.start import PreparedStudy

ONE_CELL = "ratio1-depth2-seed0"


def prepare_one_cell(storage_url: str) -> PreparedStudy:
    """A study of the cell `ONE_CELL`, two evaluations long; the caller closes its ledger."""
    values = {
        "name": "one",
        "data": {"kind": "phantom", "phantom_cases": 40},
        "grid": {"ratio": [1.0], "depth": [2]},
        "training": {"size": 16, "budget": 4, "evaluations": 2, "batch": 4, "channels": 4},
    }
    return prepare_study(parse_spec(values, source="test"), storage_url, wait_for_others=False)
