"""Datasets as the trials see them: memory-mapped arrays of one size, built once, shared by all trials of a node."""

from __future__ import annotations

import json
import re
import shutil
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import numpy as np
from PIL import Image
from pydantic import BaseModel, Field, field_validator, model_validator

from storage.errors import DataError
from storage.folder import folder_source
from storage.phantom import phantom_source

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.typing import NDArray

    from storage.sources import Source

LAYOUT = 2  # of a prepared dataset's folder; another layout is prepared anew
Share = Annotated[float, Field(gt=0, lt=1)]


class DataSpec(BaseModel, frozen=True, extra="forbid", allow_inf_nan=False):
    """Which cases there are, and how they are divided.

    Attributes:
        kind: "folder" for images/ and masks/ under `path`, "phantom" for the built-in drawn dataset.
        path: The folder. It may move between runs: what is in it may not change.
        split: Shares of training, validation and test cases.
        split_seed: Draws the split.
        together: Cases that must stay on one side of the split, such as near-duplicates; they merge their groups.
        group_pattern: Regular expression that finds a case's group (patient, video sequence) in its name: the first
            capture group, else the whole match.
        groups: CSV file with the columns case and group instead, its path relative to `path`.
        phantom_cases: How many cases the phantom draws.
    """

    kind: Literal["folder", "phantom"] = "folder"
    path: str | None = None
    split: tuple[Share, Share, Share] = (0.7, 0.1, 0.2)
    split_seed: Annotated[int, Field(ge=0)] = 0
    together: tuple[tuple[str, ...], ...] = ()
    group_pattern: str | None = None
    groups: str | None = None
    phantom_cases: Annotated[int, Field(ge=10, le=100_000)] = 200

    @field_validator("group_pattern")
    @classmethod
    def _pattern_is_one(cls, pattern: str | None) -> str | None:
        try:
            re.compile(pattern or "")
        except re.error as error:
            raise ValueError(f"group_pattern must be a regular expression, got {pattern!r} ({error})") from None
        return pattern

    @model_validator(mode="after")
    def _groups_come_from_one_place(self) -> DataSpec:
        if self.groups is not None and self.group_pattern is not None:
            raise ValueError("groups (a file) and group_pattern both say which group a case is in; keep one of them")
        if self.groups is not None and self.kind != "folder":
            raise ValueError(f"groups is a file in the data folder, which kind {self.kind!r} has not; drop it")
        return self

    @model_validator(mode="after")
    def _shares_add_up(self) -> DataSpec:
        if abs(sum(self.split) - 1) > 1e-6:  # noqa: PLR2004 - rounding
            raise ValueError(f"split must add up to 1, got {sum(self.split):g}")
        return self


@dataclass(frozen=True)
class CaseFacts:
    """What a case was before it was resized.

    Attributes:
        shape: Pixels along each axis: height, width.
        foreground: Share of its pixels in the mask.
    """

    shape: tuple[int, ...]
    foreground: float


@dataclass(frozen=True)
class Dataset:
    """All cases of a dataset at one size.

    Attributes:
        folder: Where the arrays lie; any process of the node may open it.
        names: Case names; their order is that of the arrays.
        fingerprint: Hash of names and contents, before any resizing.
    """

    folder: Path
    names: tuple[str, ...]
    fingerprint: str

    @classmethod
    def open(cls, folder: Path) -> Dataset:
        """Open a prepared dataset."""
        about = json.loads((folder / "dataset.json").read_text())
        return cls(folder, tuple(about["names"]), about["fingerprint"])

    def images(self) -> NDArray[np.uint8]:
        """Images, shape (cases, channels, size, size), memory-mapped."""
        return np.asarray(np.load(self.folder / "images.npy", mmap_mode="r"))

    def masks(self) -> NDArray[np.uint8]:
        """Masks of 0 and 1, shape (cases, 1, size, size), memory-mapped."""
        return np.asarray(np.load(self.folder / "masks.npy", mmap_mode="r"))

    def case_facts(self) -> list[CaseFacts]:
        """What each case was before, in the order of the arrays."""
        facts = json.loads((self.folder / "cases.json").read_text())
        return [CaseFacts(tuple(shape), foreground) for shape, foreground in facts]

    def indices(self, names: Sequence[str]) -> NDArray[np.int64]:
        """Positions of cases in the arrays."""
        position = {name: index for index, name in enumerate(self.names)}
        return np.array([position[name] for name in names], dtype=np.int64)


def prepare(spec: DataSpec, size: int, cache: Path, progress: Callable[[int, int], None] | None = None) -> Dataset:
    """Read and check every case, resize it to a square, and write the arrays into ``cache``; or open them there.

    Args:
        spec: Which cases.
        size: Side of the square that images are resized to (area average; a mask pixel is foreground from one half).
        cache: Folder of prepared datasets.
        progress: Told (cases done, cases in all).

    Raises:
        DataError: Something in the dataset cannot be read as it stands; nothing is left behind.
    """
    source = _source(spec)
    target = cache / f"{source.fingerprint[:16]}-{size}-{LAYOUT}"
    if source.is_whole and (target / "dataset.json").exists():
        return Dataset.open(target)
    cache.mkdir(parents=True, exist_ok=True)
    draft = Path(tempfile.mkdtemp(dir=cache, prefix=".draft-"))
    try:
        _write(draft, size, source, progress)
        if not target.exists():  # another driver may have been faster; its arrays are the same
            draft.rename(target)
    except OSError:
        if not (target / "dataset.json").exists():
            raise
    finally:
        shutil.rmtree(draft, ignore_errors=True)
    return Dataset.open(target)


def _source(spec: DataSpec) -> Source:
    if spec.kind == "phantom":
        return phantom_source(spec.phantom_cases, spec.split_seed)
    if spec.path is None:
        raise DataError("a dataset of kind 'folder' needs its path: --data DIR, or path in [data]")
    return folder_source(Path(spec.path).expanduser())


def _write(folder: Path, size: int, source: Source, progress: Callable[[int, int], None] | None) -> None:
    images: Any = None
    total = source.num_cases
    masks = np.lib.format.open_memmap(folder / "masks.npy", mode="w+", dtype=np.uint8, shape=(total, 1, size, size))
    names, facts = [], []
    for index, (name, image, mask) in enumerate(source.cases):
        if images is None:
            shape = (total, image.shape[2], size, size)
            images = np.lib.format.open_memmap(folder / "images.npy", mode="w+", dtype=np.uint8, shape=shape)
        images[index] = _resize_image(image, size)
        masks[index, 0] = _resize_mask(mask, size)
        names.append(name)
        facts.append((mask.shape, float(mask.mean())))
        if progress:
            progress(index + 1, total)
    images.flush()
    masks.flush()
    (folder / "cases.json").write_text(json.dumps(facts))
    about = {"names": names, "fingerprint": source.fingerprint, "size": size}
    (folder / "dataset.json").write_text(json.dumps(about))


def _resize_image(image: NDArray[np.uint8], size: int) -> NDArray[np.uint8]:
    channels = (Image.fromarray(channel) for channel in np.moveaxis(image, 2, 0))
    return np.stack([np.asarray(c.resize((size, size), Image.Resampling.BOX)) for c in channels])


def _resize_mask(mask: NDArray[np.bool_], size: int) -> NDArray[np.uint8]:
    smooth = Image.fromarray(mask.astype(np.uint8) * 255).resize((size, size), Image.Resampling.BOX)
    return (np.asarray(smooth) >= 128).astype(np.uint8)  # noqa: PLR2004 - one half of 255
