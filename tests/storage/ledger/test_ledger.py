"""The ledger: cells, claims and curves beside Optuna's trials, and who may write what."""

from __future__ import annotations

import multiprocessing
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import optuna
import pytest
import sqlalchemy as sa
from optuna.trial import TrialState

from storage.database.schema import holds_studies
from storage.database.tables import SCHEMA_VERSION, orders, spec_changes, studies
from storage.errors import LostLease, StorageError
from storage.frames.study_frames import SURFACE_COLUMNS, costs_frame, surface
from storage.ledger import leases
from storage.ledger.cell_records import cell_record, cell_records, cell_summaries, spent_seconds
from storage.ledger.count_rows import study_counts
from storage.ledger.leases import LeaseWatch, is_gone, this_owner
from storage.ledger.ledger import Ledger
from storage.records import Cell, CellPlan, CellState, Claim, Evaluation, PlateauForecast, Scores, StudyRecord
from tests.helpers.backends import Backend, PostgresServer, SqliteFiles

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from multiprocessing.synchronize import Barrier

PROCESSES, CELLS = 8, 60
US, THEM = "host/boot/ns/1/100", "host/boot/ns/2/200"
WORKER = {"device": "cpu", "device_share": 2.0, "device_name": "a processor", "planned_steps": 90, "versions": {}}
SCORES = Scores(2, ((5, 1, 1), (3, 0, 2)), ((4, 1, 0),), 0.5)
FORECAST = PlateauForecast(0.81, 0.78, 0.84, "power law")


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


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def backend(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Backend:
    """Every promise of the ledger is kept on every backend."""
    if request.param == "sqlite":
        return SqliteFiles(tmp_path_factory.mktemp("sqlite"))
    return PostgresServer(request.getfixturevalue("postgres_url"))


@pytest.fixture(scope="module")
def templates(backend: Backend) -> tuple[str, str]:
    """Two databases, made once: one with all tables, one with a study of three cells besides."""
    empty, filled = backend.database(), backend.database()
    with Ledger.open(empty, create=True):
        pass
    with Ledger.open(filled, create=True) as ledger:
        ledger.layout(make_study(ledger).study_id, plans(3))
    return empty, filled


@pytest.fixture
def storage_url(backend: Backend) -> str:
    """A database without tables; on SQLite a file that does not exist yet."""
    return backend.database()


@pytest.fixture
def ledger(request: pytest.FixtureRequest, backend: Backend, templates: tuple[str, str]) -> Iterator[Ledger]:
    """An open ledger; without studies, unless the test asks for one."""
    empty, filled = templates
    with Ledger.open(backend.database(filled if "study" in request.fixturenames else empty), create=True) as opened:
        yield opened


@pytest.fixture
def study(ledger: Ledger) -> StudyRecord:
    """A study of three cells."""
    found = ledger.find_study("study")
    assert found is not None
    return found


def claim_first(ledger: Ledger, study: StudyRecord, owner: str = US) -> Claim:
    """The first cell, claimed."""
    claim = ledger.claim(study.study_id, [plans(1)[0].key], owner)
    assert claim is not None
    return claim


def first(ledger: Ledger, study: StudyRecord) -> Cell:
    """The first cell as it stands."""
    return ledger.cells(study.study_id)[0]


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


def optuna_trial(ledger: Ledger, name: str = "study", number: int = 0) -> optuna.trial.FrozenTrial:
    """A trial as Optuna's own API reads it."""
    storage = optuna.storages.RDBStorage(ledger.url)
    try:
        return optuna.load_study(study_name=name, storage=storage).trials[number]
    finally:
        storage.engine.dispose()


# Opening


def test_a_ledger_is_made_where_none_is(storage_url: str) -> None:
    """Looking makes nothing; `create` makes the tables once, and again changes nothing."""
    assert not holds_studies(storage_url)
    with Ledger.open(storage_url, create=True) as ledger:
        make_study(ledger)
    with Ledger.open(storage_url, create=True) as ledger:
        assert ledger.study_names() == ["study"]
    assert holds_studies(storage_url)


def test_a_storage_without_study_is_refused_and_stays_as_it_was(storage_url: str) -> None:
    """Opening a database without studies says how one is started, and makes neither a file nor a table."""
    with pytest.raises(StorageError, match=r"no dicecurve study in .*; start one with `dicecurve run`"):
        Ledger.open(storage_url)
    database = sa.make_url(storage_url)
    if database.get_backend_name() == "sqlite":
        assert not Path(str(database.database)).exists()
    else:
        engine = sa.create_engine(database)
        assert sa.inspect(engine).get_table_names() == []
        engine.dispose()


def test_tables_of_another_version_are_refused(ledger: Ledger, study: StudyRecord) -> None:
    """A study that a later version wrote is not read wrongly."""
    with ledger.engine.begin() as connection:
        connection.execute(studies.update().values(schema_version=99))
    said = f"study 'study' has tables of version 99, this dicecurve reads {SCHEMA_VERSION}"
    with pytest.raises(StorageError, match=said):
        ledger.find_study(study.name)


# Studies and layout


def test_a_study_is_made_once(ledger: Ledger) -> None:
    """A second driver gets the study that is there, with what the first one wrote."""
    made = make_study(ledger)
    again = ledger.create_study(
        "study", identity={}, running={}, fingerprint="0" * 64, split={}, groups={}, facts={"d0": 0.9}
    )
    assert again == made == ledger.find_study("study")
    assert made.split == {"train": ["b", "a"], "validation": ["c"], "test": ["d"]}
    assert ledger.study_names() == ["study"]
    assert ledger.find_study("other") is None


def test_two_studies_share_a_database(ledger: Ledger, study: StudyRecord) -> None:
    """Cells of one name in two studies are two cells."""
    other = make_study(ledger, "other")
    ledger.layout(other.study_id, plans(2))
    assert ledger.study_names() == ["study", "other"]
    claim_first(ledger, other)
    assert first(ledger, study).state == CellState.WAITING
    assert [cell.trial_number for cell in ledger.cells(other.study_id)] == [0, 1]


def test_a_half_made_study_is_completed(ledger: Ledger) -> None:
    """A driver that died after Optuna's row and before ours is made up for."""
    storage = optuna.storages.RDBStorage(ledger.url)
    storage.create_new_study([optuna.study.StudyDirection.MAXIMIZE], "study")
    storage.engine.dispose()
    assert ledger.find_study("study") is None
    assert make_study(ledger).name == "study"


def test_a_layout_adds_what_is_missing(ledger: Ledger) -> None:
    """A repeated layout adds nothing; a larger grid adds its new cells and leaves the others alone."""
    study_id = make_study(ledger).study_id
    assert ledger.layout(study_id, plans(3)) == 3
    assert ledger.layout(study_id, plans(3)) == 0
    ledger.claim(study_id, [plans(3)[1].key], US)
    assert ledger.layout(study_id, plans(5)) == 2
    cells = ledger.cells(study_id)
    assert [cell.plan for cell in cells] == plans(5)
    assert [cell.trial_number for cell in cells] == [0, 1, 2, 3, 4]
    assert [cell.state for cell in cells] == ["waiting", "claimed", "waiting", "waiting", "waiting"]
    assert {(cell.attempt, cell.claims, cell.losses) for cell in cells[2:]} == {(1, 0, 0)}
    assert ledger.layout(study_id, []) == 0


def test_a_change_of_the_spec_is_recorded(ledger: Ledger, study: StudyRecord) -> None:
    """The new parts stand in the study, the change in a table of its own, in order."""
    for tolerance in (0.02, 0.03):
        ledger.change_spec(
            study,
            identity=study.identity,
            running={"tolerance": tolerance},
            changes={"tolerance": {"now": tolerance}},
            versions={"torch": "2"},
        )
    found = ledger.find_study("study")
    assert found is not None
    assert found.running == {"tolerance": 0.03}
    with ledger.engine.connect() as connection:
        rows = connection.execute(sa.select(spec_changes).order_by(spec_changes.c.id)).all()
    assert [row.changes for row in rows] == [{"tolerance": {"now": 0.02}}, {"tolerance": {"now": 0.03}}]
    assert rows[0].changed_at <= rows[1].changed_at


# The states of a cell, and Optuna's view of each


def test_optuna_sees_a_waiting_cell(ledger: Ledger, study: StudyRecord) -> None:
    """Its trial waits, with the numeric axes as parameters and the plan in its attributes; the study maximises."""
    storage = optuna.storages.RDBStorage(ledger.url)
    loaded = optuna.load_study(study_name=study.name, storage=storage)
    trials = loaded.trials
    storage.engine.dispose()
    assert loaded.direction == optuna.study.StudyDirection.MAXIMIZE
    assert [trial.params for trial in trials] == [{"ratio": i / 1000, "depth": 3} for i in (1, 2, 3)]
    assert [trial.state for trial in trials] == [TrialState.WAITING] * 3
    assert trials[0].user_attrs == {"cell": plans(1)[0].key, "seed": 0, "num_cases": 10, "parameters": 95_748}
    assert trials[0].datetime_start is None


def test_a_claim_and_its_curve_are_optunas_running_trial(ledger: Ledger, study: StudyRecord) -> None:
    """The claimed cell names its owner and claim; the curve stands in the trial's intermediate values."""
    claim = claim_first(ledger, study)
    assert claim == Claim(study.study_id, plans(1)[0], 1, 1, US, "train")
    record(ledger, claim, 3)
    cell = first(ledger, study)
    assert (cell.state, cell.owner, cell.claims) == (CellState.CLAIMED, US, 1)
    trial = optuna_trial(ledger)
    assert trial.state == TrialState.RUNNING
    assert trial.datetime_start is not None
    assert trial.intermediate_values == {p.evaluation: p.val_dsc for p in curve(3)}


def test_a_trained_cell_waits_for_its_test(ledger: Ledger, study: StudyRecord) -> None:
    """It has no owner, keeps its curve, and is claimed for the test phase under a new claim."""
    claim = claim_first(ledger, study)
    record(ledger, claim, 2)
    ledger.send_to_test(claim, stop_reason="plateau reached", forecast=FORECAST)
    cell = first(ledger, study)
    assert (cell.state, cell.owner) == (CellState.TEST, None)
    assert optuna_trial(ledger).state == TrialState.WAITING
    found = cell_record(ledger, study.study_id, cell.plan.key)
    assert (found.attempt.stop_reason, found.attempt.forecast) == ("plateau reached", FORECAST)
    again = claim_first(ledger, study, THEM)
    assert (again.phase, again.number, again.attempt) == ("test", 2, 1)
    assert first(ledger, study).state == CellState.TEST
    trial = optuna_trial(ledger)
    assert trial.state == TrialState.RUNNING
    assert trial.intermediate_values == {p.evaluation: p.val_dsc for p in curve(2)}


@pytest.mark.parametrize("state", [CellState.DONE, CellState.NOT_LEARNED, CellState.COLLAPSED])
def test_a_finished_cell_is_a_complete_trial(ledger: Ledger, study: StudyRecord, state: CellState) -> None:
    """Optuna has its value and facts, the ledger its counts; nobody holds it, and nobody can claim it again."""
    finish(ledger, trained(ledger, study), state)
    cell = first(ledger, study)
    assert (cell.state, cell.owner) == (state, None)
    trial = optuna_trial(ledger)
    assert (trial.state, trial.value) == (TrialState.COMPLETE, 0.52)
    assert (trial.user_attrs["state"], trial.user_attrs["test_dsc"]) == (state.value, 0.8)
    assert trial.user_attrs["cell"] == cell.plan.key
    assert trial.datetime_complete is not None
    assert cell_record(ledger, study.study_id, cell.plan.key).attempt.scores == SCORES
    assert ledger.claim(study.study_id, [cell.plan.key], US) is None


def test_optuna_knows_the_best_trial(ledger: Ledger, study: StudyRecord) -> None:
    """The value is what Optuna ranks by: of two cells the one with the higher validation DSC is its best."""
    finish(ledger, trained(ledger, study))
    second = plans(2)[1].key
    for _ in range(2):
        claim = ledger.claim(study.study_id, [second], US)
        assert claim is not None
        if claim.phase == "train":
            record(ledger, claim, 2)
            ledger.send_to_test(claim, stop_reason=None, forecast=None)
    ledger.finish(claim, CellState.DONE, value=0.6, scores=SCORES, facts={})
    storage = optuna.storages.RDBStorage(ledger.url)
    best = optuna.load_study(study_name=study.name, storage=storage).best_trial
    storage.engine.dispose()
    assert (best.number, best.value) == (1, 0.6)


def test_a_failed_cell_is_a_failed_trial(ledger: Ledger, study: StudyRecord) -> None:
    """Its reason stands in both, its curve stays, and nobody can claim it again."""
    claim = claim_first(ledger, study)
    record(ledger, claim, 2)
    ledger.fail(claim, "the loss is nan at step 6")
    cell = first(ledger, study)
    assert (cell.state, cell.owner) == (CellState.FAILED, None)
    trial = optuna_trial(ledger)
    assert (trial.state, trial.user_attrs["failure"]) == (TrialState.FAIL, "the loss is nan at step 6")
    assert len(trial.intermediate_values) == 2
    found = cell_record(ledger, study.study_id, cell.plan.key)
    assert found.attempt.failure == "the loss is nan at step 6"
    assert len(found.curve) == 2
    assert ledger.claim(study.study_id, [cell.plan.key], US) is None


# Claims


def test_a_claimed_cell_cannot_be_claimed(ledger: Ledger, study: StudyRecord) -> None:
    """Not by another, and not twice by the same owner; an unknown cell neither."""
    claim_first(ledger, study)
    assert ledger.claim(study.study_id, [plans(1)[0].key], THEM) is None
    assert ledger.claim(study.study_id, [plans(1)[0].key], US) is None
    assert ledger.claim(study.study_id, ["ratio1-depth9-seed0"], US) is None


@pytest.mark.parametrize("first_start", [False, True])
def test_many_processes_claim_every_cell_once(
    backend: Backend, templates: tuple[str, str], *, first_start: bool
) -> None:
    """Eight drivers that begin one study at once, and grab whatever is free, make and take each cell exactly once.

    So they do where the database is not there yet, and each of them makes its tables.
    """
    storage_url = backend.database(None if first_start else templates[0])
    start = multiprocessing.get_context("forkserver")
    start.set_forkserver_preload(["pytest", "storage.reads"])
    barrier, results = start.Barrier(PROCESSES), start.Queue()
    drivers = [start.Process(target=_claim_all, args=(storage_url, i, barrier, results)) for i in range(PROCESSES)]
    for driver in drivers:
        driver.start()
    for driver in drivers:
        driver.join(60)
    assert [driver.exitcode for driver in drivers] == [0] * PROCESSES
    claimed = [key for _ in drivers for key in results.get(timeout=1)]
    assert sorted(claimed) == sorted(plan.key for plan in plans(CELLS))
    with Ledger.open(storage_url) as ledger:
        cells = ledger.cells(1)
    assert {(cell.state, cell.claims) for cell in cells} == {(CellState.CLAIMED, 1)}
    assert sorted(cell.trial_number for cell in cells) == list(range(CELLS))


def _claim_all(url: str, number: int, barrier: Barrier, results: multiprocessing.Queue[list[str]]) -> None:
    claimed = []
    barrier.wait(60)
    with Ledger.open(url, create=True) as ledger:
        study_id = make_study(ledger).study_id
        ledger.layout(study_id, plans(CELLS))
        while free := [cell for cell in ledger.cells(study_id) if cell.owner is None]:
            # Two drivers each are after the same cell.
            claim = ledger.claim(study_id, [free[number // 2 % len(free)].plan.key], this_owner())
            if claim is not None:
                claimed.append(claim.plan.key)
    results.put(claimed)


# Retries


def test_a_failed_cell_may_be_tried_again(ledger: Ledger, study: StudyRecord) -> None:
    """It waits as attempt 2 with a trial and a curve of its own; the first keeps its trial, and its seconds count."""
    claim = claim_first(ledger, study)
    record(ledger, claim, 2)
    ledger.fail(claim, "the loss is nan")
    assert ledger.retry(study.study_id, claim.plan.key)
    cell = first(ledger, study)
    assert (cell.state, cell.attempt, cell.trial_number) == (CellState.WAITING, 2, 3)
    assert cell_record(ledger, study.study_id, claim.plan.key).curve == ()
    assert spent_seconds(ledger, study.study_id) == pytest.approx(2 * 1.5 * WORKER["device_share"])
    assert optuna_trial(ledger, number=0).state == TrialState.FAIL
    assert optuna_trial(ledger, number=3).state == TrialState.WAITING
    again = claim_first(ledger, study)
    assert again.attempt == 2
    record(ledger, again, 3)
    assert len(optuna_trial(ledger, number=3).intermediate_values) == 3


def test_failures_follow_each_other_up_to_the_last_attempt(ledger: Ledger, study: StudyRecord) -> None:
    """A failed cell waits again by itself while attempts are left; then it stays failed, and each reason is kept."""
    for number in (1, 2, 3):
        claim = claim_first(ledger, study)
        assert claim.attempt == number
        record(ledger, claim, 1)
        assert ledger.fail(claim, f"reason {number}", max_attempts=3) == (number < 3)
    cell = first(ledger, study)
    assert (cell.state, cell.attempt) == (CellState.FAILED, 3)
    assert ledger.claim(study.study_id, [cell.plan.key], US) is None
    costs = costs_frame(ledger, study.study_id)
    of_cell = costs[costs["cell"] == cell.plan.key]
    assert of_cell["failure"].tolist() == ["reason 1", "reason 2", "reason 3"]
    assert of_cell["evaluation_seconds"].tolist() == [3.0] * 3
    assert spent_seconds(ledger, study.study_id) == 9.0


def test_a_cell_that_cannot_be_tested_trains_anew(ledger: Ledger, study: StudyRecord) -> None:
    """Only a cell that waits for its test, unowned."""
    key = plans(1)[0].key
    assert not ledger.retrain(study.study_id, key, "gone")
    claim = trained(ledger, study)
    assert not ledger.retrain(study.study_id, key, "gone")
    ledger.release(claim)
    assert ledger.retrain(study.study_id, key, "gone")
    cell = first(ledger, study)
    assert (cell.state, cell.attempt) == (CellState.WAITING, 2)
    assert optuna_trial(ledger).user_attrs["failure"] == "gone"


def test_only_failed_cells_are_tried_again(ledger: Ledger, study: StudyRecord) -> None:
    """A cell that waits, runs or is done is left as it is."""
    assert not ledger.retry(study.study_id, plans(1)[0].key)
    claim = trained(ledger, study)
    assert not ledger.retry(study.study_id, claim.plan.key)
    finish(ledger, claim)
    assert not ledger.retry(study.study_id, claim.plan.key)
    assert first(ledger, study).attempt == 1


# Records


def test_a_repeated_record_changes_nothing(ledger: Ledger, study: StudyRecord) -> None:
    """Known points keep what was first written; only the checkpoint moves."""
    claim = claim_first(ledger, study)
    record(ledger, claim, 2)
    changed = [replace(point, val_dsc=0.0) for point in curve(2)]
    ledger.record(claim, changed, checkpoint="0001-00009", worker=WORKER)
    assert cell_record(ledger, study.study_id, claim.plan.key).curve == tuple(curve(2))
    assert optuna_trial(ledger).intermediate_values == {p.evaluation: p.val_dsc for p in curve(2)}


def test_a_record_fills_gaps(ledger: Ledger, study: StudyRecord) -> None:
    """Points that a dead driver did not record come from the curve that the checkpoint holds."""
    claim = claim_first(ledger, study)
    ledger.record(claim, [curve(5)[1]], checkpoint="a", worker=WORKER)
    ledger.record(claim, curve(5), checkpoint="b", worker=WORKER)
    assert cell_record(ledger, study.study_id, claim.plan.key).curve == tuple(curve(5))
    assert optuna_trial(ledger).intermediate_values == {p.evaluation: p.val_dsc for p in curve(5)}


def test_work_that_was_done_again_is_counted(ledger: Ledger, study: StudyRecord) -> None:
    """A damaged checkpoint made an evaluation be trained twice: the first stands, the second is lost work."""
    claim = claim_first(ledger, study)
    record(ledger, claim, 2)
    again = [curve(2)[0], replace(curve(2)[1], train_seconds=1.25)]
    ledger.record(claim, again, checkpoint="x", worker=WORKER, note="damaged checkpoint 0001-00002")
    found = cell_record(ledger, study.study_id, claim.plan.key)
    assert found.curve == tuple(curve(2))
    assert found.attempt.lost_seconds == 1.75 * 2.0
    assert found.attempt.notes == ("damaged checkpoint 0001-00002",)
    record(ledger, claim, 3)
    assert cell_record(ledger, study.study_id, claim.plan.key).attempt.lost_seconds == 1.75 * 2.0


def test_what_befell_a_cell_is_noted(ledger: Ledger, study: StudyRecord) -> None:
    """Lost workers and drivers, in order."""
    ledger.release(claim_first(ledger, study), lost="its worker was lost")
    claim_first(ledger, study)
    ledger.take_back(study.study_id, first(ledger, study))
    notes = cell_record(ledger, study.study_id, plans(1)[0].key).attempt.notes
    assert notes == ("its worker was lost", f"its driver was lost: {US}")


def test_a_record_tells_where_it_ran(ledger: Ledger, study: StudyRecord) -> None:
    """Device, share and planned steps stand beside the attempt."""
    claim = claim_first(ledger, study)
    record(ledger, claim, 1)
    attempt = cell_record(ledger, study.study_id, claim.plan.key).attempt
    assert (attempt.device, attempt.device_share, attempt.device_name) == ("cpu", 2.0, "a processor")
    assert attempt.planned_steps == 90
    assert (attempt.scores, attempt.failure, attempt.stop_reason, attempt.forecast) == (None, None, None, None)


# The fence: nothing is written to a cell that was given away

WRITES: dict[str, Callable[[Ledger, Claim], None]] = {
    "record": lambda ledger, claim: record(ledger, claim, 3),
    "send_to_test": lambda ledger, claim: ledger.send_to_test(claim, stop_reason="late", forecast=None),
    "begin_test": lambda ledger, claim: ledger.begin_test(claim),
    "finish": finish,
    "fail": lambda ledger, claim: ledger.fail(claim, "late"),
}


@pytest.mark.parametrize("write", WRITES)
@pytest.mark.parametrize("taken_by", [None, THEM, US])
@pytest.mark.parametrize("way", ["release", "take_back"])
def test_a_late_writer_writes_nothing(
    ledger: Ledger, study: StudyRecord, write: str, taken_by: str | None, way: str
) -> None:
    """After a cell was given back the former claim is void, whoever holds the cell by now."""
    claim = claim_first(ledger, study)
    record(ledger, claim, 1)
    if way == "release":
        ledger.release(claim)
    else:
        assert ledger.take_back(study.study_id, first(ledger, study))
    if taken_by:
        claim_first(ledger, study, taken_by)
    before = cell_records(ledger, study.study_id), optuna_trial(ledger)
    with pytest.raises(LostLease, match=f"cell {claim.plan.key} is no longer held under claim 1"):
        WRITES[write](ledger, claim)
    assert (cell_records(ledger, study.study_id), optuna_trial(ledger)) == before


@pytest.mark.parametrize("write", WRITES)
def test_a_closed_cell_takes_no_more_writes(ledger: Ledger, study: StudyRecord, write: str) -> None:
    """A finish that is told twice is told once."""
    claim = trained(ledger, study)
    finish(ledger, claim)
    with pytest.raises(LostLease):
        WRITES[write](ledger, claim)
    assert optuna_trial(ledger).state == TrialState.COMPLETE


def test_the_training_claim_ends_with_the_training(ledger: Ledger, study: StudyRecord) -> None:
    """A worker that goes on training after its cell was sent to its test writes nothing."""
    claim = claim_first(ledger, study)
    record(ledger, claim, 2)
    ledger.send_to_test(claim, stop_reason=None, forecast=None)
    with pytest.raises(LostLease):
        record(ledger, claim, 3)


def test_who_trained_to_the_end_tests_under_the_same_claim(ledger: Ledger, study: StudyRecord) -> None:
    """Nobody else gets the cell between training and test, and the claim closes it; where it ends, the test waits."""
    claim = claim_first(ledger, study)
    record(ledger, claim, 2)
    ledger.begin_test(claim)
    assert (first(ledger, study).state, first(ledger, study).owner) == (CellState.TEST, claim.owner)
    assert ledger.claim(study.study_id, [claim.plan.key], THEM) is None
    ledger.release(claim, lost="its worker was lost")
    again = ledger.claim(study.study_id, [claim.plan.key], THEM)
    assert again is not None
    assert again.phase == "test"
    finish(ledger, again)
    assert first(ledger, study).state == CellState.DONE


def test_the_first_that_is_free_is_claimed(ledger: Ledger, study: StudyRecord) -> None:
    """In the order of the keys, whatever that of the cells; those that others hold are passed over."""
    first, second, third = [cell.plan.key for cell in ledger.cells(study.study_id)][:3]
    assert ledger.claim(study.study_id, [third], THEM) is not None
    claims = [ledger.claim(study.study_id, [third, second, first], US) for _ in range(3)]
    assert [claim and claim.plan.key for claim in claims] == [second, first, None]


# Giving back


def test_a_released_cell_waits_again_with_its_curve(ledger: Ledger, study: StudyRecord) -> None:
    """It keeps trial, attempt and curve; only a lost worker is counted."""
    claim = claim_first(ledger, study)
    record(ledger, claim, 2)
    ledger.release(claim)
    cell = first(ledger, study)
    assert (cell.state, cell.owner, cell.attempt, cell.losses) == (CellState.WAITING, None, 1, 0)
    trial = optuna_trial(ledger)
    assert (trial.state, len(trial.intermediate_values)) == (TrialState.WAITING, 2)
    ledger.release(claim_first(ledger, study), lost="its worker was lost")
    assert first(ledger, study).losses == 1
    assert claim_first(ledger, study).number == 3


def test_a_cell_released_in_its_test_waits_for_its_test(ledger: Ledger, study: StudyRecord) -> None:
    """What was trained is not trained again."""
    ledger.release(trained(ledger, study))
    assert first(ledger, study).state == CellState.TEST
    assert claim_first(ledger, study).phase == "test"
    assert ledger.take_back(study.study_id, first(ledger, study))
    assert first(ledger, study).state == CellState.TEST


def test_a_release_of_a_claim_that_was_given_away_does_nothing(ledger: Ledger, study: StudyRecord) -> None:
    """A driver that ends late does not take the cell from the one that took over."""
    claim = claim_first(ledger, study)
    ledger.take_back(study.study_id, first(ledger, study))
    claim_first(ledger, study, THEM)
    ledger.release(claim, lost="late")
    cell = first(ledger, study)
    assert (cell.state, cell.owner, cell.losses) == (CellState.CLAIMED, THEM, 0)


def test_a_cell_is_taken_back_only_as_it_was_seen(ledger: Ledger, study: StudyRecord) -> None:
    """An owner who renewed since is alive; one who lost the cell meanwhile does not lose it for the next."""
    claim = claim_first(ledger, study)
    seen = first(ledger, study)
    ledger.renew({claim: 0.0})
    assert not ledger.take_back(study.study_id, seen)
    assert first(ledger, study).owner == US
    seen = first(ledger, study)
    ledger.release(claim)
    claim_first(ledger, study, THEM)
    assert not ledger.take_back(study.study_id, seen)
    assert first(ledger, study).owner == THEM


# Renewals and costs


def test_a_renewal_counts_and_notes_seconds(ledger: Ledger, study: StudyRecord) -> None:
    """The counter of every cell of the owner moves, others' do not; unrecorded seconds are replaced, not added."""
    claim = claim_first(ledger, study)
    theirs = ledger.claim(study.study_id, [plans(2)[1].key], THEM)
    assert theirs is not None
    for seconds in (3.0, 7.0):
        assert ledger.renew({claim: seconds, replace(theirs, owner=US): 100.0}) == [replace(theirs, owner=US)]
    assert [cell.counter for cell in ledger.cells(study.study_id)] == [2, 0, 0]
    lost = [found.attempt.lost_seconds for found in cell_records(ledger, study.study_id)]
    assert lost == [7.0, 0.0, 0.0]


def test_a_record_settles_the_unrecorded_seconds(ledger: Ledger, study: StudyRecord) -> None:
    """Seconds that the curve now holds are not counted twice; the device share counts."""
    claim = claim_first(ledger, study)
    ledger.renew({claim: 2.5})
    assert spent_seconds(ledger, study.study_id) == 2.5
    record(ledger, claim, 2)
    assert spent_seconds(ledger, study.study_id) == 2 * 3.0
    found = cell_record(ledger, study.study_id, claim.plan.key)
    assert (found.device_seconds, found.spent_seconds) == (6.0, 6.0)


@pytest.mark.parametrize("end", ["release", "take_back", "fail"])
def test_unrecorded_work_is_lost_once(ledger: Ledger, study: StudyRecord, end: str) -> None:
    """Work since the last evaluation is spent, once, and is no part of the cost of the value."""
    claim = claim_first(ledger, study)
    record(ledger, claim, 2)
    ledger.renew({claim: 4.0})
    if end == "release":
        ledger.release(claim)
    elif end == "take_back":
        ledger.take_back(study.study_id, first(ledger, study))
    else:
        ledger.fail(claim, "no memory")
    found = cell_record(ledger, study.study_id, claim.plan.key)
    assert found.attempt.lost_seconds == 4.0
    assert (found.device_seconds, found.spent_seconds) == (6.0, 10.0)
    assert spent_seconds(ledger, study.study_id) == 10.0


def test_losses_add_up(ledger: Ledger, study: StudyRecord) -> None:
    """Every interruption's seconds are kept."""
    for seconds in (4.0, 5.0):
        claim = claim_first(ledger, study)
        ledger.renew({claim: seconds})
        ledger.release(claim)
    assert spent_seconds(ledger, study.study_id) == 9.0


# Whole-study reads


def test_summaries_and_counts_say_what_the_records_say(ledger: Ledger, study: StudyRecord) -> None:
    """Read in bulk, a study is the same as read cell by cell: scored, running, failed and followed, or waiting."""
    finish(ledger, trained(ledger, study))
    second = ledger.claim(study.study_id, [plans(2)[1].key], US)
    assert second is not None
    record(ledger, second, 1)
    ledger.fail(second, "nan", max_attempts=2)
    records, summaries = cell_records(ledger, study.study_id), cell_summaries(ledger, study.study_id)
    for one, summed in zip(records, summaries, strict=True):
        assert summed.cell == one.cell
        assert summed.attempt == replace(one.attempt, scores=None)
        assert summed.evaluations == len(one.curve)
        assert summed.best_val_dsc == (None if one.best is None else one.best.val_dsc)
        assert (summed.device_seconds, summed.spent_seconds) == (one.device_seconds, one.spent_seconds)
    counts = study_counts(ledger, study.study_id)
    assert counts.keys == [plans(1)[0].key]
    assert counts.validation.tolist() == [[list(each) for each in SCORES.validation]]
    assert counts.test.tolist() == [[list(each) for each in SCORES.test]]


def test_other_subsets_are_refused(ledger: Ledger, study: StudyRecord) -> None:
    """Cells of a seed whose cases would join in another order are not laid out, and the noted order stays."""
    with ledger.engine.begin() as connection:
        connection.execute(orders.update().values(cases=["b", "a", "x"]))
    with pytest.raises(StorageError, match="subsets of seed 0 differs from that which the study began with"):
        ledger.layout(study.study_id, plans(5))
    assert len(ledger.cells(study.study_id)) == 3


def test_a_study_without_scores_has_no_counts(ledger: Ledger, study: StudyRecord) -> None:
    """Nothing is scored before the first test phase."""
    counts = study_counts(ledger, study.study_id)
    assert (counts.keys, counts.validation.shape, counts.test.shape) == ([], (0, 0, 3), (0, 0, 3))


def test_cell_records_hold_every_cell(ledger: Ledger, study: StudyRecord) -> None:
    """Cells come in the order of the layout, each with its own curve; an unknown cell is a KeyError."""
    finish(ledger, trained(ledger, study))
    second = ledger.claim(study.study_id, [plans(2)[1].key], US)
    assert second is not None
    record(ledger, second, 4)
    found = cell_records(ledger, study.study_id)
    assert [len(r.curve) for r in found] == [2, 4, 0]
    assert [r.cell for r in found] == ledger.cells(study.study_id)
    assert found[1] == cell_record(ledger, study.study_id, second.plan.key)
    assert found[0].best == curve(2)[1]
    assert found[2].best is None
    with pytest.raises(KeyError):
        cell_record(ledger, study.study_id, "no such cell")


def test_a_surface_has_a_row_an_evaluation(ledger: Ledger, study: StudyRecord) -> None:
    """Columns are those of a recorded surface; test DSC is there where it was recorded."""
    assert list(surface(ledger, study.study_id).columns) == list(SURFACE_COLUMNS)
    assert len(surface(ledger, study.study_id)) == 0
    record(ledger, claim_first(ledger, study), 3, test_curve={1: 0.41, 3: 0.43})
    frame = surface(ledger, study.study_id)
    assert list(frame.columns) == list(SURFACE_COLUMNS)
    assert frame["evaluation"].tolist() == [1, 2, 3]
    assert frame["val_dsc"].tolist() == [p.val_dsc for p in curve(3)]
    assert frame["test_dsc"].fillna(-1).tolist() == [0.41, -1, 0.43]
    assert frame[["depth", "cases", "ratio", "seed"]].drop_duplicates().to_numpy().tolist() == [[3, 10, 0.001, 0]]
    assert frame["train_seconds"].sum() == 3.0


# Leases


@pytest.mark.skipif(sys.platform != "linux", reason="needs /proc to see a process end")
def test_a_process_that_ended_is_gone() -> None:
    """Its cells may be taken over at once; those of a process that runs may not."""
    ended = subprocess.run(
        [sys.executable, "-c", "from storage.leases import this_owner; print(this_owner())"],
        check=True,
        capture_output=True,
        text=True,
    ).stdout.strip()
    assert is_gone(ended)
    assert not is_gone(this_owner())


@pytest.mark.skipif(sys.platform != "linux", reason="needs /proc to see a process end")
def test_a_process_id_that_is_used_again_is_another_owner() -> None:
    """The start time tells a former process of this number from us; so does a pid namespace."""
    machine, pid, started = this_owner().rsplit("/", 2)
    assert is_gone(f"{machine}/{pid}/{int(started) - 1}")
    assert not is_gone(f"{machine}-of-another/{pid}/{int(started) - 1}")


class Clock:
    """A monotonic clock that stands still until it is moved."""

    def __init__(self) -> None:
        """Start anywhere."""
        self.now = 1000.0

    def monotonic(self) -> float:
        """The time."""
        return self.now


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    """The clock that leases are watched by."""
    made = Clock()
    monkeypatch.setattr(leases.time, "monotonic", made.monotonic)
    return made


def held(owner: str | None, counter: int = 0, key: str = "a") -> Cell:
    """A cell under a lease."""
    return Cell(replace(plans(1)[0], key=key), CellState.CLAIMED, 1, 1, owner, counter, 0, 0)


def test_a_silent_owner_elsewhere_expires(clock: Clock) -> None:
    """Another machine's process is never seen to end; its cell is free when its counter stood still long enough."""
    watch, cell = LeaseWatch(lease_seconds=5.0), held("elsewhere/boot/ns/1/100")
    assert not is_gone("elsewhere/boot/ns/1/100")
    for _ in range(5):
        assert watch.expired([cell], US) == []
        clock.now += 1
    assert watch.expired([cell], US) == [cell]


def test_an_owner_who_renews_never_expires(clock: Clock) -> None:
    """Every step of the counter starts the wait anew, and so does a new owner."""
    watch = LeaseWatch(lease_seconds=5.0)
    for counter in range(10):
        for _ in range(2):
            assert watch.expired([held("elsewhere/boot/ns/1/100", counter)], US) == []
            clock.now += 2.45
    for _ in range(3):
        assert watch.expired([held("elsewhere/boot/ns/9/900", 9)], US) == []
        clock.now += 2.45
    assert len(watch.expired([held("elsewhere/boot/ns/9/900", 9)], US)) == 1


def test_time_in_which_nobody_looked_does_not_count(clock: Clock) -> None:
    """After an hour's sleep, or an hour without a database, a silent owner has its whole lease once more."""
    watch, cell = LeaseWatch(lease_seconds=5.0), held("elsewhere/boot/ns/1/100")
    watch.expired([cell], US)
    clock.now += 3600
    for _ in range(5):
        assert watch.expired([cell], US) == []
        clock.now += 1
    assert watch.expired([cell], US) == [cell]


def test_our_own_and_free_cells_do_not_expire(clock: Clock) -> None:
    """We do not take from ourselves, and nobody holds a waiting cell."""
    watch = LeaseWatch(lease_seconds=5.0)
    cells = [held("elsewhere/boot/ns/1/100"), held(None, key="b")]
    assert watch.expired(cells, "elsewhere/boot/ns/1/100") == []
    for _ in range(10):
        clock.now += 2
        assert watch.expired(cells, "elsewhere/boot/ns/1/100") == []


def test_cells_are_watched_apart(clock: Clock) -> None:
    """A cell that was seen later expires later."""
    watch = LeaseWatch(lease_seconds=5.0)
    one, two = held("elsewhere/boot/ns/1/100", key="a"), held("elsewhere/boot/ns/2/200", key="b")
    watch.expired([one], US)
    clock.now += 2.5
    watch.expired([one, two], US)
    clock.now += 2.5
    assert watch.expired([one, two], US) == [one]
