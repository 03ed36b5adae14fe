"""What single runs measured, as means at places of a surface, with what the means have in common."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from models.surface.run_noise import Repeats

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]
    Integers = NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class SingleRuns:
    """R runs.

    Attributes:
        place: Where on the surface each counts, shape (R,).
        depth: Shape (R,).
        num_cases: Shape (R,).
        seed: Shape (R,).
        dsc: After the full budget, shape (R,).
        sigma: Standard deviation of its error beyond the noise of runs, such as that of a forecast gain, shape (R,).
    """

    place: Integers
    depth: Integers
    num_cases: Floats
    seed: Integers
    dsc: Floats
    sigma: Floats


@dataclass(frozen=True, eq=False)
class Runs:
    """Means of runs at M places.

    Attributes:
        configuration: Which configuration each one measured, shape (M,).
        dsc: Mean over its runs, shape (M,).
        repeats: How many runs it is the mean of, shape (M,).
        sigma: Standard deviation of each one's error beyond the noise of runs, shape (M,).
        shared: Share of seeds' offsets that two means have in common, shape (M, M): 1 / repeats on the diagonal.
        deviations: Of repeats from their means, for what they tell of the noise.
    """

    configuration: Integers
    dsc: Floats
    repeats: Floats
    sigma: Floats
    shared: Floats
    deviations: tuple[Repeats, ...] = ()


def mean_runs(runs: SingleRuns, all_cases: int) -> Runs:
    """The means of R runs at each place that was measured.

    A seed's offset at one depth has nothing to do with its offset at another.
    """
    places, member, repeats = np.unique(runs.place, return_inverse=True, return_counts=True)
    _, offset = np.unique(np.stack([runs.depth, runs.seed]), axis=1, return_inverse=True)
    offset = np.ravel(offset)
    parts = np.zeros((len(places), int(offset.max(initial=-1)) + 1))
    np.add.at(parts, (member, offset), 1 / repeats[member])
    return Runs(
        configuration=places,
        dsc=np.bincount(member, weights=runs.dsc, minlength=len(places)) / repeats,
        repeats=repeats.astype(np.float64),
        sigma=np.sqrt(np.bincount(member, weights=runs.sigma**2, minlength=len(places))) / repeats,
        shared=parts @ parts.T,
        deviations=_deviations(runs, offset, all_cases),
    )


def _deviations(runs: SingleRuns, offset: Integers, all_cases: int) -> tuple[Repeats, ...]:
    """Of every seed at every depth, where its configurations have several runs."""
    _, member, counts = np.unique(
        np.stack([runs.depth, runs.num_cases]), axis=1, return_inverse=True, return_counts=True
    )
    member = np.ravel(member)
    number = counts[member]
    mean = np.bincount(member, weights=runs.dsc) / counts if len(member) else np.zeros(0)
    several = number > 1
    scaled = (runs.dsc - mean[member]) * np.sqrt(number / np.maximum(number - 1, 1))
    log_share = np.log(runs.num_cases / all_cases)
    return tuple(
        Repeats(log_share[own], scaled[own], float(np.mean(1 - 1 / number[own])))
        for which in np.unique(offset[several])
        for own in [several & (offset == which)]
    )
