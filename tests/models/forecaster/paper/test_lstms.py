"""The paper's four LSTMs: what each may see, and how they are compared."""

from __future__ import annotations

import numpy as np
import pytest

from models.forecaster.lstm.forecaster import load
from models.forecaster.paper import lstms
from models.forecaster.paper.comparison import paper_scores, prefix_of
from models.forecaster.paper.lstms import PAPER_LSTMS, PaperLstm, fit_paper_lstm

CASES = np.linspace(80, 800, 10)


def data_curve(depth: int) -> np.ndarray:
    """A power law that differs a little by depth."""
    return 0.85 + 0.01 * depth - (0.3 + 0.02 * depth) * (CASES / 80) ** -0.7


@pytest.fixture(autouse=True)
def briefly(monkeypatch: pytest.MonkeyPatch) -> None:
    """Fewer steps: these tests are about what is seen, not about how well it is learned."""
    monkeypatch.setattr(lstms, "STEPS", 20)


@pytest.mark.parametrize("kind", PAPER_LSTMS, ids=lambda v: v.name)
def test_no_honest_lstm_sees_the_future(kind: PaperLstm) -> None:
    """Another end of the curve changes nothing before it; full-step sees nothing at all after the prefix."""
    predictor = fit_paper_lstm(kind, [data_curve(depth) for depth in (3, 4)], prefix=3)
    y, other = data_curve(5), data_curve(5)
    other[6:] = 0.1
    changed = np.flatnonzero(predictor.predict(y, 3) != predictor.predict(other, 3))
    if kind.full_step:
        assert changed.size == 0
    else:
        assert changed.min() == 4  # the points 3..6 are predicted from what comes before them


def test_a_plain_bidirectional_layer_does_see_it() -> None:
    """As published, bi-directional and one-step: the value that it predicts reaches the prediction."""
    seeing = PaperLstm(bidirectional=True, full_step=False, sees_future=True)
    predictor = fit_paper_lstm(seeing, [data_curve(3), data_curve(4)], prefix=3)
    other = data_curve(5)
    other[6] = 0.1
    assert (predictor.predict(data_curve(5), 3) != predictor.predict(other, 3))[:3].all()


def test_a_fit_learns_its_own_curves(monkeypatch: pytest.MonkeyPatch) -> None:
    """Uni-directional and one-step, on the curve that it was fitted on: closer than persistence."""
    monkeypatch.setattr(lstms, "STEPS", 400)
    y = data_curve(4)
    predictor = fit_paper_lstm(PaperLstm(bidirectional=False, full_step=False), [y], prefix=2)
    assert np.abs(predictor.predict(y, 2) - y[2:]).mean() < np.abs(y[1:-1] - y[2:]).mean()


def test_the_same_seed_gives_the_same_predictor() -> None:
    """And leaves the global source of chance alone."""
    curves = [data_curve(3), data_curve(4)]
    first, second = (fit_paper_lstm(PAPER_LSTMS[0], curves, prefix=3, seed=1) for _ in range(2))
    np.testing.assert_array_equal(first.predict(curves[0], 3), second.predict(curves[0], 3))


def test_curves_of_different_length_are_refused() -> None:
    """One grid of sizes for all."""
    with pytest.raises(ValueError, match=r"one length above the prefix 3, got \[9, 10\]"):
        fit_paper_lstm(PAPER_LSTMS[0], [data_curve(3), data_curve(4)[:9]], prefix=3)


def test_the_comparison_holds_every_method_under_both_protocols(monkeypatch: pytest.MonkeyPatch) -> None:
    """Four LSTMs, four baselines and the shipped forecaster, at each depth; only one row sees the future."""
    monkeypatch.setattr(lstms, "STEPS", 2)
    curves = {depth: data_curve(depth) for depth in (3, 4)}
    scores = paper_scores(CASES, curves, load())
    per_protocol = len(PAPER_LSTMS) + 2 * 4
    assert len(scores) == (2 * per_protocol + 2) * len(curves)
    assert all(len(score.errors) == len(CASES) - prefix_of(len(CASES)) for score in scores)
    assert {(s.protocol, s.method) for s in scores if s.sees_future} == {("as published", "bi-directional one-step")}
    exact = [s for s in scores if s.method == "pow3, one-step" and s.depth == 3]
    assert all(score.errors[1:].max() < 0.01 for score in exact)  # a law takes three points


def test_a_single_depth_cannot_be_held_out(monkeypatch: pytest.MonkeyPatch) -> None:
    """Then only baselines stand under "honest", and the shipped forecaster."""
    monkeypatch.setattr(lstms, "STEPS", 2)
    scores = paper_scores(CASES, {3: data_curve(3)}, load())
    assert not [s for s in scores if s.protocol == "honest" and "directional" in s.method]
