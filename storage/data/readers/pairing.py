"""Pairs images with masks by the names of their files: a file a channel, told apart by the end of its name."""

from __future__ import annotations

from typing import TYPE_CHECKING

from storage.data.source import CaseFiles, raise_problems
from storage.errors import DataError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

FIRST_CHANNEL = "_0000"  # nnU-Net's


def pair_files(
    folder: Path, images: str, masks: str, suffixes: Sequence[str], endings: tuple[str, ...]
) -> tuple[tuple[CaseFiles, ...], tuple[str, ...]]:
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
    image_files, image_problems = files_by_name(folder, images, endings)
    mask_files, mask_problems = files_by_name(folder, masks, endings)
    problems = [*image_problems, *mask_problems, *_alone(image_files, mask_files, suffixes, images, masks)]
    whole = [name for name in sorted(mask_files) if all(name + suffix in image_files for suffix in suffixes)]
    if not whole:
        raise_problems(problems, str(folder))
        raise DataError(f"no cases in {folder / images}; expected files such as NAME{suffixes[0]}{endings[-1]}")
    cases = (CaseFiles(name, tuple(image_files[name + s] for s in suffixes), mask_files[name]) for name in whole)
    return tuple(cases), tuple(problems)


def files_by_name(folder: Path, kind: str, endings: tuple[str, ...]) -> tuple[dict[str, Path], list[str]]:
    """Files of a folder by name without ending, and those that share one.

    Raises:
        DataError: There is no such folder.
    """
    if not (folder / kind).is_dir():
        raise DataError(f"no folder {kind}/ in {folder} (--data, [data] path)")
    files = sorted(path for path in (folder / kind).iterdir() if path.is_file() and ends_in(path, endings))
    by_name = {_name(path, endings): path for path in files}
    twice = [path for path in files if by_name[_name(path, endings)] != path]
    place = f"{kind}/" if kind else ""
    return by_name, [f"{place}{path.name}: another file in {kind or folder.name}/ has the same name" for path in twice]


def ends_in(path: Path, endings: tuple[str, ...]) -> bool:
    """Whether a file is meant, by its name; archives made on a Mac hold copies that begin with a dot."""
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
            incomplete += [f"{image_kind}/{channel}: missing modality of case {name}" for channel in missing]
    return [*without_mask, *incomplete]


def _name(path: Path, endings: tuple[str, ...]) -> str:
    return path.name.removesuffix(max((end for end in endings if path.name.endswith(end)), key=len))
