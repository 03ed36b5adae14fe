"""Drawn surfaces on which savings are judged, from families that no forecaster here is fitted to.

Every surface has a noise-free truth. Data curves rise like an arctangent, an error function, an algebraic sigmoid, or a
broken power law of the number of cases; training curves rise like the first three. All numbers are ours. What is drawn
is fixed by the seed and was fixed before any rule was tuned on a surface of this kind (rules are tuned on other seeds).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np
import pandas as pd
from scipy.optimize import brentq
from scipy.special import erf

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

Unit = Literal["epochs", "steps"]
DEPTHS = (3, 4, 5, 6)
NUM_TRAIN = 700
EVALUATIONS = 30
TOLERANCE = 0.01
D0 = 0.25
SECONDS_OF_DEPTH = {3: 60.0, 4: 72.0, 5: 90.0, 6: 120.0}  # of one evaluation's training on all cases
VALIDATION_SHARE = 0.03  # of those seconds
SATURATIONS: dict[str, Callable[[Floats], Floats]] = {
    "arctangent": lambda x: 2 / np.pi * np.arctan(x),
    "error function": lambda x: np.asarray(erf(x)),
    "algebraic": lambda x: x / np.sqrt(1 + x**2),
    "broken power law": lambda x: 1 - (1 + (x / 0.3) ** 4) ** -0.25 * (1 + (x / 2) ** 4) ** -0.25,
}
CURVE_FAMILIES = ("arctangent", "error function", "algebraic")


@dataclass(frozen=True, eq=False)
class DrawnSurface:
    """A recorded surface, with the truth behind it.

    Attributes:
        name: What is special about it.
        unit: Whether every cell took the same epochs, or the same steps.
        truth: Noise-free DSC of the full budget: columns depth, ratio, cases, dsc; test_dsc is the mean that runs
            measure on the test cases that happen to be there, at their best evaluation.
        recorded: One row an evaluation, as `dicecurve export` writes them.
        level: Of each of those evaluations, what its training curve is drawn around.
    """

    name: str
    unit: Unit
    truth: pd.DataFrame
    recorded: pd.DataFrame
    level: Floats


@dataclass(frozen=True)
class Shape:
    """What one surface is drawn from.

    Attributes:
        plateau: Ratio from which all cases bring at most the tolerance more at the best depth; None: still rising.
        best_depth: At all cases.
        family: Of its data curves.
        crossing: Whether deeper networks need more cases before they lead.
        seed_sigma: Standard deviation between runs.
        dip: Whether one data curve dips in the middle.
        collapse: Whether one run collapses.
    """

    plateau: float | None
    best_depth: int
    family: str
    crossing: bool
    seed_sigma: float
    dip: bool
    collapse: bool


SHAPES = (
    Shape(0.2, 4, "arctangent", crossing=False, seed_sigma=0.008, dip=False, collapse=False),
    Shape(0.35, 6, "error function", crossing=True, seed_sigma=0.015, dip=False, collapse=True),
    Shape(0.5, 3, "algebraic", crossing=False, seed_sigma=0.008, dip=True, collapse=False),
    Shape(0.65, 5, "broken power law", crossing=True, seed_sigma=0.008, dip=False, collapse=False),
    Shape(0.8, 6, "arctangent", crossing=True, seed_sigma=0.015, dip=False, collapse=True),
    Shape(0.9, 4, "algebraic", crossing=True, seed_sigma=0.008, dip=True, collapse=False),
    Shape(None, 6, "broken power law", crossing=True, seed_sigma=0.008, dip=False, collapse=False),
    Shape(None, 5, "error function", crossing=False, seed_sigma=0.015, dip=False, collapse=True),
)


def draw_surfaces(num_ratios: int, unit: Unit, seed: int = 0, runs: int = 1) -> list[DrawnSurface]:
    """One surface per shape, with ``num_ratios`` equally spaced ratios, the four depths and that many runs of each."""
    return [
        _draw(shape, num_ratios, unit, np.random.default_rng([seed, index]), runs) for index, shape in enumerate(SHAPES)
    ]


def _draw(shape: Shape, num_ratios: int, unit: Unit, rng: np.random.Generator, runs: int) -> DrawnSurface:
    ratios = np.round(np.arange(1, num_ratios + 1) / num_ratios, 6)
    truth = _truth(shape, ratios, rng)
    truth["cases"] = np.maximum(1, np.round(truth["ratio"] * NUM_TRAIN)).astype(int)
    collapsed = int(rng.integers(len(truth))) if shape.collapse else None
    case_offset = rng.normal(0, 0.02, 2)  # the validation and test cases that happen to be there
    recorded, level = record_all(truth, shape.seed_sigma, unit, case_offset, rng, collapsed=collapsed, runs=runs)
    plateau = "none" if shape.plateau is None else f"{shape.plateau:g}"
    truth["test_dsc"] = truth["dsc"] + _offset(truth, recorded)
    name = f"{len(truth)} cells, {unit}, {shape.family}, plateau {plateau}, best depth {shape.best_depth}"
    return DrawnSurface(name, unit, truth, recorded, level)


def _offset(truth: pd.DataFrame, recorded: pd.DataFrame) -> float:
    """What the test cases at hand, and the choice of the best evaluation, add to the DSC of a run: their median."""
    best = recorded.loc[recorded.groupby(["depth", "cases", "seed"])["val_dsc"].idxmax()]
    both = best.merge(truth, on=["depth", "cases"])
    return float((both["test_dsc"] - both["dsc"]).median())


def record_all(
    truth: pd.DataFrame,
    seed_sigma: float,
    unit: Unit,
    case_offset: Floats,
    rng: np.random.Generator,
    *,
    collapsed: int | None = None,
    runs: int = 1,
) -> tuple[pd.DataFrame, Floats]:
    """Draw training curves of every row of a truth, and give their levels; the first run of one row may collapse."""
    parts = [
        _record(row, seed_sigma, unit, case_offset, rng, collapses=run == 0 and index == collapsed).assign(seed=run)
        for run in range(runs)
        for index, row in enumerate(truth.itertuples(index=False))
    ]
    rows = pd.concat(parts, ignore_index=True)
    return rows.drop(columns="level"), rows["level"].to_numpy()


def _truth(shape: Shape, ratios: Floats, rng: np.random.Generator) -> pd.DataFrame:
    top, rise = rng.uniform(0.72, 0.9), rng.uniform(0.2, 0.4)
    power = rng.uniform(0.6, 1.1)
    lag = rng.uniform(0.1, 0.2) if shape.crossing else 0.0
    behind = rng.uniform(0.004, 0.012)
    frames = []
    dip_depth, dip_at = int(rng.choice(DEPTHS)), rng.uniform(0.25, 0.6)
    for depth in DEPTHS:
        saturation = SATURATIONS[shape.family]
        scale = _scale(shape.plateau, saturation, rise, power) * np.exp(-lag * (depth - shape.best_depth))
        share = saturation(scale * ratios**power) / saturation(np.array(scale))
        dsc = top - behind * (depth - shape.best_depth) ** 2 - rise * (1 - share)
        if shape.dip and depth == dip_depth:
            dsc = dsc - 0.03 * np.exp(-(((ratios - dip_at) / 0.06) ** 2))
        frames.append(pd.DataFrame({"depth": depth, "ratio": ratios, "dsc": dsc}))
    return pd.concat(frames, ignore_index=True)


def _scale(plateau: float | None, saturation: Callable[[Floats], Floats], rise: float, power: float) -> float:
    """The scale at which the curve lacks the tolerance at the plateau; without one, at which doubling brings 0.04."""

    def lack(scale: float) -> float:
        at = np.array([plateau or 1.0, 1.0 if plateau else 2.0])
        values = saturation(scale * at**power) / saturation(np.array(scale))
        return float(rise * (values[1] - values[0])) - (TOLERANCE if plateau else 0.04)

    grid = np.geomspace(0.05, 400, 400)
    found = np.array([lack(s) for s in grid])
    last = int(np.flatnonzero(found > 0).max())  # beyond it the curve only gets flatter
    return float(brentq(lack, grid[last], grid[min(last + 1, len(grid) - 1)]))


def _record(
    row: object,
    seed_sigma: float,
    unit: Unit,
    case_offset: Floats,
    rng: np.random.Generator,
    *,
    collapses: bool,
) -> pd.DataFrame:
    depth, ratio, cases, dsc = (getattr(row, name) for name in ("depth", "ratio", "cases", "dsc"))
    time = np.arange(1, EVALUATIONS + 1) / EVALUATIONS
    level = _rise(time, depth, ratio, unit, rng) * (dsc + rng.normal(0, seed_sigma) - 0.2) + 0.2
    if collapses:
        level[time > rng.uniform(0.3, 0.8)] = 0.03
    jitter = _autocorrelated(rng) * 0.006
    offsets = case_offset + rng.normal(0, 0.004, 2)
    values = [np.clip(level + jitter + offset + rng.normal(0, 0.004, EVALUATIONS), 0, 1) for offset in offsets]
    work = ratio if unit == "epochs" else 1.0
    seconds = SECONDS_OF_DEPTH[depth] * work * rng.lognormal(0, 0.03, EVALUATIONS)
    total = 3000 if unit == "steps" else max(EVALUATIONS, int(100 * cases / 16))
    step = np.round(time * total).astype(int)
    return pd.DataFrame(
        {
            "depth": depth,
            "cases": cases,
            "ratio": ratio,
            "seed": 0,
            "evaluation": np.arange(1, EVALUATIONS + 1),
            "epoch": step * 16 / cases,
            "step": step,
            "val_dsc": values[0],
            "test_dsc": values[1],
            "train_seconds": seconds,
            "val_seconds": SECONDS_OF_DEPTH[depth] * VALIDATION_SHARE,
            "level": level,
        }
    )


def _rise(time: Floats, depth: int, ratio: float, unit: Unit, rng: np.random.Generator) -> Floats:
    """From 0 to 1 at the end of the budget; few cases in epochs mean few steps, hence a later and slower rise."""
    saturation = SATURATIONS[str(rng.choice(CURVE_FAMILIES))]
    slow = ratio**-0.35 if unit == "epochs" else 1.0
    pace = rng.uniform(5, 9) / slow / (1 + 0.08 * (depth - 3))
    start = min(0.5, rng.uniform(0, 0.06) * slow)
    moved = np.clip(time - start, 0, None) * pace
    return saturation(moved) / saturation(np.array([(1 - start) * pace]))


def _autocorrelated(rng: np.random.Generator) -> Floats:
    noise = rng.normal(0, 1, EVALUATIONS)
    for index in range(1, EVALUATIONS):
        noise[index] = 0.4 * noise[index - 1] + np.sqrt(1 - 0.4**2) * noise[index]
    return noise
