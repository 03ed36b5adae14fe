"""Finds cases that show nearly the same picture: on both sides of a split they make a score look better than it is.

Two images are compared as grey thumbnails of 16 x 16, each brought to mean 0 and length 1, less what all images of the
dataset have in common (the vignette of an endoscope, the outline of a chest), brought to length 1 again: their
similarity is the product, 1 for the same picture whatever its brightness and contrast.

The threshold was chosen by looking at the pairs of Kvasir-SEG (1,000 images) in order of similarity, at 64 x 64 and
256 x 256 alike: three copies of one picture at 1.000, two pairs of frames of one scene, seconds apart, at 0.994 and
0.959, then pictures of different patients from 0.944 on, and among them two pairs of one scene seen from elsewhere
(0.917, 0.911) that no threshold tells apart. So it finds copies, re-encoded, resized or relit ones too, and frames in
quick succession. It does not look for flipped, turned or cropped copies, and cannot compare an image without contrast.

Volumes are compared in the same way, as 16 x 16 x 16 averages of what is left of them by cropping. The 260 hippocampi
of the Medical Segmentation Decathlon, boxes around one organ that look much alike, reach 0.68; copies are 1.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from storage.data.preprocessing.thumbnails import shrink

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from storage.data.dataset import Dataset

THRESHOLD = 0.95
MOST_PAIRS = 100_000  # a dataset of one still picture has n²/2 of them
BLOCK = 512  # rows of the similarity matrix at a time: 20 MB for 10,000 cases
VALUES_AT_A_TIME = 2**22
LEAST_CONTRAST = 0.5  # SD of a thumbnail in grey levels; below it there is nothing but rounding
LEAST_DIFFERENCE = 1e-3  # from the dataset's mean picture, likewise


@dataclass(frozen=True)
class NearDuplicate:
    """Two cases that look alike.

    Attributes:
        first: Name of the earlier one.
        second: Name of the later one.
        similarity: At most 1.
    """

    first: str
    second: str
    similarity: float


def near_duplicates(dataset: Dataset, threshold: float = THRESHOLD) -> list[NearDuplicate]:
    """Every pair of cases at least this similar, the most similar first; at most 100,000."""
    images = dataset.images() if dataset.dimensions == 2 else None  # noqa: PLR2004 - axes
    vectors = compared(dataset.thumbnails(), 0) if images is None else thumbnails(images)
    pairs = [
        NearDuplicate(dataset.names[i], dataset.names[j], round(value, 4))
        for i, j, value in similar_pairs(vectors, threshold)
    ]
    return sorted(pairs, key=lambda pair: (-pair.similarity, pair.first, pair.second))


def across_split(pairs: Sequence[NearDuplicate], split: Mapping[str, Sequence[str]]) -> list[NearDuplicate]:
    """The pairs whose cases stand in different parts of the split."""
    part_of = {name: part for part, names in split.items() for name in names}
    return [pair for pair in pairs if part_of[pair.first] != part_of[pair.second]]


def thumbnails(images: NDArray[np.uint8]) -> NDArray[np.float32]:
    """Comparable thumbnails (cases, 16 x 16) of images (cases, channels, height, width); zeros without contrast."""
    chunk = max(1, VALUES_AT_A_TIME // max(1, int(np.prod(images.shape[1:]))))
    small = np.concatenate([shrink(images[at : at + chunk]) for at in range(0, len(images), chunk)])
    return compared(small, LEAST_CONTRAST)


def compared(small: NDArray[np.float32], least_contrast: float) -> NDArray[np.float32]:
    """Comparable vectors from thumbnails (cases, values); zeros without contrast, and for what all have in common."""
    small = small - small.mean(axis=1, keepdims=True)
    small = _to_unit_length(small, least_contrast * np.sqrt(small.shape[1]))
    flat = ~small.any(axis=1)
    small -= small.mean(axis=0)
    small[flat] = 0
    return _to_unit_length(small, LEAST_DIFFERENCE)


def similar_pairs(vectors: NDArray[np.float32], threshold: float) -> list[tuple[int, int, float]]:
    """(i, j, product) of every two rows i < j whose product reaches the threshold, the largest first."""
    pairs: list[tuple[int, int, float]] = []
    for at in range(0, len(vectors), BLOCK):
        products = vectors[at : at + BLOCK] @ vectors[at:].T
        rows, columns = np.nonzero(np.triu(products >= threshold, 1))
        values = products[rows, columns]
        if len(values) > MOST_PAIRS:
            most = np.argpartition(-values, MOST_PAIRS)[:MOST_PAIRS]
            rows, columns, values = rows[most], columns[most], values[most]
        pairs += zip((rows + at).tolist(), (columns + at).tolist(), values.tolist(), strict=True)
        pairs = sorted(pairs, key=lambda pair: (-pair[2], pair[:2]))[:MOST_PAIRS]
    return pairs


def _to_unit_length(vectors: NDArray[np.float32], least: float) -> NDArray[np.float32]:
    lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
    scaled: NDArray[np.float32] = np.where(lengths > least, vectors / np.maximum(lengths, least), np.float32(0))
    return scaled
