"""Splits and nested subsets."""

from __future__ import annotations

from collections import defaultdict
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from storage.data.splits import PARTS, group_numbers, nested_order, num_cases_of, split_cases, split_sizes
from storage.errors import DataError

SHARES = (0.7, 0.1, 0.2)

seeds = st.integers(0, 2**31)
# Sizes of groups: many single cases, as in a dataset with a few near-duplicates.
group_sizes = st.builds(
    lambda singles, groups: [1] * singles + groups, st.integers(30, 80), st.lists(st.integers(2, 4))
)


def cases_in(sizes: list[int]) -> tuple[list[str], dict[str, int]]:
    """Names and group numbers of cases in groups of these sizes."""
    names = [f"case-{group:03d}-{member}" for group, size in enumerate(sizes) for member in range(size)]
    return names, {name: int(name.split("-")[1]) for name in names}


def singles(num_cases: int) -> tuple[list[str], dict[str, int]]:
    """Names and group numbers of cases that stand alone."""
    return cases_in([1] * num_cases)


@pytest.mark.parametrize(
    ("num_cases", "shares", "sizes"),
    [
        (1000, SHARES, (700, 100, 200)),
        (369, SHARES, (258, 37, 74)),
        (10, SHARES, (7, 1, 2)),
        (200, (0.8, 0.1, 0.1), (160, 20, 20)),
        (100, (0.29, 0.29, 0.42), (29, 29, 42)),  # 100 x 0.29 is 28.999999999999996 in binary
        (11, (0.5, 0.25, 0.25), (5, 3, 3)),
        (5, (0.5, 0.25, 0.25), (3, 1, 1)),
        (10, (0.25, 0.25, 0.5), (3, 2, 5)),  # equal remainders: the earlier part
    ],
)
def test_sizes_have_the_largest_remainder(
    num_cases: int, shares: tuple[float, float, float], sizes: tuple[int, int, int]
) -> None:
    """Every part gets the whole of its share; what is left goes to the largest remainders."""
    assert split_sizes(num_cases, shares) == sizes


@given(num_cases=st.integers(20, 5000), train=st.integers(10, 80), validation=st.integers(10, 80))
def test_sizes_add_up(num_cases: int, train: int, validation: int) -> None:
    """No case is lost or counted twice, and every part is within one case of its share."""
    whole = train + validation + 10
    shares = (train / whole, validation / whole, 10 / whole)
    sizes = split_sizes(num_cases, shares)
    assert sum(sizes) == num_cases
    assert all(abs(size - num_cases * share) < 1 for size, share in zip(sizes, shares, strict=True))


@pytest.mark.parametrize(("num_cases", "empty"), [(3, "validation"), (2, "validation"), (0, "train")])
def test_an_empty_part_is_refused(num_cases: int, empty: str) -> None:
    """Too few cases are refused by the name of the part that would be empty."""
    with pytest.raises(DataError, match=rf"{num_cases} cases .*leave {empty} empty.*\[data\]"):
        split_sizes(num_cases, SHARES)


@given(sizes=group_sizes, seed=seeds)
def test_a_split_is_a_partition_that_no_group_crosses(sizes: list[int], seed: int) -> None:
    """Every case stands in one part, the parts have the sizes asked for, and a group stays together."""
    names, groups = cases_in(sizes)
    split = split_cases(names, groups, SHARES, seed)
    assert sorted(name for part in PARTS for name in split[part]) == sorted(names)
    assert tuple(len(split[part]) for part in PARTS) == split_sizes(len(names), SHARES)
    parts_of_group = defaultdict(set)
    for part in PARTS:
        for name in split[part]:
            parts_of_group[groups[name]].add(part)
    assert all(len(parts) == 1 for parts in parts_of_group.values())


@given(seed=seeds)
def test_a_seed_draws_one_split(seed: int) -> None:
    """The same seed gives the same split, the next seed another."""
    names, groups = singles(100)
    assert split_cases(names, groups, SHARES, seed) == split_cases(names, groups, SHARES, seed)
    assert split_cases(names, groups, SHARES, seed) != split_cases(names, groups, SHARES, seed + 1)


