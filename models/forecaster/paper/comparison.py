"""The paper's comparison of its predictors over data curves, as published and with the scored depth held out.

Baselines stand beside them: the value stays what it was, linear regression (the paper's), pow3, and the max-median of
six families, each one step ahead from all observed values, and all steps ahead from the prefix alone.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Literal

import numpy as np

from models.forecaster.baselines.families import extrapolate, line, max_median
from models.forecaster.paper.lstms import PAPER_LSTMS, PaperLstm, fit_paper_lstm

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from models.forecaster.curves import Floats
    from models.forecaster.lstm.forecaster import LstmForecaster

Protocol = Literal["as published", "honest"]
LEAST_PREFIX = 2
PREFIX_SHARE = 0.2
LEAST_POINTS = 4

BASELINES: dict[str, Callable[[Floats, Floats, Floats], Floats]] = {
    "last value": lambda _x, y, at: np.full(len(at), y[-1]),
    "linear regression": line,
    "pow3": lambda x, y, at: extrapolate("pow3", x, y, at),
    "max-median of 6 families": max_median,
}


@dataclass(frozen=True)
class PaperScore:
    """Absolute errors of one method at one depth.

    Attributes:
        protocol: "as published": fitted and scored on the same surface; "honest": the scored depth held out, and only
            what comes before each predicted value seen.
        method: LSTM or baseline, with its mode.
        depth: Scored.
        sees_future: Whether it reads the values that it predicts.
        errors: Of every point after the prefix, shape (T - prefix,).
    """

    protocol: Protocol
    method: str
    depth: int
    sees_future: bool
    errors: Floats


def prefix_of(points: int) -> int:
    """Points seen at the start: a fifth, two at least."""
    return max(LEAST_PREFIX, round(PREFIX_SHARE * points))


def paper_scores(cases: Floats, curves: Mapping[int, Floats], shipped: LstmForecaster) -> list[PaperScore]:
    """Score the paper's LSTMs, the baselines and the shipped forecaster.

    Args:
        cases: Numbers of training cases, rising, shape (T,), T at least LEAST_POINTS.
        curves: DSC of each depth at these, shape (T,) each.
        shipped: Forecasts each depth beside the others; it is not fitted here, so that "honest" alone holds it.

    Returns:
        A score a protocol, method and depth. "honest" takes two depths at least.

    Raises:
        ValueError: If there are too few points, or shapes differ.
    """
    if len(cases) < LEAST_POINTS or any(len(y) != len(cases) for y in curves.values()):
        raise ValueError(f"every depth needs the same {LEAST_POINTS} or more sizes, got {len(cases)}")
    prefix = prefix_of(len(cases))
    scores = [
        score for kind in PAPER_LSTMS for score in (*_published(kind, curves, prefix), *_honest(kind, curves, prefix))
    ]
    scores.extend(
        PaperScore(protocol, f"{name}, {mode}", depth, sees_future=False, errors=np.abs(predicted - y[prefix:]))
        for protocol in ("as published", "honest")
        for name in BASELINES
        for depth, y in curves.items()
        for mode, predicted in _baseline(name, cases, y, prefix).items()
    )
    scores.extend(_shipped(shipped, cases, curves, prefix))
    return scores


def _shipped(
    forecaster: LstmForecaster, cases: Floats, curves: Mapping[int, Floats], prefix: int
) -> Iterator[PaperScore]:
    for depth, y in curves.items():
        beside = forecaster.context([(cases, curve) for other, curve in curves.items() if other != depth])
        ahead = [
            forecaster.forecast(cases[:end], y[:end], cases[end : end + 1], beside).mean[0]
            for end in range(prefix, len(y))
        ]
        whole = forecaster.forecast(cases[:prefix], y[:prefix], cases[prefix:], beside).mean
        for mode, predicted in (("one-step", np.array(ahead)), ("full-step", whole)):
            errors = np.abs(predicted - y[prefix:])
            yield PaperScore("honest", f"shipped forecaster, {mode}", depth, sees_future=False, errors=errors)


def _published(kind: PaperLstm, curves: Mapping[int, Floats], prefix: int) -> list[PaperScore]:
    seeing = replace(kind, sees_future=kind.bidirectional and not kind.full_step)
    predictor = fit_paper_lstm(seeing, list(curves.values()), prefix)
    return [
        PaperScore(
            "as published", kind.name, depth, seeing.sees_future, np.abs(predictor.predict(y, prefix) - y[prefix:])
        )
        for depth, y in curves.items()
    ]


def _honest(kind: PaperLstm, curves: Mapping[int, Floats], prefix: int) -> list[PaperScore]:
    scores = []
    for depth, y in curves.items():
        others = [curve for other, curve in curves.items() if other != depth]
        if others:
            errors = np.abs(fit_paper_lstm(kind, others, prefix).predict(y, prefix) - y[prefix:])
            scores.append(PaperScore("honest", kind.name, depth, sees_future=False, errors=errors))
    return scores


def _baseline(name: str, cases: Floats, y: Floats, prefix: int) -> dict[str, Floats]:
    """Predictions after the prefix, shape (T - prefix,), by mode."""
    predict = BASELINES[name]
    ahead = [predict(cases[:end], y[:end], cases[end : end + 1])[0] for end in range(prefix, len(y))]
    return {"one-step": np.array(ahead), "full-step": predict(cases[:prefix], y[:prefix], cases[prefix:])}
