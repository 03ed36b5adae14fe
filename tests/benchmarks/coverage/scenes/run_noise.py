"""How far runs lie from the true curve: an offset of the seed that lasts along n, and what each run adds."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

LASTING = np.log(16.0)  # a seed's offset at n and at 16 n still goes together by exp(-1/2)
JITTER = 1e-9


@dataclass(frozen=True)
class RunNoise:
    """D = f + u + v.

    Attributes:
        sigma: Standard deviation of u + v with all N cases.
        lasting: Share of its variance that is the seed's, u.
        growth: Power by which it grows as cases get fewer.
    """

    sigma: float
    lasting: float
    growth: float = 0.0

    def sigma_at(self, share: Floats) -> Floats:
        """Standard deviation at shares of the cases, of the shape of ``share``."""
        return np.asarray(self.sigma * share**-self.growth)

    def correlation(self, share: Floats) -> Floats:
        """Of one seed's runs at H shares, shape (H, H)."""
        apart = np.log(share)[:, None] - np.log(share)
        return np.asarray(
            self.lasting * np.exp(-0.5 * (apart / LASTING) ** 2) + (1 - self.lasting) * np.eye(len(share))
        )

    def draw(self, share: Floats, seeds: int, rng: np.random.Generator) -> Floats:
        """Draw u + v of several seeds of one depth at H shares, shape (seeds, H)."""
        root = np.linalg.cholesky(self.correlation(share) + JITTER * np.eye(len(share)))
        return np.asarray((rng.standard_normal((seeds, len(share))) @ root.T) * self.sigma_at(share))
