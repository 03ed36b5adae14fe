"""Runs the open cells of a study on Ray Tune. A resume is the same call: the ledger knows what is left."""

from __future__ import annotations

import logging
import shutil
import signal
import tempfile
import threading
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from search.tune.cluster import Cluster, connected  # first: it sets what Ray reads when it is imported

# isort: split
from ray import tune

from search.policy.decisions import Decisions, DecisionSpec
from search.policy.next_cell import PolicyContext
from search.tune.callbacks import ForecastStopper, TrialWatch
from search.tune.held_claims import HeldClaims, LeaseKeeper
from search.tune.node_check import check_nodes
from search.tune.run_end import RunEnd, StopSignal
from search.tune.searcher import Desk, LedgerSearcher
from search.tune.trainable import CellTrainable
from search.worker.assignment import Assignment
from storage.errors import InputError, StorageError
from storage.ledger.leases import LeaseWatch, this_owner

if TYPE_CHECKING:
    from collections.abc import Iterator
    from types import FrameType

    from models.forecaster.interface import Forecaster
    from models.protocol import TrainingSpec
    from search.policy.next_cell import PolicyName
    from search.policy.stop_rule import StopSpec
    from search.prices import Device, PriceSpec
    from search.resources import ResourceSpec
    from storage.data.spec import DataSpec
    from storage.files.checkpoints import Keep
    from storage.ledger.ledger import Ledger
    from storage.records import StudyRecord

log = logging.getLogger(__name__)

RENEWALS_PER_LEASE = 12


@dataclass(frozen=True)
class Job:
    """What is to be run, beside the ledger's study.

    Attributes:
        dataset_folder: Prepared dataset.
        data: Which cases it was prepared from, their path absolute.
        size: Side of resized images in 2D, None in 3D.
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
    data: DataSpec
    size: int | None
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
        InputError: A trial asks for more than the cluster has, a node does not fit, the disk is full, or the database
            stayed away.
    """
    with connected():
        cluster = Cluster(job.resources)
        device, share = cluster.device, cluster.share
        versions = check_nodes(cluster, ledger.url, job.checkpoints) if cluster.is_shared else {}
        assignment = _assignment(study, job, device, share, versions)
        stop, live, owner = StopSignal(), HeldClaims(share), this_owner()
        slots = cluster.slots
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
        keeper = LeaseKeeper(ledger, live, every_seconds=job.resources.lease_seconds / RENEWALS_PER_LEASE)
        with _signals(stop), cluster.asked_for_more(), _scratch_folder() as scratch:
            try:
                with keeper:
                    _tuner(desk, job, cluster, scratch).fit()
            finally:
                _release(ledger, live)
    if stop.reason is not None:
        raise InputError(stop.reason)
    return stop.end


def _release(ledger: Ledger, live: HeldClaims) -> None:
    try:
        for claim in live.remove_all():
            ledger.release(claim)
    except StorageError as error:  # the leases end by themselves
        log.warning("could not release the cells: %s", error)


def _tuner(desk: Desk, job: Job, cluster: Cluster, scratch: str) -> Any:
    trainable = tune.with_parameters(CellTrainable, assignment=desk.assignment)
    return tune.Tuner(
        tune.with_resources(trainable, cluster.placement()),
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
        device_name=job.resources.accelerator_type,
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


def _assignment(
    study: StudyRecord, job: Job, device: str, share: float, versions: dict[str, str] | None = None
) -> Assignment:
    return Assignment(
        study=study.name,
        dataset_folder=job.dataset_folder,
        data=job.data,
        size=job.size,
        fingerprint=study.fingerprint,
        versions=versions or {},
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
