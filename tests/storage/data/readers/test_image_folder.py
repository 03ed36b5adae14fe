"""A folder of images and masks: what is read, and what is refused by name."""

from __future__ import annotations

import io
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest
from PIL import Image
from pydantic import ValidationError

from storage.data.file_hashes import FILE_NAME
from storage.data.prepare import prepare
from storage.data.readers.image_folder import list_folder
from storage.data.readers.pictures import read_picture
from storage.data.source import BadCase
from storage.data.spec import DataSpec
from storage.errors import DataError

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

WIDTH, HEIGHT = 20, 14


def picture(seed: int = 0, *, height: int = HEIGHT, width: int = WIDTH) -> NDArray[np.uint8]:
    """A smooth picture of three channels."""
    y, x = np.mgrid[0:height, 0:width]
    return np.stack([10 * x, 10 * y, np.full_like(x, 40 + seed)], axis=-1).astype(np.uint8)


def left_half(value: int = 255, *, background: int = 0, height: int = HEIGHT, width: int = WIDTH) -> NDArray[np.uint8]:
    """A mask of one channel whose left half is foreground."""
    mask = np.full((height, width), background, dtype=np.uint8)
    mask[:, : width // 2] = value
    return mask


def save(path: Path, array: NDArray[np.uint8], **options: object) -> Path:
    """Write an array as an image of the format that the suffix says."""
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(array).save(path, **options)
    return path


def write_case(folder: Path, name: str, image: str = ".png", mask: str = ".png") -> None:
    """Write a case that is as it should be."""
    save(folder / "images" / f"{name}{image}", picture())
    save(folder / "masks" / f"{name}{mask}", left_half())


def good_folder(folder: Path, cases: int = 3) -> Path:
    """A folder with nothing wrong in it."""
    for index in range(cases):
        write_case(folder, f"good{index}")
    return folder


def jpeg_bytes() -> bytes:
    """A JPEG file of a picture."""
    buffer = io.BytesIO()
    Image.fromarray(picture(height=64, width=64)).save(buffer, "JPEG")
    return buffer.getvalue()


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


def test_pairs_match_by_name_and_are_sorted(tmp_path: Path) -> None:
    """An image and its mask share the name without suffix; other files are let be."""
    write_case(tmp_path, "b", ".jpg", ".png")
    write_case(tmp_path, "a", ".png", ".tif")
    (tmp_path / "images" / "Thumbs.db").write_bytes(b"x")
    (tmp_path / "masks" / "notes.txt").write_text("x")
    cases = list_folder(DataSpec(), tmp_path).cases
    found = [(case.name, case.images[0].name, case.mask.name) for case in cases]
    assert found == [("a", "a.png", "a.tif"), ("b", "b.jpg", "b.png")]


def test_a_jpeg_mask_is_cut_at_127(tmp_path: Path) -> None:
    """What JPEG smears around black and white stays background and foreground."""
    values = np.array([[0, 3, 8, 127, 128, 247, 250, 255]], dtype=np.uint8)
    mask = np.kron(values, np.ones((8, 8), dtype=np.uint8))  # whole 8 x 8 blocks survive JPEG as they are
    save(tmp_path / "images" / "case.png", picture(height=8, width=64))
    save(tmp_path / "masks" / "case.jpg", np.stack([mask] * 3, axis=-1), quality=100)
    _, found = only_case(tmp_path)
    assert found[4, 4::8].tolist() == [False, False, False, False, True, True, True, True]


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
    _, found = only_case(tmp_path)
    assert np.array_equal(found, left_half().astype(bool))


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
    ("suffix", "labels", "told"),
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
def test_labels_that_cannot_be_are_refused(tmp_path: Path, suffix: str, labels: NDArray[np.uint8], told: str) -> None:
    """Each with its file."""
    save(tmp_path / "images" / "case.png", picture())
    save(tmp_path / "masks" / f"case{suffix}", labels)
    with pytest.raises(DataError, match=told):
        prepare(DataSpec(path=str(tmp_path), foreground=(1, 2)), 16, tmp_path / "cache")


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"background": [2]}, "black and white unless foreground names some"),
        ({"foreground": "polyp"}, "may be a name where a dataset.json knows it"),
        ({"kind": "phantom", "foreground": [1]}, "hold no labels"),
        ({"modalities": {"a": "_a"}}, "modalities is for volumes"),
    ],
)
def test_a_spec_that_cannot_be_is_refused(changes: dict[str, object], told: str) -> None:
    """Before any file is looked at."""
    with pytest.raises(ValidationError, match=told):
        DataSpec.model_validate(changes)


