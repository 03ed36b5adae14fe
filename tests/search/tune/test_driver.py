"""Real Ray Tune, a real ledger and real trainings, small: what a run leaves behind in the ledger."""

from __future__ import annotations

import os
import re
import signal
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import ray
from optuna.artifacts import FileSystemArtifactStore, get_all_artifact_meta

from models.metrics import per_case
from search.tune.driver import run_cells
from search.tune.run_end import RunEnd
from storage.data.dataset import Dataset
from storage.files.artifacts import ArtifactFolder
from storage.files.locations import artifacts_of
from storage.ledger.cell_records import cell_records, spent_seconds
from storage.records import CellState
from studies.launch.start import prepare_study
from studies.spec import parse_spec
from tests.helpers.optuna_view import optuna_study
from tests.helpers.volume_makers import write_brats

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from storage.files.artifacts import Overlay
    from storage.records import CellRecord
    from studies.launch.start import PreparedStudy

SPEC: dict[str, Any] = {
    "name": "small",
    "tolerance": 0.02,
    "data": {"kind": "phantom", "phantom_cases": 40},
    "grid": {"ratio": [0.5, 1.0], "depth": [2]},
    "training": {"size": 16, "budget": 40, "evaluations": 8, "batch": 8, "channels": 4, "learning_rate": 3e-3},
    "resources": {"max_trials": 1},  # one worker that starts, not two
}


@pytest.fixture(scope="module", autouse=True)
def _one_ray_for_all() -> Iterator[None]:
    ray.init(address="local", num_cpus=2, include_dashboard=False, log_to_driver=False, object_store_memory=2**27)
    yield
    ray.shutdown()


@pytest.fixture
def prepare(tmp_path: Path) -> Iterator[Callable[..., PreparedStudy]]:
    """Prepare the small study, with some sections changed."""
    opened = []

    def prepare_with(**sections: dict[str, Any] | float | str) -> PreparedStudy:
        values = {k: SPEC.get(k, {}) | v if isinstance(v, dict) else v for k, v in sections.items()}
        spec = parse_spec(SPEC | values, source="test")
        prepared = prepare_study(spec, f"sqlite:///{tmp_path}/small.db", wait_for_others=True)
        opened.append(prepared.ledger)
        return prepared

    yield prepare_with
    for ledger in opened:
        ledger.close()


def records_of(prepared: PreparedStudy) -> list[CellRecord]:
    """Its cells as the ledger holds them."""
    return cell_records(prepared.ledger, prepared.study.study_id)


def run(prepared: PreparedStudy) -> RunEnd:
    """Run it on the one Ray of this module."""
    return run_cells(prepared.ledger, prepared.study, prepared.job)


def overlays_of(prepared: PreparedStudy, key: str) -> list[Overlay]:
    """Those of a cell's first attempt."""
    place = artifacts_of(prepared.study.running, prepared.ledger.url)
    return ArtifactFolder.of(place, prepared.study.name, key, 1).overlays()


def test_volumes_are_trained_on_in_patches(prepare: Callable[..., PreparedStudy], tmp_path: Path) -> None:
    """In the layout of BraTS 2020: both cells end with scores of every case, counted in voxels of whole volumes."""
    folder = write_brats(tmp_path / "data", 10)
    training = {"patch": [16, 16, 8], "budget": 6, "evaluations": 3, "batch": 2, "loss": "dice_ce"}
    prepared = prepare(data={"kind": "brats", "path": str(folder)}, training=training)
    assert prepared.study.facts["channels"] == 4
    assert run(prepared) == RunEnd.FINISHED
    truth = [mask.sum() for mask in Dataset.open(Path(prepared.job.assignment.dataset_folder)).masks()]
    for record in records_of(prepared):
        assert record.cell.state in {CellState.DONE, CellState.NOT_LEARNED}
        assert record.attempt.scores is not None
        counts = [*record.attempt.scores.validation, *record.attempt.scores.test]
        assert [tp + fn for tp, _, fn in counts] == [truth[0]] * 3
        captions = ", ".join(overlay.caption for overlay in overlays_of(prepared, record.cell.plan.key))
        slices = r"small foreground \([\d.]+ %\), axial slice \d+ of \d+, large foreground \([\d.]+ %\), axial slice .*"
        assert re.fullmatch(slices, captions)


