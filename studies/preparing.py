"""What happens to the data before any training: read and checked, divided, looked at for what a person should know."""

from __future__ import annotations

import json
import math
import textwrap
from collections import Counter
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from storage.engine import normalise_url
from storage.groups import groups_of
from storage.near_duplicates import across_split, near_duplicates
from storage.preparation import prepare
from storage.splits import group_numbers, split_cases

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from storage.datasets import CaseFacts, Dataset
    from storage.files import FilesSpec
    from studies.spec import StudySpec

MOST_NAMED = 10


@dataclass(frozen=True)
class PreparedData:
    """A dataset, ready to train on.

    Attributes:
        dataset: The arrays.
        groups: Group number of every case.
        split: Names of training, validation and test cases.
        files: Where the study's files lie, all places absolute.
    """

    dataset: Dataset
    groups: dict[str, int]
    split: dict[str, list[str]]
    files: FilesSpec


def prepare_data(spec: StudySpec, storage: str, progress: Callable[[int, int], None] | None = None) -> PreparedData:
    """Read and check every case, and divide them; needs no database, only the place where it is, or would be.

    Raises:
        InputError: Something in the dataset has to be put right.
    """
    files = spec.files.resolved(normalise_url(storage))
    assert files.cache is not None
    dataset = prepare(spec.data, image_size(spec), Path(files.cache), progress)
    groups = groups_of(spec.data, dataset.names)
    split = split_cases(dataset.names, groups, spec.data.split, spec.data.split_seed)
    return PreparedData(dataset, groups, split, files)


def image_size(spec: StudySpec) -> int | None:
    """Side of resized images in 2D, None in 3D."""
    return spec.training.size if spec.data.dimensions == 2 else None  # noqa: PLR2004 - axes


@contextmanager
def preparing_bar() -> Iterator[Callable[[int, int], None] | None]:
    """A bar on stderr that counts cases, where that is a terminal."""
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    console = Console(stderr=True)
    if not console.is_terminal:
        yield None
        return
    columns = TextColumn("preparing cases"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn()
    with Progress(*columns, console=console, transient=True) as bar:
        task = bar.add_task("", total=None)
        yield lambda done, total: bar.update(task, completed=done, total=total)


def look_over(prepared: PreparedData) -> dict[str, Any]:
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
    told = [near_duplicate_warning(prepared), empty_mask_warning(prepared)]
    return "\n\n".join(text for text in told if text is not None) or None


def empty_mask_warning(prepared: PreparedData) -> str | None:
    """Cases without foreground, and what they do to a score; None where there are none."""
    facts = zip(prepared.dataset.names, prepared.dataset.case_facts(), strict=True)
    empty = [name for name, fact in facts if fact.foreground == 0]
    if not empty:
        return None
    what = "1 case has" if len(empty) == 1 else f"{len(empty):,} cases have"
    text = f'{what} no foreground; an empty prediction scores 1, any other 0 (empty_masks = "error" refuses them):'
    return "\n".join([*_wrapped(text), *_at_most(empty)])


def near_duplicate_warning(prepared: PreparedData) -> str | None:
    """What to say about near-duplicates on different sides of the split, and the remedy; None where there are none."""
    return _warning(_pairs(prepared))


def render_overview(name: str, seen: dict[str, Any]) -> str:
    """What `look_over` saw, as text for an 80-column terminal."""
    foreground, split, cache = seen["foreground"], seen["split"], seen["cache"]
    several = f" ({seen['groups_of_several']} with several cases, at most {seen['largest_group']})"
    pairs = seen["near_duplicates"]
    across = sum(pair["across_split"] for pair in pairs)
    lines = [
        ("cases", f"{seen['cases']:,}"),
        ("groups", f"{seen['groups']:,}{several if seen['groups_of_several'] else ', each of one case'}"),
        ("split", ", ".join(f"{number:,} {part}" for part, number in split.items())),
        ("foreground", f"{foreground['mean']:.2%} on average, {foreground['min']:.2%} to {foreground['max']:.2%}"),
        *(_picture_lines(seen) if seen["dimensions"] == 2 else _volume_lines(seen)),  # noqa: PLR2004 - axes
        ("near-duplicates", f"{len(pairs):,} pairs, {across:,} of them across the split" if pairs else "none"),
        ("cache", f"{cache['bytes'] / 1e6:,.1f} MB in {cache['folder']}"),
    ]
    text = f"Data of {name}\n" + "".join(f"  {label:<16} {value}\n" for label, value in lines)
    warning = _warning(pairs)
    return text if warning is None else f"{text}\n{warning}\n"


def _picture_lines(seen: dict[str, Any]) -> list[tuple[str, str]]:
    size = _sizes(seen["prepared_sizes"])
    return [
        ("image sizes", f"{_sizes(seen['image_sizes'])}; all resized to {size}"),
        ("empty masks", _named(seen["empty_masks"])),
        (f"lost at {size}", _named(seen["masks_lost_by_resizing"])),
    ]


def _volume_lines(seen: dict[str, Any]) -> list[tuple[str, str]]:
    return [
        ("modalities", f"{seen['channels']}"),
        ("volume sizes", f"{_sizes(seen['image_sizes'], upright=False)} voxels"),
        ("voxel sizes", f"{_spacing_range(seen['spacings'])} mm"),
        ("orientation", f"{_orientation(seen['orientations'])}; scored and kept in RAS"),
        ("kept", f"{_sizes(seen['prepared_sizes'], upright=False)} voxels"),
        ("empty masks", _named(seen["empty_masks"])),
        ("masks lost", _named(seen["masks_lost_by_resizing"])),
    ]


def _spacings(facts: Sequence[CaseFacts]) -> Counter[tuple[float, ...]]:
    """Sides of voxels in mm, to the micrometre."""
    return Counter(tuple(round(side, 3) for side in fact.spacing) for fact in facts if fact.spacing is not None)


def _orientations(facts: Sequence[CaseFacts]) -> Counter[str]:
    return Counter(fact.axes for fact in facts if fact.axes is not None)


def _orientation(orientations: Sequence[dict[str, Any]]) -> str:
    """Every orientation, and of how many cases where there are several."""
    several = len(orientations) > 1
    return ", ".join(f"{each['axes']} ({each['cases']:,})" if several else each["axes"] for each in orientations)


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


def _warning(pairs: Sequence[dict[str, Any]]) -> str | None:
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


def _named(names: Sequence[str]) -> str:
    more = f" and {len(names) - MOST_NAMED:,} more" if len(names) > MOST_NAMED else ""
    return f"{len(names):,}: {', '.join(names[:MOST_NAMED])}{more}" if names else "none"


def _sizes(sizes: Sequence[dict[str, Any]], *, upright: bool = True) -> str:
    """Of pictures width before height, as image viewers tell it."""
    by_area = sorted((size["shape"][:: -1 if upright else 1] for size in sizes), key=math.prod)
    smallest, largest = ("x".join(str(side) for side in shape) for shape in (by_area[0], by_area[-1]))
    return smallest if len(sizes) == 1 else f"{len(sizes):,} from {smallest} to {largest}"


def _spacing_range(spacings: Sequence[dict[str, Any]]) -> str:
    by_volume = sorted((spacing["mm"] for spacing in spacings), key=math.prod)
    finest, coarsest = (" x ".join(f"{side:g}" for side in spacing) for spacing in (by_volume[0], by_volume[-1]))
    return finest if len(spacings) == 1 else f"{len(spacings):,} from {finest} to {coarsest}"
