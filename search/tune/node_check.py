"""Looks at every node of a cluster before anything is trained: the same versions, and a common place of checkpoints."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import ray
from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy

from search.worker.versions import node_versions, version_differences
from storage.errors import InputError
from storage.files.filesystems import leave_probe, open_url

if TYPE_CHECKING:
    from collections.abc import Mapping

    from search.tune.cluster import Cluster, Node

SECONDS_TO_ANSWER = 300.0  # a node may have to unpack what we bring


def refuse_sqlite(url: str, num_nodes: int) -> None:
    """Refuse a database in a file where there are several nodes.

    Raises:
        InputError: With the remedy.
    """
    if num_nodes > 1 and url.startswith("sqlite"):
        raise InputError(
            f"SQLite serves one machine, and the cluster has {num_nodes} nodes; start a database with "
            "`dicecurve database start DIR --host ADDRESS`, and name what it prints (--storage)"
        )


def check_nodes(cluster: Cluster, url: str, checkpoints: str) -> dict[str, str]:
    """Check every living node, and return the versions that one which joins later must have.

    Args:
        cluster: Connected.
        url: Of the study's database.
        checkpoints: Where they go, by any node.

    Raises:
        InputError: The first node that does not fit, and what to do.
    """
    nodes, wanted = cluster.nodes(), node_versions()
    refuse_sqlite(url, len(nodes))
    fs, probe = leave_probe(checkpoints)
    try:
        name = probe.rpartition("/")[2]
        asked = [(node, _ask(node, checkpoints, name)) for node in nodes]
        for node, reference in asked:
            answer = _answer(node, reference)
            if answer is not None:
                _check(node, answer, wanted, checkpoints)
    finally:
        fs.rm_file(probe)
    return wanted


def _look(checkpoints: str, probe: str) -> dict[str, Any]:
    fs, root = open_url(checkpoints)
    try:
        sees = bool(fs.exists(f"{root}/{probe}"))
    except OSError:
        sees = False
    return {"versions": node_versions(), "sees_checkpoints": sees}


def _ask(node: Node, checkpoints: str, probe: str) -> Any:
    there = NodeAffinitySchedulingStrategy(node_id=node.node_id, soft=False)
    task: Any = ray.remote(num_cpus=0, max_retries=0, scheduling_strategy=there)(_look)
    return task.remote(checkpoints, probe)


def _answer(node: Node, reference: Any) -> dict[str, Any] | None:
    """What the node said; None where it went away meanwhile, as nodes may."""
    try:
        answer: dict[str, Any] = ray.get(reference, timeout=SECONDS_TO_ANSWER)
    except (ray.exceptions.NodeDiedError, ray.exceptions.WorkerCrashedError, ray.exceptions.TaskUnschedulableError):
        return None
    except ray.exceptions.RayError as error:
        reason = next((line for line in reversed(str(error).strip().splitlines()) if line.strip()), "no answer")
        raise InputError(
            f"node {node.host} cannot run dicecurve: {reason.strip()}; install its packages there (`pip install .` of "
            "this repository with constraints.txt), and restart Ray"
        ) from error
    return answer


def _check(node: Node, answer: Mapping[str, Any], wanted: Mapping[str, str], checkpoints: str) -> None:
    differing = version_differences(wanted, answer["versions"])
    if differing is not None:
        raise InputError(f"node {node.host} does not fit: {differing}")
    if not answer["sees_checkpoints"]:
        raise InputError(
            f"node {node.host} does not see the checkpoints in {checkpoints}; name a folder that all nodes share, or a "
            "URL such as s3://BUCKET/FOLDER ([files] checkpoints)"
        )
