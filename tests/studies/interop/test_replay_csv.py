"""The command `replay`: a recorded surface through policy, stop rule and ledger."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import pandas as pd
import pytest

from studies.__main__ import main
from studies.commands.arguments import BAD_INPUT
from studies.interop.replay_csv import read_surface, replay_surface, to_dict
from tests.helpers.drawn_surface import DEPTHS, EVALUATIONS, RATIOS, drawn_surface, replay_spec
from tests.helpers.paths import RECORDED

if TYPE_CHECKING:
    from search.replay.simulator import RecordedRun

KVASIR = RECORDED / "kvasir64_4x4.csv"
KEYS = {
    *("gpu_seconds", "grid_gpu_seconds", "share", "recommended", "dsc_regret", "cost_regret", "case_error"),
    *("replay", "cells"),
}


def table_of(runs: list[RecordedRun]) -> pd.DataFrame:
    """The plain form: depth, ratio, epoch, val_dsc, test_dsc, seconds."""
    return pd.DataFrame(
        {
            "depth": run.plan.depth,
            "ratio": run.plan.ratio,
            "epoch": point.evaluation,
            "val_dsc": point.val_dsc,
            "test_dsc": test,
            "seconds": point.train_seconds + point.val_seconds,
        }
        for run in runs
        for point, test in zip(run.curve, run.test_curve, strict=True)
    )


@pytest.fixture
def plain(tmp_path: Path) -> Path:
    """A log as anybody has it."""
    table_of(drawn_surface((0,))).to_csv(tmp_path / "plain.csv", index=False)
    return tmp_path / "plain.csv"


def test_a_recorded_surface_of_real_data(capsys: pytest.CaptureFixture[str]) -> None:
    """Every number of the plain JSON; a cell has a state, a measured or forecast value, and where ended, a reason."""
    assert main(["replay", str(KVASIR), "--tolerance", "0.03", "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found.keys() == KEYS
    assert found["share"] == pytest.approx(found["gpu_seconds"] / found["grid_gpu_seconds"])
    assert 0 < found["share"] < 1
    assert found["recommended"].keys() == {"ratio", "depth", "dsc"}
    assert found["dsc_regret"] >= 0
    assert 0 <= found["case_error"] <= 1
    grid = [cell for cell in found["cells"] if cell["role"] == "grid"]
    assert len(grid) == 16
    for cell in found["cells"]:
        assert cell["state"] in {"done", "skipped", "pruned", "not_learned", "collapsed"}
        assert (cell["measured_val_dsc"] is None) == (cell["evaluations"] == 0)
        ended_early = cell["evaluations"] < 30
        assert (cell["reason"] is not None) == ended_early
        assert (cell["forecast_val_dsc"] is not None) == ended_early
    assert found["replay"]["driver_seconds"] > 0


def test_the_text_fits_a_terminal(plain: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """What is recommended, spent and lost, in lines of at most 80 characters."""
    assert main(["replay", str(plain), "--d0", "0.2"]) == 0
    out = capsys.readouterr().out
    assert {"recommended", "GPU seconds", "cells", "regret", "simulated"} <= {
        line[:14].strip() for line in out.splitlines()
    }
    assert max(map(len, out.splitlines())) <= 80


@pytest.mark.parametrize("gpus", [2, 64])
def test_simulated_gpus_say_how_long_they_waited(plain: Path, capsys: pytest.CaptureFixture[str], gpus: int) -> None:
    """More GPUs end sooner, and stand idle for a share of the time that is printed."""
    assert main(["replay", str(plain), "--policy", "grid", "--gpus", str(gpus)]) == 0
    line = next(line for line in capsys.readouterr().out.splitlines() if line.startswith("simulated"))
    assert "GPUs idle" in line
    assert 0 <= float(line.partition("idle ")[2].partition(" %")[0]) <= 100


def test_the_plain_form_is_read_like_the_whole_one(plain: Path) -> None:
    """Made-up cases and steps leave curves, ratios and seconds as they were."""
    runs = read_surface(plain)
    before = drawn_surface((0,))
    assert len(runs) == len(RATIOS) * len(DEPTHS)
    for now, then in zip(runs, before, strict=True):
        assert (now.plan.depth, now.plan.ratio) == (then.plan.depth, then.plan.ratio)
        assert [p.val_dsc for p in now.curve] == pytest.approx([p.val_dsc for p in then.curve])
        assert now.test_curve == pytest.approx(then.test_curve)
        assert sum(p.train_seconds for p in now.curve) == pytest.approx(
            sum(p.train_seconds + p.val_seconds for p in then.curve)
        )


def test_regret_is_measured_against_all_that_was_recorded() -> None:
    """The grid that trains everything recommends within the tolerance; an impossible target recommends nothing."""
    runs = drawn_surface()
    spec = replay_spec(policy="grid", tolerance=0.03)
    found = to_dict(replay_surface(runs, spec), runs, spec)
    assert found["share"] == pytest.approx(1, abs=0.02)
    assert found["dsc_regret"] <= 0.01
    spec = replay_spec(policy="grid", target=0.99)
    found = to_dict(replay_surface(runs, spec), runs, spec)
    assert (found["recommended"], found["dsc_regret"], found["cost_regret"]) == (None, None, None)
    assert all(cell["evaluations"] == EVALUATIONS for cell in found["cells"])


@pytest.mark.parametrize(
    ("options", "told"),
    [
        (["nothing.csv"], "cannot read nothing.csv as CSV"),
        (["wrong.csv"], "wrong.csv lacks the column 'ratio'"),
        (["empty.csv"], "cannot read empty.csv as CSV"),
        (["plain.csv", "--gpus", "0"], "--gpus must be at least 1, got 0"),
        (["plain.csv", "--held-out", "0"], "--held-out must be at least"),
        (["plain.csv", "--tolerance", "0"], "--tolerance must be a DSC in (0, 0.5), got 0"),
        (["plain.csv", "--tolerance", "nan"], "--tolerance must be a DSC in (0, 0.5), got nan"),
        (["plain.csv", "--target-dsc", "80"], "--target-dsc must be a DSC in (0, 1), got 80"),
        (["plain.csv", "--d0", "-1"], "--d0 must be a DSC in [0, 1), got -1"),
        (["plain.csv", "--seed", "7"], "no run has a seed of [7], the surface has [0]"),
    ],
)
def test_bad_input_is_told(
    plain: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    options: list[str],
    told: str,
) -> None:
    """One message says what, and the exit code is 2."""
    monkeypatch.chdir(plain.parent)
    Path("wrong.csv").write_text("depth,val_dsc\n3,0.5\n")
    Path("empty.csv").write_text("")
    assert main(["replay", *options]) == BAD_INPUT
    error = capsys.readouterr().err
    assert told in error
    assert error.count("dicecurve: ") == 1
