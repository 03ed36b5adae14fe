"""Starts a study, or goes on with it: the same call. Everything is checked before anything is written."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from search.worker.versions import recorded_versions
from storage.database.retry import RetryPolicy
from storage.database.schema import holds_studies
from storage.database.urls import normalise_url
from storage.ledger.ledger import Ledger
from studies.launch.cells import flops_by_recipe, lay_out_cells
from studies.launch.data import prepare_data
from studies.launch.data_check import data_warning
from studies.launch.identity import check_data, check_identity, note_changes
from studies.launch.job import job_of
from studies.launch.locations import check_disk, check_locations

if TYPE_CHECKING:
    from collections.abc import Callable

    from search.tune.job import Job
    from storage.records import StudyRecord
    from studies.launch.data import PreparedData
    from studies.spec import StudySpec


@dataclass(frozen=True)
class PreparedStudy:
    """A study whose cells are laid out, ready to run.

    Attributes:
        ledger: Open; the caller closes it.
        study: Its record.
        job: What `run_cells` needs.
        added: Cells that this start added.
        warning: What a person should know about the data of a new study, or None.
    """

    ledger: Ledger
    study: StudyRecord
    job: Job
    added: int
    warning: str | None = None


def prepare_study(
    spec: StudySpec, storage: str, *, wait_for_others: bool, progress: Callable[[int, int], None] | None = None
) -> PreparedStudy:
    """Check spec, storage and data, then make the study or take it up again.

    Args:
        spec: Of the study.
        storage: URL of its database, or path of a SQLite file.
        wait_for_others: Whether the run is to wait for cells that other drivers hold.
        progress: Told of cases that are prepared.

    Raises:
        InputError: The first thing that a person has to put right; nothing was written for it.
    """
    url = normalise_url(storage)
    check_locations(spec, url)
    is_new = not holds_studies(url) or check_identity(spec, url) is None
    data = prepare_data(spec, url, progress)
    warning = data_warning(data) if is_new else None
    plans = lay_out_cells(spec, len(data.split["train"]), data.dataset.channels)
    check_disk(plans, data.files)
    ledger = Ledger.open(url, create=True, retry_policy=RetryPolicy(spec.resources.database_seconds))
    try:
        study = _made_or_taken_up(ledger, spec, data)
        added = ledger.layout(study.study_id, plans)
        job = job_of(spec, study, data, wait_for_others=wait_for_others)
    except BaseException:
        ledger.close()
        raise
    return PreparedStudy(ledger, study, job, added, warning)


def _made_or_taken_up(ledger: Ledger, spec: StudySpec, data: PreparedData) -> StudyRecord:
    study = ledger.find_study(spec.name) or ledger.create_study(
        spec.name,
        identity=spec.identity(),
        running=spec.running(),
        fingerprint=data.dataset.fingerprint,
        split=data.split,
        groups=data.groups,
        facts=_facts(spec, data),
    )
    check_data(study, data)
    if note_changes(ledger, study, spec) or spec.policy == "grid":
        ledger.reopen_skipped(study.study_id)  # what was not worth training may be now
    return replace(study, identity=spec.identity(), running=spec.running())


def _facts(spec: StudySpec, data: PreparedData) -> dict[str, Any]:
    """What is measured once, before any training."""
    from models.metrics import everything_foreground_dsc

    dataset, masks = data.dataset, data.dataset.masks()
    validation = dataset.indices(data.split["validation"])
    return {
        "d0": everything_foreground_dsc(masks[case] for case in validation),
        "channels": dataset.channels,
        "flops": flops_by_recipe(spec, dataset.channels),
        "intensities": list(dataset.intensities),
        "versions": recorded_versions(),
    }
