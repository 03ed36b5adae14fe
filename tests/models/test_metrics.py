"""Metrics from pixel counts."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.metrics import NAMES, everything_foreground_dsc, low_tail, per_case, summarise

Masks = tuple[list[bool], list[bool]]

counts = st.lists(st.tuples(*[st.integers(0, 50)] * 3), min_size=1, max_size=20)
masks = st.integers(1, 12).flatmap(
    lambda n: st.tuples(
        st.lists(st.booleans(), min_size=n, max_size=n), st.lists(st.booleans(), min_size=n, max_size=n)
    )
)


def count(truth: list[bool], predicted: list[bool]) -> tuple[int, int, int]:
    """(tp, fp, fn), pixel by pixel."""
    pairs = list(zip(truth, predicted, strict=True))
    return pairs.count((True, True)), pairs.count((False, True)), pairs.count((True, False))


def by_definition(truth: list[bool], predicted: list[bool]) -> dict[str, float]:
    """The metrics of one case, from sets of pixels."""
    t = {i for i, is_foreground in enumerate(truth) if is_foreground}
    p = {i for i, is_foreground in enumerate(predicted) if is_foreground}
    if not t and not p:
        return dict.fromkeys(NAMES, 1.0)
    return {
        "dsc": 2 * len(t & p) / (len(t) + len(p)),
        "iou": len(t & p) / len(t | p),
        "recall": len(t & p) / len(t) if t else 0.0,
        "precision": len(t & p) / len(p) if p else 0.0,
    }


@pytest.mark.parametrize(
    ("counts_of_case", "metrics"),
    [
        ((0, 0, 0), (1, 1, 1, 1)),  # both empty
        ((0, 7, 0), (0, 0, 0, 0)),  # truth empty, prediction not
        ((0, 0, 7), (0, 0, 0, 0)),  # prediction empty, truth not
        ((5, 0, 0), (1, 1, 1, 1)),
        ((0, 3, 4), (0, 0, 0, 0)),
        ((6, 2, 4), (12 / 18, 6 / 12, 6 / 10, 6 / 8)),
    ],
)
def test_metrics_follow_their_definitions(counts_of_case: tuple[int, int, int], metrics: tuple[float, ...]) -> None:
    """Empty against empty is 1, one of them empty 0, the rest the textbook's: DSC, IoU, recall, precision."""
    scores = per_case([counts_of_case])
    assert tuple(float(scores[name][0]) for name in NAMES) == pytest.approx(metrics)


@given(st.lists(masks, min_size=1, max_size=8))
def test_metrics_agree_with_sets_of_pixels(cases: list[Masks]) -> None:
    """Every case, and the mean over cases, is what counting by hand gives."""
    counted = [count(*case) for case in cases]
    expected = [by_definition(*case) for case in cases]
    scores, summary = per_case(counted), summarise(counted)
    for name in NAMES:
        assert scores[name] == pytest.approx([case[name] for case in expected])
        assert summary[name].mean == pytest.approx(np.mean([case[name] for case in expected]))


@given(st.lists(masks, min_size=1, max_size=8))
def test_pooled_is_one_case_of_all_pixels(cases: list[Masks]) -> None:
    """Pooling sums the counts over the set: the cases side by side, as one."""
    truth = [pixel for case in cases for pixel in case[0]]
    predicted = [pixel for case in cases for pixel in case[1]]
    summary = summarise([count(*case) for case in cases])
    assert {name: summary[name].pooled for name in NAMES} == pytest.approx(by_definition(truth, predicted))


@given(counts)
def test_metrics_are_shares(cases: list[tuple[int, int, int]]) -> None:
    """Each lies in [0, 1], and IoU = DSC / (2 - DSC)."""
    metrics = per_case(cases)
    for values in metrics.values():
        assert values.shape == (len(cases),)
        assert ((values >= 0) & (values <= 1)).all()
    assert metrics["iou"] == pytest.approx(metrics["dsc"] / (2 - metrics["dsc"]))


def test_pooled_and_mean_differ() -> None:
    """A small case that was missed weighs as much as a large one in the mean, and little in the pool."""
    summary = summarise([(100, 0, 0), (0, 1, 1)])
    assert summary["dsc"].mean == pytest.approx(0.5)
    assert summary["dsc"].pooled == pytest.approx(200 / 202)


def test_no_case_has_no_metric() -> None:
    """An empty set is refused rather than scored."""
    with pytest.raises(ValueError, match="at least one case"):
        summarise([])


def test_the_low_tail() -> None:
    """The 10th percentile of case DSC, and the share of cases under 0.5: a DSC of 0.5 itself is not under it."""
    cases = [(k, 100 - k, 100 - k) for k in range(0, 101, 10)]  # DSC 0.0, 0.1, ... 1.0
    assert low_tail(cases) == pytest.approx((0.1, 5 / 11))


@pytest.mark.parametrize(
    ("shares", "d0"), [([0.0], 0.0), ([1.0], 1.0), ([0.5], 2 / 3), ([0.25, 0.75], (0.4 + 1.5 / 1.75) / 2)]
)
def test_everything_foreground(shares: list[float], d0: float) -> None:
    """D0 is the mean of 2p / (1 + p) over cases."""
    drawn = np.zeros((len(shares), 1, 4, 4), dtype=np.uint8)
    for case, share in zip(drawn, shares, strict=True):
        case.reshape(-1)[: int(16 * share)] = 1
    assert everything_foreground_dsc(drawn) == pytest.approx(d0)


@given(st.lists(st.integers(1, 16), min_size=1, max_size=6))
def test_everything_foreground_is_a_dsc(pixels: list[int]) -> None:
    """D0 is the mean DSC of a prediction that is all foreground."""
    drawn = np.zeros((len(pixels), 1, 4, 4), dtype=np.uint8)
    for case, number in zip(drawn, pixels, strict=True):
        case.reshape(-1)[:number] = 1
    expected = summarise([(number, 16 - number, 0) for number in pixels])["dsc"].mean
    assert everything_foreground_dsc(drawn) == pytest.approx(expected)
