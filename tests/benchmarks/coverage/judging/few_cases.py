"""The 90 % interval of the mean of few scores: the answer's own beside the usual ones, on several kinds of scores."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from scipy import stats

from tests.benchmarks.coverage.judging.items import Interval
from tests.benchmarks.coverage.judging.summaries import covered
from tests.benchmarks.coverage.judging.table import verdict
from tests.benchmarks.coverage.scenes.cases import quantile
from tests.benchmarks.coverage.scenes.study import REPLICATES

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from tests.benchmarks.coverage.asked.checkouts import Checkout
    from tests.benchmarks.coverage.judging.summaries import Covered

    Floats = NDArray[np.float64]

    Method = Callable[[Floats, np.random.Generator], Floats]

COUNTS = {10: 0.80, 20: 0.87, 30: 0.87, 50: 0.87}  # scores, and the least coverage that is wanted
FAILING = "two peaks, DSC 0.92, one in ten fails"
FAILURES, HIGHEST_FAILURE, LOWEST_SUCCESS = 0.1, 0.8, 1 - 0.4 / 9  # of those scores
LEVEL = 0.9
HEADING = ("scores", "K", "interval", "coverage", "width, 0.001", "score, 0.001", "wanted", "ours is")


@dataclass(frozen=True)
class Population:
    """Scores of all cases: the score at each place from 0 to 1, and their mean."""

    quantile: Callable[[Floats], Floats]
    mean: float


def failing_scores(place: Floats) -> Floats:
    """One in ten fails, at 0 to 0.8; the others succeed, at 0.956 to 1. Their mean is 0.92."""
    failure, success = place / FAILURES, (place - FAILURES) / (1 - FAILURES)
    return np.where(place < FAILURES, HIGHEST_FAILURE * failure, LOWEST_SUCCESS + (1 - LOWEST_SUCCESS) * success)


POPULATIONS = {
    FAILING: Population(failing_scores, 0.92),
    "two peaks, DSC 0.92": Population(lambda place: quantile(place, 0.92, "two peaks"), 0.92),
    "two peaks, DSC 0.75": Population(lambda place: quantile(place, 0.75, "two peaks"), 0.75),
    "one peak, DSC 0.92": Population(lambda place: quantile(place, 0.92, "one peak"), 0.92),
    "one peak, DSC 0.75": Population(lambda place: quantile(place, 0.75, "one peak"), 0.75),
}


def plain_bootstrap(scores: Floats, rng: np.random.Generator) -> Floats:
    """Percentiles of means of scores drawn again; samples of shape (S, K), bounds of shape (S, 2)."""
    count = scores.shape[1]
    return _percentiles(scores, rng.multinomial(count, np.full(count, 1 / count), REPLICATES) / count)


def bayesian_bootstrap(scores: Floats, rng: np.random.Generator) -> Floats:
    """The same with weights from a Dirichlet distribution (Rubin 1981)."""
    return _percentiles(scores, rng.dirichlet(np.ones(scores.shape[1]), REPLICATES))


def student(scores: Floats, _: np.random.Generator) -> Floats:
    """Mean and standard error, by Student's t."""
    return _by_error(scores, float(stats.t.ppf((1 + LEVEL) / 2, scores.shape[1] - 1)))


def normal(scores: Floats, _: np.random.Generator) -> Floats:
    """Mean and standard error, by the normal distribution."""
    return _by_error(scores, float(stats.norm.ppf((1 + LEVEL) / 2)))


def of_checkout(checkout: Checkout) -> Method:
    """The interval that the answer of a checkout has for test cases alone."""

    def ask(scores: Floats, _: np.random.Generator) -> Floats:
        return np.array(checkout.ask({"scores": scores.tolist(), "replicates": REPLICATES}))

    return ask


METHODS: dict[str, Method] = {
    "plain bootstrap": plain_bootstrap,
    "Bayesian bootstrap": bayesian_bootstrap,
    "Student t": student,
    "normal": normal,
}


def measured(method: Method, population: Population, count: int, samples: int) -> Covered:
    """Coverage, width and interval score of a method over samples of K scores."""
    rng = np.random.default_rng([count, samples])
    scores = population.quantile(rng.random((samples, count)))
    intervals = [Interval(lower, upper, population.mean) for lower, upper in method(scores, rng).tolist()]
    return covered([[interval] for interval in intervals])


def few_cases(checkouts: dict[str, Checkout], samples: int) -> list[tuple[str, ...]]:
    """Rows of each kind of scores, each number and each method, under `HEADING`; those of checkouts come first.

    Args:
        checkouts: By name, ours first.
        samples: Of each kind and number.
    """
    methods = {f"answer, {name}": of_checkout(checkout) for name, checkout in checkouts.items()} | METHODS
    own = next(iter(methods), "")
    rows = []
    for kind, population in POPULATIONS.items():
        for count, least in COUNTS.items():
            for name, method in methods.items():
                found = measured(method, population, count, samples)
                wanted = kind == FAILING and name == own
                rows.append(_row(kind, count, name, found, verdict(found.share, (least, 1.0)) if wanted else ""))
    return rows


def _row(kind: str, count: int, name: str, found: Covered, said: str) -> tuple[str, ...]:
    share = found.share
    coverage = f"{share.value:.3f} [{share.lower:.2f}, {share.upper:.2f}]"
    wanted = f"{COUNTS[count]:.2f} or more" if said else ""
    return kind, str(count), name, coverage, f"{1000 * found.width:.1f}", f"{1000 * found.score:.1f}", wanted, said


def _percentiles(scores: Floats, weights: Floats) -> Floats:
    half = 50 * (1 - LEVEL)
    return np.asarray(np.percentile(weights @ scores.T, [half, 100 - half], axis=0).T)


def _by_error(scores: Floats, times: float) -> Floats:
    mean, error = scores.mean(axis=1), scores.std(axis=1, ddof=1) / np.sqrt(scores.shape[1])
    return np.asarray(np.clip(np.stack([mean - times * error, mean + times * error], axis=1), 0, 1))
