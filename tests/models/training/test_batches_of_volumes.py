"""Batches in 3D: what a step is given, and what a whole volume is scored by."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from models.networks.architectures import build_network
from models.protocol import TrainingSpec
from models.training.batches import VolumeBatches, sliding_logits
from models.training.training_data import TrainingData

SPEC = TrainingSpec(patch=(8, 12, 8), batch=4, channels=4, residual_units=1)
CPU = torch.device("cpu")


def volumes(*shapes: tuple[int, int, int]) -> TrainingData:
    """Volumes of noise, positive everywhere; the mask is where the first channel exceeds 0.9."""
    rng = np.random.default_rng(0)
    images = [rng.uniform(0.1, 1.0, (2, *shape)).astype(np.float16) for shape in shapes]
    masks = [(image[:1] > 0.9).astype(np.uint8) for image in images]
    every = np.arange(len(shapes))
    foreground = [np.argwhere(mask[0]).astype(np.int32) for mask in masks]
    return TrainingData(images, masks, every, every, every, foreground)


DATA = volumes((10, 14, 9), (7, 20, 8), (8, 12, 8))


@pytest.mark.parametrize("augmentation", ["none", "flips"])
def test_a_batch_is_a_function_of_seed_and_step(augmentation: str) -> None:
    """Whatever was drawn before; other steps and seeds give other patches."""
    spec = SPEC.model_copy(update={"augmentation": augmentation})
    batches, again, other = (VolumeBatches(spec, DATA, seed, CPU) for seed in (0, 0, 1))
    for step in range(3):
        batches.batch(step)
    images, masks = (part.clone() for part in again.batch(7))
    assert torch.equal(batches.batch(7)[0], images)
    assert torch.equal(batches.batch(7)[1], masks)
    assert not torch.equal(batches.batch(8)[0], images)
    assert not torch.equal(other.batch(7)[0], images)


@pytest.mark.parametrize("augmentation", ["none", "flips"])
def test_image_and_mask_of_a_patch_belong_together(augmentation: str) -> None:
    """Patches have the batch's shape; their masks are where the image says, and there is nothing in the padding."""
    batches = VolumeBatches(SPEC.model_copy(update={"augmentation": augmentation}), DATA, 0, CPU)
    for step in range(5):
        images, masks = batches.batch(step)
        assert images.shape == (4, 2, 8, 12, 8)
        assert masks.shape == (4, 1, 8, 12, 8)
        assert images.dtype == masks.dtype == torch.float32
        assert torch.equal((images[:, :1] > torch.tensor(0.9, dtype=torch.float16)).float(), masks)


def test_every_case_gives_a_patch_a_pass() -> None:
    """Volumes that are told apart by their values come in turn."""
    data = volumes((9, 13, 9), (9, 13, 9), (9, 13, 9), (9, 13, 9))
    for number, image in enumerate(data.images):
        image[:] = number
    images, _ = VolumeBatches(SPEC, data, 0, CPU).batch(0)
    assert sorted(images[:, 0, 4, 6, 4].tolist()) == [0, 1, 2, 3]


def test_one_window_is_the_whole_volume() -> None:
    """Where a window covers the volume, its logits are those of a plain forward pass."""
    model = build_network(SPEC, 3, 2).eval()
    image = torch.from_numpy(np.array(DATA.images[2]))[None].float()
    with torch.inference_mode():
        torch.testing.assert_close(sliding_logits(SPEC, model, image), model(image))


@pytest.mark.parametrize("overlap", [0.0, 0.25, 0.5])
def test_windows_are_put_together_again(overlap: float) -> None:
    """A function of single voxels gives over windows what it gives over the volume, larger than the patch or not."""
    spec = SPEC.model_copy(update={"overlap": overlap})
    for array in DATA.images:
        image = torch.from_numpy(np.array(array))[None].float()
        logits = sliding_logits(spec, lambda windows: windows[:, :1] - 3 * windows[:, 1:], image)
        torch.testing.assert_close(logits, image[:, :1] - 3 * image[:, 1:])


def test_windows_come_in_batches() -> None:
    """At most as many at once as a training step has patches, each of the patch's size."""
    seen: list[tuple[int, ...]] = []

    def forward(windows: torch.Tensor) -> torch.Tensor:
        seen.append(tuple(windows.shape))
        return windows[:, :1].clone()

    sliding_logits(SPEC, forward, torch.ones(1, 2, 16, 24, 16))
    assert {shape[1:] for shape in seen} == {(2, 8, 12, 8)}
    assert max(shape[0] for shape in seen) == 4
    assert sum(shape[0] for shape in seen) == 27


def test_whole_cases_come_in_their_order() -> None:
    """Each in its own size, with its mask."""
    batches = VolumeBatches(SPEC, DATA, 0, CPU)
    cases = np.array([2, 0, 1])
    pairs = list(batches.predicted(lambda windows: windows[:, :1].clone(), cases))
    for case, (logits, masks) in zip(cases, pairs, strict=True):
        assert logits.shape == masks.shape == (1, *DATA.masks[case].shape)
        torch.testing.assert_close(logits[0].numpy(), DATA.images[case][:1].astype(np.float32), rtol=1e-6, atol=1e-6)
        assert np.array_equal(masks[0].numpy(), DATA.masks[case])
