"""A short run before a study: how many trials at once, which batch, and what the study will take.

It advises, and changes nothing: resources may change at any start of a study, its batch may not.
"""

from __future__ import annotations

import os
import platform
from dataclasses import asdict, dataclass, replace
from functools import partial
from typing import TYPE_CHECKING, Any

import torch

from search.prices import SECONDS_PER_HOUR, case_price
from storage.data.prepare import channels_of
from storage.errors import InputError
from storage.files.checkpoints import kept_bytes, running_bytes
from storage.variants import Recipe
from studies.estimate.study_time import Range, cell_seconds, price_of, range_of, study_seconds
from studies.estimate.throughput import Trials, TrialSetup
from studies.launch.cells import lay_out_cells
from studies.launch.data import prepare_data

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from search.prices import Device
    from storage.records import CellPlan
    from studies.estimate.throughput import Speed
    from studies.spec import StudySpec

TRIALS_ON_A_GPU = (1, 2, 4, 8)
MOST_TRIALS = 16  # on CPUs: the processes of a larger machine would take longer to start than to measure
AS_GOOD = 0.97  # of the fastest: differences below are noise, and fewer trials or cases need less memory


@dataclass(frozen=True)
class Subject:
    """The study to be, as far as it is known.

    Attributes:
        setup: What is trained, and on what.
        plans: Its cells.
        held_out: Validation and test cases.
        dataset_bytes: Of the prepared arrays; a guess from the shape of drawn ones.
    """

    setup: TrialSetup
    plans: tuple[CellPlan, ...]
    held_out: tuple[int, int]
    dataset_bytes: tuple[int, int]


@dataclass(frozen=True)
class Level:
    """One way to share the machine: trials at once on one device, and what each holds."""

    trials: int
    share: float
    threads: int
    setting: str


def calibrate(
    spec: StudySpec,
    storage: str,
    *,
    assumed_cases: int,
    seconds: float,
    progress: Callable[[int, int], None] | None = None,
) -> dict[str, Any]:
    """Measure, and predict; ready for JSON.

    Args:
        spec: Of the study.
        storage: Beside which a dataset that is given is prepared.
        assumed_cases: In the dataset, where none is given.
        seconds: Of each measurement.
        progress: Told of cases that are prepared.

    Raises:
        InputError: The data have to be put right, or nothing can be trained here.
    """
    subject = _real(spec, storage, progress) if _is_given(spec) else _drawn(spec, assumed_cases)
    device: Device = "gpu" if torch.cuda.is_available() and spec.resources.gpus_per_trial > 0 else "cpu"
    measured = [(level, _measure(spec, subject, level, device, seconds)) for level in levels(spec, device)]
    rows = [_row(spec, subject, level, device, speeds) for level, speeds in measured]
    able = [row for row in rows if row["failure"] is None]
    if not able:
        raise InputError(f"nothing can be trained here: {rows[0]['failure']}")
    fastest = min(row["wall_hours"]["mean"] for row in able)
    best = min((r for r in able if r["wall_hours"]["mean"] <= fastest / AS_GOOD), key=lambda row: row["trials"])
    return {
        "study": spec.name,
        "data": "real" if subject.setup.folder else "drawn",
        "cases": dict(zip(("train", "validation", "test"), _case_numbers(subject), strict=True)),
        "cells": len(subject.plans),
        "policy": spec.policy,
        "device": device,
        "device_name": torch.cuda.get_device_name() if device == "gpu" else f"{_cores()} cores ({platform.machine()})",
        "seconds": seconds,
        "levels": rows,
        "best": {"resources": best["setting"], "batch": _best_batch(best), "own_batch": spec.training.batch},
        "prediction": _prediction(spec, subject, best, device),
    }


def levels(spec: StudySpec, device: Device) -> list[Level]:
    """Ways to share the machine, that of the spec among them, fewest trials first."""
    resources = spec.resources
    if device == "gpu":
        own, ways = resources.gpus_per_trial, _gpu_levels(spec)
    else:
        own, ways = resources.cpus_per_trial, _cpu_levels(spec)
    most = resources.max_trials or MOST_TRIALS
    able = [level for level in ways if level.trials <= most or level.share == own]
    kept = [replace(level, trials=min(most, level.trials)) for level in able]
    return sorted(kept, key=lambda level: level.trials)


