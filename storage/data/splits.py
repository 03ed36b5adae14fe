"""Splits and nested subsets: pure, seeded, by group."""

from __future__ import annotations

from decimal import ROUND_HALF_UP, Decimal
from typing import TYPE_CHECKING

import numpy as np

from storage.errors import DataError

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

PARTS = ("train", "validation", "test")


def group_numbers(
    names: Sequence[str], together: Sequence[Sequence[str]], labels: Mapping[str, str] | None = None
) -> dict[str, int]:
    """Number the groups: cases with one label, and cases in one entry of ``together``, share a number, by any chain.

    Args:
        names: All cases.
        together: Cases that belong together, whatever their labels; entries that share a case become one group.
        labels: The group of every case, such as a patient; without it every case is its own.

    Raises:
        DataError: A name in ``together`` is no case, or stands twice in one entry.
    """
    from scipy.cluster.hierarchy import DisjointSet  # loads much of scipy

    groups = DisjointSet(names)
    for entry in [*_checked(together, set(names)), *_alike(names, labels or {})]:
        for name in entry[1:]:
            groups.merge(entry[0], name)
    first: dict[str, int] = {}  # position of a group's first case
    return {name: first.setdefault(groups[name], position) for position, name in enumerate(names)}


def split_sizes(num_cases: int, shares: Sequence[float]) -> tuple[int, int, int]:
    """Whole numbers of cases nearest to the shares (largest remainder), e.g. 369 × (.7, .1, .2) = 258, 37, 74.

    Raises:
        DataError: A part would be empty.
    """
    exact = [num_cases * share for share in shares]
    sizes = [int(share) for share in exact]
    by_remainder = sorted(range(3), key=lambda part: (sizes[part] - exact[part], part))
    for part in by_remainder[: num_cases - sum(sizes)]:
        sizes[part] += 1
    if min(sizes) < 1:
        raise DataError(
            f"{num_cases} cases split {tuple(shares)} leave {PARTS[sizes.index(min(sizes))]} empty; "
            "add cases or change split ([data])"
        )
    return sizes[0], sizes[1], sizes[2]


def split_cases(
    names: Sequence[str], groups: Mapping[str, int], shares: Sequence[float], seed: int
) -> dict[str, list[str]]:
    """Draw train, validation and test so that no group crosses a border.

    Groups come in random order, large ones first, and go to the first part that has room for all of their cases, else
    to the part with the most room: its size then differs from its share by less than a group.

    Raises:
        DataError: A part would get less than half of its share, since the groups are too large.
    """
    sizes = dict(zip(PARTS, split_sizes(len(names), shares), strict=True))
    split: dict[str, list[str]] = {part: [] for part in PARTS}
    members = _members(names, groups)
    order = np.random.default_rng([seed, 1]).permutation(len(members))
    for group in sorted((members[i] for i in order), key=len, reverse=True):
        room = {part: sizes[part] - len(split[part]) for part in PARTS}
        part = next((part for part in PARTS if room[part] >= len(group)), max(PARTS, key=room.__getitem__))
        split[part] += group
    for part, cases in split.items():
        if 2 * len(cases) < sizes[part]:
            largest = max(members, key=len)
            raise DataError(
                f"groups of up to {len(largest)} cases (with {largest[0]!r}) leave {part} {len(cases)} of "
                f"{sizes[part]} cases, since no group may cross a border; change split ([data])"
            )
    return {part: sorted(cases) for part, cases in split.items()}


def nested_order(cases: Sequence[str], groups: Mapping[str, int], seed: int) -> list[str]:
    """The order in which cases join a subset: the first n are the subset of n, so small ones lie within large ones."""
    members = _members(cases, groups)
    order = np.random.default_rng([seed, 2]).permutation(len(members))
    return [name for i in order for name in members[i]]


def num_cases_of(ratio: float, num_train: int) -> int:
    """Training cases that a ratio stands for, rounded half up."""
    return int((Decimal(str(ratio)) * num_train).quantize(Decimal(1), ROUND_HALF_UP))


def _members(names: Sequence[str], groups: Mapping[str, int]) -> list[list[str]]:
    members: dict[int, list[str]] = {}
    for name in names:
        members.setdefault(groups[name], []).append(name)
    return list(members.values())


def _checked(together: Sequence[Sequence[str]], known: Collection[str]) -> Sequence[Sequence[str]]:
    for entry in together:
        for position, name in enumerate(entry):
            if name not in known:
                raise DataError(f"together names {name!r}, which is no case of the dataset ([data] together)")
            if name in entry[:position]:
                raise DataError(f"together names {name!r} twice in one entry ([data] together)")
    return together


def _alike(names: Sequence[str], labels: Mapping[str, str]) -> list[list[str]]:
    members: dict[str, list[str]] = {}
    for name in names if labels else ():
        members.setdefault(labels[name], []).append(name)
    return list(members.values())
