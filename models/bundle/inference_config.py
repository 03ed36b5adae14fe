"""What MONAI's bundles call an inference config: from files of new cases to masks on the cases' own grids.

Names of functions in it are those of the scripts that go with a bundle: copies of `models/bundle/new_cases.py`, and of
what prepares cases for a training.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from models.networks.architectures import network_arguments

if TYPE_CHECKING:
    from collections.abc import Sequence

    from models.protocol import TrainingSpec

IMAGE, PRED = "image", "pred"
PICTURES, VOLUMES = (".png", ".jpg", ".jpeg", ".bmp", ".tif", ".tiff"), (".nii.gz", ".nii")
MODES = {1: "L", 3: "RGB"}  # Pillow's, by channels
SCRIPTS = ("intensities", "new_cases", "picture_arrays", "volume_grids")
TO_RAS = {"axcodes": "RAS", "labels": (("L", "R"), ("P", "A"), ("I", "S"))}


@dataclass(frozen=True)
class VolumeInput:
    """How volumes were prepared.

    Attributes:
        intensities: "scheme" and "scale" of each channel.
        spacing: In mm, what they were resampled to; None: nothing.
    """

    intensities: Sequence[dict[str, Any]]
    spacing: Sequence[float] | None


def inference_config(
    spec: TrainingSpec, depth: int, channels: int, suffixes: Sequence[str], volumes: VolumeInput | None
) -> dict[str, Any]:
    """The config, ready for JSON.

    Args:
        spec: The protocol.
        depth: Levels of the network.
        channels: Of the images.
        suffixes: What follows a case's name in its files, a channel each; one alone, which may be "", for one file a
            case.
        volumes: In 3D, how they were prepared; None in 2D.
    """
    name, arguments = network_arguments(spec, depth, channels)
    endings = PICTURES if volumes is None else VOLUMES
    return {
        "imports": ["$import functools", "$import torch", *(f"$import scripts.{name} as {name}" for name in SCRIPTS)],
        "bundle_root": ".",
        "dataset_dir": "$@bundle_root + '/cases'",
        "output_dir": "$@bundle_root + '/eval'",
        "device": "$torch.device('cuda' if torch.cuda.is_available() else 'cpu')",
        "datalist": f"$new_cases.list_cases(@dataset_dir, {list(endings)}, {list(suffixes)})",
        "network_def": {"_target_": name, **arguments},
        "network": "$@network_def.to(@device)",
        "preprocessing": _composed(_picture_steps(spec, channels) if volumes is None else _volume_steps(volumes)),
        "dataset": {"_target_": "Dataset", "data": "@datalist", "transform": "@preprocessing"},
        "dataloader": {"_target_": "DataLoader", "dataset": "@dataset", "batch_size": 1, "num_workers": 0},
        "inferer": _inferer(spec),
        "postprocessing": _composed(_last_steps(spec, suffixes[0])),
        "handlers": [
            {
                "_target_": "CheckpointLoader",
                "load_path": "$@bundle_root + '/models/model.pt'",
                "load_dict": {"model": "@network"},
                "map_location": "@device",
            }
        ],
        "evaluator": {
            "_target_": "SupervisedEvaluator",
            "device": "@device",
            "val_data_loader": "@dataloader",
            "network": "@network",
            "inferer": "@inferer",
            "postprocessing": "@postprocessing",
            "val_handlers": "@handlers",
        },
        "run": ["$@evaluator.run()"],
    }


def _picture_steps(spec: TrainingSpec, channels: int) -> list[dict[str, Any]]:
    """Height before width, as pictures are trained on; resized by area average; bytes to -1..1."""
    resized = f"picture_arrays.resize_image(image.numpy().astype('uint8').transpose(1, 2, 0), {spec.size})"
    converter = f"$lambda image: image.convert({MODES[channels]!r})"
    return [
        {"_target_": "LoadImaged", "keys": IMAGE, "reader": "PILReader", "converter": converter} | _CHANNEL_FIRST,
        {"_target_": "Transposed", "keys": IMAGE, "indices": [0, 2, 1]},
        _by_array(resized),
        {"_target_": "ScaleIntensityRanged", "keys": IMAGE, "a_min": 0, "a_max": 255, "b_min": -1, "b_max": 1},
    ]


def _volume_steps(volumes: VolumeInput) -> list[dict[str, Any]]:
    """To RAS, cropped to what is not 0, scaled case by case, resampled, scaled by all cases."""
    schemes = [channel["scheme"] for channel in volumes.intensities]
    scales = [None if channel["scale"] is None else list(channel["scale"]) for channel in volumes.intensities]
    spaced = f"volume_grids.resample(image.numpy(), image.pixdim.tolist(), {json.dumps(volumes.spacing)})"
    return [
        {"_target_": "LoadImaged", "keys": IMAGE, "reader": "NibabelReader"} | _CHANNEL_FIRST,
        {"_target_": "Orientationd", "keys": IMAGE} | TO_RAS,
        {
            "_target_": "CropForegroundd",
            "keys": IMAGE,
            "source_key": IMAGE,
            "select_fn": "$lambda image: image != 0",
            "allow_smaller": True,
        },
        _by_array(f"intensities.by_case(image.numpy(), {schemes})"),
        *([] if volumes.spacing is None else [_by_array(spaced)]),
        _by_array(f"intensities.by_all_cases(image.numpy(), {scales})"),
    ]


_CHANNEL_FIRST = {"image_only": True, "ensure_channel_first": True}


def _by_array(expression: str) -> dict[str, Any]:
    return {"_target_": "scripts.new_cases.ByArrayd", "keys": IMAGE, "function": f"$lambda image: {expression}"}


def _inferer(spec: TrainingSpec) -> dict[str, Any]:
    if spec.patch is None:
        return {"_target_": "SimpleInferer"}
    return {
        "_target_": "SlidingWindowInferer",
        "roi_size": list(spec.patch),
        "sw_batch_size": spec.batch,
        "overlap": spec.overlap,
        "mode": "gaussian",
    }


def _last_steps(spec: TrainingSpec, suffix: str) -> list[dict[str, Any]]:
    """Probabilities back on the case's own grid, a mask of them, and a file of that."""
    is_picture = spec.patch is None
    return [
        {"_target_": "Activationsd", "keys": PRED, "sigmoid": True},
        {
            "_target_": "Invertd",
            "keys": PRED,
            "orig_keys": IMAGE,
            "transform": "@preprocessing",
            "nearest_interp": False,
            "to_tensor": True,
        },
        {"_target_": "AsDiscreted", "keys": PRED, "threshold": spec.threshold},
        {
            "_target_": "SaveImaged",
            "keys": PRED,
            "output_dir": "@output_dir",
            "output_postfix": "mask",
            "output_ext": ".png" if is_picture else ".nii.gz",
            "output_dtype": "uint8",
            "scale": 255 if is_picture else None,
            "resample": False,
            "separate_folder": False,
            "output_name_formatter": f"$functools.partial(new_cases.case_name, suffix={suffix!r})",
        },
    ]


def _composed(steps: list[dict[str, Any]]) -> dict[str, Any]:
    return {"_target_": "Compose", "transforms": steps}
