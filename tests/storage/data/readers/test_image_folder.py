"""A folder of images and masks: what is read, and what is refused by name."""

from __future__ import annotations

import io
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from PIL import Image
from pydantic import ValidationError

from storage.data.file_hashes import FILE_NAME
from storage.data.prepare import prepare
from storage.data.readers.image_folder import list_folder
from storage.data.spec import DataSpec
from storage.errors import DataError
from tests.helpers.picture_makers import HEIGHT, WIDTH, good_folder, left_half, picture, save, write_case

if TYPE_CHECKING:
    from collections.abc import Callable


def test_pairs_match_by_name_and_are_sorted(tmp_path: Path) -> None:
    """An image and its mask share the name without suffix; other files are let be."""
    write_case(tmp_path, "b", ".jpg", ".png")
    write_case(tmp_path, "a", ".png", ".tif")
    (tmp_path / "images" / "Thumbs.db").write_bytes(b"x")
    (tmp_path / "masks" / "notes.txt").write_text("x")
    cases = list_folder(DataSpec(), tmp_path).cases
    names = [(case.name, case.images[0].name, case.mask.name) for case in cases]
    assert names == [("a", "a.png", "a.tif"), ("b", "b.jpg", "b.png")]


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"background": [2]}, "black and white unless foreground names some"),
        ({"foreground": "polyp"}, "may be a name where a dataset.json knows it"),
        ({"kind": "phantom", "foreground": [1]}, "hold no labels"),
        ({"modalities": {"a": "_a"}}, "modalities is for volumes"),
    ],
)
def test_a_spec_that_cannot_be_is_refused(changes: dict[str, object], message: str) -> None:
    """Before any file is looked at."""
    with pytest.raises(ValidationError, match=message):
        DataSpec.model_validate(changes)


def jpeg_bytes() -> bytes:
    """A JPEG file of a picture."""
    buffer = io.BytesIO()
    Image.fromarray(picture(height=64, width=64)).save(buffer, "JPEG")
    return buffer.getvalue()


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
    """What lies in the cache, beside the hashes of files."""
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
    ) as caught:
        list_folder(DataSpec(), tmp_path)
    assert "case10" not in str(caught.value)


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
