"""Groups of cases: where they come from, and what is refused by name."""

from __future__ import annotations

from itertools import combinations
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from storage.data.groups import companions, groups_of, labels_by_pattern, labels_from_file, regrouped_case
from storage.data.spec import DataSpec
from storage.data.splits import PARTS, group_numbers, split_cases
from storage.errors import DataError

if TYPE_CHECKING:
    from pathlib import Path

NAMES = ("p1_a", "p1_b", "p2_a", "p10_a")
CASES = [f"case{index:02d}" for index in range(40)]

cases = st.sampled_from(CASES)
entries = st.lists(st.lists(cases, min_size=1, max_size=4, unique=True), max_size=12)
labels_of_all = st.lists(st.integers(0, 30).map(str), min_size=40, max_size=40).map(
    lambda values: dict(zip(CASES, values, strict=True))
)


def linked(together: list[list[str]], labels: dict[str, str]) -> set[frozenset[str]]:
    """Groups as plain sets that merge while any two share a case: slow, and plainly right."""
    groups = [{name for name in CASES if labels[name] == label} for label in set(labels.values())]
    for entry in together:
        touched = [group for group in groups if group & set(entry)]
        groups = [group for group in groups if group not in touched] + [set().union(*touched)]
    return {frozenset(group) for group in groups}


def as_sets(groups: dict[str, int]) -> set[frozenset[str]]:
    """Groups without their numbers."""
    return {frozenset(name for name in groups if groups[name] == number) for number in groups.values()}


@given(together=entries, labels=labels_of_all)
def test_groups_are_what_labels_and_together_link(together: list[list[str]], labels: dict[str, str]) -> None:
    """Two cases share a number just when a chain of labels and entries leads from one to the other."""
    assert as_sets(group_numbers(CASES, together, labels)) == linked(together, labels)


@given(together=entries, labels=labels_of_all, data=st.data())
def test_the_order_of_entries_does_not_matter(
    together: list[list[str]], labels: dict[str, str], data: st.DataObject
) -> None:
    """The numbers are the same whatever the order of entries, and of the cases in them."""
    shuffled = [data.draw(st.permutations(entry)) for entry in data.draw(st.permutations(together))]
    assert group_numbers(CASES, shuffled, labels) == group_numbers(CASES, together, labels)


@given(together=entries, seed=st.integers(0, 1000))
def test_no_group_crosses_a_split(together: list[list[str]], seed: int) -> None:
    """Cases that any entries link stand in one part; where the groups are too large for that, it is refused."""
    groups = group_numbers(CASES, together)
    try:
        split = split_cases(CASES, groups, (0.6, 0.2, 0.2), seed)
    except DataError:
        assert max(len(group) for group in as_sets(groups)) > 4
        return
    parts = {part: {groups[name] for name in split[part]} for part in PARTS}
    assert all(not parts[one] & parts[other] for one, other in combinations(PARTS, 2))


@pytest.mark.parametrize(
    ("pattern", "labels"),
    [
        (r"^(p\d+)_", ["p1", "p1", "p2", "p10"]),
        (r"^p\d+", ["p1", "p1", "p2", "p10"]),  # no capture group: the whole match
        (r"_(.)$", ["a", "b", "a", "a"]),
        (r"(\d)\d*_(.)", ["1", "1", "2", "1"]),  # the first capture group
    ],
)
def test_a_pattern_finds_the_group_in_the_name(pattern: str, labels: list[str]) -> None:
    """Its first capture group is the group, or the whole match where it has none."""
    assert labels_by_pattern(NAMES, pattern) == dict(zip(NAMES, labels, strict=True))


@pytest.mark.parametrize("pattern", [r"^(p1)_", r"^(p1)?", r"^(p1)|p", r"^q"])
def test_a_case_that_the_pattern_does_not_match_is_named(pattern: str) -> None:
    """No match, an empty one, or one without the capture group is no group."""
    with pytest.raises(DataError, match=r"(?s)must find a group .*\[data\] group_pattern.*p2_a: no group found"):
        labels_by_pattern(NAMES, pattern)


