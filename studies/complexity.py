"""The depths of a spec side by side before anything is trained, as rows and as text for an 80-column terminal."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Any

import torch

from models.complexity import measure_complexity
from models.training import TrainingFailed
from storage.errors import InputError
from storage.preparation import channels_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from studies.spec import StudySpec


def complexity_rows(spec: StudySpec) -> list[dict[str, Any]]:
    """A row per depth, ready for JSON; of the data at most dataset.json is read.

    Raises:
        InputError: A depth cannot be trained here, such as for want of memory.
    """
    device = "gpu" if torch.cuda.is_available() and spec.resources.gpus_per_trial > 0 else "cpu"
    return [_row(spec, depth, device) for depth in spec.grid.depth]


def render_complexity(spec: StudySpec, rows: Sequence[dict[str, Any]]) -> str:
    """The same as text."""
    training, channels = spec.training, channels_of(spec.data)
    sides = " x ".join(str(side) for side in training.sides)
    seen, one = ("images", "image") if training.patch is None else ("patches", "patch")
    device = "GPU" if rows[0]["device"] == "gpu" else f"CPU, {torch.get_num_threads()} torch thread(s)"
    lines = [
        f"{channels} x {sides} {seen}, batch {training.batch}, {device}",
        "",
        f"{'depth':>5} {'parameters':>13} {'GFLOPs':>9} {f'inference {seen}/s':>19} {f'training ms/{one}':>18}",
        *(_line(row) for row in rows),
        "",
        f"GFLOPs: one forward pass of one {one}, a multiply-add counted as two.",
    ]
    return "\n".join(lines) + "\n"


def _row(spec: StudySpec, depth: int, device: str) -> dict[str, Any]:
    try:
        found = measure_complexity(spec.training, depth, channels_of(spec.data), "cuda" if device == "gpu" else device)
    except TrainingFailed as error:
        raise InputError(f"depth {depth}: {error}") from None
    return asdict(found) | {"device": device}


def _line(row: dict[str, Any]) -> str:
    return (
        f"{row['depth']:>5} {row['parameters']:>13,} {row['flops'] / 1e9:>9.3g} "
        f"{row['inference_cases_per_second']:>19,.1f} {1e3 * row['training_seconds_per_case']:>18,.3g}"
    )
