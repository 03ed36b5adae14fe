"""Datasets as the trials see them: memory-mapped arrays, built once, shared by all trials of a node."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from storage.data.staging import ABOUT, file_of, map_cases

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from numpy.typing import NDArray


@dataclass(frozen=True)
class CaseFacts:
    """What a case was before it was cropped and resized.

    Attributes:
        shape: Pixels along each axis: height, width; or voxels to the right, to the front, and up.
        foreground: Share of them in the mask.
        spacing: Sides of a voxel in mm; None in 2D.
        axes: Where the axes of its file pointed, such as "LPS"; None in 2D.
    """

    shape: tuple[int, ...]
    foreground: float
    spacing: tuple[float, ...] | None = None
    axes: str | None = None

    @classmethod
    def from_json(cls, facts: dict[str, Any]) -> CaseFacts:
        """From what the journal of a staged dataset holds."""
        spacing = facts["spacing"]
        sides = None if spacing is None else tuple(spacing)
        return cls(tuple(facts["shape"]), facts["foreground"], sides, facts.get("axes"))


@dataclass(frozen=True)
class Dataset:
    """All cases of a dataset: pictures of one size, or volumes of their own.

    Attributes:
        folder: Where the arrays lie; any process of the node may open it.
        names: Case names; their order is that of the arrays.
        fingerprint: Hash of names and contents, before any resizing.
        dimensions: 2 or 3.
        channels: Channels of every image.
        intensities: In 3D, "scheme" and "scale" of each channel (see `storage/data/preprocessing/intensities.py`).
    """

    folder: Path
    names: tuple[str, ...]
    fingerprint: str
    dimensions: int
    channels: int
    intensities: tuple[dict[str, Any], ...]
    _cases: list[dict[str, Any]] = field(repr=False)

    @classmethod
    def open(cls, folder: Path) -> Dataset:
        """Open a prepared dataset."""
        about = json.loads((folder / ABOUT).read_text())
        return cls(
            folder=folder,
            names=tuple(case["name"] for case in about["cases"]),
            fingerprint=about["fingerprint"],
            dimensions=about["dimensions"],
            channels=about["channels"],
            intensities=tuple(about.get("intensities", ())),
            _cases=about["cases"],
        )

    def images(self) -> Any:
        """Images, memory-mapped.

        Returns:
            In 2D uint8, shape (cases, channels, size, size). In 3D a list, for each case normalised float16 of shape
            (channels, X, Y, Z), its own.
        """
        return self._arrays("images")

    def masks(self) -> Any:
        """Masks of 0 and 1, uint8, memory-mapped: shape (cases, 1, size, size), or a list of shape (1, X, Y, Z)."""
        return self._arrays("masks")

    def foreground(self) -> list[NDArray[np.int32]]:
        """In 3D, positions of foreground voxels for each case, shape (k, 3), k at most 4,096, in order."""
        return map_cases(self.folder, "foreground", self._cases)

    def thumbnails(self) -> NDArray[np.float32]:
        """In 3D, every volume in 16 x 16 x 16 area averages of the mean over channels, shape (cases, 4096)."""
        return np.stack(map_cases(self.folder, "thumbnails", self._cases))

    def case_facts(self) -> list[CaseFacts]:
        """What each case was before, in the order of the arrays."""
        return [CaseFacts.from_json(case["facts"]) for case in self._cases]

    def indices(self, names: Sequence[str]) -> NDArray[np.int64]:
        """Positions of cases in the arrays."""
        position = {name: index for index, name in enumerate(self.names)}
        return np.array([position[name] for name in names], dtype=np.int64)

    def _arrays(self, kind: str) -> Any:
        if self.dimensions == 3:  # noqa: PLR2004 - axes
            return map_cases(self.folder, kind, self._cases)
        shape = self._cases[0]["arrays"][kind][1]
        return np.asarray(np.memmap(file_of(self.folder, kind), np.uint8, "r", shape=(len(self.names), *shape)))
