"""Growth laws: the share of the way climbed at progress t, each with a time and a steepness."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from models.forecaster.curves import Floats


def shifted_power(z: Floats, steepness: Floats) -> Floats:
    """1 - (1 + z)^(-c)."""
    return 1 - (1 + z) ** -steepness


def stretched_exponential(z: Floats, steepness: Floats) -> Floats:
    """1 - exp(-z^c), with c held in 0.5..1.5."""
    return 1 - np.exp(-(z ** np.clip(steepness, 0.5, 1.5)))


def mmf(z: Floats, steepness: Floats) -> Floats:
    """Morgan-Mercer-Flodin: z^c / (1 + z^c)."""
    powered = z**steepness
    return powered / (1 + powered)


def delayed(z: Floats, steepness: Floats) -> Floats:
    """A flat start, then a take-off: MMF three times as steep."""
    return mmf(np.minimum(z, 1e6), 3 * steepness)


def logarithmic(z: Floats, steepness: Floats) -> Floats:
    """Growth by the logarithm, with no end in sight: half the way at z = e^(2/c) - 1."""
    return 0.25 * steepness * np.log1p(z)


LAWS = (shifted_power, stretched_exponential, mmf, delayed, logarithmic)


def grow(law: NDArray[np.intp], time: Floats, steepness: Floats, t: Floats) -> Floats:
    """Share climbed at progress t of shape (P,), for curves of shape S: shape (*S, P)."""
    z = np.minimum(t / time[..., None], 1e6)
    share = np.empty(z.shape)
    for number, function in enumerate(LAWS):
        mine = law == number
        share[mine] = function(z[mine], steepness[mine][:, None])
    return np.clip(share, 0.0, 1.0)