def _gpu_levels(spec: StudySpec) -> list[Level]:
    resources = spec.resources
    most = max(1, _cores() // resources.cpus_per_trial)
    shares = {1 / trials for trials in TRIALS_ON_A_GPU if trials <= most} | {min(1.0, resources.gpus_per_trial)}
    return [
        Level(int(1 / share + 1e-9), share, resources.cpus_per_trial, f"resources.gpus_per_trial={share:g}")
        for share in shares
    ]


def _cpu_levels(spec: StudySpec) -> list[Level]:
    cores = _cores()
    shares = {2**power for power in range(cores.bit_length())} | {cores, spec.resources.cpus_per_trial}
    return [
        Level(cores // share, share, share, f"resources.cpus_per_trial={share}") for share in shares if share <= cores
    ]


def _is_given(spec: StudySpec) -> bool:
    return spec.data.kind == "phantom" or spec.data.path is not None


def _real(spec: StudySpec, storage: str, progress: Callable[[int, int], None] | None) -> Subject:
    data = prepare_data(spec, storage, progress)
    train, validation, test = (tuple(data.split[part]) for part in ("train", "validation", "test"))
    size = sum(path.stat().st_size for path in data.dataset.folder.iterdir())
    return Subject(
        TrialSetup(spec.training, data.dataset.channels, str(data.dataset.folder.absolute()), train, validation),
        tuple(lay_out_cells(spec, len(train), data.dataset.channels)),
        (len(validation), len(test)),
        (size, size),
    )


def _drawn(spec: StudySpec, cases: int) -> Subject:
    channels = channels_of(spec.data)
    validation, test = (round(cases * share) for share in spec.data.split[1:])
    plans = lay_out_cells(spec, cases - validation - test, channels)
    return Subject(
        TrialSetup(spec.training, channels), tuple(plans), (validation, test), _dataset_bytes(spec, cases, channels)
    )


def _dataset_bytes(spec: StudySpec, cases: int, channels: int) -> tuple[int, int]:
    """Of drawn arrays: exact for pictures, volumes from one patch to two along each side."""
    if spec.training.patch is None:
        size = cases * (channels + 1) * spec.training.size**2
        return size, size
    x, y, z = spec.training.patch
    patch = cases * (2 * channels + 1) * x * y * z
    return patch, 8 * patch


def _measure(spec: StudySpec, subject: Subject, level: Level, device: Device, seconds: float) -> list[Speed]:
    """The deepest network at the batch of the spec, at half and at twice as many; then the other recipes at its own."""
    deepest, *others = _recipes(spec)
    batch = spec.training.batch
    with Trials(subject.setup, trials=level.trials, device=device, threads=level.threads) as trials:
        sizes = dict.fromkeys((batch, max(1, batch // 2), 2 * batch))
        speeds = [trials.measure(deepest, size, seconds) for size in sizes]
        return speeds + [trials.measure(recipe, batch, seconds) for recipe in others]


def _recipes(spec: StudySpec) -> list[Recipe]:
    """All of them, the deepest of the protocol's own variant first."""
    return [Recipe(variant, depth) for variant in spec.variants for depth in sorted(spec.grid.depth, reverse=True)]


def _row(spec: StudySpec, subject: Subject, level: Level, device: Device, speeds: Sequence[Speed]) -> dict[str, Any]:
    batch = spec.training.batch
    own = {speed.recipe: speed for speed in speeds if speed.batch == batch}
    failure = next((speed.failure for speed in own.values() if speed.failure), None)
    deepest = _recipes(spec)[0]
    row: dict[str, Any] = {
        "setting": level.setting,
        "trials": level.trials,
        "share": level.share,
        "failure": failure,
        "batches": [_batch_row(speed) for speed in sorted(speeds, key=lambda s: s.batch) if speed.recipe == deepest],
    }
    if failure is not None:
        return row
    seconds = partial(
        cell_seconds, training=spec.training, num_validation=subject.held_out[0], num_test=subject.held_out[1]
    )
    total, wall = study_seconds(subject.plans, own, seconds, level.trials * _devices(device))
    return row | {
        "depths": [_depth_row(own[recipe], named=any(spec.variants)) for recipe in sorted(own)],
        "device_hours": asdict(total.times(level.share / SECONDS_PER_HOUR)),
        "wall_hours": asdict(wall.times(1 / SECONDS_PER_HOUR)),
    }


def _batch_row(speed: Speed) -> dict[str, Any]:
    measured = None if speed.failure else speed.cases_per_second
    return {"batch": speed.batch, "cases_per_second": measured, "failure": speed.failure}


def _depth_row(speed: Speed, *, named: bool) -> dict[str, Any]:
    return {
        "depth": speed.recipe.depth,
        **({"variant": speed.recipe.variant} if named else {}),
        "step_seconds": asdict(range_of(speed.step_seconds)),
        "validation_seconds_per_case": asdict(range_of(speed.case_seconds)),
    }


def _best_batch(row: dict[str, Any]) -> int:
    able = [batch for batch in row["batches"] if batch["failure"] is None]
    fastest = max(batch["cases_per_second"] for batch in able)
    return int(min(batch["batch"] for batch in able if batch["cases_per_second"] >= AS_GOOD * fastest))


def _prediction(spec: StudySpec, subject: Subject, best: dict[str, Any], device: Device) -> dict[str, Any]:
    hours = Range(**best["device_hours"])
    kept = kept_bytes(subject.plans, spec.files.keep)
    running = running_bytes(subject.plans, best["trials"] * _devices(device))
    return {
        "resources": best["setting"],
        "device_hours": asdict(hours),
        "wall_hours": best["wall_hours"],
        "price": asdict(price_of(hours.times(SECONDS_PER_HOUR), spec.prices, device)),
        "price_of_cases": case_price(spec.prices, sum(_case_numbers(subject))),
        "currency": spec.prices.currency,
        "disk_bytes": {
            "dataset": {"low": subject.dataset_bytes[0], "high": subject.dataset_bytes[1]},
            "checkpoints": {"at_the_end": kept, "at_most": kept + running},
        },
    }


def _case_numbers(subject: Subject) -> tuple[int, int, int]:
    """Training cases at ratio 1, or at the largest ratio of the grid, and those held out."""
    largest = max(subject.plans, key=lambda plan: plan.num_cases)
    return (len(subject.setup.train) or round(largest.num_cases / largest.ratio), *subject.held_out)


def _cores() -> int:
    return len(os.sched_getaffinity(0))


def _devices(device: Device) -> int:
    return torch.cuda.device_count() if device == "gpu" else 1
