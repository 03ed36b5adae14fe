"""Training of one task model: period by period, with a state that resumes it bit for bit on a CPU."""

from __future__ import annotations

import io
import math
import time
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch.nn.utils import convert_conv2d_weight_memory_format, convert_conv3d_weight_memory_format

from models.metrics import per_case
from models.networks.architectures import build_network
from models.networks.cpu_layers import quicken
from models.training.batches import build_batches
from models.training.optimisation import build_loss, build_optimiser

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from models.protocol import TrainingSpec
    from models.training.training_data import TrainingData

CHANNELS_LAST = {  # by dimensions
    2: (torch.channels_last, convert_conv2d_weight_memory_format),
    3: (torch.channels_last_3d, convert_conv3d_weight_memory_format),
}


class TrainingFailed(Exception):  # noqa: N818 - the outcome of a cell, recorded with its reason
    """This training cannot go on; the reason is the message."""


@dataclass(frozen=True)
class MeasuredPoint:
    """One evaluation: where training stood, what it scored, and the wall seconds that it took."""

    evaluation: int
    epoch: float
    step: int
    val_dsc: float
    train_seconds: float
    val_seconds: float
    test_dsc: float | None = None


class Training:
    """One training run of one cell. `advance` trains a period and evaluates; `state` and `resume` carry it over."""

    def __init__(self, spec: TrainingSpec, depth: int, seed: int, data: TrainingData, device: str) -> None:
        """Draw the initial weights from the seed, and move the model to ``device`` ("cpu" or "cuda").

        Raises:
            TrainingFailed: The device cannot compute what the spec asks for.
        """
        _check_precision(spec, device)
        self.spec = spec
        self.data = data
        self.device = torch.device(device)
        self.curve: list[MeasuredPoint] = []
        self._batches = build_batches(spec, data, seed, self.device)
        torch.manual_seed(np.random.SeedSequence([seed, depth]).generate_state(1, np.uint64)[0].item() % 2**63)
        self._layout = torch.contiguous_format
        self._model = build_network(spec, depth, data.channels).to(self.device)
        if device == "cpu" and spec.precision == "float32" and not spec.compile:
            quicken(self._model)
        if spec.channels_last:
            self._layout, convert_weights = CHANNELS_LAST[spec.dimensions]
            convert_weights(self._model, self._layout)
        # The plain model keeps the weights, under names that do not depend on whether it was compiled.
        self._forward = torch.compile(self._model) if spec.compile else self._model
        self._loss = build_loss(spec.loss)
        self._optimiser = build_optimiser(spec, self._model.parameters())
        self._best = self._weights()

    @property
    def is_finished(self) -> bool:
        """Whether the full budget is used up."""
        return len(self.curve) >= self.spec.evaluations

    @property
    def total_steps(self) -> int:
        """Optimiser steps of the full budget."""
        return self.spec.total_steps(len(self.data.train))

    def advance(self) -> MeasuredPoint:
        """Train to the end of the next period, validate, and return the new point of the curve.

        Raises:
            TrainingFailed: The loss is no longer finite, or memory ran out.
        """
        try:
            point = self._advance()
        except (torch.OutOfMemoryError, MemoryError) as error:
            reason = str(error).partition("\n")[0] or "no more is known"
            smaller = "size" if self.spec.patch is None else "patch"
            raise TrainingFailed(f"out of memory: {reason}; lower training.batch or training.{smaller}") from None
        if point.val_dsc > max((p.val_dsc for p in self.curve), default=-1.0):
            self._best = self._weights()
        self.curve.append(point)
        return point

    def state(self) -> dict[str, bytes]:
        """Everything that a resume needs, as files: "state.pt", "best.pt" (weights of the best evaluation)."""
        return {
            "state.pt": _dump(
                {
                    "model": self._model.state_dict(),
                    "optimiser": self._optimiser.state_dict(),
                    "rng": torch.get_rng_state(),
                    "curve": [asdict(point) for point in self.curve],
                }
            ),
            "best.pt": _dump(self._best),
        }

    def resume(self, files: dict[str, bytes]) -> None:
        """Go on from what `state` returned."""
        state = _load(files["state.pt"], self.device)
        self._model.load_state_dict(state["model"])
        self._optimiser.load_state_dict(state["optimiser"])
        torch.set_rng_state(state["rng"].cpu())
        self.curve = [MeasuredPoint(**point) for point in state["curve"]]
        self._best = _load(files["best.pt"], self.device)

    def score_best(self) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """(tp, fp, fn) per validation and per test case at the best-validation weights, shapes (cases, 3)."""
        self._model.load_state_dict(self._best)
        return self._count(self.data.validation), self._count(self.data.test)

    def predict_best(self, cases: NDArray[np.int64]) -> list[NDArray[np.bool_]]:
        """Masks that the best-validation weights predict, one a case, of shape (height, width) or (X, Y, Z)."""
        self._model.load_state_dict(self._best)
        return [mask for predicted, _ in self._predicted(cases) for mask in predicted[:, 0].cpu().numpy()]

    def _advance(self) -> MeasuredPoint:
        num_cases = len(self.data.train)
        evaluation = len(self.curve) + 1
        first, last = (self.spec.last_step_of(e, num_cases) for e in (evaluation - 1, evaluation))
        started = time.perf_counter()
        self._train(range(first, last))
        trained = time.perf_counter()
        val_dsc = self._dsc(self.data.validation)
        validated = time.perf_counter()
        return MeasuredPoint(
            evaluation=evaluation,
            epoch=last * self.spec.batch / num_cases,
            step=last,
            val_dsc=val_dsc,
            train_seconds=trained - started,
            val_seconds=validated - trained,
            test_dsc=self._dsc(self.data.test) if self.spec.record_test_curve else None,
        )

    def _train(self, steps: range) -> None:
        self._model.train()
        loss = torch.zeros(())
        for step in steps:
            images, masks = self._batches.batch(step)
            self._optimiser.zero_grad(set_to_none=True)
            loss = self._loss(self._logits(images), masks)
            torch.autograd.backward(loss)
            self._optimiser.step()
        # Once a period, not once a step: reading the loss would make a GPU wait. A NaN stays a NaN.
        if not math.isfinite(loss.item()):
            raise TrainingFailed(f"the loss is {loss.item()} at step {steps.stop}; lower training.learning_rate")

    def _dsc(self, cases: NDArray[np.int64]) -> float:
        return float(per_case(self._count(cases))["dsc"].mean())

    def _count(self, cases: NDArray[np.int64]) -> NDArray[np.int64]:
        counts = []
        for predicted, true in self._predicted(cases):
            sums = [(predicted & true), (predicted & ~true), (~predicted & true)]
            counts.append(torch.stack([s.flatten(1).sum(dim=1) for s in sums], dim=1))
        return np.asarray(torch.cat(counts).cpu().numpy(), dtype=np.int64)

    @torch.inference_mode()
    def _predicted(self, cases: NDArray[np.int64]) -> Iterator[tuple[torch.Tensor, torch.Tensor]]:
        """Predicted and true masks of whole cases, both bool, shape (N, 1, ...), some at a time."""
        self._model.eval()
        logit = math.log(self.spec.threshold / (1 - self.spec.threshold))
        for logits, masks in self._batches.predicted(self._logits, cases):
            yield logits >= logit, masks > 0

    def _logits(self, images: torch.Tensor) -> torch.Tensor:
        with torch.autocast(self.device.type, torch.bfloat16, enabled=self.spec.precision == "bf16"):
            logits: torch.Tensor = self._forward(images.contiguous(memory_format=self._layout))
        return logits.float()

    def _weights(self) -> dict[str, torch.Tensor]:
        return {name: tensor.detach().clone() for name, tensor in self._model.state_dict().items()}


def _check_precision(spec: TrainingSpec, device: str) -> None:
    # oneDNN's weight gradients of layers that are two voxels wide read memory that was never written (torch 2.13).
    if spec.precision == "bf16" and spec.dimensions == 3 and device == "cpu":  # noqa: PLR2004 - volumes
        raise TrainingFailed(
            "bf16 in 3D has wrong gradients on a CPU; set training.precision = 'float32', or take a GPU"
        )


def _dump(state: dict[str, Any]) -> bytes:
    buffer = io.BytesIO()
    torch.save(state, buffer)
    return buffer.getvalue()


def _load(content: bytes, device: torch.device) -> dict[str, Any]:
    loaded: dict[str, Any] = torch.load(io.BytesIO(content), map_location=device, weights_only=True)
    return loaded
