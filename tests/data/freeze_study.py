"""Freezes a small study, a cell in every state, as the SQL text of a SQLite database: what later versions must open.

`python tests/data/freeze_study.py tests/data/frozen_v4.sql`, once for each version of our tables; never again after its
release.
"""

from __future__ import annotations

import sqlite3
import sys
import tempfile
from dataclasses import replace
from pathlib import Path

from storage.ledger.ledger import Ledger
from storage.records import CellPlan, CellState, Claim, Evaluation, Scores, StudyRecord

OWNER = "a-host/a-boot/a-namespace/4711/1000"
WORKER = {
    "device": "cpu",
    "device_share": 1.0,
    "device_name": "x86_64",
    "planned_steps": 90,
    "versions": {"torch": "2"},
}
PLANS = [CellPlan(f"ratio0.{r}-depth{d}-seed0", r / 10, d, 0, 4 * r, 1000 * d) for r in (2, 5, 8) for d in (2, 3)]
PLANS[-1] = replace(PLANS[-1], key="ratio0.8-depth3-loss.dice_ce-seed0", variant="loss=dice_ce")
DONE, IN_TEST, UNDER_WAY, CLAIMED, FAILED, WAITING = PLANS


def freeze(output: Path) -> None:
    """Write the SQL text of the study."""
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "frozen.db"
        with Ledger.open(f"sqlite:///{file}", create=True) as ledger:
            _fill(ledger, _study(ledger))
        with sqlite3.connect(file) as connection:
            output.write_text("\n".join(connection.iterdump()) + "\n")
        connection.close()


def _study(ledger: Ledger) -> StudyRecord:
    study = ledger.create_study(
        "frozen",
        identity={
            "data": {"kind": "phantom", "phantom_cases": 60},
            "grid": {"ratio": [0.2, 0.5, 0.8], "depth": [2, 3], "seed": [0], "loss": ["bce", "dice_ce"]},
            "training": {"unit": "steps", "budget": 90, "evaluations": 3},
        },
        running={
            "policy": "grid",
            "tolerance": 0.01,
            "target_dsc": None,
            "prices": {"gpu_hour": 2.0, "cpu_hour": 0.1, "case": 5.0, "currency": "USD", "owned_cases": 0},
        },
        fingerprint="f" * 64,
        split={
            "train": [f"case{i:02d}" for i in range(40)],
            "validation": ["case40", "case41"],
            "test": ["case42", "case43"],
        },
        groups={f"case{i:02d}": i for i in range(44)},
        facts={"d0": 0.25, "channels": 1, "versions": {"python": "3.11", "torch": "2"}},
    )
    ledger.layout(study.study_id, PLANS)
    return study


def _fill(ledger: Ledger, study: StudyRecord) -> None:
    _train(ledger, _claim(ledger, study, DONE), 3)
    ledger.finish(
        _claim(ledger, study, DONE),
        CellState.DONE,
        value=0.53,
        scores=Scores(3, ((50, 40, 48), (60, 52, 54)), ((55, 45, 45), (45, 55, 55)), 0.25),
        facts={"test_dsc": 0.5},
    )
    _train(ledger, _claim(ledger, study, IN_TEST), 3)
    half = _claim(ledger, study, UNDER_WAY)
    _record(ledger, half, 2)
    ledger.renew({half: 0.75})
    ledger.release(half, lost="its worker was lost")
    _record(ledger, _claim(ledger, study, CLAIMED), 1)
    failed = _claim(ledger, study, FAILED)
    _record(ledger, failed, 1)
    ledger.fail(failed, "the loss is nan at step 60")


def _claim(ledger: Ledger, study: StudyRecord, plan: CellPlan) -> Claim:
    claim = ledger.claim(study.study_id, [plan.key], OWNER)
    assert claim is not None
    return claim


def _train(ledger: Ledger, claim: Claim, evaluations: int) -> None:
    _record(ledger, claim, evaluations)
    ledger.send_to_test(claim, stop_reason=None, forecast=None)


def _record(ledger: Ledger, claim: Claim, evaluations: int) -> None:
    points = [Evaluation(i, i / 2, 30 * i, 0.5 + i / 100, 1.0, 0.5) for i in range(1, evaluations + 1)]
    ledger.record(claim, points, checkpoint=f"0001-{evaluations:05d}", worker=WORKER)


if __name__ == "__main__":
    freeze(Path(sys.argv[1]))
