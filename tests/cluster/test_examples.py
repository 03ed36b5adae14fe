"""The example files hold together, as far as they can be tried without a cloud or Slurm."""

from __future__ import annotations

import re
import subprocess
from typing import Any

import pytest
import yaml
from ray.autoscaler._private.util import prepare_config, validate_config

from studies.__main__ import build_parser
from tests.helpers.paths import ROOT

EXAMPLES = ROOT / "docs/cluster"


def example(name: str) -> dict[str, Any]:
    """One of the cluster files."""
    found: dict[str, Any] = yaml.safe_load((EXAMPLES / name).read_text())
    return found


@pytest.mark.parametrize("name", ["local.yaml", "aws.yaml"])
def test_ray_accepts_the_cluster_file(name: str) -> None:
    """Ray's own schema, with its defaults filled in."""
    validate_config(prepare_config(example(name)))


def test_spot_machines_carry_what_a_study_asks_for() -> None:
    """The head trains nothing, and workers may vanish."""
    nodes = example("aws.yaml")["available_node_types"]
    assert nodes["head"]["resources"] == {"CPU": 0}
    assert nodes["gpu"]["node_config"]["InstanceMarketOptions"] == {"MarketType": "spot"}


def test_the_slurm_script_is_a_script_with_commands_of_ours() -> None:
    """Its syntax holds, and the options of its commands exist."""
    script = EXAMPLES / "slurm.sh"
    subprocess.run(["bash", "-n", str(script)], check=True)
    lines = script.read_text().replace("\\\n", " ").splitlines()
    calls = [re.split(r" > | &", line)[0].split()[1:] for line in lines if line.startswith("dicecurve ")]
    assert [call[0] for call in calls] == ["database", "run", "database"]
    for call in calls:
        build_parser().parse_args([word.strip('"') for word in call])
