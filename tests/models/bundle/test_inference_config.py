"""The config of a bundle; that MONAI runs it on real cases is tested where bundles are written."""

from __future__ import annotations

import json
from typing import Any

import pytest
from monai.bundle import ConfigParser

from models.bundle.inference_config import VolumeInput, inference_config
from models.networks.architectures import build_network
from models.protocol import TrainingSpec

ZSCORE = {"scheme": "zscore", "scale": None}
CT = {"scheme": "ct", "scale": [-100.0, 300.0, 50.0, 80.0]}


@pytest.mark.parametrize("dimensions", [2, 3])
@pytest.mark.parametrize(
    ("architecture", "depth", "channels"),
    [("unet", 3, 4), ("attention_unet", 3, 4), ("segresnet", 3, 8), ("swin_unetr", 6, 12)],
)
def test_monai_builds_the_network_that_was_trained(
    architecture: str, depth: int, channels: int, dimensions: int
) -> None:
    """From JSON: the same parameters under the same names, so that the weights fit."""
    patch = {"patch": (64, 64, 64)} if dimensions == 3 else {"size": 64}
    spec = TrainingSpec.model_validate({"architecture": architecture, "channels": channels, **patch})
    volumes = VolumeInput((ZSCORE, ZSCORE), None) if dimensions == 3 else None
    config = through_json(inference_config(spec, depth, 2 if volumes else 3, [""], volumes))
    made = ConfigParser({"network_def": config["network_def"]}).get_parsed_content("network_def")
    own = build_network(spec, depth, 2 if volumes else 3)
    shapes = [{name: tensor.shape for name, tensor in network.state_dict().items()} for network in (made, own)]
    assert shapes[0] == shapes[1]


def test_volumes_are_scaled_as_they_were() -> None:
    """Case by case before they are resampled, by the numbers of all cases after that; windows as in a validation."""
    spec = TrainingSpec(patch=(16, 16, 8), overlap=0.5, batch=3, threshold=0.4)
    config = through_json(inference_config(spec, 2, 2, ("_ct", "_pet"), VolumeInput((CT, ZSCORE), (1, 1, 3))))
    first, then, last = (step["function"] for step in config["preprocessing"]["transforms"] if "function" in step)
    assert "by_case(image.numpy(), ['ct', 'zscore'])" in first
    assert "resample(image.numpy(), image.pixdim.tolist(), [1, 1, 3])" in then
    assert "by_all_cases(image.numpy(), [[-100.0, 300.0, 50.0, 80.0], None])" in last
    assert config["inferer"]["roi_size"] == [16, 16, 8]
    assert (config["inferer"]["overlap"], config["inferer"]["sw_batch_size"]) == (0.5, 3)
    assert [step.get("threshold") for step in config["postprocessing"]["transforms"]] == [None, None, 0.4, None]
    assert "['_ct', '_pet']" in config["datalist"]


def test_nothing_is_resampled_unasked() -> None:
    """Without a spacing the voxels stay as they are."""
    config = inference_config(TrainingSpec(patch=(16, 16, 8)), 2, 1, [""], VolumeInput((ZSCORE,), None))
    assert "volume_grids.resample" not in json.dumps(config)


def test_what_monai_asks_of_a_bundle_is_there() -> None:
    """Every property that its inference workflows require."""
    from monai.bundle.properties import InferProperties
    from monai.bundle.utils import ID_SEP_KEY
    from monai.utils import BundleProperty, BundlePropertyConfig

    config = inference_config(TrainingSpec(size=16), 2, 3, [""], None)
    required = [p[BundlePropertyConfig.ID] for p in InferProperties.values() if p[BundleProperty.REQUIRED]]
    assert len(required) > 5
    assert {name.partition(ID_SEP_KEY)[0] for name in required} <= config.keys()


def through_json(config: dict[str, Any]) -> dict[str, Any]:
    """As a reader of the file gets it."""
    values: dict[str, Any] = json.loads(json.dumps(config))
    return values
