"""Small studies in a ledger, and the steps of their cells, as the tests take them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from storage.records import CellPlan, CellState, Evaluation, PlateauForecast, Scores
from tests.helpers.optuna_view import optuna_study

if TYPE_CHECKING:
    import optuna

    from storage.ledger.ledger import Ledger
    from storage.records import Cell, Claim, StudyRecord

US, THEM = "host/boot/ns/1/100", "host/boot/ns/2/200"
WORKER = {"device": "cpu", "device_share": 2.0, "device_name": "a processor", "planned_steps": 90, "versions": {}}
GPU_WORKER = {"device": "gpu", "device_share": 0.5, "device_name": "H", "planned_steps": 30, "versions": {"torch": "2"}}
SCORES = Scores(2, ((5, 1, 1), (3, 0, 2)), ((4, 1, 0),), 0.5)
FORECAST = PlateauForecast(0.81, 0.78, 0.84, "power law")
NO_PARTS: dict[str, Any] = {
    "identity": {},
    "running": {},
    "fingerprint": "f",
    "split": {},
    "groups": {},
    "facts": {},
}  # of a study


def plans(number: int) -> list[CellPlan]:
    """Cells of as many ratios at depth 3."""
    return [CellPlan(f"ratio0.{i:03d}-depth3-seed0", i / 1000, 3, 0, 10 * i, 95_748) for i in range(1, number + 1)]


def curve(number: int) -> list[Evaluation]:
    """The first evaluations of a training; each took 1 s of training and 0.5 s of validation."""
    return [Evaluation(i, i / 2, 3 * i, 0.5 + i / 100, 1.0, 0.5) for i in range(1, number + 1)]


def make_study(ledger: Ledger, name: str = "study") -> StudyRecord:
    """A study without cells."""
    return ledger.create_study(
        name,
        identity={"grid": {"ratio": [0.1]}},
        running={"policy": "grid"},
        fingerprint="f" * 64,
        split={"train": ["b", "a"], "validation": ["c"], "test": ["d"]},
        groups={"a": 0, "b": 1, "c": 2, "d": 3},
        facts={"d0": 0.25},
    )


def study_of(ledger: Ledger, name: str = "study") -> StudyRecord:
    """A study that is there, as it stands."""
    study = ledger.find_study(name)
    assert study is not None
    return study


def first(ledger: Ledger, study: StudyRecord) -> Cell:
    """The first cell as it stands."""
    return ledger.cells(study.study_id)[0]


def claim_cell(ledger: Ledger, study: StudyRecord, key: str, owner: str = US) -> Claim:
    """A cell that is free, claimed."""
    claim = ledger.claim(study.study_id, [key], owner)
    assert claim is not None
    return claim


def claim_first(ledger: Ledger, study: StudyRecord, owner: str = US) -> Claim:
    """The first cell, claimed."""
    return claim_cell(ledger, study, plans(1)[0].key, owner)


def record(ledger: Ledger, claim: Claim, evaluations: int, **changes: Any) -> None:
    """Record the first evaluations."""
    ledger.record(claim, curve(evaluations), **{"checkpoint": f"0001-{evaluations:05d}", "worker": WORKER} | changes)


def trained(ledger: Ledger, study: StudyRecord) -> Claim:
    """The first cell, trained and claimed for its test."""
    claim = claim_first(ledger, study)
    record(ledger, claim, 2)
    ledger.send_to_test(claim, stop_reason=None, forecast=None)
    return claim_first(ledger, study)


def finish(ledger: Ledger, claim: Claim, state: CellState = CellState.DONE) -> None:
    """Close the cell of a claim."""
    ledger.finish(claim, state, value=0.52, scores=SCORES, facts={"test_dsc": 0.8})


def optuna_trials(ledger: Ledger, name: str = "study") -> list[optuna.trial.FrozenTrial]:
    """The trials of a study as Optuna's own API reads them."""
    with optuna_study(ledger.url, name) as study:
        return study.trials


def optuna_trial(ledger: Ledger, number: int = 0) -> optuna.trial.FrozenTrial:
    """One of them."""
    return optuna_trials(ledger)[number]
