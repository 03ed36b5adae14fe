"""Writes the model of a cell as a MONAI bundle, which runs on new cases without dicecurve."""

from __future__ import annotations

import json
import shutil
import tempfile
from importlib import metadata
from inspect import getsourcefile
from pathlib import Path
from typing import TYPE_CHECKING, Any

from models.bundle import new_cases
from models.bundle.inference_config import VolumeInput, inference_config
from models.metrics import summarise
from storage.data.preprocessing import intensities, resample, resize
from storage.data.readers.pairing import FIRST_CHANNEL
from storage.data.spec import BRATS_MODALITIES
from storage.errors import InputError
from storage.files.checkpoints import CheckpointFolder
from storage.variants import axis_values
from studies.launch.locations import checkpoints_of
from studies.spec import recorded_spec

if TYPE_CHECKING:
    from collections.abc import Sequence

    from models.protocol import TrainingSpec
    from storage.records import CellRecord, StudyRecord

# By their names in a bundle, which its config says.
SCRIPTS = {"intensities": intensities, "new_cases": new_cases, "picture_arrays": resize, "volume_grids": resample}
LICENCE = Path(__file__).parents[2] / "LICENSE"


def export_model(study: StudyRecord, records: Sequence[CellRecord], key: str, url: str, folder: Path) -> None:
    """Write the weights of a cell's best evaluation, and how they are applied to a new case.

    Args:
        study: The study.
        records: Its cells.
        key: Of the cell.
        url: Of the study's database.
        folder: Of the bundle; it must not exist, or be empty.

    Raises:
        InputError: There is no such cell, its weights are not there, or the folder is taken.
    """
    record = _closed_cell(records, key)
    weights = _weights(study, record, url)
    config = _config(study, record)
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise InputError(f"{folder} is there already; name a folder that is not (-o)")
    folder.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=folder.parent, prefix=f"{folder.name}-") as scratch:
        made = Path(scratch) / "bundle"
        _write(made, config, _metadata(study, record), _readme(study, record), weights)
        if folder.exists():
            folder.rmdir()
        made.rename(folder)


def _closed_cell(records: Sequence[CellRecord], key: str) -> CellRecord:
    record = next((record for record in records if record.cell.plan.key == key), None)
    if record is None:
        known = ", ".join(record.cell.plan.key for record in records[:3])
        raise InputError(f"no cell {key!r} in this study; cells are named like {known}")
    if record.cell.state.is_open:
        raise InputError(f"cell {key} is not finished ({record.cell.state}); let `dicecurve run` finish it first")
    return record


def _weights(study: StudyRecord, record: CellRecord, url: str) -> bytes:
    folder = CheckpointFolder.of(checkpoints_of(study, url), study.name, record.cell.plan.key, record.cell.attempt)
    weights = folder.load_newest().files.get("best.pt")
    if weights is None:
        raise InputError(
            f"no weights of cell {record.cell.plan.key} are in {folder.url}; they are kept where the cell was trained, "
            'unless keep = "none" ([files])'
        )
    return weights


def _config(study: StudyRecord, record: CellRecord) -> dict[str, Any]:
    training = _protocol(study, record)
    volumes = None if training.patch is None else _volume_input(study)
    return inference_config(training, record.cell.plan.depth, study.facts["channels"], _suffixes(study), volumes)


def _protocol(study: StudyRecord, record: CellRecord) -> TrainingSpec:
    """What the cell was trained by."""
    training = recorded_spec(study).training
    assert training is not None  # it has weights
    return training.varied(axis_values(record.cell.plan.variant))


def _volume_input(study: StudyRecord) -> VolumeInput:
    schemes = study.facts.get("intensities")
    if not schemes:
        raise InputError(
            f"study {study.name!r} began with a version that did not note how intensities were scaled; "
            "start it anew with --name to export a model"
        )
    return VolumeInput(schemes, recorded_spec(study).data.spacing)


def _suffixes(study: StudyRecord) -> list[str]:
    """What follows a case's name in its files, a channel each; one for one file a case."""
    data = recorded_spec(study).data
    if data.kind == "decathlon":  # nnU-Net's; the Decathlon keeps all channels in one file
        return [f"_{index:04d}" for index in range(study.facts["channels"])]
    if data.kind == "nnunet_2d":
        return [FIRST_CHANNEL]
    return list((data.modalities or (BRATS_MODALITIES if data.kind == "brats" else {"image": ""})).values())


