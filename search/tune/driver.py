"""Runs the open cells of a study on Ray Tune. A resume is the same call: the ledger knows what is left."""

from __future__ import annotations

import logging
import shutil
import signal
import tempfile
import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from search.tune.cluster import Cluster, connected  # first: it sets what Ray reads when it is imported

# isort: split
from ray import tune

from search.policy.decisions import Decisions
from search.tune.callbacks import ForecastStopper, TrialWatch
from search.tune.held_claims import HeldClaims, LeaseKeeper
from search.tune.node_check import check_nodes
from search.tune.run_end import RunEnd, StopSignal
from search.tune.searcher import DriverState, LedgerSearcher
from search.tune.trainable import CellTrainable
from storage.errors import InputError, StorageError
from storage.ledger.leases import LeaseWatch, this_owner

if TYPE_CHECKING:
    from collections.abc import Iterator
    from types import FrameType

    from search.tune.job import Job
    from storage.ledger.ledger import Ledger
    from storage.records import StudyRecord

log = logging.getLogger(__name__)

RENEWALS_PER_LEASE = 12


def run_cells(ledger: Ledger, study: StudyRecord, job: Job) -> RunEnd:
    """Run all open cells, and say whether the run came to its end or what ended it before.

    Raises:
        InputError: A trial asks for more than the cluster has, a node does not fit, the disk is full, or the database
            stayed away.
    """
    with connected():
        cluster = Cluster(job.resources)
        driver = _driver_state(ledger, study, job, cluster)
        keeper = LeaseKeeper(ledger, driver.held, every_seconds=job.resources.lease_seconds / RENEWALS_PER_LEASE)
        with _signals(driver.stop), cluster.asked_for_more(), _scratch_folder() as scratch:
            try:
                with keeper:
                    _tuner(driver, cluster, scratch).fit()
            finally:
                _release(driver)
    if driver.stop.reason is not None:
        raise InputError(driver.stop.reason)
    return driver.stop.end


def _driver_state(ledger: Ledger, study: StudyRecord, job: Job, cluster: Cluster) -> DriverState:
    """What the driver works with on a cluster whose nodes fit."""
    versions = check_nodes(cluster, ledger.url, job.assignment.checkpoints) if cluster.is_shared else None
    placed = job.on(cluster.device, cluster.share, versions)
    return DriverState(
        ledger=ledger,
        study=study,
        job=placed,
        decisions=Decisions(ledger, study, placed.decision_spec, cluster.slots),
        owner=this_owner(),
        held=HeldClaims(cluster.share),
        watch=LeaseWatch(job.resources.lease_seconds),
        stop=StopSignal(),
        slots=cluster.slots,
    )


def _tuner(driver: DriverState, cluster: Cluster, scratch: str) -> Any:
    """Tune over the searcher, every trial on what the cluster gives it."""
    trainable = tune.with_parameters(CellTrainable, assignment=driver.job.assignment)
    return tune.Tuner(
        tune.with_resources(trainable, cluster.placement()),
        tune_config=tune.TuneConfig(
            search_alg=LedgerSearcher(driver),
            num_samples=-1,
            reuse_actors=True,
            trial_name_creator=_trial_name,
            trial_dirname_creator=_trial_name,
        ),
        run_config=tune.RunConfig(
            name=driver.study.name,
            storage_path=scratch,
            stop=ForecastStopper(driver.decisions, driver.held, driver.stop),
            callbacks=[TrialWatch(driver.held, driver.job.resources.silent_seconds)],
            checkpoint_config=tune.CheckpointConfig(checkpoint_frequency=0, checkpoint_at_end=False),
            verbose=0,
        ),
    )


def _trial_name(trial: Any) -> str:
    return str(trial.trial_id)


def _release(driver: DriverState) -> None:
    """Give back what is still held."""
    try:
        for claim in driver.held.remove_all():
            driver.ledger.release(claim)
    except StorageError as error:  # the leases end by themselves
        log.warning("could not release the cells: %s", error)


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