def test_every_cell_leaves_overlays_of_the_same_test_cases(
    prepare: Callable[..., PreparedStudy], tmp_path: Path
) -> None:
    """Three of them, by the size of their foreground, with the DSC that was recorded; Optuna lists and reads them."""
    prepared = prepare()
    run(prepared)
    test = prepared.study.split["test"]
    half, whole = (overlays_of(prepared, record.cell.plan.key) for record in records_of(prepared))
    assert [overlay.case for overlay in half] == [overlay.case for overlay in whole]
    assert [overlay.caption.split()[0] for overlay in half] == ["small", "medium", "large"]
    record = records_of(prepared)[0]
    assert record.attempt.scores is not None
    dsc = dict(zip(test, per_case(record.attempt.scores.test)["dsc"], strict=True))
    assert [overlay.dsc for overlay in half] == [dsc[overlay.case] for overlay in half]
    store = FileSystemArtifactStore(tmp_path / "dicecurve-files/artifacts")
    with optuna_study(prepared.ledger.url, "small") as study:
        listed = get_all_artifact_meta(study.get_trials()[0], storage=study._storage)
    assert [artifact.filename for artifact in listed] == [f"{o.caption}, {o.case}, DSC {o.dsc:.3f}.png" for o in half]
    for artifact, overlay in zip(listed, half, strict=True):
        with store.open_reader(artifact.artifact_id) as file:
            assert file.read() == overlay.png


def test_a_cell_is_measured_without_its_overlays(prepare: Callable[..., PreparedStudy], tmp_path: Path) -> None:
    """Where they cannot be written the cell is tested all the same, and its notes say why."""
    (tmp_path / "dicecurve-files").mkdir()
    (tmp_path / "dicecurve-files/artifacts").write_text("in the way")
    prepared = prepare(grid={"ratio": [0.5], "depth": [2]})
    run(prepared)
    (record,) = records_of(prepared)
    assert record.attempt.scores is not None
    assert record.attempt.notes[-1].startswith("its overlays could not be written: ")


def test_grid_trains_every_cell_to_its_full_budget(prepare: Callable[..., PreparedStudy]) -> None:
    """Under policy grid every cell has all evaluations, scores of every case, and no stop reason."""
    prepared = prepare()
    assert run(prepared) == RunEnd.FINISHED
    for record in records_of(prepared):
        assert not record.cell.state.is_open
        assert [e.evaluation for e in record.curve] == list(range(1, 9))
        assert record.curve[-1].step == record.attempt.planned_steps == 40
        assert record.attempt.stop_reason is None
        assert record.attempt.scores is not None
        assert len(record.attempt.scores.test) == len(prepared.study.split["test"])
        assert record.attempt.device == "cpu"


def test_only_the_best_weights_stay(prepare: Callable[..., PreparedStudy], tmp_path: Path) -> None:
    """After its test a cell keeps one checkpoint, with the best weights alone; `overlays = false` leaves no picture."""
    run(prepare(files={"overlays": False}))
    assert not (tmp_path / "dicecurve-files/artifacts").exists()
    files = sorted(p.name for p in (tmp_path / "dicecurve-files/checkpoints/small/ratio1-depth2-seed0").rglob("*.pt"))
    assert files == ["best.pt"]


def test_test_curve_is_recorded_on_request(prepare: Callable[..., PreparedStudy]) -> None:
    """With record_test_curve each evaluation has a test DSC, and the best one's is that of the scores."""
    prepared = prepare(training={"record_test_curve": True})
    run(prepared)
    for record in records_of(prepared):
        assert sorted(record.test_curve) == list(range(1, 9))


def test_a_failing_cell_is_recorded_and_the_others_go_on(prepare: Callable[..., PreparedStudy], tmp_path: Path) -> None:
    """A cell that cannot write its checkpoints fails with its reason; the other cell is finished."""
    prepared = prepare()
    blocked = tmp_path / "dicecurve-files/checkpoints/small/ratio0.5-depth2-seed0"
    blocked.parent.mkdir(parents=True)
    blocked.write_text("in the way")
    assert run(prepared) == RunEnd.FINISHED
    failed, finished = records_of(prepared)
    assert failed.cell.state == CellState.FAILED
    assert "in the way" not in (failed.attempt.failure or "")
    assert "ratio0.5-depth2-seed0" in (failed.attempt.failure or "")
    assert not finished.cell.state.is_open
    assert finished.cell.state != CellState.FAILED


