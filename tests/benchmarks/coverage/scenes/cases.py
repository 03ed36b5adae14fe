"""DSC of single cases: a run of a known expected DSC, scored on cases of different difficulty, in groups."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np
from scipy.special import ndtr

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]
    Integers = NDArray[np.int64]

Peaks = Literal["two peaks", "one peak", "all alike"]

SHARED = 0.8  # share of a score's variance that is the case's, whichever network segments it
OF_GROUP = 0.5  # share of that which is the group's
FAILURE = 0.25  # mean DSC of a failed case, over that of all
SUCCESS = 0.45  # what a success lacks to 1, over what the mean lacks
MILD = 0.5  # power of the rise to the top where scores have one peak: SD 0.07 at a mean of 0.8


@dataclass(frozen=True, eq=False)
class CaseSet:
    """K cases.

    Attributes:
        ease: How easy each is, standard normal, shape (K,).
        groups: Of each, shape (K,); None: each case is its own.
    """

    ease: Floats
    groups: Integers | None


def draw_cases(count: int, largest_group: int, rng: np.random.Generator) -> CaseSet:
    """Cases of a population, each group of 2 to ``largest_group`` of them alike; 1: each case is its own."""
    if largest_group == 1:
        return CaseSet(rng.standard_normal(count), None)
    sizes = rng.integers(2, largest_group + 1, count)
    groups = np.repeat(np.arange(count), sizes)[:count]
    alike = rng.standard_normal(count)[groups]
    return CaseSet(np.sqrt(OF_GROUP) * alike + np.sqrt(1 - OF_GROUP) * rng.standard_normal(count), groups)


def scored(cases: CaseSet, dsc: float, peaks: Peaks, rng: np.random.Generator) -> Floats:
    """Scores of a run whose mean over all cases of the population is exactly ``dsc``, shape (K,)."""
    own = rng.standard_normal(len(cases.ease))
    return quantile(ndtr(np.sqrt(SHARED) * cases.ease + np.sqrt(1 - SHARED) * own), dsc, peaks)


def quantile(place: Floats, dsc: float, peaks: Peaks) -> Floats:
    """The score at a place from 0 to 1 among all cases; its mean over all places is ``dsc``, from 0 to 1.

    Two peaks: failures between 0 and half the mean, successes about as far below 1 as the mean is. One peak: all lie
    about the mean, and run noise outweighs the luck of 200 cases. All alike: no case differs from another.
    """
    if peaks == "all alike":
        return np.full(place.shape, dsc)
    if peaks == "one peak":
        power = min(MILD, dsc / (1 - dsc))
        return np.asarray(1 - (1 - dsc) * (power + 1) * (1 - place) ** power)
    failure, success = FAILURE * dsc, 1 - SUCCESS * (1 - dsc)
    failing = (success - dsc) / (success - failure)
    among_failures = place / failing
    among_successes = (place - failing) / (1 - failing)
    return np.where(place < failing, 2 * failure * among_failures, 1 - 2 * (1 - success) * (1 - among_successes))
