"""The claims of a driver, and when a trial counts as hung."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import pytest

from search.policy.stop_rule import StopDecision
from search.tune.held_claims import SILENT_SECONDS_UNKNOWN, HeldClaims, LeaseKeeper, silence_limit
from storage.ledger.ledger import Ledger
from storage.records import CellPlan, Claim, Evaluation, PlateauForecast

if TYPE_CHECKING:
    from collections.abc import Sequence

US = "host/boot/ns/1/100"
PLAN = CellPlan("cell", 0.5, 3, 0, 5, 1000)
CLAIM = Claim(1, PLAN, 1, 1, US, "train")


def curve(*seconds: float) -> list[Evaluation]:
    """Evaluations that took so long."""
    return [Evaluation(i, i, i, 0.5, s - 0.5, 0.5) for i, s in enumerate(seconds, start=1)]


@pytest.mark.parametrize(
    ("seconds", "least", "limit"),
    [
        ((), 1800, SILENT_SECONDS_UNKNOWN),
        ((1, 2, 3), 1800, 1800),
        ((600, 700, 5000), 1800, 7000),
        ((300,), 10, 3000),
        ((), 1e9, 1e9),
    ],
)
def test_ten_median_evaluations_or_the_least(seconds: Sequence[float], least: float, limit: float) -> None:
    """max(10 x the median evaluation, the least); nearly without end before the first evaluation."""
    assert silence_limit(curve(*seconds), least) == limit


def test_only_who_works_is_silent() -> None:
    """A trial that waits for a slot is not; one that just reported is not; a cell's earlier curve counts."""
    held = HeldClaims(device_share=1.0)
    held.add("a", CLAIM, curve(0.501))
    assert held.silent(0.0) == []
    held.mark_working("a")
    assert held.silent(60.0) == []
    held.mark_working("a", curve(0.501, 0.501))
    assert held.silent(0.0) == []
    held._held["a"].working_since = time.monotonic() - 100
    assert held.silent(60.0) == ["a"]
    assert held.silent(200.0) == []


def test_a_stop_decision_waits_with_the_claim() -> None:
    """Who ends the trial finds what was decided on its newest report; of a trial that is gone nothing is kept."""
    decision = StopDecision("plateau", "for a reason", PlateauForecast(0.8, 0.7, 0.9, "a law"))
    held = HeldClaims(device_share=1.0)
    held.note_decision("gone", decision)
    assert held.remove("gone") is None
    for decisions in ([decision], [None, decision], [decision, None], []):
        held.add("a", CLAIM)
        for noted in decisions:
            held.note_decision("a", noted)
        ended = held.remove("a")
        assert ended is not None
        assert ended.claim == CLAIM
        assert ended.decision == (decisions[-1] if decisions else None)


def test_a_lost_claim_is_dropped(storage_url: str) -> None:
    """The keeper hears from the ledger which claims were given away, and holds on to the others."""
    with Ledger.open(storage_url, create=True) as ledger:
        study = ledger.create_study("s", identity={}, running={}, fingerprint="f", split={}, groups={}, facts={})
        plans = [CellPlan(key, 0.5, 3, 0, 5, 1000) for key in ("a", "b")]
        ledger.layout(study.study_id, plans)
        held = HeldClaims(device_share=1.0)
        for plan in plans:
            claim = ledger.claim(study.study_id, [plan.key], US)
            assert claim is not None
            held.add(plan.key, claim)
        assert ledger.take_back(study.study_id, ledger.cells(study.study_id)[0])
        with LeaseKeeper(ledger, held, every_seconds=60):
            pass
        assert (held.find("a"), held.find("b") is not None) == (None, True)
        assert [cell.counter for cell in ledger.cells(study.study_id)] == [0, 1]
