"""What a reader hands over: the cases of a dataset, each to be read by its position, and a fingerprint of them."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Generic, TypeVar

from storage.errors import DataError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    import numpy as np
    from numpy.typing import NDArray

    Picture = tuple[NDArray[np.uint8], NDArray[np.bool_]]  # image (H, W, channels) and mask (H, W)

Case = TypeVar("Case")
MOST_NAMED = 50


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
class Source(Generic[Case]):
    """Where cases come from. Every reader offers one, and the rest of the house knows nothing else of it.

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
    """Hash cases (name, digests of their files), and what else says what they mean."""
    whole = hashlib.sha256(about.encode())
    for name, digests in parts:
        for piece in (hashlib.sha256(name.encode()).digest(), *digests):
            whole.update(piece)
    return whole.hexdigest()


def raise_problems(problems: Sequence[str], place: str) -> None:
    """Name all that has to be mended, if anything.

    Raises:
        DataError: There are problems.
    """
    if not problems:
        return
    more = [f"... and {len(problems) - MOST_NAMED} more"] if len(problems) > MOST_NAMED else []
    listed = "\n  ".join([*problems[:MOST_NAMED], *more])
    raise DataError(f"{len(problems)} file(s) in {place} need mending or removing:\n  {listed}")
