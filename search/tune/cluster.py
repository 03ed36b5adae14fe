"""The Ray cluster that a study runs on: how it is reached, what its nodes have, and how many trials fit."""

from __future__ import annotations

import logging
import os
import time
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from search.worker.versions import ROOMS, room_folder
from storage.errors import InputError

# Ray and Tune read these when they are imported or started. Nothing is reported to anybody, and Ctrl-C is ours.
os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
os.environ.setdefault("RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO", "0")
os.environ.update(
    TUNE_DISABLE_SIGINT_HANDLER="1",
    TUNE_DISABLE_AUTO_CALLBACK_LOGGERS="1",
    TUNE_MAX_PENDING_TRIALS_PG="1000000",  # the searcher claims only while a slot is free
    TUNE_GLOBAL_CHECKPOINT_S="1000000000",  # the ledger is the only truth
    TUNE_WARN_INSUFFICENT_RESOURCE_THRESHOLD_S="1000000000",
    TUNE_PRINT_ALL_TRIAL_ERRORS="0",
    RAY_AIR_NEW_OUTPUT="0",
)

import ray
from ray import tune
from ray.autoscaler.sdk import request_resources

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from search.prices import Device
    from search.resources import ResourceSpec

ROUNDING = 1e-9  # ten tenths of a GPU are one
OBJECT_STORE_BYTES = 256 * 2**20  # only assignments travel through it; images are memory-mapped files
SECONDS_BETWEEN_LOOKS = 1.0
SECONDS_FOR_NODES = 1800.0  # until an autoscaler has brought the first one
GIGABYTE = 1e9
TYPED = 0.001  # a share of the resource that marks the type of a node's GPUs


@dataclass(frozen=True)
class Node:
    """A living node.

    Attributes:
        node_id: Ray's.
        host: Its name.
        resources: Amounts by Ray's names: CPU, GPU, memory in bytes, and custom ones.
        labels: By key.
    """

    node_id: str
    host: str
    resources: Mapping[str, float]
    labels: Mapping[str, str]

    def fits(self, request: Mapping[str, float], labels: Mapping[str, str]) -> int:
        """How many trials fit on it; a fraction of a GPU lies on one GPU."""
        if any(self.labels.get(key) != value for key, value in labels.items()):
            return 0
        return min(_times(self.resources.get(name, 0.0), amount, name) for name, amount in request.items() if amount)


def _times(amount: float, wanted: float, name: str) -> int:
    if name == "GPU" and wanted < 1:
        return int(amount + ROUNDING) * int(1 / wanted + ROUNDING)
    return int(amount / wanted + ROUNDING)


def living_nodes() -> list[Node]:
    """The nodes that are alive now."""
    return [
        Node(node["NodeID"], node["NodeManagerHostname"], node["Resources"], node.get("Labels") or {})
        for node in ray.nodes()
        if node["Alive"]
    ]


def request_of(resources: ResourceSpec, device: Device) -> dict[str, float]:
    """What a trial holds, by Ray's names."""
    on_gpu = device == "gpu"
    request = {"CPU": float(resources.cpus_per_trial), "GPU": resources.gpus_per_trial if on_gpu else 0.0}
    request["memory"] = (resources.memory_gb_per_trial or 0.0) * GIGABYTE
    if on_gpu and resources.accelerator_type is not None:
        request[f"accelerator_type:{resources.accelerator_type}"] = TYPED
    return request | resources.custom


