"""The curves of the forecast benchmark, and how they are cut."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import pandas as pd

from tests.helpers.paths import RECORDED

if TYPE_CHECKING:
    from models.forecaster.curves import Floats

HALVES = Path(__file__).with_name("halves.csv")
SURFACES = RECORDED
SHARES = (0.2, 0.4, 0.6)


@dataclass(frozen=True)
class Curve:
    """One measured learning curve; nothing fitted on its group may be scored on it."""

    collection: str
    group: str
    name: str
    x: Floats
    y: Floats

    def seen(self, share: float) -> int:
        """Points shown: a share of the points, or, over cases, those up to that share of the largest x."""
        if self.collection.startswith("lcdb"):
            return max(1, int((self.x <= share * self.x[-1]).sum()))
        return max(1, int(share * len(self.x)))

    @property
    def smoothed_end(self) -> float:
        """Mean of the last 5 %."""
        return float(self.y[-max(1, round(0.05 * len(self.y))) :].mean())


def development_curves(folder: Path, half: str) -> list[Curve]:
    """Curves of one half of the groups of each development set."""
    table = pd.read_parquet(folder / "curves" / "development_curves.parquet")
    table = table.merge(pd.read_csv(HALVES, dtype=str), on=["set", "group"])
    table = table[table["half"] == half].sort_values("x")
    return [
        Curve(str(key[0]), str(key[1]), str(key[2]), rows["x"].to_numpy(float), rows["y"].to_numpy(float))
        for key, rows in table.groupby(["set", "group", "curve"])
    ]


def surface_curves() -> list[Curve]:
    """Training curves of the recorded surfaces.

    One surface is one data set, so that no group but the cell itself is left to resample.
    """
    curves = []
    for path in sorted(SURFACES.glob("*.csv")):
        table = pd.read_csv(path)
        for key, rows in table.sort_values("evaluation").groupby(["depth", "ratio", "seed"]):
            name = "/".join(f"{part:g}" for part in key)
            x, y = rows["evaluation"].to_numpy(float), rows["val_dsc"].to_numpy(float)
            curves.append(Curve(path.stem, name, name, x, y))
    return curves


def siblings_of(curve: Curve, curves: list[Curve]) -> list[Curve]:
    """The other curves of its group; on a surface, whose cells are one study, all others of the surface."""
    same_study = [c for c in curves if c.collection == curve.collection and c.name != curve.name]
    return [c for c in same_study if c.group == curve.group] if curve.group != curve.name else same_study
