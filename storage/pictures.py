"""Reads the cases of a dataset of pictures: image and mask of one size, and what is wrong with each."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from storage.labels import unknown_labels
from storage.picture_files import read_black_and_white, read_image, read_labels
from storage.sources import BadCase, Source, fingerprint_of

if TYPE_CHECKING:
    from pathlib import Path

    import numpy as np
    from numpy.typing import NDArray

    from storage.digests import Digests
    from storage.labels import Labels
    from storage.sources import CaseFiles, Picture


@dataclass(frozen=True)
class PictureListing:
    """What lies in a folder: the cases, what keeps other files from being one, and what the numbers mean.

    Attributes:
        folder: All paths lie in it.
        cases: Sorted by name, an image file each.
        problems: A line each.
        channels: Of every image, 1 or 3.
        labels: What the values of the masks mean; None: they are black and white.
    """

    folder: Path
    cases: tuple[CaseFiles, ...]
    problems: tuple[str, ...]
    channels: int
    labels: Labels | None


def picture_source(listing: PictureListing, digests: Digests) -> Source[Picture]:
    """The cases of a listing."""
    parts = [(case.name, [digests.of(path) for path in (*case.images, case.mask)]) for case in listing.cases]
    about = "" if listing.labels is None else repr((listing.channels, sorted(listing.labels.foreground)))
    return Source(
        fingerprint=fingerprint_of(parts, about),
        names=tuple(case.name for case in listing.cases),
        channels=listing.channels,
        read=lambda index: read_picture(listing, listing.cases[index]),
        problems=listing.problems,
        place=str(listing.folder),
    )


def read_picture(listing: PictureListing, files: CaseFiles) -> Picture:
    """Read image (H, W, channels) uint8 and mask (H, W) bool of a case.

    Raises:
        BadCase: It has to be mended.
    """
    image, mask = read_image(files.images[0], listing.channels), _foreground(listing, files.mask)
    if image.shape[:2] != mask.shape:
        raise BadCase(
            f"{files.mask.name}: mask is {mask.shape[1]}x{mask.shape[0]}, its image {image.shape[1]}x{image.shape[0]}"
        )
    return image, mask


def _foreground(listing: PictureListing, path: Path) -> NDArray[np.bool_]:
    if listing.labels is None:
        return read_black_and_white(path)
    values = read_labels(path)
    if unknown := unknown_labels(values, listing.labels):
        raise BadCase(f"{path.name}: {unknown}")
    return listing.labels.is_foreground(values)
