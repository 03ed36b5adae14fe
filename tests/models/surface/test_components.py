"""What the curves of a study may be like."""

from __future__ import annotations

import numpy as np

from models.surface.components import Components

DEPTH = np.repeat([3.0, 4.0, 5.0], 7)
LOG = np.tile(np.log(np.geomspace(0.05, 2, 7)), 3)
EVERY = np.arange(len(LOG))


def test_all_at_once_are_what_they_are_one_by_one() -> None:
    """Means and covariances of all components are those of each."""
    components, at = Components.of(DEPTH, LOG), np.array([0, 3, 8, 15, 20])
    means, covariances = components.means(at), components.covariances(at)
    assert len(means) == len(covariances) == len(components.log_weights)
    for index in range(len(means)):
        one = components.one(index)
        np.testing.assert_allclose(means[index], one.mean(at))
        np.testing.assert_allclose(covariances[index], one.covariance(at, at))
        np.testing.assert_allclose(one.variance(), np.diag(one.covariance(EVERY, EVERY)))


def test_covariances_are_those_of_something() -> None:
    """None has a direction of negative variance."""
    for covariance in Components.of(DEPTH, LOG).covariances(EVERY):
        assert np.linalg.eigvalsh(covariance).min() > -1e-9