class Cluster:
    """The connected cluster, as the trials of one study see it; nodes may come and go.

    Attributes:
        device: What trials run on.
        share: The share of it (GPU fraction, or CPUs) that each holds.
    """

    def __init__(self, resources: ResourceSpec) -> None:
        """Look at the cluster, and wait for its first node where an autoscaler is asked.

        Raises:
            InputError: No trial fits on any node.
        """
        self._resources = resources
        self._looked = -SECONDS_BETWEEN_LOOKS
        self._slots = 0
        self.device = self._device()
        self.share = resources.gpus_per_trial if self.device == "gpu" else float(resources.cpus_per_trial)
        if resources.autoscale_trials:
            self._ask(resources.autoscale_trials)
            self._await_nodes()
        if self.slots() < 1:
            raise InputError(self._too_much())

    @property
    def is_shared(self) -> bool:
        """Whether it was there before us, so that its nodes may run something else."""
        return bool(os.environ.get("RAY_ADDRESS")) or len(living_nodes()) > 1

    def nodes(self) -> list[Node]:
        """All nodes that are alive now."""
        return living_nodes()

    def slots(self) -> int:
        """How many trials can run at once now."""
        now = time.monotonic()
        if now - self._looked >= SECONDS_BETWEEN_LOOKS:
            request, most = request_of(self._resources, self.device), self._resources.max_trials
            fit = sum(node.fits(request, self._resources.labels) for node in living_nodes())
            self._slots, self._looked = (fit if most is None else min(fit, most)), now
        return self._slots

    def placement(self) -> Any:
        """What Tune asks of Ray for each trial."""
        labels = self._resources.labels
        chosen = {"bundle_label_selector": [labels]} if labels else {}
        return tune.PlacementGroupFactory([request_of(self._resources, self.device)], **chosen)

    @contextmanager
    def asked_for_more(self) -> Iterator[None]:
        """The autoscaler knows how many trials we want, until we are done."""
        try:
            yield
        finally:
            if self._resources.autoscale_trials:
                self._ask(0)

    def _device(self) -> Device:
        if self._resources.gpus_per_trial <= 0:
            return "cpu"
        is_typed = self._resources.accelerator_type is not None or self._resources.autoscale_trials > 0
        return "gpu" if is_typed or any(node.resources.get("GPU", 0) > 0 for node in living_nodes()) else "cpu"

    def _ask(self, trials: int) -> None:
        request = {name: amount for name, amount in request_of(self._resources, self.device).items() if amount}
        request_resources(bundles=[request] * trials)

    def _await_nodes(self) -> None:
        deadline = time.monotonic() + SECONDS_FOR_NODES
        while self.slots() < 1 and time.monotonic() < deadline:
            time.sleep(SECONDS_BETWEEN_LOOKS)

    def _too_much(self) -> str:
        request = {name: amount for name, amount in request_of(self._resources, self.device).items() if amount}
        labels = self._resources.labels
        largest = _largest(living_nodes(), request)
        return (
            f"a trial asks for {_listed(request)}{f' on a node with labels {labels}' if labels else ''}, the largest "
            f"nodes have {_listed(largest)}; lower cpus_per_trial, gpus_per_trial or what else is too much "
            "([resources])"
        )


def _largest(nodes: Sequence[Node], request: Mapping[str, float]) -> dict[str, float]:
    return {name: max((node.resources.get(name, 0.0) for node in nodes), default=0.0) for name in request}


def _listed(amounts: Mapping[str, float]) -> str:
    return ", ".join(
        f"{amount / GIGABYTE:g} memory (GB)" if name == "memory" else f"{amount:g} {name}"
        for name, amount in amounts.items()
    )


@contextmanager
def connected() -> Iterator[None]:
    """A connection to the cluster of RAY_ADDRESS, else a private one on this machine; an open one is left as it is.

    Raises:
        InputError: RAY_ADDRESS names no cluster that a driver can join.
    """
    for name in ("ray", "ray.tune"):
        logging.getLogger(name).setLevel(logging.CRITICAL)  # its warnings speak of files that we do without
    if ray.is_initialized():
        yield
        return
    address = os.environ.get("RAY_ADDRESS")
    if address:
        _join(address)
    else:
        _init(address="local", object_store_memory=OBJECT_STORE_BYTES, include_dashboard=False)
    try:
        yield
    finally:
        ray.shutdown()


def _join(address: str) -> None:
    if address.startswith("ray://"):
        raise InputError(
            f"a driver runs inside the cluster, got RAY_ADDRESS={address}; run it on a node with RAY_ADDRESS=auto, or "
            "by `ray job submit`"
        )
    rooms = [str(room_folder(room)) for room in ROOMS]
    try:
        _init(address=address, runtime_env={"py_modules": rooms, "excludes": ["__pycache__"]})
    except (ConnectionError, RuntimeError, ValueError) as error:
        reason = str(error).strip().splitlines()[0]
        token = "" if "RAY_AUTH_MODE" in os.environ else "; if it asks for a token, set RAY_AUTH_MODE=token"
        raise InputError(f"cannot join the cluster at RAY_ADDRESS={address}: {reason}{token}") from error


def _init(**options: Any) -> None:
    ray.init(log_to_driver=False, logging_level=logging.CRITICAL, **options)
