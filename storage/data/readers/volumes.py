"""Reads the cases of a volume dataset: modalities and mask on one grid, and everything that is wrong with each."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from storage.data.readers.labels import unknown_labels
from storage.data.readers.nifti import Volume, read_image, read_mask
from storage.data.source import BadCase, Source, VolumeCase, fingerprint_of

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from storage.data.file_hashes import FileHashes
    from storage.data.readers.labels import Labels
    from storage.data.source import CaseFiles

SAME_PLACE = 0.1  # voxels by which the corners of two grids may differ: headers round


@dataclass(frozen=True)
class VolumeListing:
    """What lies in a folder: the cases, what keeps other files from being one, and what the numbers mean.

    Attributes:
        folder: All paths lie in it.
        cases: Sorted by name; in a case of one file, channels lie along its last axis.
        problems: A line each.
        channels: Names of the modalities.
        labels: What the values of the masks mean.
    """

    folder: Path
    cases: tuple[CaseFiles, ...]
    problems: tuple[str, ...]
    channels: tuple[str, ...]
    labels: Labels


def volume_source(listing: VolumeListing, file_hashes: FileHashes) -> Source[VolumeCase]:
    """The cases of a listing."""
    parts = [(case.name, [file_hashes.of(path) for path in (*case.images, case.mask)]) for case in listing.cases]
    about = repr((listing.channels, sorted(listing.labels.foreground)))
    return Source(
        fingerprint=fingerprint_of(parts, about),
        names=tuple(case.name for case in listing.cases),
        channels=len(listing.channels),
        read=lambda index: read_case(listing, listing.cases[index]),
        problems=listing.problems,
        place=str(listing.folder),
    )


def read_case(listing: VolumeListing, files: CaseFiles) -> VolumeCase:
    """Read and check a case.

    Raises:
        BadCase: Everything that is wrong with it.
    """
    problems: list[str] = []
    places = {path: path.relative_to(listing.folder).as_posix() for path in (*files.images, files.mask)}
    stacked = len(listing.channels) if len(files.images) < len(listing.channels) else None
    images = [_tried(problems, read_image, path, places[path], stacked) for path in files.images]
    mask = _tried(problems, read_mask, files.mask, places[files.mask])
    if mask is not None and (unknown := unknown_labels(mask.values, listing.labels)):
        problems.append(f"{places[files.mask]}: {unknown}")
    grids = {places[path]: volume for path, volume in zip((*files.images, files.mask), (*images, mask), strict=True)}
    problems += _grid_problems({place: volume for place, volume in grids.items() if volume is not None})
    whole = [volume for volume in images if volume is not None]
    if len(whole) == len(images) and all(not np.ptp(volume.values) for volume in whole):
        problems.append(f"{places[files.images[0]]}: every voxel is {whole[0].values.flat[0]:g}")
    if problems or mask is None:
        raise BadCase(*problems)
    image = np.moveaxis(whole[0].values, 3, 0) if stacked else np.stack([volume.values for volume in whole])
    foreground = listing.labels.is_foreground(mask.values)
    return VolumeCase(files.name, image, foreground, whole[0].spacing, whole[0].axes)


def _tried(problems: list[str], read: Callable[..., Volume], *arguments: Any) -> Volume | None:
    try:
        return read(*arguments)
    except BadCase as error:
        problems.extend(error.problems)
        return None


def _grid_problems(volumes: dict[str, Volume]) -> list[str]:
    """How the grids of a case differ from that of its first file."""
    if not volumes:
        return []
    (first_place, first), *others = volumes.items()
    return [
        f"{place}: {difference} ({first_place}); bring both to one grid"
        for place, volume in others
        if (difference := _difference(first, volume))
    ]


def _difference(one: Volume, other: Volume) -> str | None:
    shapes = [volume.values.shape[:3] for volume in (one, other)]
    if shapes[0] != shapes[1]:
        here, there = ("x".join(str(side) for side in shape) for shape in reversed(shapes))
        return f"its shape is {here} in RAS, that of the image {there}"
    corners = np.array([[x, y, z, 1] for x in (0, 1) for y in (0, 1) for z in (0, 1)]) * [*shapes[0], 1]
    apart = float(np.linalg.norm((one.affine - other.affine) @ corners.T, axis=0).max())
    if apart > SAME_PLACE * min(one.spacing):
        return f"its affine puts a corner {apart:.3g} mm from where that of the image does"
    return None
