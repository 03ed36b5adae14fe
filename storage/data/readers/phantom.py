"""A built-in dataset, drawn and seeded: bright lesions with a dark rim among decoys without one, in noise.

It exists so that a whole study runs anywhere in minutes. Only its rim tells a lesion from a decoy, so a network must
see a lesion whole, and learns that better from more cases; its numbers say nothing about medicine.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from storage.data.source import Source, fingerprint_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from storage.data.source import Picture

SIDE = 64
CHANNELS = 1
RIM = 1.4  # its outer edge, in radii


def phantom_source(num_cases: int, seed: int) -> Source[Picture]:
    """The cases of a phantom."""
    cases = list(draw_phantom(num_cases, seed))
    parts = ((name, [image.tobytes(), mask.tobytes()]) for name, image, mask in cases)
    return Source(
        fingerprint=fingerprint_of(parts),
        names=tuple(name for name, _, _ in cases),
        channels=CHANNELS,
        read=lambda index: cases[index][1:],
    )


def draw_phantom(num_cases: int, seed: int) -> Iterator[tuple[str, NDArray[np.uint8], NDArray[np.bool_]]]:
    """Yield (name, image (64, 64, 1) uint8, mask (64, 64) bool), each case from a seed of its own."""
    for index in range(num_cases):
        rng = np.random.default_rng([seed, index])
        yield f"phantom-{index:04d}", *_draw_case(rng)


def _draw_case(rng: np.random.Generator) -> tuple[NDArray[np.uint8], NDArray[np.bool_]]:
    image = 0.35 + 0.15 * _smooth_noise(rng, 8)
    for _ in range(rng.integers(2, 5)):
        decoy, _ = _lobed_disc(rng)
        image = np.where(decoy, image + rng.uniform(0.12, 0.3), image)
    lesion, rim = _lobed_disc(rng)
    image = np.where(rim, image - rng.uniform(0.15, 0.3), image)
    image = np.where(lesion, image + rng.uniform(0.12, 0.3), image)
    image = image + 0.05 * rng.standard_normal((SIDE, SIDE))
    return (255 * np.clip(image, 0, 1)).astype(np.uint8)[..., None], lesion


def _lobed_disc(rng: np.random.Generator) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """A disc with lobes somewhere in the image, and the rim around it."""
    y, x = np.mgrid[0:SIDE, 0:SIDE].astype(float)
    centre_y, centre_x = rng.uniform(14, SIDE - 14, 2)
    angle = np.arctan2(y - centre_y, x - centre_x)
    lobes = 1 + rng.uniform(0, 0.3) * np.cos(rng.integers(2, 5) * angle + rng.uniform(0, 6))
    distance = np.hypot(y - centre_y, x - centre_x) / (rng.uniform(7, 13) * lobes)
    return distance < 1, (distance >= 1) & (distance < RIM)


def _smooth_noise(rng: np.random.Generator, cells: int) -> NDArray[np.float64]:
    coarse = rng.standard_normal((cells + 1, cells + 1))
    at = np.linspace(0, cells, SIDE)
    rows = np.stack([np.interp(at, np.arange(cells + 1), row) for row in coarse])
    return np.stack([np.interp(at, np.arange(cells + 1), column) for column in rows.T], axis=1)
