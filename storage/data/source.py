"""What a reader hands over: the cases of a dataset, each to be read by its position, and a fingerprint of them."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Generic, TypeVar

from storage.errors import DataError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence
    from pathlib import Path

    import numpy as np
    from numpy.typing import NDArray

    Picture = tuple[NDArray[np.uint8], NDArray[np.bool_]]  # image (H, W, channels) and mask (H, W)

Case = TypeVar("Case")
MOST_NAMED = 50
MOST_ALIKE = 10


class BadCase(Exception):  # noqa: N818 - collected, and told all at once
    """A case that cannot be read as it stands.

    Attributes:
        problems: File and rule, a line each.
    """

    def __init__(self, *problems: str) -> None:
        """Take the lines."""
        super().__init__(*problems)
        self.problems = problems


@dataclass(frozen=True)
class CaseFiles:
    """One case: a name, its image, and its mask.

    Attributes:
        name: Of the case.
        images: A file a channel, or one file for all channels.
        mask: The file.
    """

    name: str
    images: tuple[Path, ...]
    mask: Path


@dataclass(frozen=True)
class VolumeCase:
    """A case as it was read, turned to RAS.

    Attributes:
        name: Of the case.
        image: float32, shape (channels, X, Y, Z).
        mask: Foreground, shape (X, Y, Z).
        spacing: Sides of a voxel in mm.
        axes: Where the axes of the image's file pointed.
    """

    name: str
    image: NDArray[np.float32]
    mask: NDArray[np.bool_]
    spacing: tuple[float, float, float]
    axes: str


@dataclass(frozen=True)
class Source(Generic[Case]):
    """Where cases come from. Every reader offers one, and the rest of storage knows nothing else of it.

    Attributes:
        fingerprint: Hash of names and contents, before any resizing.
        names: Names of the cases, sorted.
        channels: Channels of every image.
        read: Case at a position; raises BadCase.
        problems: What keeps files from being part of a case, a line each.
        place: Where it all lies, for messages.
    """

    fingerprint: str
    names: tuple[str, ...]
    channels: int
    read: Callable[[int], Case]
    problems: tuple[str, ...] = ()
    place: str = ""


def fingerprint_of(parts: Iterable[tuple[str, Sequence[bytes]]], about: str = "") -> str:
    """Hash cases (name, hashes of their files), and what else says what they mean."""
    whole = hashlib.sha256(about.encode())
    for name, hashes in parts:
        for piece in (hashlib.sha256(name.encode()).digest(), *hashes):
            whole.update(piece)
    return whole.hexdigest()


def raise_problems(problems: Sequence[str], place: str) -> None:
    """Name all that has to be mended, if anything.

    Raises:
        DataError: There are problems.
    """
    if not problems:
        return
    lines = _lines(problems)
    more = [f"... and {len(lines) - MOST_NAMED} more"] if len(lines) > MOST_NAMED else []
    listed = "\n  ".join([*lines[:MOST_NAMED], *more])
    raise DataError(f"{len(problems)} file(s) in {place} need mending or removing:\n  {listed}")


def _lines(problems: Sequence[str]) -> list[str]:
    """A line a problem; but one for many files with the same one, such as a label that the spec forgot."""
    files: dict[str, list[str]] = {}
    for file, _, rule in (problem.partition(": ") for problem in problems):
        files.setdefault(rule, []).append(file)
    lines = []
    for rule, alike in files.items():
        if len(alike) > MOST_ALIKE:
            lines.append(f"{rule}: {', '.join(alike[:MOST_ALIKE])} and {len(alike) - MOST_ALIKE} more")
        else:
            lines += [f"{file}: {rule}" for file in alike]
    return lines
