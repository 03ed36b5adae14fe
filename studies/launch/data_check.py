"""What a person should know about the data before any training: near-duplicates, empty masks, sizes."""

from __future__ import annotations

import json
import textwrap
from collections import Counter
from typing import TYPE_CHECKING, Any

import numpy as np

from storage.data.near_duplicates import across_split, near_duplicates
from storage.data.splits import group_numbers

if TYPE_CHECKING:
    from collections.abc import Sequence

    from storage.data.dataset import CaseFacts, Dataset
    from studies.launch.data import PreparedData

MOST_NAMED = 10


def data_overview(prepared: PreparedData) -> dict[str, Any]:
    """What a person should know about the data before training, ready for JSON."""
    dataset, split = prepared.dataset, prepared.split
    facts = dataset.case_facts()
    foreground = [fact.foreground for fact in facts]
    sizes = Counter(fact.shape for fact in facts)
    members = Counter(prepared.groups.values())
    return {
        "cases": len(dataset.names),
        "groups": len(members),
        "groups_of_several": sum(number > 1 for number in members.values()),
        "largest_group": max(members.values()),
        "split": {part: len(names) for part, names in split.items()},
        "foreground": {"mean": float(np.mean(foreground)), "min": min(foreground), "max": max(foreground)},
        "image_sizes": [{"shape": list(shape), "cases": number} for shape, number in sizes.most_common()],
        "spacings": [{"mm": list(mm), "cases": number} for mm, number in _spacings(facts).most_common()],
        "orientations": [{"axes": axes, "cases": number} for axes, number in _orientations(facts).most_common()],
        "dimensions": dataset.dimensions,
        "channels": dataset.channels,
        "prepared_sizes": _prepared_sizes(dataset),
        "empty_masks": [name for name, share in zip(dataset.names, foreground, strict=True) if share == 0],
        "masks_lost_by_resizing": [
            name
            for name, share, remains in zip(dataset.names, foreground, _filled(dataset), strict=True)
            if share > 0 and not remains
        ],
        "near_duplicates": _pairs(prepared),
        "fingerprint": dataset.fingerprint,
        "cache": {
            "folder": str(dataset.folder.absolute()),
            "bytes": sum(path.stat().st_size for path in dataset.folder.iterdir()),
        },
    }


def data_warning(prepared: PreparedData) -> str | None:
    """What a person should know of the data of a new study; None where there is nothing."""
    warnings = [near_duplicate_warning(prepared), empty_mask_warning(prepared)]
    return "\n\n".join(text for text in warnings if text is not None) or None


def near_duplicate_warning(prepared: PreparedData) -> str | None:
    """What to say about near-duplicates on different sides of the split, and the remedy; None where there are none."""
    return duplicates_warning(_pairs(prepared))


def duplicates_warning(pairs: Sequence[dict[str, Any]]) -> str | None:
    """The same of pairs as `data_overview` lists them."""
    across = [pair for pair in pairs if pair["across_split"]]
    if not across:
        return None
    listed = [f"{pair['first']} and {pair['second']} (similarity {pair['similarity']:.3f})" for pair in across]
    what = "1 pair of cases shows" if len(across) == 1 else f"{len(across):,} pairs of cases show"
    text = f"{what} nearly the same picture on different sides of the split, which flatters the scores:"
    remedy = (
        "look at them, and put those that do belong together into [data], beside what stands there (a study that has "
        "begun then needs another --name); pairs on one side are listed too, since the next split may part them:"
    )
    # A changed `together` draws another split, so a pair that stands on one side by chance must be named as well.
    entries = [f"  {json.dumps(entry, ensure_ascii=False)}," for entry in _entries(pairs)]
    return "\n".join(
        [*_wrapped(text), *_at_most(listed), *_wrapped(remedy), "  together = [", *_at_most(entries), "  ]"]
    )


def empty_mask_warning(prepared: PreparedData) -> str | None:
    """Cases without foreground, and what they do to a score; None where there are none."""
    facts = zip(prepared.dataset.names, prepared.dataset.case_facts(), strict=True)
    empty = [name for name, fact in facts if fact.foreground == 0]
    if not empty:
        return None
    what = "1 case has" if len(empty) == 1 else f"{len(empty):,} cases have"
    text = f'{what} no foreground; an empty prediction scores 1, any other 0 (empty_masks = "error" refuses them):'
    return "\n".join([*_wrapped(text), *_at_most(empty)])


def _spacings(facts: Sequence[CaseFacts]) -> Counter[tuple[float, ...]]:
    """Sides of voxels in mm, to the micrometre."""
    return Counter(tuple(round(side, 3) for side in fact.spacing) for fact in facts if fact.spacing is not None)


def _orientations(facts: Sequence[CaseFacts]) -> Counter[str]:
    return Counter(fact.axes for fact in facts if fact.axes is not None)


def _prepared_sizes(dataset: Dataset) -> list[dict[str, Any]]:
    sizes = Counter(mask.shape[1:] for mask in dataset.masks())
    return [{"shape": list(shape), "cases": number} for shape, number in sizes.most_common()]


def _filled(dataset: Dataset) -> list[bool]:
    """Whether foreground is left of each case."""
    if dataset.dimensions == 2:  # noqa: PLR2004 - axes
        return [bool(mask.any()) for mask in dataset.masks()]
    return [len(positions) > 0 for positions in dataset.foreground()]


def _pairs(prepared: PreparedData) -> list[dict[str, Any]]:
    pairs = near_duplicates(prepared.dataset)
    across = set(across_split(pairs, prepared.split))
    groups = prepared.groups
    return [
        {
            "first": pair.first,
            "second": pair.second,
            "similarity": pair.similarity,
            "one_group": groups[pair.first] == groups[pair.second],
            "across_split": pair in across,
        }
        for pair in pairs
    ]


def _entries(pairs: Sequence[dict[str, Any]]) -> list[list[str]]:
    """Cases to be named together: near-duplicates that are in no common group yet, chains of them in one entry."""
    linked = [(pair["first"], pair["second"]) for pair in pairs if not pair["one_group"]]
    names = list(dict.fromkeys(name for pair in linked for name in pair))
    members: dict[int, list[str]] = {}
    for name, number in group_numbers(names, linked).items():
        members.setdefault(number, []).append(name)
    return list(members.values())


def _wrapped(text: str) -> list[str]:
    return textwrap.wrap(text, 80, break_on_hyphens=False)


def _at_most(lines: Sequence[str]) -> list[str]:
    more = [f"... and {len(lines) - MOST_NAMED:,} more (`dicecurve prepare --json` has all)"]
    return [f"  {line}" for line in [*lines[:MOST_NAMED], *(more if len(lines) > MOST_NAMED else [])]]
