"""Datasets with a dataset.json: the Decathlon's, and nnU-Net's."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from storage.data.near_duplicates import near_duplicates
from storage.data.prepare import channels_of, prepare
from storage.data.readers.nnunet import list_decathlon
from storage.data.readers.volumes import read_case
from storage.data.spec import DataSpec
from storage.errors import DataError
from tests.helpers.volume_makers import lesion, save, scan, write_dataset_json

if TYPE_CHECKING:
    from pathlib import Path

DECATHLON: dict[str, Any] = {
    "modality": {"0": "FLAIR", "1": "T1w"},
    "labels": {"0": "background", "1": "edema", "2": "tumour"},
    "numTraining": 2,
}
NNUNET: dict[str, Any] = {
    "channel_names": {"0": "CT", "1": "PET"},
    "labels": {"background": 0, "whole": [1, 2], "core": 2, "ignore": 3},
    "numTraining": 2,
    "file_ending": ".nii.gz",
}


def decathlon(folder: Path, **changes: Any) -> Path:
    """Two cases, both modalities in one file."""
    write_dataset_json(folder, **DECATHLON | changes)
    for index in range(2):
        save(folder / "imagesTr" / f"brats_{index}.nii.gz", np.stack([scan(index), scan(index + 5)], axis=-1))
        save(folder / "labelsTr" / f"brats_{index}.nii.gz", lesion(labels=(1, 2)))
        (folder / "imagesTr" / f"._brats_{index}.nii.gz").write_bytes(b"of a Mac")
    return folder


def nnunet(folder: Path, **changes: Any) -> Path:
    """Two cases, a file a modality."""
    write_dataset_json(folder, **NNUNET | changes)
    for index in range(2):
        for channel in range(2):
            save(folder / "imagesTr" / f"p_{index}_{channel:04d}.nii.gz", scan(index + 5 * channel))
        save(folder / "labelsTr" / f"p_{index}.nii.gz", lesion(labels=(1, 2)))
    return folder


def spec_of(folder: Path, **changes: Any) -> DataSpec:
    """A spec of a folder."""
    return DataSpec.model_validate({"kind": "decathlon", "path": str(folder)} | changes)


@pytest.mark.parametrize("write", [decathlon, nnunet])
def test_both_layouts_give_the_same_case(tmp_path: Path, write: Any) -> None:
    """Modalities in order, every label but 0 as foreground."""
    listing = list_decathlon(spec_of(tmp_path), write(tmp_path))
    case = read_case(listing, listing.cases[0])
    assert listing.problems == ()
    assert np.array_equal(case.image, np.stack([scan(0), scan(5)]).astype(np.float32))
    assert np.array_equal(case.mask, lesion(labels=(1, 2)) > 0)
    assert channels_of(spec_of(tmp_path)) == 2


@pytest.mark.parametrize(("foreground", "labels"), [("whole", {1, 2}), ("core", {2}), ((2,), {2}), (None, {1, 2})])
def test_foreground_is_a_label_or_a_region(tmp_path: Path, foreground: object, labels: set[int]) -> None:
    """By its name in dataset.json, or by number; other known labels are background."""
    listing = list_decathlon(spec_of(tmp_path, foreground=foreground), nnunet(tmp_path))
    assert listing.labels.foreground == labels
    assert listing.labels.background == {0, 1, 2} - labels


def test_a_name_that_is_not_there_is_refused(tmp_path: Path) -> None:
    """The nearest one is suggested."""
    with pytest.raises(DataError, match=r"'hole' is no label or region of dataset\.json, did you mean 'whole'\?"):
        list_decathlon(spec_of(tmp_path, foreground="hole"), nnunet(tmp_path))


def test_voxels_to_be_ignored_are_refused(tmp_path: Path) -> None:
    """We cannot leave them out, so a person must say what they are."""
    folder = nnunet(tmp_path)
    save(folder / "labelsTr" / "p_1.nii.gz", lesion(labels=(1, 3)))
    with pytest.raises(DataError, match=r"labelsTr/p_1\.nii\.gz: label 3 is unknown"):
        prepare(spec_of(folder), None, tmp_path / "cache")
    assert prepare(spec_of(folder, background=(3,)), None, tmp_path / "cache").names == ("p_0", "p_1")


def test_missing_cases_are_told(tmp_path: Path) -> None:
    """A download that broke off between two files."""
    listing = list_decathlon(spec_of(tmp_path), decathlon(tmp_path, numTraining=3))
    assert listing.problems == (
        "dataset.json: numTraining is 3, and 2 whole cases are there; bring what is missing, or correct the number",
    )


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"channel_names": {"0": "CT", "2": "PET"}}, "KeyError: '1'"),
        ({"channel_names": None}, "must hold modality"),
        ({"labels": {"background": "x", "a": [1]}}, "ValueError"),
        ({"file_ending": ".nrrd"}, r"file_ending must be \.nii or \.nii\.gz, got '\.nrrd'"),
    ],
)
def test_a_bad_dataset_json_is_refused(tmp_path: Path, changes: dict[str, Any], message: str) -> None:
    """The message says what is due."""
    with pytest.raises(DataError, match=message):
        list_decathlon(spec_of(tmp_path), nnunet(tmp_path, **changes))


def test_a_missing_dataset_json_is_told(tmp_path: Path) -> None:
    """With its place; a spec without a path is told how to give one."""
    with pytest.raises(DataError, match=r"cannot read .*dataset\.json: No such file"):
        channels_of(spec_of(tmp_path))
    with pytest.raises(DataError, match="kind 'decathlon' needs its path"):
        channels_of(DataSpec(kind="decathlon"))


def test_the_hippocampus_is_read_whole(real_data: Path, tmp_path: Path) -> None:
    """260 cases in the Decathlon's layout, of mixed number formats, all at 1 mm; the anterior part by name."""
    folder = tmp_path / "Task04_Hippocampus"
    labels = {"0": "background", "1": "Anterior", "2": "Posterior"}
    write_dataset_json(folder, modality={"0": "MRI"}, labels=labels, numTraining=260)
    (folder / "imagesTr").symlink_to(real_data / "msd-hippocampus" / "images")
    (folder / "labelsTr").symlink_to(real_data / "msd-hippocampus" / "labels")
    dataset = prepare(spec_of(folder, foreground="Anterior"), None, tmp_path / "cache")
    assert len(dataset.names) == 260
    assert dataset.images()[0].shape == (1, 35, 51, 35)
    assert {fact.spacing for fact in dataset.case_facts()} == {(1, 1, 1)}
    assert np.mean([image.mean(dtype=float) for image in dataset.images()]) == pytest.approx(0, abs=1e-3)
    assert np.mean([mask.mean() for mask in dataset.masks()]) == pytest.approx(0.026, abs=0.005)
    assert near_duplicates(dataset) == []
