"""Reads dataset.json of the Medical Segmentation Decathlon, or of nnU-Net v2.

Antonelli et al. 2022; Isensee et al. 2021.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from storage.errors import DataError

if TYPE_CHECKING:
    from pathlib import Path

FILE_NAME = "dataset.json"
IMAGES, MASKS = "imagesTr", "labelsTr"


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


def _labels(content: dict[str, Any]) -> dict[str, tuple[int, ...]]:
    """{"1": "liver"} as in the Decathlon, {"liver": 1, "tumour": [1, 2]} as in nnU-Net."""
    if all(isinstance(value, str) for value in content.values()):
        return {name: (int(label),) for label, name in content.items()}
    return {name: tuple(map(int, [value] if isinstance(value, int) else value)) for name, value in content.items()}
