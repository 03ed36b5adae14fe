"""Pictures in the format of nnU-Net v2: what is read, and what is refused by name."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from PIL import Image

from storage.data.prepare import channels_of, prepare
from storage.data.readers.nnunet import list_nnunet_2d
from storage.data.readers.pictures import read_picture
from storage.data.spec import DataSpec
from storage.errors import DataError
from tests.helpers.volume_makers import write_dataset_json

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

FUNDUS: dict[str, Any] = {
    "channel_names": {"0": "R", "1": "G", "2": "B"},
    "labels": {"background": 0, "disc": [1, 2], "cup": 2, "ignore": 3},
    "numTraining": 3,
    "file_ending": ".png",
}
GREY = {"channel_names": {"0": "ultrasound"}}


def pixels(index: int, channels: int) -> NDArray[np.uint8]:
    """A picture of noise, 24 pixels wide and 18 high."""
    return np.random.default_rng(index).integers(0, 255, (18, 24, channels), dtype=np.uint8).squeeze()


def labels() -> NDArray[np.uint8]:
    """A cup in a disc."""
    mask = np.zeros((18, 24), dtype=np.uint8)
    mask[3:15, 5:20] = 1
    mask[6:10, 8:14] = 2
    return mask


def save(path: Path, values: NDArray[np.uint8]) -> None:
    """Write a picture."""
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(values).save(path)


def nnunet(folder: Path, channels: int = 3, **changes: Any) -> Path:
    """Three cases with nothing wrong in them."""
    write_dataset_json(folder, **FUNDUS | changes)
    for index in range(3):
        save(folder / "imagesTr" / f"eye_{index}_0000.png", pixels(index, channels))
        save(folder / "labelsTr" / f"eye_{index}.png", labels())
    return folder


def spec_of(folder: Path, **changes: Any) -> DataSpec:
    """A spec of a folder."""
    return DataSpec.model_validate({"kind": "nnunet_2d", "path": str(folder)} | changes)


@pytest.mark.parametrize(("channels", "changes"), [(3, {}), (1, GREY)])
@pytest.mark.parametrize(("foreground", "wanted"), [(None, [1, 2]), ("disc", [1, 2]), ("cup", [2]), ([1], [1])])
def test_colours_and_grey_are_read(
    tmp_path: Path, channels: int, changes: dict[str, Any], foreground: object, wanted: list[int]
) -> None:
    """As many channels as dataset.json names; foreground is a label, a region, or every label but 0."""
    spec = spec_of(nnunet(tmp_path, channels, **changes), foreground=foreground)
    listing = list_nnunet_2d(spec, tmp_path)
    image, mask = read_picture(listing, listing.cases[1])
    assert [case.name for case in listing.cases] == ["eye_0", "eye_1", "eye_2"]
    assert np.array_equal(image, pixels(1, channels).reshape(18, 24, channels))
    assert np.array_equal(mask, np.isin(labels(), wanted))
    assert channels_of(spec) == channels
    dataset = prepare(spec, 16, tmp_path / "cache")
    assert dataset.images().shape == (3, channels, 16, 16)
    assert (dataset.dimensions, dataset.channels) == (2, channels)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"channel_names": {"0": "a", "1": "b"}}, r"must name 1 channel \(grey\) or 3 \(RGB\) .*got 2: a, b"),
        (
            {"file_ending": ".nii.gz"},
            r"file_ending must be .* or \.bmp, got '\.nii\.gz'.*of kind 'decathlon'",
        ),
        ({"labels": None}, "must hold modality"),
        (GREY, r"eye_0_0000\.png: colours \(mode RGB\) where one grey channel is due"),
        ({"numTraining": 4}, "numTraining is 4, and 3 whole cases are there"),
        ({"labels": {"background": 0, "disc": 1}}, r"eye_0\.png: label 2 is unknown \(known: 0, 1\)"),
    ],
)
def test_what_does_not_fit_is_refused(tmp_path: Path, changes: dict[str, Any], message: str) -> None:
    """The message says what is due, before anything is written."""
    with pytest.raises(DataError, match=message):
        prepare(spec_of(nnunet(tmp_path, **changes)), 16, tmp_path / "cache")


def test_what_is_left_over_is_named(tmp_path: Path) -> None:
    """A second file of channels, an image and a mask alone, all in one pass with a bad file."""
    folder = nnunet(tmp_path, numTraining=4)
    save(folder / "imagesTr" / "eye_0_0001.png", pixels(0, 1))
    save(folder / "labelsTr" / "eye_9.png", labels())
    (folder / "imagesTr" / "eye_2_0000.png").write_bytes(b"")
    with pytest.raises(DataError) as caught:
        prepare(spec_of(folder), 16, tmp_path / "cache")
    for message in (
        "imagesTr/eye_0_0001.png: image without mask",
        "labelsTr/eye_9.png: mask without image",
        "eye_2_0000.png: empty file in imagesTr/",
        "numTraining is 4",
    ):
        assert message in str(caught.value)


def test_voxels_are_told_from_pixels(tmp_path: Path) -> None:
    """Who takes the kind of volumes is told the kind of pictures."""
    with pytest.raises(DataError, match=r"got '\.png' in dataset\.json; pictures are of kind 'nnunet_2d'"):
        prepare(spec_of(nnunet(tmp_path), kind="decathlon"), None, tmp_path / "cache")
