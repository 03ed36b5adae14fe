"""Batches in 2D: what a step is given, and what is scored."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from models.protocol import TrainingSpec
from models.training.batches import VALIDATION_BATCH, ImageBatches
from models.training.training_data import TrainingData

SPEC = TrainingSpec(size=8, batch=4)
EVERY = np.arange(40)
DATA = TrainingData(
    images=np.random.default_rng(0).integers(0, 256, (40, 3, 8, 8), dtype=np.uint8),
    masks=np.random.default_rng(1).integers(0, 2, (40, 1, 8, 8), dtype=np.uint8),
    train=EVERY[:10],
    validation=EVERY[10:],
    test=EVERY[:0],
)
CPU = torch.device("cpu")


@pytest.mark.parametrize("augmentation", ["none", "flips"])
def test_a_batch_is_a_function_of_seed_and_step(augmentation: str) -> None:
    """Whatever was drawn or scored before."""
    spec = SPEC.model_copy(update={"augmentation": augmentation})
    batches, again = (ImageBatches(spec, DATA, 0, CPU) for _ in range(2))
    for step in range(3):
        batches.batch(step)
    list(batches.predicted(lambda images: images[:, :1], EVERY))
    images, masks = (part.clone() for part in batches.batch(7))
    assert torch.equal(again.batch(7)[0], images)
    assert torch.equal(again.batch(7)[1], masks)
    assert not torch.equal(again.batch(8)[0], images)


def test_a_batch_holds_training_images_from_minus_one_to_one() -> None:
    """Bytes 0 and 255 are the ends; every image comes with its mask."""
    by_image = {DATA.images[case].tobytes(): case for case in range(40)}
    seen = set()
    for step in range(5):
        images, masks = ImageBatches(SPEC, DATA, 0, CPU).batch(step)
        assert images.dtype == masks.dtype == torch.float32
        for image, mask in zip(images, masks, strict=True):
            case = by_image[((image + 1) * 127.5).round().to(torch.uint8).numpy().tobytes()]
            seen.add(case)
            assert np.array_equal(mask.numpy(), DATA.masks[case])
    assert seen == set(range(10))


def test_all_cases_are_scored_in_their_order() -> None:
    """Some at a time, the last batch as small as it must be."""
    batches = ImageBatches(SPEC, DATA, 0, CPU)
    cases = EVERY[::-1].copy()
    predicted = batches.predicted(lambda images: images[:, :1], cases)
    pairs = [(logits.clone(), masks.clone()) for logits, masks in predicted]
    assert [len(logits) for logits, _ in pairs] == [VALIDATION_BATCH, 40 - VALIDATION_BATCH]
    logits, masks = (torch.cat(parts) for parts in zip(*pairs, strict=True))
    assert np.array_equal(((logits + 1) * 127.5).round().to(torch.uint8).numpy(), DATA.images[cases, :1])
    assert np.array_equal(masks.numpy(), DATA.masks[cases])
