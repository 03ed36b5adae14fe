"""Optuna dashboard, started by the command line on a study's database, asked over HTTP."""

from __future__ import annotations

import json
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from storage.ledger import Ledger
from storage.records import CellPlan, CellState, Evaluation, Scores

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def study_url(tmp_path_factory: pytest.TempPathFactory) -> str:
    """A database with one cell done and one waiting."""
    url = f"sqlite:///{tmp_path_factory.mktemp('dashboard')}/dicecurve.db"
    with Ledger.open(url, create=True) as ledger:
        study = ledger.create_study(
            "shown", identity={}, running={}, fingerprint="f", split={}, groups={}, facts={"d0": 0.2}
        )
        ledger.layout(study.study_id, [CellPlan(f"cell{i}", i / 2, 2 + i, 0, 10 * i, 100) for i in (1, 2)])
        claim = ledger.claim(study.study_id, "cell1", "a/b/1/2")
        assert claim is not None
        points = [Evaluation(i, float(i), 10 * i, i / 10, 1.0, 0.1) for i in range(1, 6)]
        ledger.record(claim, points, checkpoint=None, worker={"device": "cpu"})
        scores = Scores(5, ((5, 1, 1),), ((4, 1, 0),), 0.1)
        ledger.finish(claim, CellState.DONE, value=0.5, scores=scores, facts={"test_dsc": 0.8, "cpu_seconds": 5.5})
    return url


@pytest.fixture(scope="module")
def dashboard(study_url: str) -> Iterator[str]:
    """Its address, once it answers."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [sys.executable, "-m", "studies", "dashboard", "--storage", study_url, "--port", str(port)]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
        address = f"http://127.0.0.1:{port}"
        _wait_for(address, process)
        yield address
        process.terminate()
        process.wait(10)


def _wait_for(address: str, process: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        assert process.poll() is None
        try:
            ask(address, "meta")
        except urllib.error.URLError:
            time.sleep(0.1)
        else:
            return
    pytest.fail("the dashboard does not answer")


def ask(address: str, path: str) -> Any:
    """What its API answers."""
    with urllib.request.urlopen(f"{address}/api/{path}", timeout=10) as answer:  # noqa: S310 - our own loopback
        return json.load(answer)


def test_the_dashboard_shows_params_curve_metrics_and_costs(dashboard: str) -> None:
    """A finished cell is a complete trial with ratio and depth, its curve, its value, and what stands beside it."""
    (study,) = ask(dashboard, "studies")["study_summaries"]
    assert study["study_name"] == "shown"
    assert study["directions"] == ["maximize"]
    done, waiting = ask(dashboard, f"studies/{study['study_id']}?after=0")["trials"]
    assert (done["state"], waiting["state"]) == ("Complete", "Waiting")
    assert {p["name"]: p["param_external_value"] for p in done["params"]} == {"ratio": "0.5", "depth": "3"}
    assert [p["value"] for p in done["intermediate_values"]] == [0.1, 0.2, 0.3, 0.4, 0.5]
    assert done["values"] == [0.5]
    attributes = {a["key"]: a["value"] for a in done["user_attrs"]}
    assert attributes["test_dsc"] == "0.8"
    assert attributes["cpu_seconds"] == "5.5"
    assert attributes["num_cases"] == "10"
