"""A built-in dataset, drawn and seeded: bright lobed lesions among decoys of the same brightness, in noise.

It exists so that a whole study runs anywhere in minutes. Its lesions differ from the decoys by texture alone, which a
network learns better from more cases; its numbers say nothing about medicine.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

SIDE = 64


def draw_phantom(num_cases: int, seed: int) -> Iterator[tuple[str, NDArray[np.uint8], NDArray[np.bool_]]]:
    """Yield (name, image (64, 64, 1) uint8, mask (64, 64) bool), each case from a seed of its own."""
    for index in range(num_cases):
        rng = np.random.default_rng([seed, index])
        yield f"phantom-{index:04d}", *_draw_case(rng)


def _draw_case(rng: np.random.Generator) -> tuple[NDArray[np.uint8], NDArray[np.bool_]]:
    image = 0.35 + 0.15 * _smooth_noise(rng, 8)
    for _ in range(rng.integers(1, 4)):
        decoy = _lobed_disc(rng)
        image = np.where(decoy, image + rng.uniform(0.12, 0.3), image)
    lesion = _lobed_disc(rng)
    stripes = np.sin(rng.uniform(0.9, 1.4) * _rotated_axis(rng) + rng.uniform(0, 6))
    image = np.where(lesion, image + rng.uniform(0.08, 0.22) + 0.10 * stripes, image)
    image = image + 0.06 * rng.standard_normal((SIDE, SIDE))
    return (255 * np.clip(image, 0, 1)).astype(np.uint8)[..., None], lesion


def _grid() -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    y, x = np.mgrid[0:SIDE, 0:SIDE].astype(float)
    return y, x


def _rotated_axis(rng: np.random.Generator) -> NDArray[np.float64]:
    y, x = _grid()
    angle = rng.uniform(0, np.pi)
    return np.asarray(np.cos(angle) * x + np.sin(angle) * y)


def _lobed_disc(rng: np.random.Generator) -> NDArray[np.bool_]:
    y, x = _grid()
    centre_y, centre_x = rng.uniform(14, SIDE - 14, 2)
    angle = np.arctan2(y - centre_y, x - centre_x)
    radius = rng.uniform(6, 13) * (1 + rng.uniform(0, 0.3) * np.cos(rng.integers(2, 5) * angle + rng.uniform(0, 6)))
    return np.asarray(np.hypot(y - centre_y, x - centre_x) < radius)


def _smooth_noise(rng: np.random.Generator, cells: int) -> NDArray[np.float64]:
    coarse = rng.standard_normal((cells + 1, cells + 1))
    at = np.linspace(0, cells, SIDE)
    rows = np.stack([np.interp(at, np.arange(cells + 1), row) for row in coarse])
    return np.stack([np.interp(at, np.arange(cells + 1), column) for column in rows.T], axis=1)
