"""The training loops that the speed benchmarks compare: ours, a bare one, and the one that MONAI's tutorials teach."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

import torch
from monai.data import CacheDataset, DataLoader, Dataset
from torch.nn.functional import binary_cross_entropy_with_logits

from models.networks.architectures import build_network
from models.training.training import Training
from tests.benchmarks.rounds import DEVICE

if TYPE_CHECKING:
    from collections.abc import Sequence

    from monai.transforms import Compose

    from models.protocol import TrainingSpec
    from models.training.training_data import TrainingData
    from tests.benchmarks.rounds import Contender

WORKERS = (0, 2)


def ours(spec: TrainingSpec, depth: int, data: TrainingData) -> Contender:
    """A period of a real training: all that `advance` does but the validation, which the rivals do not have."""
    training = Training(spec, depth, 0, data, DEVICE)

    def run() -> float:
        started = time.perf_counter()
        point = training.advance()
        return time.perf_counter() - started - point.val_seconds

    return run


def bare(
    spec: TrainingSpec, depth: int, channels: int, batches: Sequence[tuple[torch.Tensor, torch.Tensor]]
) -> Contender:
    """As fast as a loop can be: batches cut, converted and on the device beforehand; no shuffling, no validation."""
    model, optimiser = _model_and_optimiser(spec, depth, channels)

    def run() -> float:
        started = time.perf_counter()
        loss = torch.zeros(())
        for inputs, labels in batches:
            optimiser.zero_grad(set_to_none=True)
            loss = binary_cross_entropy_with_logits(model(inputs), labels)
            torch.autograd.backward(loss)
            optimiser.step()
        loss.item()  # a GPU has to finish
        return time.perf_counter() - started

    return run


def monai_loops(
    spec: TrainingSpec, depth: int, channels: int, files: Sequence[dict[str, str]], transforms: Compose
) -> dict[str, Contender]:
    """Dataset and CacheDataset, each read in the training process and by two workers."""
    datasets = {
        "Dataset": Dataset(files, transforms),
        "CacheDataset": CacheDataset(files, transforms, progress=False),
    }
    return {
        f"{name}, num_workers={workers}": _monai_loop(spec, depth, channels, dataset, workers)
        for name, dataset in datasets.items()
        for workers in WORKERS
    }


def _monai_loop(spec: TrainingSpec, depth: int, channels: int, dataset: Any, workers: int) -> Contender:
    """An epoch as MONAI's tutorials write it; but workers stay from epoch to epoch, which is faster than theirs."""
    loader = DataLoader(
        dataset,
        batch_size=spec.batch,
        shuffle=True,
        drop_last=True,
        num_workers=workers,
        persistent_workers=workers > 0,
        pin_memory=DEVICE == "cuda",
    )
    model, optimiser = _model_and_optimiser(spec, depth, channels)

    def run() -> float:
        started = time.perf_counter()
        epoch_loss = 0.0
        for batch in loader:
            inputs, labels = batch["image"].to(DEVICE), batch["mask"].to(DEVICE)
            optimiser.zero_grad()
            loss = binary_cross_entropy_with_logits(model(inputs), labels)
            torch.autograd.backward(loss)
            optimiser.step()
            epoch_loss += loss.item()
        return time.perf_counter() - started

    return run


def _model_and_optimiser(
    spec: TrainingSpec, depth: int, channels: int
) -> tuple[torch.nn.Module, torch.optim.Optimizer]:
    """The same network and optimiser as ours."""
    torch.manual_seed(0)
    model = build_network(spec, depth, channels).to(DEVICE).train()
    return model, torch.optim.Adam(model.parameters(), lr=spec.learning_rate, fused=True)
