"""One reading of a large study serves many claims; of a small one, a single claim."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from search.policy.claim_queue import CELLS_PER_CLAIM, ClaimQueue
from search.policy.decisions import Decisions
from storage.ledger.ledger import Ledger
from storage.records import CellPlan
from tests.benchmarks.cluster.cluster_scale import decision_spec

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from storage.records import Cell

OURS, THEIRS = "host/boot/ns/1/1", "host/boot/ns/2/1"


@pytest.fixture
def ledger(tmp_path: Path) -> Iterator[Ledger]:
    """An empty one."""
    with Ledger.open(f"sqlite:///{tmp_path}/study.db", create=True) as opened:
        yield opened


class Study:
    """A study of so many waiting cells, and a queue on it that counts its readings."""

    def __init__(self, ledger: Ledger, number: int) -> None:
        """Lay the cells out."""
        parts = {"identity": {}, "running": {}, "fingerprint": "f", "split": {}, "groups": {}, "facts": {}}
        self.ledger, self.readings = ledger, 0
        study = ledger.create_study("s", **parts)
        self.study_id = study.study_id
        plans = [CellPlan(f"cell{n}", (n + 1) / number, 2, 0, n + 1, 10) for n in range(number)]
        ledger.layout(self.study_id, plans)
        self.queue = ClaimQueue(ledger, self.study_id, OURS, Decisions(ledger, study, decision_spec(), lambda: 1))

    def read(self) -> list[Cell]:
        """All cells."""
        self.readings += 1
        return self.ledger.cells(self.study_id)

    def claim(self) -> str | None:
        """The key of the next cell."""
        claim = self.queue.claim(self.read)
        return None if claim is None else claim.plan.key


def test_a_small_study_is_read_for_every_claim(ledger: Ledger) -> None:
    """So its order is that of the decisions at every moment."""
    study = Study(ledger, 3)
    assert [study.claim() for _ in range(4)] == ["cell0", "cell1", "cell2", None]
    assert study.readings == 4
    assert study.queue.others_work  # the cells are held


def test_a_large_study_is_read_for_many_claims_at_once(ledger: Ledger) -> None:
    """Cells that others took meanwhile are passed over, and none is given out twice."""
    study = Study(ledger, 3 * CELLS_PER_CLAIM)
    assert study.claim() == "cell0"
    assert ledger.claim(study.study_id, ["cell1"], THEIRS) is not None
    assert [study.claim() for _ in range(3)] == ["cell2", "cell3", "cell4"]
    assert study.readings == 1
    assert study.claim() == "cell5"
    assert study.readings == 2
