"""What cannot be told apart from the recommended configuration."""

from __future__ import annotations

import numpy as np

from search.analysis.near_ties import near_ties
from storage.variants import configuration_of
from tests.helpers.answers import row


def test_a_tie_costs_about_as_much_and_scores_about_as_well() -> None:
    """Paired draws decide: what is surely better, surely worse or much dearer is none, however it scores alone."""
    chosen = row(100, 100.0)
    alike, better, worse, dear = (
        row(100, price, depth=d) for d, price in ((4, 103.0), (5, 101.0), (6, 99.0), (7, 150.0))
    )
    common = np.random.default_rng(0).normal(0.8, 0.05, 500)
    apart = np.random.default_rng(1).normal(0, 0.01, 500)
    drawn = np.stack([common, common + apart, common + 0.02, common - 0.02, common + apart], axis=1)
    assert near_ties(chosen, [chosen, alike, better, worse, dear], drawn) == {configuration_of(alike)}