def test_a_loss_that_is_no_number_fails_the_cell(prepare: Callable[..., PreparedStudy]) -> None:
    """A diverging training ends as failed, and the reason names the loss, the step and the remedy."""
    prepared = prepare(training={"learning_rate": 1e30})
    assert run(prepared) == RunEnd.FINISHED
    for record in records_of(prepared):
        assert record.cell.state == CellState.FAILED
        assert record.cell.attempt == 2
        assert "the loss is nan at step" in (record.attempt.failure or "")
        assert "learning_rate" in (record.attempt.failure or "")


def test_a_lost_worker_gives_its_cell_back(prepare: Callable[..., PreparedStudy]) -> None:
    """SIGKILL of a worker in mid-training: its cell is claimed again, goes on from its checkpoint and is finished."""
    prepared = prepare(training={"budget": 960, "size": 32})
    killer = threading.Thread(target=_kill_a_worker, args=(prepared,))
    killer.start()
    assert run(prepared) == RunEnd.FINISHED
    killer.join()
    records = records_of(prepared)
    assert sum(r.cell.losses for r in records) == 1
    assert all(not r.cell.state.is_open and len(r.curve) == 8 for r in records)
    lost = next(r for r in records if r.cell.losses)
    assert lost.cell.claims == 2


def test_a_silent_worker_is_ended(prepare: Callable[..., PreparedStudy]) -> None:
    """A worker that stands still for ten evaluations is ended; its cell waits again, and is finished by another.

    One trial at a time, so that the one that stands still is the one whose evaluations are known.
    """
    prepared = prepare(training={"budget": 960, "size": 32}, resources={"silent_seconds": 3.0})
    stopper = threading.Thread(target=_kill_a_worker, args=(prepared, signal.SIGSTOP))
    stopper.start()
    assert run(prepared) == RunEnd.FINISHED
    stopper.join()
    records = records_of(prepared)
    assert sum(r.cell.losses for r in records) >= 1
    assert all(not r.cell.state.is_open and len(r.curve) == 8 for r in records)
    lost = next(r for r in records if r.cell.losses)
    assert lost.attempt.notes == ("its worker was lost under claim 1",)
    # Though the lease is renewed, and work noted, each 10 seconds only.
    assert lost.attempt.lost_seconds >= 3.0


def _kill_a_worker(prepared: PreparedStudy, number: signal.Signals = signal.SIGKILL) -> None:
    """One that trains, in mid-training; before its first evaluation none is called silent."""
    deadline = time.monotonic() + 200
    while True:
        training = any(r.cell.owner is not None and 2 <= len(r.curve) < 6 for r in records_of(prepared))
        workers = _workers()  # none between two evaluations
        if training and workers:
            os.kill(workers[0], number)
            return
        assert time.monotonic() < deadline
        time.sleep(0.02)


def _workers() -> list[int]:
    """Our own processes that train a cell right now; Ray writes the method into their command line."""
    titles = {path.parent: path.read_bytes() for path in Path("/proc").glob("[0-9]*/cmdline") if path.exists()}
    return [int(p.name) for p, title in titles.items() if b"Trainable.train" in title and _is_ours(int(p.name))]


def _is_ours(pid: int) -> bool:
    while pid > 1 and pid != os.getpid():
        pid = int(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[1])
    return pid == os.getpid()


def test_the_limit_of_hours_ends_the_run(prepare: Callable[..., PreparedStudy]) -> None:
    """A spent budget ends the run in order, claims are released, what was measured stays; another run adds nothing."""
    prepared = prepare(gpu_hours=1e-5, training={"budget": 800, "size": 32})
    assert run(prepared) == RunEnd.LIMIT
    spent = spent_seconds(prepared.ledger, prepared.study.study_id)
    assert run(prepared) == RunEnd.LIMIT
    assert spent_seconds(prepared.ledger, prepared.study.study_id) == spent
    records = records_of(prepared)
    assert all(r.cell.owner is None for r in records)
    assert any(r.curve for r in records)
    assert any(r.cell.state.is_open for r in records)
    assert spent_seconds(prepared.ledger, prepared.study.study_id) >= 0.036
