"""How many trials fit on which nodes, and what they ask for; no Ray is started."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import ValidationError

from search.resources import ResourceSpec
from search.tune.cluster import Node, request_of


def node(labels: dict[str, str] | None = None, **resources: float) -> Node:
    """A node with these resources."""
    return Node("id", "host", resources, labels or {})


A100 = {"accelerator_type:A100": 1.0}


@pytest.mark.parametrize(
    ("resources", "there", "trials"),
    [
        ({}, node(CPU=8, GPU=4), 4),
        ({"gpus_per_trial": 0.25}, node(CPU=8, GPU=1), 4),
        ({"gpus_per_trial": 0.1}, node(CPU=64, GPU=1), 10),
        ({"gpus_per_trial": 0.4}, node(CPU=64, GPU=2), 4),  # a fraction lies on one GPU: two on each
        ({"gpus_per_trial": 2}, node(CPU=64, GPU=5), 2),
        ({"cpus_per_trial": 4}, node(CPU=8, GPU=4), 2),
        ({"memory_gb_per_trial": 6}, node(CPU=8, GPU=8, memory=16e9), 2),
        ({"custom": {"licence": 1}}, node(CPU=8, GPU=8, licence=3), 3),
        ({"custom": {"licence": 1}}, node(CPU=8, GPU=8), 0),
        ({"accelerator_type": "A100"}, Node("id", "host", {"CPU": 8, "GPU": 4, **A100}, {}), 4),
        ({"accelerator_type": "A100"}, node(CPU=8, GPU=4), 0),
        ({"labels": {"zone": "a"}}, node({"zone": "a"}, CPU=8, GPU=4), 4),
        ({"labels": {"zone": "a"}}, node({"zone": "b"}, CPU=8, GPU=4), 0),
    ],
)
def test_as_many_trials_as_a_node_holds(resources: dict[str, Any], there: Node, trials: int) -> None:
    """The scarcest resource decides, node by node."""
    spec = ResourceSpec.model_validate(resources)
    assert there.fits(request_of(spec, "gpu"), spec.labels) == trials


def test_no_gpu_is_asked_of_a_cluster_without() -> None:
    """On CPUs neither a GPU nor its type is part of the request."""
    spec = ResourceSpec(accelerator_type="A100", cpus_per_trial=2)
    assert {name: amount for name, amount in request_of(spec, "cpu").items() if amount} == {"CPU": 2}


def test_rays_own_resources_are_no_custom_ones() -> None:
    """They have keys of their own."""
    with pytest.raises(ValidationError, match="custom must not hold 'GPU'"):
        ResourceSpec.model_validate({"custom": {"GPU": 1}})
