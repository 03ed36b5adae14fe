"""What a worker does on a node that is not the driver's: it prepares the data, or says that the node does not fit."""

from __future__ import annotations

import shutil
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from search.tune import trainable
from search.worker.versions import node_versions
from storage.data.spec import DataSpec
from storage.data.staging import StagedDataset
from tests.helpers.studies import ONE_CELL, prepare_one_cell

if TYPE_CHECKING:
    from collections.abc import Iterator

    from search.worker.assignment import Assignment
    from storage.records import Claim


@pytest.fixture
def claimed(storage_url: str) -> Iterator[tuple[Assignment, Claim]]:
    """A claimed cell, and what its worker knows."""
    prepared = prepare_one_cell(storage_url)
    with prepared.ledger as ledger:
        claim = ledger.claim(prepared.study.study_id, [ONE_CELL], "host/boot/ns/1/1")
        assert claim is not None
        yield prepared.job.assignment, claim


def work(assignment: Assignment, claim: Claim) -> object:
    """What a worker reports after its first step."""
    worker = object.__new__(trainable.CellTrainable)  # Tune's own beginning needs Ray
    worker.setup({"claim": claim}, assignment)
    return worker.step()["report"]


def test_a_node_without_the_data_prepares_them_once(
    claimed: tuple[Assignment, Claim], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Four workers begin together on such a node: one makes the dataset, and all of them read that one."""
    assignment, claim = claimed
    folder = Path(assignment.dataset_folder)
    whole = {path.name: path.read_bytes() for path in folder.iterdir()}
    shutil.rmtree(folder.parent)
    published, publish = [], StagedDataset.publish
    monkeypatch.setattr(StagedDataset, "publish", lambda self, *given: published.append(self) or publish(self, *given))
    with ThreadPoolExecutor(4) as pool:
        opened = list(pool.map(lambda _: trainable._dataset(assignment), range(4)))
    assert len(published) == 1
    assert {dataset.fingerprint for dataset in opened} == {assignment.fingerprint}
    assert {path.name: path.read_bytes() for path in folder.iterdir()} == whole
    assert isinstance(work(assignment, claim), trainable.TrainReport)


def test_a_node_with_other_data_does_not_fit(claimed: tuple[Assignment, Claim]) -> None:
    """No cell is blamed: the report names the node, both fingerprints and the remedy."""
    assignment, claim = claimed
    shutil.rmtree(Path(assignment.dataset_folder).parent)
    other = replace(assignment, data=DataSpec(kind="phantom", phantom_cases=41))
    report = work(other, claim)
    assert isinstance(report, trainable.FailureReport)
    assert report.node_is_unfit
    assert f"not {assignment.fingerprint[:12]}" in report.reason
    assert "bring the same files to every node" in report.reason


def test_a_node_that_joins_with_other_versions_does_not_fit(claimed: tuple[Assignment, Claim]) -> None:
    """It is looked at again when its first trial begins, since it was not there at the start."""
    assignment, claim = claimed
    assert isinstance(work(replace(assignment, versions=node_versions()), claim), trainable.TrainReport)
    report = work(replace(assignment, versions=node_versions() | {"torch": "1.0"}), claim)
    assert isinstance(report, trainable.FailureReport)
    assert report.node_is_unfit
    assert "on node " in report.reason
    assert "not 1.0" in report.reason
