"""Runs the open cells of a study on Ray Tune. A resume is the same call: the ledger knows what is left."""

from __future__ import annotations

import logging
import os
import shutil
import signal
import tempfile
import threading
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

from search.decisions import Decisions, DecisionSpec
from search.live_claims import LeaseKeeper, LiveClaims
from search.policy import PolicyContext
from search.stop_signal import RunEnd, StopSignal
from storage.errors import InputError, StorageError
from storage.leases import LeaseWatch, this_owner

# Ray and Tune read these when they are imported or started. Nothing is reported to anybody, and Ctrl-C is ours.
os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
os.environ.setdefault("RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO", "0")
os.environ.update(
    TUNE_DISABLE_SIGINT_HANDLER="1",
    TUNE_DISABLE_AUTO_CALLBACK_LOGGERS="1",
    TUNE_MAX_PENDING_TRIALS_PG="1000000",  # the searcher claims only while a slot is free
    TUNE_GLOBAL_CHECKPOINT_S="1000000000",  # the ledger is the only truth
    TUNE_WARN_INSUFFICENT_RESOURCE_THRESHOLD_S="1000000000",
    TUNE_PRINT_ALL_TRIAL_ERRORS="0",
    RAY_AIR_NEW_OUTPUT="0",
)

import ray
from ray import tune

from search.trainable import Assignment, CellTrainable
from search.tune_searcher import Desk, LedgerSearcher
from search.tune_stopper import ForecastStopper
from search.tune_watch import TrialWatch

if TYPE_CHECKING:
    from collections.abc import Iterator
    from types import FrameType

    from models.forecaster.forecast import Forecaster
    from models.protocol import TrainingSpec
    from search.policy import PolicyName
    from search.prices import Device, PriceSpec
    from search.resources import ResourceSpec
    from search.stop_rule import StopSpec
    from storage.checkpoints import Keep
    from storage.ledger import Ledger
    from storage.records import StudyRecord

log = logging.getLogger(__name__)

RENEWALS_PER_LEASE = 12
ROUNDING = 1e-9  # ten tenths of a GPU are one
OBJECT_STORE_BYTES = 256 * 2**20  # only assignments travel through it; images are memory-mapped files


@dataclass(frozen=True)
class Job:
    """What is to be run, beside the ledger's study.

    Attributes:
        dataset_folder: Prepared dataset.
        training: The protocol.
        checkpoints: fsspec URL of the checkpoints.
        artifacts: fsspec URL of the overlays; None: none are made.
        keep: What stays of a closed cell's checkpoints.
        policy: Which cells, and whether trainings may stop early.
        tolerance: In DSC.
        target: DSC to reach, or None.
        prices: Of hours and cases.
        stop: The stop rule's settings.
        resources: What a trial holds.
        forecaster: What the stop rule asks.
        device_hours: Limit of what the study may spend, or None.
        wait_for_others: Whether to wait for cells that other drivers hold.
    """

    dataset_folder: str
    training: TrainingSpec
    checkpoints: str
    artifacts: str | None
    keep: Keep
    policy: PolicyName
    tolerance: float
    target: float | None
    prices: PriceSpec
    stop: StopSpec
    resources: ResourceSpec
    forecaster: Forecaster
    device_hours: float | None
    wait_for_others: bool


def run_cells(ledger: Ledger, study: StudyRecord, job: Job) -> RunEnd:
    """Run all open cells, and say whether the run came to its end or what ended it before.

    Raises:
        InputError: A trial asks for more than the cluster has, the disk is full, or the database stayed away.
    """
    with _ray():
        device, share = _device(job.resources)
        assignment = _assignment(study, job, device, share)
        stop, live, owner = StopSignal(), LiveClaims(), this_owner()
        slots = partial(_slots, job.resources, device)
        decisions = Decisions(ledger, study, _decision_spec(study, job, device, share), slots)
        desk = Desk(
            ledger=ledger,
            study=study,
            decisions=decisions,
            assignment=assignment,
            owner=owner,
            live=live,
            watch=LeaseWatch(job.resources.lease_seconds),
            stop=stop,
            slots=slots,
            max_attempts=job.resources.max_attempts,
            max_losses=job.resources.max_losses,
            device_seconds=None if job.device_hours is None else 3600 * job.device_hours,
            wait_for_others=job.wait_for_others,
            keep=job.keep,
        )
        keeper = LeaseKeeper(
            ledger,
            live,
            every_seconds=job.resources.lease_seconds / RENEWALS_PER_LEASE,
            device_share=share,
        )
        with _signals(stop), _scratch_folder() as scratch:
            try:
                with keeper:
                    _tuner(desk, job, device, scratch).fit()
            finally:
                _release(ledger, live)
    if stop.reason is not None:
        raise InputError(stop.reason)
    return stop.end


def _release(ledger: Ledger, live: LiveClaims) -> None:
    try:
        for claim in live.remove_all():
            ledger.release(claim)
    except StorageError as error:  # the leases end by themselves
        log.warning("could not release the cells: %s", error)


