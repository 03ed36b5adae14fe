"""Lists pictures in the format of nnU-Net v2: dataset.json, imagesTr/NAME_0000, labelsTr/NAME (Isensee et al. 2021).

A picture is one file, grey or RGB, as its `channel_names` say (one, or three); its mask holds labels.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from storage.dataset_json import FILE_NAME, IMAGES, MASKS, read_dataset_json
from storage.errors import DataError
from storage.labels import named_labels
from storage.pairing import FIRST_CHANNEL, pair_files
from storage.picture_files import MODES, SUFFIXES
from storage.pictures import PictureListing

if TYPE_CHECKING:
    from pathlib import Path

    from storage.data_spec import DataSpec
    from storage.dataset_json import DatasetJson

OF_VOLUMES = "volumes are of kind 'decathlon' ([data] kind)"


def list_nnunet_2d(spec: DataSpec, folder: Path) -> PictureListing:
    """The training cases, sorted by name.

    Raises:
        DataError: dataset.json cannot be used, a folder is missing, or no case is in it.
    """
    about = read_picture_json(folder)
    cases, problems = pair_files(folder, IMAGES, MASKS, [FIRST_CHANNEL], about.endings(SUFFIXES, OF_VOLUMES))
    labels = named_labels(spec, about.labels)
    return PictureListing(folder, cases, (*problems, *about.missing(len(cases))), len(about.channels), labels)


def read_picture_json(folder: Path) -> DatasetJson:
    """Read dataset.json of pictures.

    Raises:
        DataError: It cannot be used, or is of images that are neither grey nor RGB.
    """
    about = read_dataset_json(folder)
    if len(about.channels) not in MODES:
        raise DataError(
            f"{folder / FILE_NAME} must name 1 channel (grey) or 3 (RGB) for pictures, got {len(about.channels)}: "
            f"{', '.join(about.channels)}; bring each case to one such file"
        )
    return about
