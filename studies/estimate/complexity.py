"""The depths of a spec, of each variant, side by side before anything is trained: rows, and text of 80 columns."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Any

import torch

from models.training.speed import measure_complexity
from models.training.training import TrainingFailed
from storage.data.prepare import channels_of
from storage.errors import InputError
from storage.variants import OWN, Recipe, name_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from studies.spec import StudySpec


def complexity_rows(spec: StudySpec) -> list[dict[str, Any]]:
    """A row per depth of each variant, ready for JSON; of the data at most dataset.json is read.

    Raises:
        InputError: A depth cannot be trained here, such as for want of memory.
    """
    device = "gpu" if torch.cuda.is_available() and spec.resources.gpus_per_trial > 0 else "cpu"
    return [_row(spec, Recipe(variant, depth), device) for variant in spec.variants for depth in spec.grid.depth]


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
        *_lines(rows),
        "",
        f"GFLOPs: one forward pass of one {one}, a multiply-add counted as two.",
    ]
    return "\n".join(lines) + "\n"


def _row(spec: StudySpec, recipe: Recipe, device: str) -> dict[str, Any]:
    protocol, channels = spec.protocol(recipe.variant), channels_of(spec.data)
    try:
        complexity = measure_complexity(protocol, recipe.depth, channels, "cuda" if device == "gpu" else device)
    except TrainingFailed as error:
        raise InputError(f"{recipe}: {error}") from None
    named = {"variant": recipe.variant} if any(spec.variants) else {}
    return named | asdict(complexity) | {"device": device}


def _lines(rows: Sequence[dict[str, Any]]) -> Iterator[str]:
    """A line a row, those of each variant under its name where there are any."""
    before = None
    for row in rows:
        variant = row.get("variant")
        if variant != before:
            yield f"{name_of(variant or OWN)}:"
            before = variant
        yield _line(row)


def _line(row: dict[str, Any]) -> str:
    return (
        f"{row['depth']:>5} {row['parameters']:>13,} {row['flops'] / 1e9:>9.3g} "
        f"{row['inference_cases_per_second']:>19,.1f} {1e3 * row['training_seconds_per_case']:>18,.3g}"
    )