def _tuner(desk: Desk, job: Job, device: str, scratch: str) -> Any:
    trainable = tune.with_parameters(CellTrainable, assignment=desk.assignment)
    return tune.Tuner(
        tune.with_resources(trainable, _request(job.resources, device)),
        tune_config=tune.TuneConfig(
            search_alg=LedgerSearcher(desk),
            num_samples=-1,
            reuse_actors=True,
            trial_name_creator=_trial_name,
            trial_dirname_creator=_trial_name,
        ),
        run_config=tune.RunConfig(
            name=desk.study.name,
            storage_path=scratch,
            stop=ForecastStopper(desk.decisions, desk.live, desk.stop),
            callbacks=[TrialWatch(desk.live, job.resources.silent_seconds)],
            checkpoint_config=tune.CheckpointConfig(checkpoint_frequency=0, checkpoint_at_end=False),
            verbose=0,
        ),
    )


def _trial_name(trial: Any) -> str:
    return str(trial.trial_id)


def _decision_spec(study: StudyRecord, job: Job, device: Device, share: float) -> DecisionSpec:
    context = PolicyContext(
        num_train=len(study.split["train"]),
        held_out_cases=len(study.split["validation"]) + len(study.split["test"]),
        prices=job.prices,
        device=device,
        device_share=share,
        evaluations=job.training.evaluations,
        total_steps=job.training.total_steps,
        tolerance=job.tolerance,
        target=job.target,
    )
    return DecisionSpec(
        policy=job.policy,
        context=context,
        evaluations=job.training.evaluations,
        d0=study.facts["d0"],
        tolerance=job.tolerance,
        stop=job.stop,
        forecaster=job.forecaster,
        device_seconds=None if job.device_hours is None else 3600 * job.device_hours,
    )


def _assignment(study: StudyRecord, job: Job, device: str, share: float) -> Assignment:
    return Assignment(
        study=study.name,
        dataset_folder=job.dataset_folder,
        split=study.split,
        groups=study.groups,
        training=job.training,
        checkpoints=job.checkpoints,
        device=device,
        device_share=share,
        threads=job.resources.cpus_per_trial,
        artifacts=job.artifacts,
        spacing=study.identity["data"]["spacing"],
    )


def _request(resources: ResourceSpec, device: str) -> dict[str, float]:
    return {"cpu": resources.cpus_per_trial, "gpu": resources.gpus_per_trial if device == "gpu" else 0}


def _device(resources: ResourceSpec) -> tuple[Device, float]:
    """The device that trials use, and the share of it (GPU fraction, or CPUs) that each holds."""
    has_gpus = ray.cluster_resources().get("GPU", 0) > 0
    device: Device = "gpu" if has_gpus and resources.gpus_per_trial > 0 else "cpu"
    if _slots(resources, device) < 1:
        raise InputError(
            f"a trial asks for {_request(resources, device)}, the cluster has "
            f"{ {k.lower(): v for k, v in ray.cluster_resources().items() if k in {'CPU', 'GPU'}} }; "
            "lower cpus_per_trial or gpus_per_trial ([resources])"
        )
    return device, resources.gpus_per_trial if device == "gpu" else float(resources.cpus_per_trial)


def _slots(resources: ResourceSpec, device: str) -> int:
    cluster = ray.cluster_resources()
    fit = [
        int(cluster.get(name.upper(), 0) / amount + ROUNDING)
        for name, amount in _request(resources, device).items()
        if amount
    ]
    return min([*fit, *([resources.max_trials] if resources.max_trials else [])])


@contextmanager
def _ray() -> Iterator[None]:
    """A connection to the cluster of RAY_ADDRESS, else a private one on this machine; an open one is left as it is."""
    for name in ("ray", "ray.tune"):
        logging.getLogger(name).setLevel(logging.CRITICAL)  # its warnings speak of files that we do without
    if ray.is_initialized():
        yield
        return
    address = os.environ.get("RAY_ADDRESS")
    local = {} if address else {"object_store_memory": OBJECT_STORE_BYTES, "include_dashboard": False}
    ray.init(address=address or "local", log_to_driver=False, logging_level=logging.CRITICAL, **local)
    try:
        yield
    finally:
        ray.shutdown()


@contextmanager
def _signals(stop: StopSignal) -> Iterator[None]:
    """Ctrl-C and SIGTERM end the run in order; a second one ends it at once."""

    def on_signal(number: int, _frame: FrameType | None) -> None:
        if stop.is_set():
            raise KeyboardInterrupt(number)
        stop.set(RunEnd.INTERRUPTED)

    if threading.current_thread() is not threading.main_thread():
        yield
        return
    numbers = (signal.SIGINT, signal.SIGTERM)
    before = [signal.signal(number, on_signal) for number in numbers]
    try:
        yield
    finally:
        for number, handler in zip(numbers, before, strict=True):
            signal.signal(number, handler)


@contextmanager
def _scratch_folder() -> Iterator[str]:
    """Where Tune writes its own files, which nobody reads."""
    folder = tempfile.mkdtemp(prefix="dicecurve-tune-")
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)
