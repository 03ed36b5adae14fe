"""What an exported model does with cases that it has not seen: finds them, and brings them to its grid and back.

Every bundle takes this file along (`studies/interop/export_model.py`), so it imports nothing of ours.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from monai.data import MetaTensor
from monai.transforms import InvertibleTransform, MapTransform
from monai.utils import TraceKeys

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable, Mapping, Sequence

    from numpy.typing import NDArray

LINEAR = {2: "bilinear", 3: "trilinear"}  # by dimensions


def list_cases(folder: str, endings: Sequence[str], suffixes: Sequence[str] = ("",)) -> list[dict[str, list[str]]]:
    """The cases under a folder, at any depth, sorted by name, as MONAI's data lists hold them.

    Args:
        folder: Where they lie.
        endings: Of file names, such as ".png".
        suffixes: What follows a case's name before its ending, a channel each; where no case has them all, every file
            is a case.

    Raises:
        ValueError: There is no case.
    """
    files = {_name(path, endings): str(path) for path in sorted(Path(folder).rglob("*")) if _is_one(path, endings)}
    names = [name.removesuffix(suffixes[0]) for name in files if name.endswith(suffixes[0])]
    whole = [name for name in names if all(name + suffix in files for suffix in suffixes)]
    if whole:
        return [{"image": [files[name + suffix] for suffix in suffixes]} for name in whole]
    if not files:
        raise ValueError(f"no file in {folder} ends in {' or '.join(endings)}; say where cases lie with --dataset_dir")
    return [{"image": [path]} for path in files.values()]


def case_name(meta: Mapping[str, Any], _saver: object, suffix: str = "") -> dict[str, str]:
    """What MONAI names a mask after: the case, not the channel that was read first."""
    path = Path(meta["filename_or_obj"])
    ending = ".nii.gz" if path.name.endswith(".nii.gz") else path.suffix
    return {"subject": str(path.with_name(path.name.removesuffix(ending).removesuffix(suffix) + ending))}


class ByArrayd(MapTransform, InvertibleTransform):  # type: ignore[misc] # MONAI has no types
    """Applies a function of arrays; its inverse interpolates linearly to the shape that there was, and no more."""

    def __init__(self, keys: Hashable, function: Callable[[MetaTensor], NDArray[Any]]) -> None:
        """Take a function of images (channels, ...) that returns such an array, of the same or another shape."""
        super().__init__(keys)
        self._function = function

    def __call__(self, data: Mapping[Hashable, MetaTensor]) -> dict[Hashable, MetaTensor]:
        """Apply it to every key."""
        changed = dict(data)
        for key in self.key_iterator(changed):
            image = changed[key]
            array = np.ascontiguousarray(self._function(image), dtype=np.float32)
            changed[key] = MetaTensor(
                torch.from_numpy(array), meta=image.meta, applied_operations=image.applied_operations
            )
            self.push_transform(changed, key, orig_size=tuple(image.shape[1:]))
        return changed

    def inverse(self, data: Mapping[Hashable, MetaTensor]) -> dict[Hashable, MetaTensor]:
        """Bring every key back to its shape."""
        restored = dict(data)
        for key in self.key_iterator(restored):
            size = tuple(self.pop_transform(restored, key)[TraceKeys.ORIG_SIZE])
            if tuple(restored[key].shape[1:]) != size:
                restored[key] = torch.nn.functional.interpolate(restored[key][None], size, mode=LINEAR[len(size)])[0]
        return restored


def _is_one(path: Path, endings: Sequence[str]) -> bool:
    """Archives made on a Mac hold copies that begin with a dot."""
    return path.name.lower().endswith(tuple(endings)) and not path.name.startswith(".")


def _name(path: Path, endings: Sequence[str]) -> str:
    ending = max((end for end in endings if path.name.lower().endswith(end)), key=len)
    return str(path)[: -len(ending)]
