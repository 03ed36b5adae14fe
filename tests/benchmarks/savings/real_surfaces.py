"""Surfaces made of what others measured (LCDB), and recorded ones in tests/data/.

LCDB 1.1 (CC BY 4.0) holds accuracy against the number of cases, no training curves. Four learners of one data set stand
for four depths; its largest size stands for all cases; between recorded sizes the curve is linear in log n. That is the
truth; the run and its training curve are drawn around it as on drawn surfaces. Those curves are not part of this
repository.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from models.forecaster.baselines.power_law import fit_power_laws
from tests.benchmarks.savings.answers import flag_of
from tests.benchmarks.savings.drawn_surfaces import DEPTHS, NUM_TRAIN, record_all
from tests.benchmarks.savings.surface import surface_of
from tests.helpers.paths import RECORDED

if TYPE_CHECKING:
    from tests.benchmarks.savings.drawn_surfaces import Unit
    from tests.benchmarks.savings.surface import Floats, Surface

CURVES = "curves/development_curves.parquet"  # under DICECURVE_TEST_DATA
LCDB = "lcdb11_accuracy_vs_n"
# In alphabetical order, so that it is chance which of them is the deepest.
LEARNERS = ("Decision Tree", "ens.ExtraTrees", "ens.GradientBoosting", "ens.RandomForest")
# OpenML ids, by rule and not by outcome: of the data sets on which all four learners were measured at 50 sizes or more
# up to the same largest one, and on which every accuracy from 2 % of it on lies between 0.35 (a cell that scores less
# than 0.30 counts as not learned) and 0.95 (noise around more would pass 1), eight at equal steps in the order of their
# numbers of points.
LCDB_GROUPS = (354, 273, 40996, 727, 1053, 60, 41143, 1049)
SEED_SIGMAS = (0.008, 0.015)  # by turns
LEARNED = ", runs that learned"  # after the name of a recorded surface: its truth is of these alone


def lcdb_curves() -> pd.DataFrame | None:
    """The curves of the chosen groups and learners: columns group, learner, x, y; None where they are not at hand."""
    root = os.environ.get("DICECURVE_TEST_DATA")
    path = Path(root or "") / CURVES
    if root is None or not path.exists():
        return None
    curves = pd.read_parquet(path, filters=[("set", "==", LCDB)])
    group, learner = zip(*(str(curve).split("/", 1) for curve in curves["curve"]), strict=True)
    curves = curves.assign(group=np.array(group, dtype=int), learner=learner)
    return curves[curves["group"].isin(LCDB_GROUPS) & curves["learner"].isin(LEARNERS)]


def lcdb_surfaces(curves: pd.DataFrame, num_ratios: int, unit: Unit, seed: int) -> list[Surface]:
    """One surface per group, with ``num_ratios`` equally spaced ratios and four learners as depths."""
    surfaces = []
    for place, group in enumerate(LCDB_GROUPS):
        truth = _lcdb_truth(curves[curves["group"] == group], num_ratios)
        rng = np.random.default_rng([seed, group])
        recorded, level = record_all(truth, SEED_SIGMAS[place % 2], unit, np.zeros(2), rng)
        name = f"{len(truth)} cells, {unit}, LCDB {group}, drawing {seed}"
        surfaces.append(surface_of(name, recorded, truth["dsc"].to_numpy(), level))
    return surfaces


def _lcdb_truth(curves: pd.DataFrame, num_ratios: int) -> pd.DataFrame:
    ratios = np.round(np.arange(1, num_ratios + 1) / num_ratios, 6)
    cases = np.round(ratios * NUM_TRAIN).astype(int)
    frames = [
        pd.DataFrame(
            {"depth": depth, "ratio": ratios, "cases": cases, "dsc": _at(curves[curves["learner"] == learner], ratios)}
        )
        for depth, learner in zip(DEPTHS, LEARNERS, strict=True)
    ]
    return pd.concat(frames, ignore_index=True)


def _at(curve: pd.DataFrame, ratios: Floats) -> Floats:
    curve = curve.sort_values("x")
    x = np.log(curve["x"].to_numpy(dtype=np.float64))
    return np.interp(np.log(ratios) + x[-1], x, curve["y"].to_numpy(dtype=np.float64))


def recorded_surfaces() -> dict[str, list[Surface]]:
    """Every recorded CSV in tests/data/, by its name, as one surface per seed.

    Where some repeats were flagged there are two: with the mean over all of them as truth, as regret is defined, and
    over those that learned, which is what an answer means by the DSC of a configuration.
    """
    recorded = {path.stem: calm(pd.read_csv(path)) for path in sorted(RECORDED.glob("kvasir*.csv"))}
    surfaces = {name: _surfaces_of(name, rows, recorded_truth(rows)) for name, rows in recorded.items()}
    for name, rows in recorded.items():
        kept = _learned(rows)
        if len(rows["seed"].unique()) > 1 and len(kept) < len(rows):
            surfaces[name + LEARNED] = _surfaces_of(name, rows, recorded_truth(kept))
    return surfaces


def calm(rows: pd.DataFrame) -> pd.DataFrame:
    """The same rows with the seconds of a quiet machine: of a depth, the median of its steps and of its validations.

    Studies of hours share their machine with other work, whose seconds are no property of a cell.
    """
    ordered = rows.sort_values(["depth", "ratio", "seed", "evaluation"])
    steps = ordered.groupby(["depth", "ratio", "seed"])["step"].diff().fillna(ordered["step"])
    a_step = (ordered["train_seconds"] / steps).groupby(ordered["depth"]).transform("median")
    validation = ordered.groupby("depth")["val_seconds"].transform("median")
    return ordered.assign(train_seconds=steps * a_step, val_seconds=validation)


def _learned(rows: pd.DataFrame) -> pd.DataFrame:
    """The runs that were not flagged, and all of a cell in which every one was."""
    curves = rows.sort_values("evaluation").groupby(["depth", "ratio", "seed"])["val_dsc"]
    learned = curves.agg(lambda curve: flag_of(curve.to_numpy()) is None).rename("learned")
    marked = rows.join(learned, on=learned.index.names)
    none_learned = ~marked.groupby(["depth", "ratio"])["learned"].transform("any")
    return marked[marked["learned"] | none_learned].drop(columns="learned")


def _surfaces_of(name: str, rows: pd.DataFrame, truth: Floats) -> list[Surface]:
    """The runs of the other seeds are those that a confirmation may train."""
    return [
        surface_of(f"{name}, seed {seed}", own, truth, fresh=rows[rows["seed"] != seed])
        for seed, own in rows.groupby("seed")
    ]


def recorded_truth(rows: pd.DataFrame) -> Floats:
    """Test DSC at the best validation evaluation, shape (C,): the mean over seeds, or of one seed a law per depth.

    The law is pow3 through all ratios of a depth: with one run a cell, its noise must not pass for truth.
    """
    best = rows.loc[rows.groupby(["depth", "ratio", "seed"])["val_dsc"].idxmax()]
    mean = best.groupby(["depth", "ratio"], as_index=False).agg(cases=("cases", "first"), dsc=("test_dsc", "mean"))
    if len(rows["seed"].unique()) > 1:
        return mean["dsc"].to_numpy()
    return np.concatenate([_smoothed(own) for _, own in mean.groupby("depth")])


def _smoothed(own: pd.DataFrame) -> Floats:
    cases = own["cases"].to_numpy(dtype=np.float64)
    return fit_power_laws(cases, own["dsc"].to_numpy()[None, :]).at(cases)[0]