def _write(folder: Path, config: dict[str, Any], about: dict[str, Any], readme: str, weights: bytes) -> None:
    for name in ("configs", "models", "scripts", "docs"):
        (folder / name).mkdir(parents=True)
    (folder / "configs" / "inference.json").write_text(json.dumps(config, indent=2) + "\n")
    (folder / "configs" / "metadata.json").write_text(json.dumps(about, indent=2) + "\n")
    (folder / "models" / "model.pt").write_bytes(weights)
    (folder / "docs" / "README.md").write_text(readme, encoding="utf-8")
    (folder / "scripts" / "__init__.py").write_text('"""Functions that configs/inference.json names."""\n')
    for name, module in SCRIPTS.items():
        source = getsourcefile(module)
        assert source is not None
        shutil.copy(source, folder / "scripts" / f"{name}.py")
    if LICENCE.exists():  # of the scripts; what may be done with the weights, the data decide
        shutil.copy(LICENCE, folder / "scripts")


def _metadata(study: StudyRecord, record: CellRecord) -> dict[str, Any]:
    """What the model zoo's schema asks for, and what the study measured."""
    training = _protocol(study, record)
    plan, channels = record.cell.plan, study.facts["channels"]
    packages = ("scipy", *(("pillow",) if training.patch is None else ("nibabel",)), "pytorch-ignite")
    optional = ("einops",) if training.architecture == "swin_unetr" else ()
    return {
        "version": "0.1.0",
        "changelog": {"0.1.0": f"cell {plan.key} of study {study.name}"},
        "monai_version": metadata.version("monai"),
        "pytorch_version": metadata.version("torch").partition("+")[0],
        "numpy_version": metadata.version("numpy"),
        "required_packages_version": {name: _version(name) for name in (*packages, *optional)},
        "task": "binary segmentation",
        "description": (
            f"{training.architecture} of depth {plan.depth}, trained on {plan.num_cases} cases (ratio {plan.ratio:g})"
        ),
        "authors": "",
        "copyright": "",
        "intended_use": "research; what may be done with the weights depends on the terms of the training data",
        "eval_metrics": _scores(record),
        "network_data_format": {
            "inputs": {"image": _format(training, "magnitude", ["image"] * channels)},
            "outputs": {"pred": _format(training, "segmentation", ["foreground, as a logit"])},
        },
    }


def _version(package: str) -> str:
    try:
        return metadata.version(package)
    except metadata.PackageNotFoundError:  # it is for running a bundle, not for writing one
        return "0.5.0"


def _format(training: TrainingSpec, kind: str, channels: Sequence[str]) -> dict[str, Any]:
    return {
        "type": "image",
        "format": kind,
        "modality": "n/a",
        "num_channels": len(channels),
        "spatial_shape": list(training.sides),
        "dtype": "float32",
        "value_range": [],
        "is_patch_data": training.patch is not None,
        "channel_def": {str(index): meaning for index, meaning in enumerate(channels)},
    }


def _scores(record: CellRecord) -> dict[str, float]:
    """Mean over cases; empty for a cell that was never tested."""
    scores = record.attempt.scores
    if scores is None:
        return {}
    split = (("validation", scores.validation), ("test", scores.test))
    return {f"{part}_{name}": round(s.mean, 4) for part, counts in split for name, s in summarise(counts).items()}


def _readme(study: StudyRecord, record: CellRecord) -> str:
    is_picture = _protocol(study, record).patch is None
    scores = _scores(record)
    measured = f"Test DSC {scores['test_dsc']:.3f} (mean over cases)." if scores else "It was never tested."
    kind = "pictures (PNG, JPEG, BMP, TIFF)" if is_picture else f"volumes (NIfTI){_channel_files(study)}"
    return f"""# {record.cell.plan.key} of {study.name}

A MONAI bundle. In its folder, with `monai[fire,ignite]` and the versions of configs/metadata.json:

    python -m monai.bundle run --config_file configs/inference.json --dataset_dir CASES --output_dir MASKS

CASES is a folder of {kind}, at any depth. MASKS takes a mask a case, on the case's own grid:
{255 if is_picture else 1} is foreground. {measured}
"""


def _channel_files(study: StudyRecord) -> str:
    suffixes = _suffixes(study)
    return "" if len(suffixes) == 1 else f", NAME{suffixes[0]}, NAME{suffixes[1]}, ... of one case beside each other"
