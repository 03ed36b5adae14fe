"""What a driver decides from what the ledger holds."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from models.forecaster.baselines.parametric import ParametricForecaster
from models.forecaster.lstm.forecaster import load
from search.policy.decisions import Decisions
from storage.ledger.ledger import Ledger
from storage.records import CellState, Scores
from tests.helpers.drawn_surface import D0, DEPTHS, EVALUATIONS, RATIOS, decision_spec, drawn_run, plan

if TYPE_CHECKING:
    from collections.abc import Iterator

    from models.forecaster.forecast import Forecast
    from storage.records import CellPlan, StudyRecord

US = "host/boot/ns/1/100"
WORKER = {"device": "gpu", "device_share": 1.0, "device_name": "a GPU", "planned_steps": 9, "versions": {}}


class Broken(ParametricForecaster):
    """A forecaster that fails."""

    def forecast(self, *_: object, **__: object) -> Forecast:
        """Fail."""
        raise RuntimeError("no forecast today")


@pytest.fixture
def ledger(tmp_path: Any) -> Iterator[Ledger]:
    """A ledger with the whole grid laid out."""
    with Ledger.open(f"sqlite:///{tmp_path}/study.db", create=True) as opened:
        study = opened.create_study(
            "drawn",
            identity={},
            running={},
            fingerprint="f",
            split={"train": [], "validation": [], "test": []},
            groups={},
            facts={"d0": D0},
        )
        opened.layout(study.study_id, [plan(ratio, depth) for ratio in RATIOS for depth in DEPTHS])
        yield opened


@pytest.fixture
def study(ledger: Ledger) -> StudyRecord:
    """The study."""
    record = ledger.find_study("drawn")
    assert record is not None
    return record


def decisions(ledger: Ledger, study: StudyRecord, slots: int = 1, **changes: Any) -> Decisions:
    """Those of the policy `forecast`."""
    return Decisions(ledger, study, decision_spec(**changes), lambda: slots)


def train(ledger: Ledger, study: StudyRecord, cell: CellPlan, state: CellState = CellState.DONE) -> None:
    """Train and test a cell, as recorded; or let it fail before its first evaluation."""
    claim = ledger.claim(study.study_id, [cell.key], US)
    assert claim is not None
    if state is CellState.FAILED:
        ledger.fail(claim, "broken")
        return
    curve = drawn_run(cell).curve
    ledger.record(claim, curve, checkpoint=None, worker=WORKER)
    ledger.send_to_test(claim, stop_reason=None, forecast=None)
    test = ledger.claim(study.study_id, [cell.key], US)
    assert test is not None
    scores = Scores(EVALUATIONS, ((8, 1, 1),), ((8, 1, 1),), 0.2)
    ledger.finish(test, state, value=max(e.val_dsc for e in curve), scores=scores, facts={})


def ask(decided: Decisions, ledger: Ledger, study: StudyRecord) -> list[str]:
    """The next cells."""
    return decided.next_cells(ledger.cells(study.study_id))


def test_grid_takes_every_cell_and_stops_none(ledger: Ledger, study: StudyRecord) -> None:
    """From cheap to dear, to the full budget, and nothing is noted as skipped."""
    grid = decisions(ledger, study, policy="grid")
    assert len(ask(grid, ledger, study)) == len(RATIOS) * len(DEPTHS)
    flat = drawn_run(plan(1.0, 3), noise=0.0).curve
    assert all(grid.stop(plan(1.0, 3), flat[:n]) is None for n in range(1, EVALUATIONS))
    grid.close()
    assert all(cell.skip is None for cell in ledger.cells(study.study_id))


def test_what_is_kept_can_be_made_again_from_the_ledger(ledger: Ledger, study: StudyRecord) -> None:
    """A driver that goes on for another decides as the other would have."""
    old = decisions(ledger, study)
    for _ in range(4):
        key = ask(old, ledger, study)[0]
        train(ledger, study, next(c.plan for c in ledger.cells(study.study_id) if c.plan.key == key))
    assert ask(decisions(ledger, study), ledger, study) == ask(old, ledger, study)
    curve = drawn_run(plan(1.0, 3)).curve[:6]
    assert decisions(ledger, study).stop(plan(1.0, 3), curve[:3]) == old.stop(plan(1.0, 3), curve[:3])


def test_skips_are_noted_as_they_are_decided(ledger: Ledger, study: StudyRecord) -> None:
    """Every free cell that is not among the next ones stands in the ledger with its forecast."""
    driver = decisions(ledger, study, worth=20)
    train(ledger, study, plan(0.1, 3))
    wanted = ask(driver, ledger, study)
    free = [cell for cell in ledger.cells(study.study_id) if cell.state is CellState.WAITING]
    assert {cell.plan.key for cell in free if cell.skip is None} == set(wanted)
    assert any(cell.skip is not None for cell in free)


def test_a_forecaster_that_fails_ends_nothing(ledger: Ledger, study: StudyRecord) -> None:
    """The cell trains on."""
    curve = drawn_run(plan(1.0, 3), noise=0.0).curve
    whole = decisions(ledger, study, tolerance=0.2)
    broken = decisions(ledger, study, tolerance=0.2, forecaster=Broken())
    assert any(whole.stop(plan(1.0, 3), curve[:n]) is not None for n in range(4, EVALUATIONS))
    assert all(broken.stop(plan(1.0, 3), curve[:n]) is None for n in range(1, EVALUATIONS))


def test_a_cell_that_failed_before_its_first_evaluation_harms_no_decision(
    ledger: Ledger, study: StudyRecord, caplog: pytest.LogCaptureFixture
) -> None:
    """It has no curve that siblings could be compared with."""
    train(ledger, study, plan(0.1, 2), CellState.FAILED)
    train(ledger, study, plan(0.1, 3))
    driver = decisions(ledger, study)
    ask(driver, ledger, study)
    curve = drawn_run(plan(1.0, 3), noise=0.0).curve
    for seen in range(4, EVALUATIONS):
        driver.stop(plan(1.0, 3), curve[:seen])
    assert not caplog.records, "the stop rule logs what it failed of"


def test_a_cell_that_failed_and_was_trained_again_is_a_sibling_with_its_new_curve(
    ledger: Ledger, study: StudyRecord
) -> None:
    """A driver that saw the failure forecasts what one forecasts that did not."""
    old = decisions(ledger, study, forecaster=load(), tolerance=0.2)
    train(ledger, study, plan(0.1, 2), CellState.FAILED)
    train(ledger, study, plan(0.1, 3))
    ask(old, ledger, study)
    curve = drawn_run(plan(1.0, 3), noise=0.0).curve
    before = [old.stop(plan(1.0, 3), curve[:seen]) for seen in range(4, EVALUATIONS)]
    assert ledger.retry(study.study_id, plan(0.1, 2).key)
    train(ledger, study, plan(0.1, 2))
    ask(old, ledger, study)
    new = decisions(ledger, study, forecaster=load(), tolerance=0.2)
    ask(new, ledger, study)
    after = [old.stop(plan(1.0, 3), curve[:seen]) for seen in range(4, EVALUATIONS)]
    assert after == [new.stop(plan(1.0, 3), curve[:seen]) for seen in range(4, EVALUATIONS)]
    assert after != before


def test_a_confirming_run_is_never_stopped(ledger: Ledger, study: StudyRecord) -> None:
    """It is what the recommendation rests on."""
    curve = drawn_run(plan(1.0, 3), noise=0.0).curve
    fresh = plan(1.0, 3, seed=1, role="confirm")
    assert all(decisions(ledger, study).stop(fresh, curve[:n]) is None for n in range(1, EVALUATIONS))


def test_a_run_far_under_the_best_cannot_matter(ledger: Ledger, study: StudyRecord) -> None:
    """With the rest of the grid known, nothing that its forecast allows would be recommended."""
    for ratio in RATIOS:
        for depth in DEPTHS:
            if (ratio, depth) != (1.0, 2):
                train(ledger, study, plan(ratio, depth))
    driver = decisions(ledger, study, tolerance=1e-4)
    ask(driver, ledger, study)
    values = drawn_run(plan(1.0, 2)).curve
    stops = [driver.stop(plan(1.0, 2), values[:n]) for n in range(4, EVALUATIONS)]
    first = next(decision for decision in stops if decision is not None)
    assert first.kind == "cannot_matter"
    assert first.reason.startswith("cannot matter: at evaluation")
    assert np.isfinite([first.forecast.mean, first.forecast.lower, first.forecast.upper]).all()


def test_a_limit_is_planned_with_what_was_spent(ledger: Ledger, study: StudyRecord) -> None:
    """When only the confirmation fits, it is what comes next; when not even that does, nothing."""
    for depth in DEPTHS:
        train(ledger, study, plan(0.1, depth))
    assert ask(decisions(ledger, study, device_seconds=1e6), ledger, study)
    assert ask(decisions(ledger, study, device_seconds=1.0), ledger, study) == []
