"""Lists a folder of pictures with `images/` and `masks/`, as Kvasir-SEG ships them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from storage.data.readers.labels import labels_of
from storage.data.readers.pictures import SUFFIXES, PictureListing
from storage.data.source import CaseFiles, raise_problems
from storage.errors import DataError

if TYPE_CHECKING:
    from pathlib import Path

    from storage.data.spec import DataSpec

CHANNELS = 3  # images are read as RGB


def list_folder(spec: DataSpec, folder: Path) -> PictureListing:
    """Pair images with masks by file name without suffix, sorted by name.

    Raises:
        DataError: A folder is missing, or no pair is in it.
    """
    images, image_problems = _by_stem(folder, "images")
    masks, mask_problems = _by_stem(folder, "masks")
    problems = [
        *image_problems,
        *mask_problems,
        *(f"{path.name}: image without mask" for name, path in images.items() if name not in masks),
        *(f"{path.name}: mask without image" for name, path in masks.items() if name not in images),
    ]
    cases = tuple(CaseFiles(name, (images[name],), masks[name]) for name in sorted(images.keys() & masks.keys()))
    if not cases:
        raise_problems(problems, str(folder))
        raise DataError(f"no images in {folder / 'images'}; expected files such as NAME.jpg ({', '.join(SUFFIXES)})")
    labels = None if spec.foreground is None else labels_of(spec, (), ())
    return PictureListing(folder, cases, tuple(problems), CHANNELS, labels)


def _by_stem(folder: Path, kind: str) -> tuple[dict[str, Path], list[str]]:
    if not (folder / kind).is_dir():
        raise DataError(f"no folder {kind}/ in {folder}; expected images/ and masks/ (--data, [data] path)")
    files = sorted(path for path in (folder / kind).iterdir() if path.suffix.lower() in SUFFIXES and path.is_file())
    by_stem = {path.stem: path for path in files}
    doubles = [path for path in files if by_stem[path.stem] != path]
    return by_stem, [f"{path.name}: another file in {kind}/ has the same name" for path in doubles]
