"""A calibration as text for an 80-column terminal."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from studies.estimate.throughput import DRAWN_VOLUME

if TYPE_CHECKING:
    from studies.spec import StudySpec


def render_calibration(spec: StudySpec, calibration: dict[str, Any]) -> str:
    """The same as text for an 80-column terminal."""
    end, best = calibration["prediction"], calibration["best"]
    machine = calibration["device_name"]
    kind = "GPU" if calibration["device"] == "gpu" else "CPU"
    return (
        "\n".join(
            [
                f"Calibration of {calibration['study']}: {machine}, {calibration['seconds']:g} s a measurement,",
                f"on {_arrays(spec, calibration)}",
                "",
                f"{_key(calibration):<24} {'trials':>6} {f'{kind} hours':>23} {'hours here':>23}",
                *(_level_line(row) for row in calibration["levels"]),
                "",
                *_batch_lines(calibration),
                "",
                f"Best: --set {best['resources']}",
                *_batch_advice(best),
                "",
                f"The study, {calibration['cells']:,} cells with a full budget each, at that setting:",
                f"  {kind + ' hours':<16} {_range(end['device_hours'])}",
                f"  {'hours here':<16} {_range(end['wall_hours'])}, with nothing else running",
                f"  {'price':<16} {_range(end['price'])} {end['currency']}; cases {end['price_of_cases']:,.0f}",
                *_disk_lines(end["disk_bytes"]),
                *_remarks(calibration),
            ]
        )
        + "\n"
    )


def _arrays(spec: StudySpec, calibration: dict[str, Any]) -> str:
    train, validation, test = (calibration["cases"][part] for part in ("train", "validation", "test"))
    numbers = f"{train:,} + {validation:,} + {test:,} cases"
    if calibration["data"] == "real":
        return f"the data of the spec: {numbers}"
    sides = spec.training.sides
    drawn = " x ".join(str(side if spec.training.patch is None else int(DRAWN_VOLUME * side)) for side in sides)
    return f"drawn arrays of {drawn}; {numbers} are assumed (--data, --cases)"


def _key(calibration: dict[str, Any]) -> str:
    return str(calibration["levels"][0]["setting"]).partition("=")[0]


def _head(row: dict[str, Any]) -> str:
    return f"{row['setting'].partition('=')[2]:<24} {row['trials']:>6}"


def _level_line(row: dict[str, Any]) -> str:
    if row["failure"] is not None:
        return f"{_head(row)} {row['failure'][:48]}"
    return f"{_head(row)} {_range(row['device_hours']):>23} {_range(row['wall_hours']):>23}"


def _batch_lines(calibration: dict[str, Any]) -> list[str]:
    sizes = "".join(f"{'batch':>10} {batch['batch']:<5}" for batch in calibration["levels"][0]["batches"])
    rows = [_head(row) + "".join(f"{_speed(batch):>16}" for batch in row["batches"]) for row in calibration["levels"]]
    return [
        "Cases/s of the deepest network, all trials together:",
        f"{_key(calibration):<24} {'trials':>6}{sizes}",
        *rows,
    ]


def _speed(batch: dict[str, Any]) -> str:
    return "-" if batch["failure"] else f"{batch['cases_per_second']:,.3g}"


def _batch_advice(best: dict[str, Any]) -> list[str]:
    if best["batch"] == best["own_batch"]:
        return [f"Batch {best['batch']} stays: no other is faster by more than 3 %, or as fast and smaller."]
    return [
        f"A batch of {best['batch']} would be faster (--set training.batch={best['batch']}), but changes what is",
        "learned. A study keeps its batch: another batch is another study.",
    ]


def _disk_lines(disk: dict[str, Any]) -> list[str]:
    dataset = dict.fromkeys(_size(disk["dataset"][end]) for end in ("low", "high"))
    at_the_end, at_most = (_size(disk["checkpoints"][when]) for when in ("at_the_end", "at_most"))
    return [
        f"  {'disk':<16} {' to '.join(dataset)} for the dataset, {at_the_end} for weights,",
        f"  {'':<16} at most {at_most} for checkpoints in between",
    ]


def _size(size: int) -> str:
    return f"{size / 1e9:,.3g} GB" if size >= 1e9 else f"{size / 1e6:,.3g} MB"  # noqa: PLR2004 - a gigabyte


def _remarks(calibration: dict[str, Any]) -> list[str]:
    skipped = ["policy = forecast trains a part of these cells, and adds a confirmation."]
    return [
        "",
        *(skipped if calibration["policy"] == "forecast" else []),
        "Ranges hold 90 % of the steps that were measured, all of the study's at one end;",
        "a machine that gets other work, or warmer, leaves them. Batch and resources are",
        "advice: nothing was changed.",
    ]


def _range(bounds: dict[str, float]) -> str:
    low, mean, high = (_two_digits(bounds[end]) for end in ("low", "mean", "high"))
    return f"{mean} [{low}, {high}]"


def _two_digits(value: float) -> str:
    return f"{value:,.0f}" if value >= 100 else f"{value:.2g}"  # noqa: PLR2004 - what .2g would write as 1e+02