def test_many_cases_without_group_are_counted() -> None:
    """Ten are named, the others counted."""
    with pytest.raises(DataError) as caught:
        labels_by_pattern(CASES, "x")
    assert str(caught.value).count("no group found") == 10
    assert "... and 30 more" in str(caught.value)


def write(folder: Path, text: str) -> Path:
    """A file of groups."""
    path = folder / "groups.csv"
    path.write_text(text, encoding="utf-8")
    return path


def test_a_file_names_the_group_of_every_case(tmp_path: Path) -> None:
    """Order, further columns, blanks, and the mark that Excel puts first do not matter."""
    path = write(tmp_path, "\ufeffage,group,case\n9,x,p2_a\n8, x ,p1_a\n\n7,y,p1_b\n6,z, p10_a\n")
    assert labels_from_file(NAMES, path) == {"p1_a": "x", "p2_a": "x", "p1_b": "y", "p10_a": "z"}


@pytest.mark.parametrize(
    ("lines", "message"),
    [
        ("p1_a,x\np1_b,x\np2_a,y", "p10_a: no line"),
        ("p1_a,x\np1_b,x\np2_a,y\np10_a,z\np3_a,z", "p3_a: no case of the dataset"),
        ("p1_a,x\np1_b,x\np2_a,y\np10_a,z\np1_a,x", "p1_a: 2 lines"),
        ("p1_a,x\np1_b,\np2_a,y\np10_a,z", "p1_b: no group"),
        ("p1_a,x\np1_b\np2_a,y\np10_a,z", "p1_b: no group"),
    ],
)
def test_a_file_that_does_not_fit_the_cases_is_refused(tmp_path: Path, lines: str, message: str) -> None:
    """Every case stands in it exactly once, with a group; whichever does not is named."""
    path = write(tmp_path, f"case,group\n{lines}\n")
    with pytest.raises(DataError, match=rf"(?s)groups\.csv must name .*exactly once.*\[data\] groups.*{message}"):
        labels_from_file(NAMES, path)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"case,patient\na,1\n", "has no column group; its first line must be case,group"),
        (b"", "has no column case and no column group"),
        (b"case,group\n\xff\xfe\n", "cannot read the groups of cases"),
        (b'case,group\n"a,1\n', "cannot read the groups of cases"),
    ],
)
def test_a_file_that_is_no_table_of_groups_is_refused(tmp_path: Path, content: bytes, message: str) -> None:
    """The message says which columns are due, or why it cannot be read."""
    path = tmp_path / "groups.csv"
    path.write_bytes(content)
    with pytest.raises(DataError, match=message):
        labels_from_file(NAMES, path)
    with pytest.raises(DataError, match="cannot read the groups"):
        labels_from_file(NAMES, tmp_path / "missing.csv")


def test_near_duplicates_merge_the_groups_that_they_stand_in(tmp_path: Path) -> None:
    """`together` adds to pattern and file, which lies in the data folder."""
    write(tmp_path, "case,group\np1_a,x\np1_b,x\np2_a,y\np10_a,z\n")
    together = (("p1_b", "p2_a"),)
    all_but_last = {frozenset(NAMES[:3]), frozenset(NAMES[3:])}
    by_file = groups_of(DataSpec(path=str(tmp_path), groups="groups.csv", together=together), NAMES)
    by_pattern = groups_of(DataSpec(group_pattern="^(p.+)_", together=together), NAMES)
    assert as_sets(by_file) == as_sets(by_pattern) == all_but_last
    assert as_sets(groups_of(DataSpec(together=together), NAMES)) == {
        frozenset(NAMES[1:3]),
        frozenset(NAMES[:1]),
        frozenset(NAMES[3:]),
    }


def test_groups_differ_by_companions_and_not_by_numbers() -> None:
    """Other numbers are the same groups; a case that moved, came or went is named."""
    old = {"a": 0, "b": 0, "c": 2}
    assert regrouped_case(old, {"c": 0, "b": 7, "a": 7}) is None
    assert regrouped_case(old, {"a": 0, "b": 1, "c": 1}) == "b"
    assert regrouped_case(old, {"a": 0, "b": 0}) == "c"
    assert companions(old, "a") == ["b"]
    assert companions(old, "c") == []
