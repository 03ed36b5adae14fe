"""The usual rival: a law a - b n^-c through the runs of each depth, and a plain bootstrap of cases and residuals."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from models.forecaster.baselines.power_law import FIT_PARAMETERS, fit_power_laws
from tests.benchmarks.coverage.asked.drawn_answer import Draws, said_of
from tests.benchmarks.coverage.scenes.study import REPLICATES, Place

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from tests.benchmarks.coverage.scenes.study import Run, Said, Study

    Floats = NDArray[np.float64]
    Integers = NDArray[np.int64]


class _Refitted(NamedTuple):
    """R bootstrap laws of one depth: values at H numbers of cases (R, H), and the noise of a new run (R,)."""

    values: Floats
    luck: Floats


def pow3(study: Study) -> Said:
    """What the laws say of a study: at every configuration that was trained or planned."""
    rng = np.random.default_rng(0)
    runs = [run for run in study.runs if run.flag is None]
    places = sorted(
        {run.place for run in runs} | {p for p in study.planned if p.depth in {r.place.depth for r in runs}}
    )
    validation = _by_depth(runs, places, study, "validation", rng)
    test = _by_depth(runs, places, study, "test", rng)
    depths = sorted({place.depth for place in places})
    per_depth = [sum(place.depth == depth for place in places) for depth in depths]
    luck = np.concatenate(
        [np.repeat(test[depth].luck[:, None], count, axis=1) for depth, count in zip(depths, per_depth, strict=True)],
        axis=1,
    )
    values = {
        name: np.concatenate([fits[depth].values[:, :-2] for depth in depths], axis=1)
        for name, fits in (("validation", validation), ("test", test))
    }
    draws = Draws(
        places=places,
        validation=values["validation"],
        test=values["test"],
        new_run=values["test"] + luck,
        at_all={depth: test[depth].values[:, -2] for depth in depths},
        doubled={depth: test[depth].values[:, -1] for depth in depths},
    )
    return said_of(draws, study)


def _by_depth(
    runs: Sequence[Run], places: Sequence[Place], study: Study, case_set: str, rng: np.random.Generator
) -> dict[int, _Refitted]:
    """Laws of every depth, at its configurations, at N and at 2N."""
    groups = study.validation_groups if case_set == "validation" else study.test_groups
    weights = resampled_cases(len(getattr(runs[0], case_set)), groups, REPLICATES, rng)
    fits = {}
    for depth in sorted({place.depth for place in places}):
        own = [run for run in runs if run.place.depth == depth]
        at = [p.num_cases for p in places if p.depth == depth] + [study.num_train, 2 * study.num_train]
        scores = np.stack([getattr(run, case_set) for run in own])
        cases = np.array([float(run.place.num_cases) for run in own])
        fits[depth] = _refitted(cases, scores, weights, np.array(at, dtype=np.float64), rng)
    return fits


def _refitted(cases: Floats, scores: Floats, weights: Floats, at: Floats, rng: np.random.Generator) -> _Refitted:
    """Runs at P numbers of cases (P,), their scores (P, K), weights of cases (R, K)."""
    dsc = scores.mean(axis=1)
    fitted = fit_power_laws(cases, dsc[None, :]).at(cases)[0]
    spare = max(1, len(cases) - FIT_PARAMETERS)
    residuals = (dsc - fitted - np.mean(dsc - fitted)) * np.sqrt(len(cases) / spare)
    shift = weights @ (scores - dsc[:, None]).T
    noise = rng.choice(residuals, shift.shape)
    laws = fit_power_laws(cases, fitted + shift + noise)
    return _Refitted(np.clip(laws.at(at), 0, 1), rng.choice(residuals, len(shift)))


def resampled_cases(
    count: int, groups: Integers | None, replicates: int, rng: np.random.Generator
) -> NDArray[np.float64]:
    """Weights of K cases when their groups are drawn with replacement, shape (R, K); each row adds up to 1."""
    member = np.arange(count) if groups is None else np.unique(groups, return_inverse=True)[1]
    number = int(member.max()) + 1
    drawn = rng.multinomial(number, np.full(number, 1 / number), size=replicates)[:, member]
    return np.asarray(drawn / drawn.sum(axis=1, keepdims=True))
