"""Three nodes on one machine: a node that is lost, one that joins, one that differs, and a head that is replaced."""

from __future__ import annotations

import shutil
import signal
from typing import TYPE_CHECKING, Any

import pytest
from ray.cluster_utils import Cluster

from tests.cluster.loopback import STORE, ClusteredStudy, under_way

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from storage.records import CellRecord


@pytest.fixture(scope="module")
def first() -> Iterator[Cluster]:
    """A cluster of a head without CPUs, and a node of one CPU; the last test ends it."""
    yield from cluster_of_two()


@pytest.fixture(scope="module")
def second() -> Iterator[Cluster]:
    """Another one."""
    yield from cluster_of_two()


def cluster_of_two() -> Iterator[Cluster]:
    """Start it, and end what is left of it."""
    head = {"num_cpus": 0, "object_store_memory": STORE, "include_dashboard": False}
    cluster = Cluster(initialize_head=True, head_node_args=head)
    add_node(cluster)
    yield cluster
    cluster.shutdown()


def add_node(cluster: Cluster, **options: Any) -> Any:
    """One more node, of one CPU."""
    return cluster.add_node(num_cpus=1, object_store_memory=STORE, **options)


def test_a_file_is_no_database_for_several_nodes(first: Cluster, tmp_path: Path) -> None:
    """SQLite with two nodes: refused before it is made, and the remedy named."""
    study = ClusteredStudy(tmp_path, f"sqlite:///{tmp_path}/study.db")
    with study.driver(first.address) as driver:
        assert study.exit_code(driver) == 2, study.log()
    assert "SQLite serves one machine, and the cluster has 2 nodes" in study.log()
    assert "dicecurve database start DIR" in study.log()
    assert not (tmp_path / "study.db").exists()


def test_a_node_that_differs_is_refused(first: Cluster, tmp_path: Path, postgres_database: str) -> None:
    """Another version of a package on one node: named before anything is trained, with the remedy, exit code 2."""
    stale = tmp_path / "stale/monai-1.0.0.dist-info"
    stale.mkdir(parents=True)
    (stale / "METADATA").write_text("Metadata-Version: 2.1\nName: monai\nVersion: 1.0.0\n")
    stale_node = add_node(first, env_vars={"PYTHONPATH": str(stale.parent)})
    study = ClusteredStudy(tmp_path, postgres_database)
    with study.driver(first.address) as driver:
        assert study.exit_code(driver) == 2, study.log()
    first.remove_node(stale_node)
    assert "does not fit: it runs monai 1.0.0, not " in study.log()
    assert "install the same versions on every node" in study.log()
    assert not any(record.curve for record in study.records())


def test_a_lost_node_and_a_new_one(first: Cluster, tmp_path: Path, postgres_database: str) -> None:
    """A raylet is killed in mid-training, and a node joins: cells go on from their checkpoints, nothing counts twice.

    The new node has work, since the study ends with two slots in use, and what the loss cost is under an evaluation.
    """
    study = ClusteredStudy(tmp_path, postgres_database, budget=900)
    doomed = add_node(first)
    with study.driver(first.address) as driver:
        before = {r.cell.plan.key: r for r in study.wait_for(_two_under_way, driver)}
        first.remove_node(doomed, allow_graceful=False)
        lost = study.wait_for(lambda records: [r for r in records if r.cell.losses], driver)
        add_node(first)
        study.wait_for(lambda records: sum(r.cell.owner is not None for r in records) >= 2, driver)
        assert study.exit_code(driver) == 0, study.log()
    records = study.assert_whole()
    assert sum(r.cell.losses for r in records) == len(lost) == 1
    again = next(r for r in records if r.cell.losses)
    assert again.curve[: len(before[again.cell.plan.key].curve)] == before[again.cell.plan.key].curve
    assert again.cell.claims == 2
    longest = max(e.train_seconds + e.val_seconds for r in records for e in r.curve)
    waited = 12.0  # until Ray calls a node dead, its trial counts as working
    assert sum(r.attempt.lost_seconds for r in records) <= longest + waited


def test_two_clusters_share_a_study(first: Cluster, second: Cluster, tmp_path: Path, postgres_database: str) -> None:
    """Two drivers on clusters of their own work one ledger: both have cells, and each is trained once."""
    study = ClusteredStudy(tmp_path, postgres_database, budget=600)
    with study.driver(first.address) as one, study.driver(second.address) as other:
        owners = study.wait_for(_two_owners, one)
        assert [study.exit_code(one), study.exit_code(other)] == [0, 0], study.log()
    assert len(owners) == 2
    assert all(r.cell.claims == 1 for r in study.assert_whole())


def test_a_new_head_takes_the_study_up(first: Cluster, second: Cluster, tmp_path: Path, postgres_database: str) -> None:
    """The head dies with its driver; on a new cluster the same command goes on from the database."""
    study = ClusteredStudy(tmp_path, postgres_database, budget=300, ratios=(0.5, 1.0))
    with study.driver(first.address) as driver:
        study.wait_for(under_way, driver)
        driver.send_signal(signal.SIGKILL)  # it runs on the head, and dies with that
    before = {r.cell.plan.key: r.curve for r in study.records()}
    first.shutdown()
    shutil.rmtree(tmp_path / "cache")  # a new machine has none
    with study.driver(second.address) as driver:
        assert study.exit_code(driver) == 0, study.log()
    for record in study.assert_whole():
        assert record.curve[: len(before[record.cell.plan.key])] == before[record.cell.plan.key]


def _two_under_way(records: list[CellRecord]) -> list[CellRecord] | None:
    held = [r for r in records if r.cell.owner is not None]
    return records if len(held) == 2 and all(1 <= len(r.curve) < 4 for r in held) else None


def _two_owners(records: list[CellRecord]) -> set[str]:
    owners = {r.cell.owner for r in records if r.cell.owner is not None}
    return owners if len(owners) == 2 else set()