@pytest.mark.parametrize(("groups_of", "number"), [(3, 17), (7, 40), (155, 20)])
def test_patients_of_many_cases_are_divided(groups_of: int, number: int) -> None:
    """Where every group has several cases the sizes are met as nearly as whole groups allow."""
    names, groups = cases_in([groups_of] * number)
    split = split_cases(names, groups, SHARES, 0)
    for part, share in zip(PARTS, SHARES, strict=True):
        assert abs(len(split[part]) - share * len(names)) <= groups_of


def test_a_group_larger_than_every_part_is_refused() -> None:
    """A group that would leave a part empty is named by its first case, with the remedy."""
    names, groups = cases_in([90] + [1] * 10)
    with pytest.raises(DataError, match=r"groups of up to 90 cases \(with 'case-000-0'\).*change split \(\[data\]\)"):
        split_cases(names, groups, SHARES, 0)


@given(sizes=group_sizes, seed=seeds)
def test_a_nested_order_is_a_permutation_with_groups_adjacent(sizes: list[int], seed: int) -> None:
    """Every case comes once, and the cases of a group come one after another."""
    names, groups = cases_in(sizes)
    order = nested_order(names, groups, seed)
    assert sorted(order) == sorted(names)
    in_order = [groups[name] for name in order]
    changes = sum(a != b for a, b in pairwise(in_order))
    assert changes == len(set(in_order)) - 1


def test_subsets_are_nested_within_a_seed_and_differ_between_seeds() -> None:
    """The subset of n cases lies in that of n + 1, whatever n; another seed draws others."""
    names, groups = singles(50)
    order = nested_order(names, groups, 3)
    again = nested_order(names, groups, 3)
    assert all(set(again[:n]) < set(order[: n + 1]) for n in range(50))
    assert order != nested_order(names, groups, 4)


def test_the_nested_order_is_not_that_of_the_split() -> None:
    """The same seed number draws split and subsets apart."""
    names, groups = singles(100)
    split = split_cases(names, groups, SHARES, 0)
    assert nested_order(names, groups, 0)[:70] != split["train"]
    assert sorted(nested_order(names, groups, 0)[:70]) != split["train"]


@pytest.mark.parametrize(
    ("ratio", "num_train", "num_cases"),
    [(0.02, 700, 14), (0.5, 5, 3), (0.5, 7, 4), (0.1, 165, 17), (0.15, 10, 2), (1.0, 258, 258), (0.001, 100, 0)],
)
def test_a_ratio_is_rounded_half_up(ratio: float, num_train: int, num_cases: int) -> None:
    """The ratio counts as the decimal that was written, and one half is a case."""
    assert num_cases_of(ratio, num_train) == num_cases


@given(num_train=st.integers(1, 5000), low=st.integers(1, 1000), high=st.integers(1, 1000))
def test_more_ratio_is_never_fewer_cases(num_train: int, low: int, high: int) -> None:
    """Cases grow with the ratio, up to all of them."""
    low, high = sorted((low, high))
    assert num_cases_of(low / 1000, num_train) <= num_cases_of(high / 1000, num_train) <= num_train
    assert num_cases_of(1.0, num_train) == num_train


def test_cases_together_share_a_number_and_others_have_their_own() -> None:
    """A group is one entry; every other case is a group of one."""
    numbers = group_numbers(["a", "b", "c", "d"], [["b", "d"]])
    assert numbers["b"] == numbers["d"]
    assert len({numbers["a"], numbers["b"], numbers["c"]}) == 3


@pytest.mark.parametrize(
    ("together", "message"),
    [
        ([["a", "x"]], r"together names 'x', which is no case of the dataset \(\[data\] together\)"),
        ([["a", "b"], ["c", "a", "c"]], r"together names 'c' twice in one entry \(\[data\] together\)"),
        ([["a", "a"]], r"together names 'a' twice in one entry"),
    ],
)
def test_a_wrong_group_is_refused(together: list[list[str]], message: str) -> None:
    """An unknown case, or one that is named twice in an entry, is refused by name."""
    with pytest.raises(DataError, match=message):
        group_numbers(["a", "b", "c"], together)
