"""Prepared datasets: arrays of one size, built once."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

import numpy as np
import pytest
from PIL import Image
from pydantic import ValidationError

from storage.data.dataset import Dataset
from storage.data.prepare import channels_of, prepare
from storage.data.readers.phantom import draw_phantom
from storage.data.spec import DataSpec

if TYPE_CHECKING:
    from pathlib import Path

SIZES = ((12, 20), (30, 9), (16, 16), (40, 33))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Four cases of four sizes; the upper half of each is foreground."""
    root = tmp_path / "data"
    for kind in ("images", "masks"):
        (root / kind).mkdir(parents=True)
    for index, (height, width) in enumerate(SIZES):
        colours = np.full((height, width, 3), (50, 100, 150 + index), dtype=np.uint8)
        mask = np.zeros((height, width), dtype=np.uint8)
        mask[: height // 2] = 255
        Image.fromarray(colours).save(root / "images" / f"case{index}.png")
        Image.fromarray(mask).save(root / "masks" / f"case{index}.png")
    return root


def spec_of(folder: Path) -> DataSpec:
    """A spec of a folder."""
    return DataSpec(path=str(folder))


def test_images_of_mixed_sizes_become_arrays_of_one(folder: Path, tmp_path: Path) -> None:
    """Images are uint8 (cases, channels, size, size), masks 0 and 1 (cases, 1, size, size), by name."""
    dataset = prepare(spec_of(folder), 8, tmp_path / "cache")
    images, masks = dataset.images(), dataset.masks()
    assert dataset.names == ("case0", "case1", "case2", "case3")
    assert (images.shape, images.dtype) == ((4, 3, 8, 8), np.uint8)
    assert (masks.shape, masks.dtype) == ((4, 1, 8, 8), np.uint8)
    assert images[:, :, 0, 0].tolist() == [[50, 100, 150 + index] for index in range(4)]
    assert masks[:, 0, :4].all()
    assert not masks[:, 0, 4:].any()


def test_an_image_is_averaged_by_area(tmp_path: Path) -> None:
    """A pixel is the mean of what it covers, and of a mask it is foreground from one half."""
    for kind in ("images", "masks"):
        (tmp_path / kind).mkdir()
    image = np.kron([[0, 100], [200, 40]], np.ones((8, 8))).astype(np.uint8)
    image[::2] += 10
    mask = np.zeros((16, 16), dtype=np.uint8)
    mask[:4, :8] = 255  # one half of the first quarter
    mask[:3, 8:] = 255  # less of the second
    Image.fromarray(np.stack([image] * 3, axis=-1)).save(tmp_path / "images" / "a.png")
    Image.fromarray(mask).save(tmp_path / "masks" / "a.png")
    # A side of 2 is smaller than any study's; it shows the average.
    dataset = prepare(spec_of(tmp_path), 2, tmp_path / "cache")
    assert dataset.images()[0, 0].tolist() == [[5, 105], [205, 45]]
    assert dataset.masks()[0, 0].tolist() == [[1, 0], [0, 0]]


def test_the_cache_is_used_again(folder: Path, tmp_path: Path) -> None:
    """A second call opens the arrays and writes nothing; another size is another entry."""
    first = prepare(spec_of(folder), 8, tmp_path / "cache")
    before = {path: path.stat().st_mtime_ns for path in first.folder.iterdir()}
    calls: list[tuple[int, int]] = []
    second = prepare(spec_of(folder), 8, tmp_path / "cache", lambda done, total: calls.append((done, total)))
    assert second == first == Dataset.open(first.folder)
    assert {path: path.stat().st_mtime_ns for path in second.folder.iterdir()} == before
    assert calls == []
    other = prepare(spec_of(folder), 16, tmp_path / "cache")
    assert other.folder != first.folder
    assert other.fingerprint == first.fingerprint
    assert {path for path in (tmp_path / "cache").iterdir() if path.is_dir()} == {first.folder, other.folder}


def test_what_cases_were_before_is_kept(folder: Path, tmp_path: Path) -> None:
    """Height, width and foreground share of every case, also of a dataset that is opened again."""
    prepare(spec_of(folder), 8, tmp_path / "cache")
    facts = prepare(spec_of(folder), 8, tmp_path / "cache").case_facts()
    assert tuple(fact.shape for fact in facts) == SIZES
    assert [fact.foreground for fact in facts] == pytest.approx([0.5, 0.5, 0.5, 0.5])


def test_progress_counts_every_case(folder: Path, tmp_path: Path) -> None:
    """It is told after each case."""
    calls: list[tuple[int, int]] = []
    prepare(spec_of(folder), 8, tmp_path / "cache", lambda done, total: calls.append((done, total)))
    assert calls == [(1, 4), (2, 4), (3, 4), (4, 4)]


def test_an_interrupted_preparation_goes_on(folder: Path, tmp_path: Path) -> None:
    """After Ctrl-C the next start reads only the cases that were not written, and gives the same arrays."""

    def interrupt(done: int, total: int) -> None:
        if done == total - 1:
            raise KeyboardInterrupt

    cache, calls = tmp_path / "cache", []
    with pytest.raises(KeyboardInterrupt):
        prepare(spec_of(folder), 8, cache, interrupt)
    assert not any((path / "dataset.json").exists() for path in cache.iterdir())
    resumed = prepare(spec_of(folder), 8, cache, lambda done, total: calls.append((done, total)))
    assert calls == [(4, 4)]
    whole = prepare(spec_of(folder), 8, tmp_path / "other")
    assert np.array_equal(resumed.images(), whole.images())
    assert np.array_equal(resumed.masks(), whole.masks())
    assert resumed.case_facts() == whole.case_facts()
    assert [path for path in cache.iterdir() if path.is_dir()] == [resumed.folder]


def test_the_fingerprint_is_of_names_and_contents(folder: Path, tmp_path: Path) -> None:
    """It stays when the folder moves; it changes with one pixel, and with a name."""
    cache = tmp_path / "cache"
    first = prepare(spec_of(folder), 8, cache).fingerprint
    moved = shutil.copytree(folder, tmp_path / "elsewhere" / "data2")
    assert prepare(spec_of(moved), 8, cache).fingerprint == first

    pixels = np.array(Image.open(moved / "images" / "case2.png"))
    pixels[0, 0, 0] += 1
    Image.fromarray(pixels).save(moved / "images" / "case2.png")
    changed = prepare(spec_of(moved), 8, cache)
    assert changed.fingerprint != first
    assert changed.images()[2, 0, 0, 0] >= 50

    renamed = shutil.copytree(folder, tmp_path / "renamed")
    for kind in ("images", "masks"):
        (renamed / kind / "case3.png").rename(renamed / kind / "case4.png")
    assert prepare(spec_of(renamed), 8, cache).fingerprint != first


def test_indices_find_cases_by_name(folder: Path, tmp_path: Path) -> None:
    """Positions come in the order of the names that were asked for."""
    dataset = prepare(spec_of(folder), 8, tmp_path / "cache")
    assert dataset.indices(["case2", "case0"]).tolist() == [2, 0]


def test_the_phantom_is_drawn_from_its_seed(tmp_path: Path) -> None:
    """The same seed draws the same cases, more cases begin with the same ones, another seed draws others."""
    few, many, other = (list(draw_phantom(n, seed)) for n, seed in ((3, 0), (5, 0), (3, 1)))
    for (name, image, mask), (name_again, image_again, mask_again) in zip(few, many, strict=False):
        assert name == name_again
        assert np.array_equal(image, image_again)
        assert np.array_equal(mask, mask_again)
        assert (image.shape, image.dtype, mask.dtype) == ((64, 64, 1), np.uint8, np.bool_)
        assert 0.01 < mask.mean() < 0.4
    assert not np.array_equal(few[0][1], other[0][1])

    spec = DataSpec(kind="phantom", phantom_cases=10)
    first, second = (prepare(spec, 16, tmp_path / name) for name in ("one", "two"))
    assert first.fingerprint == second.fingerprint
    assert np.array_equal(first.images(), second.images())
    assert first.images().shape == (10, 1, 16, 16)


@pytest.mark.parametrize("kind", ["folder", "phantom"])
def test_channels_are_known_beforehand(folder: Path, tmp_path: Path, kind: str) -> None:
    """What a spec promises is what preparing it gives."""
    spec = DataSpec.model_validate({"kind": kind, "path": str(folder), "phantom_cases": 10})
    dataset = prepare(spec, 16, tmp_path / "cache")
    assert channels_of(spec) == dataset.channels == dataset.images().shape[1]
    assert spec.dimensions == dataset.dimensions == 2


@pytest.mark.parametrize(
    "wrong",
    [
        {"split": (0.7, 0.2, 0.2)},
        {"split": (0.8, 0.2, 0.0)},
        {"kind": "zip"},
        {"phantom_cases": 3},
        {"seed": 1},
        {"group_pattern": "("},
        {"group_pattern": "^p", "groups": "groups.csv"},
        {"kind": "phantom", "groups": "groups.csv"},
        {"kind": "phantom", "foreground": (1,)},
        {"background": (2,)},
        {"spacing": (1, 1, 1)},
        {"kind": "volumes", "spacing": (1, 0, 1)},
        {"kind": "volumes", "foreground": ()},
        {"kind": "volumes", "foreground": (0, 1)},
        {"kind": "volumes", "foreground": (1,), "background": (1,)},
        {"kind": "volumes", "foreground": "liver"},
        {"kind": "volumes", "modalities": {"t1": "_t1", "t2": "_t1"}},
        {"kind": "volumes", "modalities": {}},
        {"kind": "decathlon", "modalities": {"t1": "_t1"}},
    ],
)
def test_a_data_spec_that_cannot_be_is_refused(wrong: dict[str, object]) -> None:
    """Shares add up to 1 with no part empty; kinds and keys are known ones; groups come from one place that exists."""
    with pytest.raises(ValidationError):
        DataSpec.model_validate(wrong)


@pytest.fixture(scope="module")
def kvasir(real_data: Path, tmp_path_factory: pytest.TempPathFactory) -> Dataset:
    """Kvasir-SEG at 32 x 32."""
    return prepare(spec_of(real_data / "kvasir-seg"), 32, tmp_path_factory.mktemp("cache"))


def test_kvasir_seg_is_read_as_it_ships(kvasir: Dataset) -> None:
    """1,000 cases, 15.4 % foreground on average."""
    assert len(kvasir.names) == 1000
    assert kvasir.images().shape == (1000, 3, 32, 32)
    assert kvasir.masks().mean() == pytest.approx(0.154, abs=0.002)
    assert set(np.unique(kvasir.masks())) == {0, 1}
