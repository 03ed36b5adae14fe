"""Which cases go into which batch."""

from __future__ import annotations

from collections import Counter

import numpy as np
import torch
from hypothesis import given
from hypothesis import strategies as st

from models.training.sampling import batch_cases, mirrored, turned

num_cases = st.integers(1, 40)
batches = st.integers(1, 50)
steps = st.integers(0, 30)
seeds = st.integers(0, 2**31)


@given(num_cases=num_cases, batch=batches, passes=st.integers(1, 4), seed=seeds)
def test_every_case_comes_once_a_pass(num_cases: int, batch: int, passes: int, seed: int) -> None:
    """The stream of batches is one shuffled pass over all cases after another, whatever the batch size."""
    length = num_cases * passes
    stream = np.concatenate([batch_cases(num_cases, batch, step, seed) for step in range(-(-length // batch))])
    for number in range(passes):
        one = stream[number * num_cases : (number + 1) * num_cases]
        assert sorted(one.tolist()) == list(range(num_cases))


@given(num_cases=num_cases, batch=batches, step=steps, seed=seeds)
def test_every_batch_is_full(num_cases: int, batch: int, step: int, seed: int) -> None:
    """A batch has its size though it is larger than the set; no case comes more often in it than it must."""
    cases = batch_cases(num_cases, batch, step, seed)
    assert cases.shape == (batch,)
    assert max(Counter(cases.tolist()).values()) <= -(-batch // num_cases) + 1


@given(num_cases=num_cases, batch=batches, step=steps, seed=seeds)
def test_a_batch_depends_on_its_arguments_alone(num_cases: int, batch: int, step: int, seed: int) -> None:
    """A resumed training draws what the undisturbed one drew, whatever was drawn before."""
    first = batch_cases(num_cases, batch, step, seed)
    np.random.default_rng(1).random(7)
    batch_cases(num_cases, batch, step + 1, seed)
    assert np.array_equal(first, batch_cases(num_cases, batch, step, seed))


def test_passes_and_seeds_differ() -> None:
    """The order is drawn anew for each pass and each seed."""
    one, two = batch_cases(40, 40, 0, 0), batch_cases(40, 40, 1, 0)
    assert not np.array_equal(one, two)
    assert not np.array_equal(one, batch_cases(40, 40, 0, 1))


@given(step=st.integers(0, 1000), seed=st.integers(0, 100))
def test_flips_turn_image_and_mask_alike(step: int, seed: int) -> None:
    """A mask that copies its image stays a copy; every case keeps its pixels; step and seed alone decide the draw."""
    images = torch.arange(3 * 16, dtype=torch.float32).reshape(3, 1, 4, 4)
    flipped, masks = turned(images, images.clone(), step, seed)
    assert torch.equal(flipped, masks)
    assert torch.equal(flipped.flatten(1).sort().values, images.flatten(1))
    assert torch.equal(flipped, turned(images, images, step, seed)[0])


def test_flips_draw_all_eight_symmetries() -> None:
    """Over some steps every symmetry of the square comes up."""
    image = torch.arange(16, dtype=torch.float32).reshape(1, 1, 4, 4)
    seen = {tuple(turned(image, image, step, 0)[0].flatten().tolist()) for step in range(200)}
    assert len(seen) == 8


@given(step=st.integers(0, 1000), seed=st.integers(0, 100))
def test_mirroring_keeps_the_sides(step: int, seed: int) -> None:
    """Patches that are no cubes keep their shape and voxels; image and mask are mirrored alike."""
    images = torch.arange(3 * 24, dtype=torch.float32).reshape(3, 1, 2, 3, 4)
    reflected, masks = mirrored(images, images.clone(), step, seed)
    assert torch.equal(reflected, masks)
    assert reflected.shape == images.shape
    assert torch.equal(reflected.flatten(1).sort().values, images.flatten(1))
    assert torch.equal(reflected, mirrored(images, images, step, seed)[0])


def test_mirroring_draws_all_eight_reflections() -> None:
    """Over some steps every combination of axes comes up."""
    image = torch.arange(24, dtype=torch.float32).reshape(1, 1, 2, 3, 4)
    seen = {tuple(mirrored(image, image, step, 0)[0].flatten().tolist()) for step in range(200)}
    assert len(seen) == 8
