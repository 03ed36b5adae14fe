"""Reads one NIfTI file, turned to RAS (first axis to the right, second to the front, third up), or says what is wrong.

Turning only swaps and mirrors axes to those nearest (nibabel's closest canonical orientation): a slanted volume stays
slanted, and no value is interpolated.
"""

from __future__ import annotations

import gzip
import zlib
from dataclasses import dataclass
from io import BytesIO
from typing import TYPE_CHECKING, Any

import nibabel
import numpy as np
from nibabel.filebasedimages import ImageFileError
from nibabel.spatialimages import HeaderDataError, HeaderTypeError

from storage.data.source import BadCase

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

SUFFIXES = (".nii", ".nii.gz")
UNREADABLE = (
    ImageFileError,
    HeaderDataError,
    HeaderTypeError,
    OSError,
    EOFError,
    ValueError,
    OverflowError,
    MemoryError,
    zlib.error,
)
HIGHEST_LABEL = 65535
WHOLE_WITHIN = 1e-3  # scaled integers and floats miss a label by rounding


@dataclass(frozen=True)
class Volume:
    """Values on a grid of voxels.

    Attributes:
        values: Shape (X, Y, Z), or (X, Y, Z, channels).
        affine: Voxel to mm, shape (4, 4).
        axes: Where the axes of the file pointed before they were turned, such as "LPS".
    """

    values: NDArray[Any]
    affine: NDArray[np.float64]
    axes: str

    @property
    def spacing(self) -> tuple[float, float, float]:
        """Sides of a voxel in mm."""
        x, y, z = np.linalg.norm(self.affine[:3, :3], axis=0).tolist()
        return x, y, z


def name_of(path: Path) -> str:
    """File name without .nii or .nii.gz."""
    return path.name.removesuffix(".gz").removesuffix(".nii")


def read_image(path: Path, place: str, channels: int | None = None) -> Volume:
    """An image in float32.

    Args:
        path: The file.
        place: What to call it in messages.
        channels: That many channels along a fourth axis; None where the image has three axes.

    Raises:
        BadCase: The file cannot be read, has other axes, or holds NaN or infinite values.
    """
    volume = _read(path, place, channels)
    values = volume.values.astype(np.float32, copy=False)
    _check_finite(values, place)
    return Volume(values, volume.affine, volume.axes)


def read_mask(path: Path, place: str) -> Volume:
    """A mask of whole labels, uint16.

    Raises:
        BadCase: The file cannot be read, is not 3D, or holds other values than whole numbers from 0 to 65,535.
    """
    volume = _read(path, place, None)
    values = volume.values
    if values.dtype.kind == "f":
        _check_finite(values, place)
        labels = np.rint(values)
        worst = np.unravel_index(np.abs(values - labels).argmax(), values.shape)
        if abs(values[worst] - labels[worst]) > WHOLE_WITHIN:
            raise BadCase(f"{place}: labels must be whole numbers, got {values[worst]:g}; is it a mask?")
        values = labels
    if values.min() < 0 or values.max() > HIGHEST_LABEL:
        raise BadCase(f"{place}: labels must be 0..{HIGHEST_LABEL}, got {values.min():g} to {values.max():g}")
    return Volume(values.astype(np.uint16), volume.affine, volume.axes)


def _check_finite(values: NDArray[Any], place: str) -> None:
    bad = values.size - int(np.isfinite(values).sum())
    if bad:
        raise BadCase(f"{place}: {bad:,} voxels are NaN or infinite")


def _read(path: Path, place: str, channels: int | None) -> Volume:
    try:
        if path.stat().st_size == 0:
            raise BadCase(f"{place}: empty file")
        header = nibabel.load(path)
        if not isinstance(header, nibabel.Nifti1Image):  # NIfTI-2 is one too
            raise BadCase(f"{place}: no NIfTI file, but {type(header).__name__}")
        _check_header(header, place, channels)
        # nibabel stops reading before an archive's checksum, so that a corrupt one would give wrong voxels.
        content = path.read_bytes()
        image = type(header).from_stream(BytesIO(gzip.decompress(content) if path.suffix == ".gz" else content))
        turned = nibabel.as_closest_canonical(image)  # type: ignore[no-untyped-call]
        axes = "".join(nibabel.aff2axcodes(image.affine))  # type: ignore[no-untyped-call] # nibabel's has none
        return Volume(np.asanyarray(turned.dataobj), np.asarray(turned.affine, dtype=np.float64), axes)
    except UNREADABLE as error:
        reason = str(error).partition("\n")[0] or type(error).__name__
        raise BadCase(f"{place}: unreadable volume ({reason})") from None


def _check_header(image: nibabel.Nifti1Image, place: str, channels: int | None) -> None:
    shape = "x".join(str(side) for side in image.shape)
    if channels is None and len(image.shape) != 3:  # noqa: PLR2004 - axes of space
        raise BadCase(f"{place}: {len(image.shape)}D ({shape}) where 3D is due; keep one volume of it")
    if channels is not None and image.shape[3:] != (channels,):
        raise BadCase(f"{place}: {shape} where 4D with {channels} modalities along the last axis is due")
    if 0 in image.shape:
        raise BadCase(f"{place}: no voxels ({shape})")
    dtype = image.get_data_dtype()  # type: ignore[no-untyped-call]
    if dtype.kind not in "iufb":
        raise BadCase(f"{place}: voxels must be numbers, got {dtype}")
    affine = image.affine
    if affine is None or not np.isfinite(affine).all() or abs(np.linalg.det(affine[:3, :3])) < 1e-9:  # noqa: PLR2004 - flat
        raise BadCase(f"{place}: its affine places voxels nowhere; mend the header")
