"""Lists volumes of the Medical Segmentation Decathlon, or in the format of nnU-Net v2.

Both hold dataset.json, imagesTr/ and labelsTr/. The Decathlon keeps all modalities of a case in one file, along its
last axis; nnU-Net in a file each, NAME_0000, NAME_0001, ... (Antonelli et al. 2022; Isensee et al. 2021).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from storage.dataset_json import IMAGES, MASKS, read_dataset_json
from storage.labels import named_labels
from storage.nifti import SUFFIXES
from storage.pairing import FIRST_CHANNEL, files_by_name, pair_files
from storage.volumes import VolumeListing

if TYPE_CHECKING:
    from pathlib import Path

    from storage.data_spec import DataSpec

OF_PICTURES = "pictures are of kind 'nnunet_2d' ([data] kind), other volumes have to be converted"


def list_decathlon(spec: DataSpec, folder: Path) -> VolumeListing:
    """The training cases, sorted by name.

    Raises:
        DataError: dataset.json cannot be used, a folder is missing, or no case is in it.
    """
    about = read_dataset_json(folder)
    endings = about.endings(SUFFIXES, OF_PICTURES)
    suffixes = [f"_{index:04d}" for index in range(len(about.channels))] if _in_files_each(folder, endings) else [""]
    cases, problems = pair_files(folder, IMAGES, MASKS, suffixes, endings)
    labels = named_labels(spec, about.labels)
    return VolumeListing(folder, cases, (*problems, *about.missing(len(cases))), about.channels, labels)


def _in_files_each(folder: Path, endings: tuple[str, ...]) -> bool:
    """Whether images carry nnU-Net's channel number; a single file of modalities does not."""
    images, _ = files_by_name(folder, IMAGES, endings)
    masks, _ = files_by_name(folder, MASKS, endings)
    return any(name + FIRST_CHANNEL in images for name in masks if name not in images)
