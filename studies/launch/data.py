"""The dataset of a study, read, checked and divided: what everything after it trains on."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from storage.data.groups import groups_of
from storage.data.prepare import prepare
from storage.data.splits import split_cases
from storage.database.urls import normalise_url

if TYPE_CHECKING:
    from collections.abc import Callable

    from storage.data.dataset import Dataset
    from storage.files.locations import FilesSpec
    from studies.spec import StudySpec


@dataclass(frozen=True)
class PreparedData:
    """A dataset, ready to train on.

    Attributes:
        dataset: The arrays.
        groups: Group number of every case.
        split: Names of training, validation and test cases.
        files: Where the study's files lie, all places absolute.
    """

    dataset: Dataset
    groups: dict[str, int]
    split: dict[str, list[str]]
    files: FilesSpec


def prepare_data(spec: StudySpec, storage: str, progress: Callable[[int, int], None] | None = None) -> PreparedData:
    """Read and check every case, and divide them; needs no database, only the place where it is, or would be.

    Raises:
        InputError: Something in the dataset has to be put right.
    """
    files = spec.files.resolved(normalise_url(storage))
    assert files.cache is not None
    dataset = prepare(spec.data, image_size(spec), Path(files.cache), progress)
    groups = groups_of(spec.data, dataset.names)
    split = split_cases(dataset.names, groups, spec.data.split, spec.data.split_seed)
    return PreparedData(dataset, groups, split, files)


def image_size(spec: StudySpec) -> int | None:
    """Side of resized images in 2D, None in 3D."""
    return spec.training.size if spec.data.dimensions == 2 else None  # noqa: PLR2004 - axes
