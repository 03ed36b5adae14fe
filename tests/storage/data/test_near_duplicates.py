"""Near-duplicates: which pairs are found, which are not, and what the search costs."""

from __future__ import annotations

import io
from time import perf_counter
from typing import TYPE_CHECKING

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from storage.data import near_duplicates as module
from storage.data.near_duplicates import NearDuplicate, across_split, near_duplicates, similar_pairs, thumbnails
from storage.data.prepare import prepare
from storage.data.preprocessing.thumbnails import shrink
from storage.data.spec import DataSpec

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from numpy.typing import NDArray

THREE_COPIES = {
    ("cju30bmab08bi0835mvlr6e0r", "cju77k828z46w0871r0avuoo9"),
    ("cju76lsehyia10987u54vn8rb", "cju772304yw5t0818vbw8kkjf"),
    ("cju886ryxnsl50801r93jai7q", "cju8amfdtqi4x09871tygrgqe"),
}
SAME_SCENE = {
    ("cju5fydrud94708507vo6oy21", "cju7avvi51iox0817ym55y6tt"),
    ("cju1hhj6mxfp90835n3wofrap", "cju3x9lttikfb0818a0g104zn"),
}


def pictures(num_cases: int, seed: int = 0, side: int = 96) -> NDArray[np.uint8]:
    """Smooth pictures under one vignette, three channels."""
    rng = np.random.default_rng(seed)
    coarse = rng.integers(40, 216, (num_cases, 8, 8, 3), dtype=np.uint8)
    at = np.linspace(-1, 1, side)
    vignette = np.clip(1.3 - np.hypot(at[:, None], at), 0, 1)[..., None]
    smooth = (np.asarray(Image.fromarray(image).resize((side, side), Image.Resampling.BICUBIC)) for image in coarse)
    return np.stack([np.moveaxis((image * vignette).astype(np.uint8), 2, 0) for image in smooth])


