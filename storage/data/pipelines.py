"""What has to be done to a dataset: for pictures a square of one size, for volumes a common scale and spacing."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from storage.data.dataset import CaseFacts
from storage.data.preprocessing.intensities import by_all_cases, ct_scale
from storage.data.preprocessing.resample import same_spacing
from storage.data.preprocessing.resize import picture_arrays
from storage.data.preprocessing.volume_arrays import arrays_of

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from numpy.typing import NDArray

    from storage.data.preprocessing.intensities import CtScale, Intensities
    from storage.data.readers.volumes import VolumeListing
    from storage.data.source import Picture, Source, VolumeCase
    from storage.data.spec import DataSpec
    from storage.data.staging import StagedDataset

PICTURE_LAYOUT, VOLUME_LAYOUT = 3, 4  # of a prepared dataset's folder; another layout is prepared anew
VOLUME_KINDS = ("images", "masks", "foreground", "thumbnails")


@dataclass(frozen=True)
class Pipeline:
    """From the cases of a source to arrays.

    Attributes:
        source: Of the cases.
        key: Changes with everything that changes the arrays.
        kinds: Of arrays that are kept.
        make: Arrays by kind, and facts, of the case at a position; raises BadCase.
        check: What is wrong with the dataset as a whole, from the facts of its cases, a line each.
        finish: What can be done only when all cases are there; gives what the dataset shall tell of itself.
        dimensions: 2 or 3.
    """

    source: Source[Any]
    key: str
    kinds: tuple[str, ...]
    make: Callable[[int], tuple[dict[str, NDArray[Any]], CaseFacts]]
    check: Callable[[Mapping[str, CaseFacts]], list[str]]
    finish: Callable[[StagedDataset], dict[str, Any]]
    dimensions: int


def picture_pipeline(source: Source[Picture], size: int) -> Pipeline:
    """Pictures resized to a square."""

    def make(index: int) -> tuple[dict[str, NDArray[Any]], CaseFacts]:
        image, mask = source.read(index)
        return picture_arrays(image, mask, size), CaseFacts(mask.shape, float(mask.mean()))

    key = f"{source.fingerprint[:16]}-{size}-{PICTURE_LAYOUT}"
    return Pipeline(source, key, ("images", "masks"), make, lambda _: [], lambda _: {}, dimensions=2)


def volume_pipeline(spec: DataSpec, listing: VolumeListing, source: Source[VolumeCase]) -> Pipeline:
    """Volumes cropped, scaled, and resampled where the spec says to what."""
    schemes = schemes_of(spec, listing.channels)

    def make(index: int) -> tuple[dict[str, NDArray[Any]], CaseFacts]:
        case = source.read(index)
        facts = CaseFacts(case.mask.shape, float(case.mask.mean()), case.spacing, case.axes)
        return arrays_of(case, schemes, spec.spacing), facts

    settings = json.dumps([source.fingerprint, spec.spacing, schemes, VOLUME_LAYOUT])
    key = f"{source.fingerprint[:16]}-{hashlib.sha256(settings.encode()).hexdigest()[:12]}-{VOLUME_LAYOUT}"
    return Pipeline(
        source=source,
        key=key,
        kinds=VOLUME_KINDS,
        make=make,
        check=lambda facts: [] if spec.spacing else _spacing_problems(facts),
        finish=lambda staged: {"intensities": _scaled(staged, schemes)},
        dimensions=3,
    )


def schemes_of(spec: DataSpec, channels: Sequence[str]) -> tuple[Intensities, ...]:
    """The scheme of every channel, by the spec, else by kind and by the name of the modality, as nnU-Net does."""
    return tuple(_scheme(spec, channel) for channel in channels)


def _scheme(spec: DataSpec, channel: str) -> Intensities:
    if spec.intensities is not None:
        return spec.intensities
    if spec.kind == "brats":
        return "zscore_nonzero"
    return "ct" if channel.lower() == "ct" else "zscore"


def _scaled(staged: StagedDataset, schemes: Sequence[Intensities]) -> list[dict[str, Any]]:
    """Scale the channels whose scheme needs the foreground of all cases; tells the scheme and scale of each channel."""
    scales: list[CtScale | None] = [None] * len(schemes)
    if "ct" in schemes:
        samples = np.concatenate(staged.arrays("samples"), axis=1)
        scales = [
            ct_scale(channel) if scheme == "ct" else None for channel, scheme in zip(samples, schemes, strict=True)
        ]
        staged.derive("raw", "images", lambda image: by_all_cases(image, scales))
    return [{"scheme": scheme, "scale": scale} for scheme, scale in zip(schemes, scales, strict=True)]


def _spacing_problems(facts: Mapping[str, CaseFacts]) -> list[str]:
    """Volumes whose voxels are of another size than those of most."""
    spacings = {name: fact.spacing for name, fact in facts.items() if fact.spacing is not None}
    median: list[float] = np.median(list(spacings.values()), axis=0).tolist() if spacings else []
    others = [
        f"{name}: voxels of {_millimetres(spacing)}, others have {_millimetres(median)}"
        for name, spacing in spacings.items()
        if not same_spacing(spacing, median)
    ]
    if not others:
        return []
    remedy = ", ".join(f"{side:.4g}" for side in median)
    return [f"{line}; set spacing = [{remedy}] to resample all ([data])" for line in others]


def _millimetres(spacing: Sequence[float]) -> str:
    return " x ".join(f"{side:.4g}" for side in spacing) + " mm"
