"""Looks a study over for what no run mends by itself, and mends it when asked to."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

from storage.files.checkpoints import CheckpointFolder
from storage.ledger.cell_records import cell_records
from storage.ledger.leases import LeaseWatch, is_gone, this_owner
from storage.records import CellState

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from storage.ledger.ledger import Ledger
    from storage.records import CellRecord, StudyRecord

LOOKS_PER_LEASE = 10
NO_CHECKPOINT = "its checkpoints are gone, so that it could not be tested"


@dataclass(frozen=True)
class Finding:
    """Something that is not as it should be.

    Attributes:
        kind: "stale lease", "held elsewhere", "no checkpoint" or "version drift".
        text: What, where, and what follows from it.
        mend: What mends it, and returns whether it did; None where a person has to act, or nothing has to be done.
    """

    kind: str
    text: str
    mend: Callable[[], bool] | None = None


def examine(
    ledger: Ledger, study: StudyRecord, *, checkpoints: str, versions: Mapping[str, str], watch_seconds: float
) -> list[Finding]:
    """Stale leases, cells without checkpoint and version drift, in this order.

    Args:
        ledger: Open.
        study: The study.
        checkpoints: Where its checkpoints lie.
        versions: Of the packages that are installed here.
        watch_seconds: For how long to watch the leases of other machines; 0: they are only listed.
    """
    records = cell_records(ledger, study.study_id)
    return [
        *_leases(ledger, study, records, watch_seconds),
        *_without_checkpoint(ledger, study, records, checkpoints),
        *_drift(study, records, versions),
    ]


def _leases(ledger: Ledger, study: StudyRecord, records: Sequence[CellRecord], watch_seconds: float) -> list[Finding]:
    held = [record.cell for record in records if record.cell.owner is not None]
    expired = _expired(ledger, study, watch_seconds) if any(not is_gone(str(cell.owner)) for cell in held) else set()
    findings = []
    for cell in held:
        key, owner = cell.plan.key, str(cell.owner)
        if is_gone(owner) or key in expired:
            text = f"{key} is held by a process that is gone ({_process(owner)}); it waits for the next run"
            findings.append(Finding("stale lease", text, lambda cell=cell: ledger.take_back(study.study_id, cell)))  # type: ignore[misc]
        elif not watch_seconds:
            text = f"{key} is held by {_process(owner)}; --watch SECONDS tells whether it lives"
            findings.append(Finding("held elsewhere", text))
    return findings


def _expired(ledger: Ledger, study: StudyRecord, watch_seconds: float) -> set[str]:
    """Cells whose lease stood still for so long."""
    watch = LeaseWatch(watch_seconds)
    expired = watch.expired(ledger.cells(study.study_id), this_owner())
    looked = time.monotonic()
    until = looked + watch_seconds
    while looked < until:  # the last look begins when all the time is over, however long each takes
        time.sleep(watch_seconds / LOOKS_PER_LEASE)
        looked = time.monotonic()
        expired = watch.expired(ledger.cells(study.study_id), this_owner())
    return {cell.plan.key for cell in expired} if watch_seconds else set()


def _without_checkpoint(
    ledger: Ledger, study: StudyRecord, records: Sequence[CellRecord], checkpoints: str
) -> list[Finding]:
    findings = []
    for record in records:
        cell, key = record.cell, record.cell.plan.key
        if cell.owner is not None or not record.curve or cell.state not in {CellState.WAITING, CellState.TEST}:
            continue
        if CheckpointFolder.of(checkpoints, study.name, key, cell.attempt).load_newest().name is not None:
            continue
        if cell.state == CellState.TEST:
            text = f"{key} waits for its test, but has no whole checkpoint in {checkpoints}; it must train anew"
            findings.append(
                Finding("no checkpoint", text, lambda key=key: ledger.retrain(study.study_id, key, NO_CHECKPOINT))  # type: ignore[misc]
            )
        else:
            text = f"{key} has {len(record.curve)} evaluations, but no whole checkpoint; it will train them again"
            findings.append(Finding("no checkpoint", text))
    return findings


def _drift(study: StudyRecord, records: Sequence[CellRecord], versions: Mapping[str, str]) -> list[Finding]:
    began: Mapping[str, str] = study.facts.get("versions", {})
    findings = [
        Finding("version drift", f"the study began with {name} {was}; installed is {versions[name]}")
        for name, was in began.items()
        if name in versions and versions[name] != was
    ]
    for name in sorted({name for record in records for name in record.attempt.versions}):
        used = sorted({record.attempt.versions[name] for record in records if name in record.attempt.versions})
        if len(used) > 1:
            findings.append(Finding("version drift", f"cells were trained with {name} {' and '.join(used)}"))
    return findings


def _process(owner: str) -> str:
    host, *_, pid, _started = owner.split("/")
    return f"process {pid} on {host}"
