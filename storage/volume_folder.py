"""Lists paired volumes: a folder of images, of several modalities by the end of their names, and a folder of masks."""

from __future__ import annotations

from typing import TYPE_CHECKING

from storage.errors import DataError
from storage.labels import labels_of
from storage.nifti import SUFFIXES, name_of
from storage.sources import raise_problems
from storage.volumes import VolumeFiles, VolumeListing

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from storage.data_spec import DataSpec

FIRST_CHANNEL = "_0000"  # nnU-Net's
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
    cases, problems = pair_volumes(folder, "images", masks, list(suffixes.values()))
    return VolumeListing(folder, cases, problems, tuple(suffixes), labels_of(spec, {1}, {0}))


def pair_volumes(
    folder: Path, images: str, masks: str, suffixes: Sequence[str], endings: tuple[str, ...] = SUFFIXES
) -> tuple[tuple[VolumeFiles, ...], tuple[str, ...]]:
    """Pair images with masks by name.

    Args:
        folder: Where both folders lie.
        images: Folder of the images.
        masks: Folder of the masks.
        suffixes: What follows a case's name, a channel each; or "" alone.
        endings: Of file names.

    Returns:
        The pairs, sorted by name, and what keeps other files from being in one.

    Raises:
        DataError: A folder is missing, or no pair is there.
    """
    image_files, image_problems = volumes_by_name(folder, images, endings)
    mask_files, mask_problems = volumes_by_name(folder, masks, endings)
    problems = [*image_problems, *mask_problems, *_alone(image_files, mask_files, suffixes, images, masks)]
    whole = [name for name in sorted(mask_files) if all(name + suffix in image_files for suffix in suffixes)]
    if not whole:
        raise_problems(problems, str(folder))
        raise DataError(f"no volumes in {folder / images}; expected files such as NAME{suffixes[0]}{endings[-1]}")
    cases = (VolumeFiles(name, tuple(image_files[name + s] for s in suffixes), mask_files[name]) for name in whole)
    return tuple(cases), tuple(problems)


def volumes_by_name(folder: Path, kind: str, endings: tuple[str, ...] = SUFFIXES) -> tuple[dict[str, Path], list[str]]:
    """Volumes of a folder by name, and those that share one.

    Raises:
        DataError: There is no such folder.
    """
    if not (folder / kind).is_dir():
        raise DataError(f"no folder {kind}/ in {folder} (--data, [data] path)")
    files = sorted(path for path in (folder / kind).iterdir() if path.is_file() and is_volume(path, endings))
    by_name = {_name(path, endings): path for path in files}
    twice = [path for path in files if by_name[_name(path, endings)] != path]
    place = f"{kind}/" if kind else ""
    return by_name, [f"{place}{path.name}: another file in {kind or folder.name}/ has the same name" for path in twice]


def is_volume(path: Path, endings: tuple[str, ...] = SUFFIXES) -> bool:
    """Whether a file is one by its name; archives made on a Mac hold copies that begin with a dot."""
    return path.name.endswith(endings) and not path.name.startswith(".")


def _alone(
    images: Mapping[str, Path], masks: Mapping[str, Path], suffixes: Sequence[str], image_kind: str, mask_kind: str
) -> list[str]:
    wanted = {name + suffix for name in masks for suffix in suffixes}
    without_mask = [f"{image_kind}/{path.name}: image without mask" for n, path in images.items() if n not in wanted]
    incomplete = []
    for name, path in masks.items():
        missing = [name + suffix for suffix in suffixes if name + suffix not in images]
        if len(missing) == len(suffixes):
            incomplete.append(f"{mask_kind}/{path.name}: mask without image")
        else:
            incomplete += [f"{image_kind}/{each}: missing modality of case {name}" for each in missing]
    return [*without_mask, *incomplete]


def _all_end_in_first(folder: Path) -> bool:
    names = [name_of(path) for path in folder.iterdir() if is_volume(path)]
    return bool(names) and all(name.endswith(FIRST_CHANNEL) for name in names)


def _name(path: Path, endings: tuple[str, ...]) -> str:
    return path.name.removesuffix(max((end for end in endings if path.name.endswith(end)), key=len))
