"""Problems of a dataset, told at once."""

from __future__ import annotations

import pytest

from storage.data.source import fingerprint_of, raise_problems
from storage.errors import DataError


def test_nothing_wrong_is_nothing_told() -> None:
    """No error without a problem."""
    raise_problems([], "data")


def test_a_long_list_is_cut() -> None:
    """Fifty lines are shown, the others counted."""
    with pytest.raises(DataError, match=r"(?s)^60 file\(s\) in data .*\n  file49: rule 49\n  \.\.\. and 10 more$"):
        raise_problems([f"file{index}: rule {index}" for index in range(60)], "data")


def test_a_fingerprint_hangs_on_all_of_it() -> None:
    """Names, contents, their order, and what they mean."""
    one, other = ("a", [b"1" * 32, b"2" * 32]), ("b", [b"3" * 32])
    fingerprints = [
        fingerprint_of([one, other]),
        fingerprint_of([other, one]),
        fingerprint_of([one]),
        fingerprint_of([("A", one[1]), other]),
        fingerprint_of([("a", one[1][::-1]), other]),
        fingerprint_of([one, other], "labels"),
    ]
    assert len(set(fingerprints)) == len(fingerprints)
