"""What a reader hands over: the cases of a dataset, to be read once, and a fingerprint of them."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    import numpy as np
    from numpy.typing import NDArray

    RawCase = tuple[str, NDArray[np.uint8], NDArray[np.bool_]]


@dataclass(frozen=True)
class Source:
    """Where cases come from. Every reader offers one, and the rest of the house knows nothing else of it.

    Attributes:
        fingerprint: Hash of names and contents, before any resizing.
        num_cases: How many cases come if all of them can be read.
        cases: (name, image (H, W, channels), mask (H, W)), in the order of the names; reading them to the end raises
            a DataError that names everything that is wrong.
        is_whole: Whether every file belongs to a case; where not, only reading to the end tells which do not.
    """

    fingerprint: str
    num_cases: int
    cases: Iterator[RawCase]
    is_whole: bool = True


def fingerprint_of(parts: Iterable[tuple[str, bytes, bytes]]) -> str:
    """Hash (name, image, mask) of every case."""
    whole = hashlib.sha256()
    for name, image, mask in parts:
        for piece in (name.encode(), image, mask):
            whole.update(hashlib.sha256(piece).digest())
    return whole.hexdigest()