def through_jpeg(image: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """The picture as JPEG of low quality."""
    buffer = io.BytesIO()
    Image.fromarray(np.moveaxis(image, 0, 2)).save(buffer, "JPEG", quality=30)
    return np.moveaxis(np.asarray(Image.open(buffer)), 2, 0)


def relit(image: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """The picture with less contrast, and brighter."""
    return (0.6 * image + 50).astype(np.uint8)


def shifted(image: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """The picture one pixel to the right."""
    return np.roll(image, 1, axis=2)


def pairs_in(images: NDArray[np.uint8]) -> set[tuple[int, int]]:
    """Positions of the pairs that are found."""
    return {(i, j) for i, j, _ in similar_pairs(thumbnails(images), module.THRESHOLD)}


@pytest.mark.parametrize("change", [np.copy, through_jpeg, relit, shifted])
def test_a_copy_is_found(change: Callable[[NDArray[np.uint8]], NDArray[np.uint8]]) -> None:
    """The same picture re-encoded, relit or a pixel away is found, and nothing else is."""
    images = pictures(30)
    images[20] = change(images[4])
    assert pairs_in(images) == {(4, 20)}


def test_what_all_images_share_makes_no_duplicates() -> None:
    """Pictures that differ a little under one strong vignette are told apart."""
    images = pictures(60)
    images = (0.15 * images + 0.85 * images.mean(axis=0)).astype(np.uint8)
    assert pairs_in(images) == set()


def test_a_flipped_copy_is_not_looked_for() -> None:
    """The module says so; a test that fails means that its docstring must change."""
    images = pictures(30)
    images[20] = images[4][:, :, ::-1]
    assert pairs_in(images) == set()


def test_images_without_contrast_are_not_compared() -> None:
    """Empty pictures are no pair, and raise no warning of numpy."""
    images = pictures(12)
    images[3] = images[5] = 0
    images[7] = 255
    assert pairs_in(images) == set()
    assert pairs_in(np.zeros((4, 1, 20, 20), dtype=np.uint8)) == set()


@pytest.mark.parametrize("side", [8, 16, 20, 31, 64])
def test_a_thumbnail_averages_by_area(side: int) -> None:
    """Every size gives 16 x 16, of which the mean is that of the picture; volumes shrink along all three axes."""
    rng = np.random.default_rng(side)
    images = rng.integers(0, 256, (3, 2, side, side), dtype=np.uint8)
    small = shrink(images)
    assert small.shape == (3, 256)
    assert small.mean(axis=1) == pytest.approx(images.mean(axis=(1, 2, 3)), rel=1e-5)
    ramp = np.broadcast_to(np.arange(64, dtype=np.uint8)[:, None], (1, 1, 64, 64))
    assert shrink(ramp).reshape(16, 16)[:, 0] == pytest.approx(4 * np.arange(16) + 1.5)
    assert shrink(images[:, :, None].repeat(5, axis=2)).shape == (3, 4096)


@given(num_cases=st.integers(2, 40), block=st.integers(1, 50), threshold=st.floats(-0.9, 0.9))
def test_blocks_find_what_one_matrix_would(num_cases: int, block: int, threshold: float) -> None:
    """Every pair once, the earlier case first, the most similar pair first."""
    vectors = np.random.default_rng(num_cases).standard_normal((num_cases, 5)).astype(np.float32)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    before = module.BLOCK
    module.BLOCK = block
    try:
        pairs = similar_pairs(vectors, threshold)
    finally:
        module.BLOCK = before
    products = (vectors.astype(float) @ vectors.T.astype(float)).round(5)
    expected = {(i, j) for i in range(num_cases) for j in range(i + 1, num_cases) if products[i, j] > threshold + 1e-4}
    possible = {(i, j) for i in range(num_cases) for j in range(i + 1, num_cases) if products[i, j] > threshold - 1e-4}
    assert expected <= {(i, j) for i, j, _ in pairs} <= possible
    assert len({(i, j) for i, j, _ in pairs}) == len(pairs)
    assert [value for _, _, value in pairs] == sorted((value for _, _, value in pairs), reverse=True)


def test_the_most_similar_pairs_are_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    """A dataset of one picture does not fill the memory."""
    monkeypatch.setattr(module, "MOST_PAIRS", 7)
    monkeypatch.setattr(module, "BLOCK", 10)
    angles = np.random.default_rng(0).uniform(0, 1.5, 25)
    vectors = np.stack([np.cos(angles), np.sin(angles)], axis=1).astype(np.float32)
    products = (vectors @ vectors.T)[np.triu_indices(25, 1)]
    assert [value for _, _, value in similar_pairs(vectors, 0.0)] == pytest.approx(np.sort(products)[::-1][:7])


def test_ten_thousand_cases_take_seconds() -> None:
    """The search itself, on thumbnails of 10,000 cases; a second on two cores."""
    vectors = np.random.default_rng(0).standard_normal((10_000, 256)).astype(np.float32)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    vectors[9_999] = vectors[17]
    began = perf_counter()
    assert [(i, j) for i, j, _ in similar_pairs(vectors, 0.95)] == [(17, 9_999)]
    assert perf_counter() - began < 30  # a busy machine


def test_pairs_on_one_side_are_no_matter() -> None:
    """Only those whose cases stand in different parts of the split remain."""
    within, across = NearDuplicate("a", "b", 1.0), NearDuplicate("b", "c", 0.99)
    assert across_split([within, across], {"train": ["a", "b"], "validation": [], "test": ["c"]}) == [across]


def test_the_phantom_has_no_near_duplicates(tmp_path: Path) -> None:
    """Drawn cases are drawn apart."""
    dataset = prepare(DataSpec(kind="phantom", phantom_cases=300), 32, tmp_path)
    assert near_duplicates(dataset) == []


@pytest.mark.parametrize("size", [32, 64])
def test_the_known_pairs_of_kvasir_seg_are_found(real_data: Path, tmp_path: Path, size: int) -> None:
    """Its three copies come first, then two scenes taken twice, and nothing false."""
    dataset = prepare(DataSpec(path=str(real_data / "kvasir-seg")), size, tmp_path)
    pairs = near_duplicates(dataset)
    assert {(pair.first, pair.second) for pair in pairs[:3]} == THREE_COPIES
    assert {(pair.first, pair.second) for pair in pairs[3:]} == SAME_SCENE
    assert [pair.similarity for pair in pairs] == pytest.approx([1, 1, 1, 0.994, 0.959], abs=0.003)
