"""Lists paired volumes: a folder of images, of several modalities by the end of their names, and a folder of masks."""

from __future__ import annotations

from typing import TYPE_CHECKING

from storage.data.readers.labels import labels_of
from storage.data.readers.nifti import SUFFIXES, name_of
from storage.data.readers.pairing import FIRST_CHANNEL, ends_in, pair_files
from storage.data.readers.volumes import VolumeListing
from storage.errors import DataError

if TYPE_CHECKING:
    from pathlib import Path

    from storage.data.spec import DataSpec

MASK_FOLDERS = ("masks", "labels")


def list_volumes(spec: DataSpec, folder: Path) -> VolumeListing:
    """Pair images/NAME with masks/NAME (or labels/NAME), sorted by name.

    Raises:
        DataError: A folder is missing, or no pair is in it.
    """
    there = [name for name in MASK_FOLDERS if (folder / name).is_dir()]
    if len(there) > 1:
        raise DataError(f"both masks/ and labels/ are in {folder}; leave the one that is meant")
    masks = there[0] if there else MASK_FOLDERS[0]
    suffixes = spec.modalities or {"image": ""}
    if spec.modalities is None and (folder / "images").is_dir() and _all_end_in_first(folder / "images"):
        suffixes = {"image": FIRST_CHANNEL}
    cases, problems = pair_files(folder, "images", masks, list(suffixes.values()), SUFFIXES)
    return VolumeListing(folder, cases, problems, tuple(suffixes), labels_of(spec, {1}, {0}))


def _all_end_in_first(folder: Path) -> bool:
    names = [name_of(path) for path in folder.iterdir() if ends_in(path, SUFFIXES)]
    return bool(names) and all(name.endswith(FIRST_CHANNEL) for name in names)
