"""What may change between the starts of a study, and what may not."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from search.worker.versions import recorded_versions
from storage.data.groups import companions, regrouped_case
from storage.errors import StorageError
from storage.frames.study_frames import changes_frame
from storage.ledger.ledger import Ledger
from studies.spec import IDENTITY

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from storage.records import StudyRecord
    from studies.launch.data import PreparedData
    from studies.spec import StudySpec

DECISIVE = ("grid", "policy", "tolerance", "target_dsc", "assurance", "gpu_hours", "prices", "stop")  # parts of a spec
MOST_NAMED = 3  # cases of a group


def check_identity(spec: StudySpec, url: str) -> StudyRecord | None:
    """The study as it is recorded, None where it is not.

    Raises:
        StorageError: It is there, and its identity differs from that of the spec.
    """
    with Ledger.open(url) as ledger:
        study = ledger.find_study(spec.name)
    changes = [] if study is None else changed_identity(study.identity, spec.identity())
    if changes:
        listed = "\n  ".join(changes)
        raise StorageError(
            f"study {spec.name!r} exists, and its results depend on what has changed (axes of the grid may only gain "
            f"values):\n  {listed}\nkeep these as they were, or start another study with --name"
        )
    return study


def changed_identity(old: Mapping[str, Any], new: Mapping[str, Any]) -> list[str]:
    """What differs between two identities beyond axes that gained values, a line a field."""
    changes = []
    for section in IDENTITY:
        for field in sorted(old[section].keys() | new[section].keys()):
            before, now = old[section].get(field), new[section].get(field)
            lost = section == "grid" and [value for value in before or () if value not in (now or ())]
            if lost or (section != "grid" and before != now):
                changes.append(f"{section}.{field}: was {before}, now {now}")
    return changes


def check_data(study: StudyRecord, data: PreparedData) -> None:
    """Refuse cases, groups or a split other than those that the study began with.

    Raises:
        StorageError: The first that differs, and the remedy.
    """
    _check_fingerprint(study, data.dataset.fingerprint)
    _check_groups(study, data.groups)
    _check_split(study, data.split)


def _check_fingerprint(study: StudyRecord, now: str) -> None:
    if study.fingerprint != now:
        raise StorageError(
            f"the data differ from those that study {study.name!r} began with (fingerprint {now[:12]}, "
            f"not {study.fingerprint[:12]}); bring the old files back, or start another study with --name"
        )


def _check_groups(study: StudyRecord, now: Mapping[str, int]) -> None:
    case = regrouped_case(study.groups, now)
    if case is not None:
        before, after = (_named(companions(groups, case)) for groups in (study.groups, now))
        raise StorageError(
            f"the groups differ from those that study {study.name!r} began with: case {case!r} stood with {before}, "
            f"and now with {after}; bring the old groups back ([data] groups), or start another study with --name"
        )


def _check_split(study: StudyRecord, now: Mapping[str, Sequence[str]]) -> None:
    before, after = _part_by_case(study.split), _part_by_case(now)
    moved = next((case for case in sorted(before | after) if before.get(case) != after.get(case)), None)
    if moved is not None:
        raise StorageError(
            f"the split differs from that which study {study.name!r} began with: case {moved!r} was in "
            f"{before.get(moved)}, and now is in {after.get(moved)}, though its spec is the same; go on with the "
            "versions of dicecurve and numpy that it began with, or start another study with --name"
        )


def note_changes(ledger: Ledger, study: StudyRecord, spec: StudySpec) -> bool:
    """Note what differs from the last start; whether anything that decisions read does."""
    identity, running = spec.identity(), spec.running()
    old, new = study.identity | study.running, identity | running
    changes = {key: {"was": old.get(key), "now": new[key]} for key in new if old.get(key) != new[key]}
    versions = recorded_versions()
    if changes or versions != _last_versions(ledger, study):
        ledger.change_spec(study, identity=identity, running=running, changes=changes, versions=versions)
    return any(key in changes for key in DECISIVE)


def _last_versions(ledger: Ledger, study: StudyRecord) -> dict[str, str]:
    """Those of the last noted change, else those that the study began with."""
    noted = changes_frame(ledger, study.study_id)["versions"]
    last: dict[str, str] = json.loads(noted.iloc[-1]) if len(noted) else study.facts.get("versions", {})
    return last


def _part_by_case(split: Mapping[str, Sequence[str]]) -> dict[str, str]:
    return {name: part for part, names in split.items() for name in names}


def _named(cases: Sequence[str]) -> str:
    more = f" and {len(cases) - MOST_NAMED} more" if len(cases) > MOST_NAMED else ""
    return f"{', '.join(cases[:MOST_NAMED])}{more}" if cases else "no other"
