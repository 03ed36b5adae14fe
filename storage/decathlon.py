"""Lists a dataset of the Medical Segmentation Decathlon, or in the format of nnU-Net v2.

Both hold dataset.json, imagesTr/ and labelsTr/. The Decathlon keeps all modalities of a case in one file, along its
last axis; nnU-Net in a file each, NAME_0000, NAME_0001, ... (Antonelli et al. 2022; Isensee et al. 2021).
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from storage.errors import DataError
from storage.labels import named_labels
from storage.nifti import SUFFIXES
from storage.volume_folder import FIRST_CHANNEL, pair_volumes, volumes_by_name
from storage.volumes import VolumeListing

if TYPE_CHECKING:
    from pathlib import Path

    from storage.data_spec import DataSpec

FILE_NAME = "dataset.json"
IMAGES, MASKS = "imagesTr", "labelsTr"


@dataclass(frozen=True)
class DatasetJson:
    """What we need of a dataset.json.

    Attributes:
        channels: Names of the modalities, in order.
        labels: Labels of each name; several for a region.
        num_training: How many training cases there should be, if it says so.
        endings: Of file names.
    """

    channels: tuple[str, ...]
    labels: dict[str, tuple[int, ...]]
    num_training: int | None
    endings: tuple[str, ...]


def list_decathlon(spec: DataSpec, folder: Path) -> VolumeListing:
    """The training cases, sorted by name.

    Raises:
        DataError: dataset.json cannot be used, a folder is missing, or no case is in it.
    """
    about = read_dataset_json(folder)
    suffixes = [f"_{index:04d}" for index in range(len(about.channels))] if _in_files_each(folder, about) else [""]
    cases, problems = pair_volumes(folder, IMAGES, MASKS, suffixes, about.endings)
    if about.num_training not in {None, len(cases)}:
        rule = f"{FILE_NAME}: numTraining is {about.num_training}, and {len(cases)} whole cases are there"
        problems = (*problems, f"{rule}; bring what is missing, or correct the number")
    return VolumeListing(folder, cases, problems, about.channels, named_labels(spec, about.labels))


def read_dataset_json(folder: Path) -> DatasetJson:
    """Read dataset.json, the Decathlon's (`modality`, labels by number) or nnU-Net's (`channel_names`, by name).

    Raises:
        DataError: It is missing, or does not hold what is needed.
    """
    path = folder / FILE_NAME
    try:
        content = json.loads(path.read_text(encoding="utf-8-sig"))
        channels = content.get("channel_names", content.get("modality"))
        return DatasetJson(
            channels=tuple(str(channels[str(index)]) for index in range(len(channels))),
            labels=_labels(content["labels"]),
            num_training=content.get("numTraining"),
            endings=_endings(content.get("file_ending"), path),
        )
    except OSError as error:
        raise DataError(f"cannot read {path}: {error.strerror} (--data, [data] path)") from None
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise DataError(
            f"{path} must hold modality (or channel_names) as {{number: name}}, and labels; it does not "
            f"({type(error).__name__}: {error})"
        ) from None


def _labels(content: dict[str, Any]) -> dict[str, tuple[int, ...]]:
    """{"1": "liver"} as in the Decathlon, {"liver": 1, "tumour": [1, 2]} as in nnU-Net."""
    if all(isinstance(value, str) for value in content.values()):
        return {name: (int(label),) for label, name in content.items()}
    return {name: tuple(map(int, [value] if isinstance(value, int) else value)) for name, value in content.items()}


def _endings(ending: str | None, path: Path) -> tuple[str, ...]:
    if ending is None:
        return SUFFIXES
    if ending not in SUFFIXES:
        raise DataError(f"file_ending must be {' or '.join(SUFFIXES)}, got {ending!r} in {path}; convert the volumes")
    return (ending,)


def _in_files_each(folder: Path, about: DatasetJson) -> bool:
    """Whether images carry nnU-Net's channel number; a single file of modalities does not."""
    images, _ = volumes_by_name(folder, IMAGES, about.endings)
    masks, _ = volumes_by_name(folder, MASKS, about.endings)
    return any(name + FIRST_CHANNEL in images for name in masks if name not in images)
