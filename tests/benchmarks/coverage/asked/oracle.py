"""An exact Gaussian process over log n that is told how far runs differ: how narrow honest intervals can be.

Depths share a curve and have each their own around it. Of that prior, only amplitudes and length are fitted, by the
evidence; the spread between runs, its lasting share and its growth are the true ones. What other test cases would have
scored shifts all runs together and is not learned from them: it is added to what conditioning on runs leaves open.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import product
from typing import TYPE_CHECKING

import numpy as np
from scipy.linalg import cho_factor, cho_solve

from tests.benchmarks.coverage.asked.drawn_answer import Draws, said_of
from tests.benchmarks.coverage.scenes.cases import SHARED
from tests.benchmarks.coverage.scenes.study import REPLICATES

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from tests.benchmarks.coverage.scenes.run_noise import RunNoise
    from tests.benchmarks.coverage.scenes.study import Run, Said, Study

    Floats = NDArray[np.float64]
    Integers = NDArray[np.int64]

MEAN = 0.75
LEVEL, SLOPE = 0.3, 0.1  # standard deviations of the shared curve: at N, and of its slope in log n
OWN_LEVEL, OWN_SLOPE = 0.05, 0.03  # of each depth around it
AMPLITUDES = (0.01, 0.03, 0.08, 0.2)
OWN_AMPLITUDES = (0.003, 0.01, 0.03)
LENGTHS = (0.7, 1.4, 2.8)
JITTER = 1e-8


@dataclass(frozen=True)
class _Prior:
    """Amplitudes of what is curved in the shared curve and in each depth's own, and its length in log n."""

    amplitude: float
    own_amplitude: float
    length: float

    def covariance(self, a: Floats, b: Floats) -> Floats:
        """Between places of shapes (A, 2) and (B, 2): depth, and log share of the cases. Shape (A, B)."""
        same = a[:, None, 0] == b[None, :, 0]
        x, y = a[:, None, 1], b[None, :, 1]
        bent = np.exp(-0.5 * ((x - y) / self.length) ** 2)
        shared = LEVEL**2 + SLOPE**2 * x * y + self.amplitude**2 * bent
        own = OWN_LEVEL**2 + OWN_SLOPE**2 * x * y + self.own_amplitude**2 * bent
        return np.asarray(shared + same * own)


def oracle(study: Study) -> Said:
    """What it says of a study whose run noise it is told.

    Raises:
        ValueError: If the study does not tell it.
    """
    if study.noise is None:
        raise ValueError("an oracle must be told the noise of runs")
    rng = np.random.default_rng(0)
    places = sorted({*(run.place for run in study.runs), *study.planned})
    depths = sorted({place.depth for place in places})
    at = np.array(
        [[place.depth, place.num_cases] for place in places]
        + [[depth, times * study.num_train] for times in (1, 2) for depth in depths],
        dtype=np.float64,
    )
    at[:, 1] = np.log(at[:, 1] / study.num_train)
    validation, test = (_draws(study, case_set, at, rng) for case_set in ("validation", "test"))
    count, many = len(places), len(depths)
    luck = rng.standard_normal((REPLICATES, 1)) * study.noise.sigma_at(np.exp(at[:count, 1]))
    draws = Draws(
        places=places,
        validation=validation[:, :count],
        test=test[:, :count],
        new_run=test[:, :count] + luck,
        at_all={depth: test[:, count + d] for d, depth in enumerate(depths)},
        doubled={depth: test[:, count + many + d] for d, depth in enumerate(depths)},
    )
    return said_of(draws, study)


def _draws(study: Study, case_set: str, at: Floats, rng: np.random.Generator) -> Floats:
    """Of the posterior at places of shape (H, 2), shape (R, H)."""
    assert study.noise is not None
    groups = study.validation_groups if case_set == "validation" else study.test_groups
    scores = np.stack([getattr(run, case_set) for run in study.runs])
    places = _places(study.runs, study.num_train)
    cases = case_covariance(scores, groups)
    own = (1 - SHARED) * np.diag(np.diag(cases))  # what a case's score in one run has to do with no other run
    error = run_covariance(study.runs, study.num_train, study.noise) + own + JITTER * np.eye(len(cases))
    apart = scores.mean(axis=1) - MEAN
    priors = [_Prior(*numbers) for numbers in product(AMPLITUDES, OWN_AMPLITUDES, LENGTHS)]
    best = max(priors, key=lambda prior: _evidence(prior.covariance(places, places) + error, apart))
    across = best.covariance(at, places)
    gain = cho_solve(cho_factor(best.covariance(places, places) + error), across.T).T
    mean = MEAN + gain @ apart
    spread = best.covariance(at, at) - gain @ across.T + gain @ (cases - own) @ gain.T
    values, vectors = np.linalg.eigh(spread)
    root = vectors * np.sqrt(np.clip(values, 0, None))
    return np.asarray(mean + rng.standard_normal((REPLICATES, len(at))) @ root.T)


def _places(runs: Sequence[Run], num_train: int) -> Floats:
    return np.array([[run.place.depth, np.log(run.place.num_cases / num_train)] for run in runs])


def run_covariance(runs: Sequence[Run], num_train: int, noise: RunNoise) -> Floats:
    """Of u + v of C runs, shape (C, C)."""
    share = np.array([run.place.num_cases / num_train for run in runs])
    luck = np.array([[run.place.depth, run.seed] for run in runs])
    together = (luck[:, None] == luck).all(axis=2)
    sigma = noise.sigma_at(share)
    return np.asarray(together * noise.correlation(share) * sigma[:, None] * sigma)


def case_covariance(scores: Floats, groups: Integers | None) -> Floats:
    """Of the means of C runs over K cases of scores (C, K), as other cases of the kind would change them: (C, C)."""
    apart = scores - scores.mean(axis=1, keepdims=True)
    member = np.arange(scores.shape[1]) if groups is None else np.unique(groups, return_inverse=True)[1]
    number = int(member.max()) + 1
    sums = apart @ (member[:, None] == np.arange(number))
    return np.asarray(sums @ sums.T / scores.shape[1] ** 2 * number / (number - 1))


def _evidence(covariance: Floats, apart: Floats) -> float:
    """Log density of C values, shape (C,), up to a constant."""
    root = np.linalg.cholesky(covariance)
    white = np.linalg.solve(root, apart)
    return float(-0.5 * white @ white - np.log(np.diag(root)).sum())
