"""Labels: foreground, background, unknown."""

from __future__ import annotations

import numpy as np

from storage.data.readers.labels import Labels, labels_of, named_labels
from storage.data.spec import DataSpec

NAMES = {"background": (0,), "whole": (1, 2, 4), "core": (1, 4), "ignore": (9,)}


def test_every_label_is_one_of_three() -> None:
    """Foreground, background, or unknown."""
    labels = Labels(frozenset({1, 4}), frozenset({0, 2}))
    values = np.array([[0, 1, 2], [3, 4, 65535]], dtype=np.uint16)
    assert labels.is_foreground(values).tolist() == [[False, True, False], [False, True, False]]
    assert labels.unknown(values) == [3, 65535]
    assert labels.unknown(values[:1]) == []


def test_the_spec_comes_before_the_kind() -> None:
    """What a kind knows and the spec does not call foreground is background."""
    assert labels_of(DataSpec(kind="brats"), {1, 2, 4}, {1, 2, 4}) == Labels(frozenset({1, 2, 4}), frozenset({0}))
    spec = DataSpec(kind="brats", foreground=(3, 4), background=(7,))
    assert labels_of(spec, {1, 2, 4}, {1, 2, 4}) == Labels(frozenset({3, 4}), frozenset({0, 1, 2, 7}))


def test_a_name_stands_for_its_labels() -> None:
    """Labels to be ignored are not known; all others are."""
    core = named_labels(DataSpec(kind="decathlon", foreground="core"), NAMES)
    assert core == Labels(frozenset({1, 4}), frozenset({0, 2}))
    assert named_labels(DataSpec(kind="decathlon"), NAMES).foreground == {1, 2, 4}
