"""Lists cases of the Medical Segmentation Decathlon, and of nnU-Net v2 in 2D and 3D: both have a dataset.json.

Both hold imagesTr/ and labelsTr/. The Decathlon keeps all modalities of a case in one file, along its last axis;
nnU-Net in a file each, NAME_0000, NAME_0001, ... In 2D a picture is one file, grey or RGB, as its `channel_names` say
(one, or three); its mask holds labels. (Antonelli et al. 2022; Isensee et al. 2021.)
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from storage.data.readers import nifti, pictures
from storage.data.readers.labels import named_labels
from storage.data.readers.pairing import FIRST_CHANNEL, files_by_name, pair_files
from storage.data.readers.pictures import PictureListing
from storage.data.readers.volumes import VolumeListing
from storage.errors import DataError

if TYPE_CHECKING:
    from pathlib import Path

    from storage.data.spec import DataSpec

FILE_NAME = "dataset.json"
IMAGES, MASKS = "imagesTr", "labelsTr"
OF_VOLUMES = "volumes are of kind 'decathlon' ([data] kind)"
OF_PICTURES = "pictures are of kind 'nnunet_2d' ([data] kind), other volumes have to be converted"


@dataclass(frozen=True)
class DatasetJson:
    """What we need of a dataset.json.

    Attributes:
        channels: Names of the modalities, in order.
        labels: Labels of each name; several for a region.
        num_training: How many training cases there should be, if it says so.
        ending: Of file names, if it says so.
    """

    channels: tuple[str, ...]
    labels: dict[str, tuple[int, ...]]
    num_training: int | None
    ending: str | None

    def endings(self, known: tuple[str, ...], remedy: str) -> tuple[str, ...]:
        """Those that files may have: what it says, else any of the known ones.

        Raises:
            DataError: It names another.
        """
        if self.ending is None:
            return known
        if self.ending not in known:
            due = f"{', '.join(known[:-1])} or {known[-1]}"
            raise DataError(f"file_ending must be {due}, got {self.ending!r} in {FILE_NAME}; {remedy}")
        return (self.ending,)

    def missing(self, num_found: int) -> tuple[str, ...]:
        """What to say of cases that it counts and that are not there; or nothing."""
        if self.num_training in {None, num_found}:
            return ()
        rule = f"{FILE_NAME}: numTraining is {self.num_training}, and {num_found} whole cases are there"
        return (f"{rule}; bring what is missing, or correct the number",)


def list_decathlon(spec: DataSpec, folder: Path) -> VolumeListing:
    """The training cases of volumes, sorted by name.

    Raises:
        DataError: dataset.json cannot be used, a folder is missing, or no case is in it.
    """
    about = read_dataset_json(folder)
    endings = about.endings(nifti.SUFFIXES, OF_PICTURES)
    suffixes = [f"_{index:04d}" for index in range(len(about.channels))] if _in_files_each(folder, endings) else [""]
    cases, problems = pair_files(folder, IMAGES, MASKS, suffixes, endings)
    labels = named_labels(spec, about.labels)
    return VolumeListing(folder, cases, (*problems, *about.missing(len(cases))), about.channels, labels)


def list_nnunet_2d(spec: DataSpec, folder: Path) -> PictureListing:
    """The training cases of pictures, sorted by name.

    Raises:
        DataError: dataset.json cannot be used, a folder is missing, or no case is in it.
    """
    about = read_picture_json(folder)
    endings = about.endings(pictures.SUFFIXES, OF_VOLUMES)
    cases, problems = pair_files(folder, IMAGES, MASKS, [FIRST_CHANNEL], endings)
    labels = named_labels(spec, about.labels)
    return PictureListing(folder, cases, (*problems, *about.missing(len(cases))), len(about.channels), labels)


def read_picture_json(folder: Path) -> DatasetJson:
    """Read dataset.json of pictures.

    Raises:
        DataError: It cannot be used, or is of images that are neither grey nor RGB.
    """
    about = read_dataset_json(folder)
    if len(about.channels) not in pictures.MODES:
        raise DataError(
            f"{folder / FILE_NAME} must name 1 channel (grey) or 3 (RGB) for pictures, got {len(about.channels)}: "
            f"{', '.join(about.channels)}; bring each case to one such file"
        )
    return about


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
            ending=content.get("file_ending"),
        )
    except OSError as error:
        raise DataError(f"cannot read {path}: {error.strerror} (--data, [data] path)") from None
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise DataError(
            f"{path} must hold modality (or channel_names) as {{number: name}}, and labels; it does not "
            f"({type(error).__name__}: {error})"
        ) from None


def _in_files_each(folder: Path, endings: tuple[str, ...]) -> bool:
    """Whether images carry nnU-Net's channel number; a single file of modalities does not."""
    images, _ = files_by_name(folder, IMAGES, endings)
    masks, _ = files_by_name(folder, MASKS, endings)
    return any(name + FIRST_CHANNEL in images for name in masks if name not in images)


def _labels(content: dict[str, Any]) -> dict[str, tuple[int, ...]]:
    """{"1": "liver"} as in the Decathlon, {"liver": 1, "tumour": [1, 2]} as in nnU-Net."""
    if all(isinstance(value, str) for value in content.values()):
        return {name: (int(label),) for label, name in content.items()}
    return {name: tuple(map(int, [value] if isinstance(value, int) else value)) for name, value in content.items()}
