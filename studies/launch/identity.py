"""What may change between the starts of a study, and what may not."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from storage.frames.study_frames import changes_frame
from studies.spec import IDENTITY

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from storage.ledger.ledger import Ledger
    from storage.records import StudyRecord
MOST_NAMED = 3
DECISIVE = ("grid", "policy", "tolerance", "target_dsc", "gpu_hours", "prices", "stop")  # parts of a spec


def _parts(split: Mapping[str, Sequence[str]]) -> dict[str, str]:
    return {name: part for part, names in split.items() for name in names}


def _told(cases: Sequence[str]) -> str:
    more = f" and {len(cases) - MOST_NAMED} more" if len(cases) > MOST_NAMED else ""
    return f"{', '.join(cases[:MOST_NAMED])}{more}" if cases else "no other"


def changed_identity(old: Mapping[str, Any], new: Mapping[str, Any]) -> list[str]:
    """What differs between two identities beyond axes that gained values, a line a field."""
    changes = []
    for section in IDENTITY:
        for field in sorted(old[section].keys() | new[section].keys()):
            before, now = old[section].get(field), new[section].get(field)
            lost = section == "grid" and [v for v in before or () if v not in (now or ())]
            if lost or (section != "grid" and before != now):
                changes.append(f"{section}.{field}: was {before}, now {now}")
    return changes


def _last_versions(ledger: Ledger, study: StudyRecord) -> dict[str, str]:
    """Those of the last noted change, else those that the study began with."""
    noted = changes_frame(ledger, study.study_id)["versions"]
    last: dict[str, str] = json.loads(noted.iloc[-1]) if len(noted) else study.facts.get("versions", {})
    return last