def no_mask(folder: Path) -> None:
    """An image stands alone."""
    save(folder / "images" / "alone.png", picture())


def no_image(folder: Path) -> None:
    """A mask stands alone."""
    save(folder / "masks" / "alone.png", left_half())


def garbage_image(folder: Path) -> None:
    """A file with an image's name holds something else."""
    write_case(folder, "bad", ".jpg")
    (folder / "images" / "bad.jpg").write_bytes(b"this is no image" * 20)


def garbage_mask(folder: Path) -> None:
    """A file with a mask's name holds something else."""
    write_case(folder, "bad")
    (folder / "masks" / "bad.png").write_bytes(b"\x89PNG\r\n\x1a\n" + bytes(50))


def truncated_jpeg(folder: Path) -> None:
    """A download broke off."""
    write_case(folder, "bad", ".jpg")
    whole = jpeg_bytes()
    (folder / "images" / "bad.jpg").write_bytes(whole[: len(whole) * 2 // 3])
    save(folder / "masks" / "bad.png", left_half(height=64, width=64))


def zero_bytes(folder: Path) -> None:
    """A disk was full."""
    write_case(folder, "bad")
    (folder / "masks" / "bad.png").write_bytes(b"")


def other_size(folder: Path) -> None:
    """A mask was resized and its image was not."""
    write_case(folder, "bad")
    save(folder / "masks" / "bad.png", left_half(height=10, width=10))


def turned(folder: Path) -> None:
    """A mask lies on its side."""
    write_case(folder, "bad")
    save(folder / "masks" / "bad.png", left_half(height=WIDTH, width=HEIGHT))


def two_of_one_name(folder: Path) -> None:
    """Which of two files is meant is not known."""
    write_case(folder, "bad")
    save(folder / "images" / "bad.jpg", picture())


def labels(folder: Path) -> None:
    """A mask holds labels that are no foreground we know."""
    write_case(folder, "bad")
    save(folder / "masks" / "bad.png", left_half(60))


BAD = [
    (no_mask, "alone.png", "image without mask"),
    (no_image, "alone.png", "mask without image"),
    (garbage_image, "bad.jpg", "unreadable image in images/"),
    (garbage_mask, "bad.png", "unreadable image in masks/"),
    (truncated_jpeg, "bad.jpg", "unreadable image in images/"),
    (zero_bytes, "bad.png", "empty file in masks/"),
    (other_size, "bad.png", "mask is 10x10, its image 20x14"),
    (turned, "bad.png", "mask is 14x20, its image 20x14"),
    (two_of_one_name, "bad.", "has the same name"),
    (labels, "bad.png", "highest mask value is 60; foreground must be above 127"),
]


def leftovers(cache: Path) -> list[Path]:
    """What lies in the cache, beside the digests of files."""
    return [path for path in cache.rglob("*") if path.name != FILE_NAME] if cache.exists() else []


@pytest.mark.parametrize(("spoil", "file", "rule"), BAD, ids=lambda value: getattr(value, "__name__", None))
def test_a_bad_file_is_named_with_its_rule(tmp_path: Path, spoil: Callable[[Path], None], file: str, rule: str) -> None:
    """One bad file among good ones is refused by name, the good ones are not named, and the cache stays empty."""
    folder = good_folder(tmp_path / "data")
    spoil(folder)
    with pytest.raises(DataError) as caught:
        prepare(DataSpec(path=str(folder)), 8, tmp_path / "cache")
    message = str(caught.value)
    assert file in message
    assert rule in message
    assert str(folder) in message
    assert "good" not in message
    assert leftovers(tmp_path / "cache") == []


@pytest.mark.parametrize(
    ("folders", "message"),
    [
        ([], r"no folder images/ in .*data.*\(--data, \[data\] path\)"),
        (["images"], r"no folder masks/ in .*data"),
        (["images", "masks"], r"no images in .*images; expected files such as"),
    ],
)
def test_missing_and_empty_folders_are_refused(tmp_path: Path, folders: list[str], message: str) -> None:
    """The message says which folder is missing or empty, and what belongs there."""
    for name in folders:
        (tmp_path / "data" / name).mkdir(parents=True)
    with pytest.raises(DataError, match=message):
        prepare(DataSpec(path=str(tmp_path / "data")), 8, tmp_path / "cache")
    assert leftovers(tmp_path / "cache") == []


def test_a_dataset_without_a_path_is_refused(tmp_path: Path) -> None:
    """The message says how a path is given."""
    with pytest.raises(DataError, match=r"needs its path: --data DIR, or path in \[data\]"):
        prepare(DataSpec(), 8, tmp_path / "cache")


def test_all_problems_are_found_in_one_pass(tmp_path: Path) -> None:
    """A person mends a folder once: every problem is in the first message, of whatever kind."""
    folder = good_folder(tmp_path / "data")
    save(folder / "images" / "lonely-image.png", picture())
    save(folder / "masks" / "lonely-mask.png", left_half())
    for name in ("twice", "garbage", "empty", "small", "label"):
        write_case(folder, name)
    save(folder / "images" / "twice.jpg", picture())
    (folder / "images" / "garbage.png").write_bytes(b"no image")
    (folder / "images" / "empty.png").write_bytes(b"")
    save(folder / "masks" / "small.png", left_half(height=8, width=8))
    save(folder / "masks" / "label.png", left_half(60))
    with pytest.raises(DataError) as caught:
        prepare(DataSpec(path=str(folder)), 8, tmp_path / "cache")
    named = ("lonely-image", "lonely-mask", "twice", "garbage", "empty", "small", "label")
    assert [name for name in named if name not in str(caught.value)] == []


def test_bad_contents_are_found_in_one_pass(tmp_path: Path) -> None:
    """Reading goes on after a bad file, and both files of a case are looked at."""
    folder = good_folder(tmp_path / "data")
    for spoil, name in ((zero_bytes, "a"), (other_size, "b"), (labels, "c")):
        spoil(folder)
        for kind in ("images", "masks"):
            (folder / kind / "bad.png").rename(folder / kind / f"{name}.png")
    with pytest.raises(DataError, match=r"3 file\(s\) in .*\n  a\.png: .*\n  b\.png: .*\n  c\.png: "):
        prepare(DataSpec(path=str(folder)), 8, tmp_path / "cache")


def test_many_alike_are_one_line(tmp_path: Path) -> None:
    """Ten files with the same problem are named, the others counted."""
    for index in range(13):
        save(tmp_path / "images" / f"case{index:02d}.png", picture())
    (tmp_path / "masks").mkdir()
    with pytest.raises(
        DataError, match=r"13 file\(s\) in .*\n  image without mask: case00\.png, .*, case09\.png and 3 more$"
    ) as e:
        list_folder(DataSpec(), tmp_path)
    assert "case10" not in str(e.value)


def test_an_enormous_image_is_refused_by_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A picture beyond Pillow's limit is a problem of the folder, not a defect of ours."""
    folder = good_folder(tmp_path / "data", cases=1)
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 10)
    with pytest.raises(DataError, match=r"good0\.png: unreadable image"):
        prepare(DataSpec(path=str(folder)), 8, tmp_path / "cache")


def test_a_file_that_may_not_be_read_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The file system's reason is told, beside whatever else is wrong."""
    folder = good_folder(tmp_path / "data")
    (folder / "masks" / "good0.png").write_bytes(b"")
    barred = folder / "images" / "good1.png"
    read, look = Path.open, Image.open

    def refuse(path: Path) -> None:
        if path == barred:
            raise PermissionError(13, "Permission denied", str(path))

    monkeypatch.setattr(Path, "open", lambda path, *how: refuse(path) or read(path, *how))
    monkeypatch.setattr(Image, "open", lambda path: refuse(path) or look(path))
    with pytest.raises(DataError, match=r"(?s)2 file\(s\).*good0\.png: empty.*good1\.png: unreadable.*denied"):
        prepare(DataSpec(path=str(folder)), 8, tmp_path / "cache")
