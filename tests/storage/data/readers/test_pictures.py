"""Pictures and their masks: which formats and values are read, and what is refused by name."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest
from PIL import Image

from storage.data.prepare import prepare
from storage.data.readers.image_folder import list_folder
from storage.data.readers.pictures import read_picture
from storage.data.source import BadCase
from storage.data.spec import DataSpec
from storage.errors import DataError
from tests.helpers.picture_makers import HEIGHT, WIDTH, left_half, picture, save, write_case

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray


def only_case(folder: Path, **changes: object) -> tuple[NDArray[np.uint8], NDArray[np.bool_]]:
    """Image and mask of a folder with one case."""
    listing = list_folder(DataSpec.model_validate(changes), folder)
    (case,) = listing.cases
    return read_picture(listing, case)


@pytest.mark.parametrize("suffix", [".png", ".jpg", ".jpeg", ".bmp", ".tif", ".tiff", ".PNG", ".JPG"])
def test_every_format_is_read(tmp_path: Path, suffix: str) -> None:
    """PNG, JPEG, BMP and TIFF are images and masks, whatever the case of the suffix."""
    write_case(tmp_path, "case", suffix, suffix)
    image, mask = only_case(tmp_path)
    assert (image.shape, image.dtype) == ((HEIGHT, WIDTH, 3), np.uint8)
    assert (mask.shape, mask.dtype) == ((HEIGHT, WIDTH), np.bool_)
    assert mask.mean() == pytest.approx(0.5, abs=0.05)


def test_a_jpeg_mask_is_cut_at_127(tmp_path: Path) -> None:
    """What JPEG smears around black and white stays background and foreground."""
    values = np.array([[0, 3, 8, 127, 128, 247, 250, 255]], dtype=np.uint8)
    mask = np.kron(values, np.ones((8, 8), dtype=np.uint8))  # whole 8 x 8 blocks survive JPEG as they are
    save(tmp_path / "images" / "case.png", picture(height=8, width=64))
    save(tmp_path / "masks" / "case.jpg", np.stack([mask] * 3, axis=-1), quality=100)
    _, foreground = only_case(tmp_path)
    assert foreground[4, 4::8].tolist() == [False, False, False, False, True, True, True, True]


def test_a_jpeg_mask_of_noise_alone_is_background(tmp_path: Path) -> None:
    """A case without foreground is a case, though JPEG noise reaches 8 in its mask."""
    noise = np.random.default_rng(0).integers(0, 9, (HEIGHT, WIDTH), dtype=np.uint8)
    save(tmp_path / "images" / "case.png", picture())
    save(tmp_path / "masks" / "case.jpg", noise, quality=100)
    _, mask = only_case(tmp_path)
    assert not mask.any()


@pytest.mark.parametrize(("value", "mode"), [(1, "L"), (255, "L"), (1, "1"), (1, "P")])
@pytest.mark.parametrize("suffix", [".png", ".tif", ".bmp"])
def test_a_lossless_mask_may_hold_0_and_1(tmp_path: Path, value: int, mode: str, suffix: str) -> None:
    """Masks of 0/1, 0/255, one bit, and indexed black and white mean the same."""
    save(tmp_path / "images" / "case.png", picture())
    mask = Image.fromarray(left_half(value))
    if mode == "1":
        mask = mask.point([0, 255] + [255] * 254, "1")
    if mode == "P":
        mask.putpalette([0, 0, 0] + [255] * 765)
    (tmp_path / "masks").mkdir()
    mask.save(tmp_path / "masks" / f"case{suffix}")
    _, foreground = only_case(tmp_path)
    assert np.array_equal(foreground, left_half().astype(bool))


def test_a_deep_image_is_scaled_or_refused(tmp_path: Path) -> None:
    """An image of 16 bits is not cut off at 255, which would leave a white picture: it is scaled, or refused."""
    deep = np.linspace(1000, 60000, HEIGHT * WIDTH).reshape(HEIGHT, WIDTH).astype(np.uint16)
    (tmp_path / "images").mkdir()
    Image.fromarray(deep).save(tmp_path / "images" / "deep.png")
    save(tmp_path / "masks" / "deep.png", left_half())
    try:
        image, _ = only_case(tmp_path)
    except BadCase as error:
        assert "deep.png" in str(error)  # noqa: PT017 - either answer is right
    else:
        assert len(np.unique(image)) > 100


def three_labels() -> NDArray[np.uint8]:
    """A mask of the labels 0, 1, 2 and 7 in columns."""
    return np.repeat(np.array([[0, 1, 2, 7]], dtype=np.uint8), HEIGHT, axis=0).repeat(WIDTH // 4, axis=1)


def write_labels(path: Path, mode: str, labels: NDArray[np.uint8]) -> None:
    """A mask of labels as programs save them."""
    path.parent.mkdir(parents=True, exist_ok=True)
    mask = Image.fromarray(labels.astype(np.uint16) if mode == "I;16" else labels)
    if mode == "P":
        mask.putpalette(np.random.default_rng(0).integers(0, 256, 768, dtype=np.uint8).tobytes())
    (mask.convert("RGB") if mode == "RGB" else mask).save(path)


@pytest.mark.parametrize("mode", ["L", "P", "I;16", "RGB"])
@pytest.mark.parametrize(("foreground", "background"), [((1,), (2, 7)), ((1, 2), (7,)), ((7,), (1, 2))])
def test_a_mask_may_hold_labels(tmp_path: Path, mode: str, foreground: tuple[int], background: tuple[int]) -> None:
    """Grey, indexed (whatever its colours), of 16 bits, or grey saved as RGB: what the spec names is foreground."""
    save(tmp_path / "images" / "case.png", picture())
    write_labels(tmp_path / "masks" / "case.png", mode, three_labels())
    _, mask = only_case(tmp_path, foreground=foreground, background=background)
    assert np.array_equal(mask, np.isin(three_labels(), foreground))


def test_other_labels_prepare_anew(tmp_path: Path) -> None:
    """The same files under another foreground are other arrays."""
    save(tmp_path / "data" / "images" / "case.png", picture())
    write_labels(tmp_path / "data" / "masks" / "case.png", "L", three_labels())
    shares = []
    for foreground, background in (([1], [2, 7]), ([1, 2], [7])):
        labels = {"foreground": foreground, "background": background}
        spec = DataSpec.model_validate({"path": str(tmp_path / "data")} | labels)
        shares.append(prepare(spec, 16, tmp_path / "cache").masks().mean())
    assert shares == [pytest.approx(0.25, abs=0.05), pytest.approx(0.5, abs=0.05)]


@pytest.mark.parametrize(
    ("suffix", "labels", "message"),
    [
        (
            ".png",
            three_labels(),
            r"case\.png: label 7 is unknown \(known: 0, 1, 2\); name it in foreground or background",
        ),
        (".png", picture(), r"case\.png: labels must be in one channel of whole numbers, got mode RGB"),
        (".png", np.stack([three_labels()] * 2, axis=-1), r"case\.png: labels must be in one channel .*, got mode LA"),
        (".tif", three_labels().astype(np.float32), r"case\.tif: labels must be in one channel .*, got mode F"),
        (".tif", three_labels().astype(np.int32) - 1, r"case\.tif: labels must be 0\.\.65535, got -1 to 6"),
        (".jpg", three_labels(), r"case\.jpg: JPEG changes labels"),
    ],
)
def test_labels_that_cannot_be_are_refused(
    tmp_path: Path, suffix: str, labels: NDArray[np.uint8], message: str
) -> None:
    """Each with its file."""
    save(tmp_path / "images" / "case.png", picture())
    save(tmp_path / "masks" / f"case{suffix}", labels)
    with pytest.raises(DataError, match=message):
        prepare(DataSpec(path=str(tmp_path), foreground=(1, 2)), 16, tmp_path / "cache")
