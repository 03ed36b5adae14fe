"""Makes the inputs that two checkouts are compared on, with the checkout whose root is the current folder.

`cd CHECKOUT && .venv/bin/python tests/comparison/freeze.py FROZEN`, once; what is there already is left as it is.

FROZEN then holds

surfaces/   the recorded surfaces of tests/data
tables/     the same as tables of numbers, a drawn one of two variants without epochs, and exported curves to forecast
data/       drawn data sets in every layout that is read
studies/    a folder a study, each with its database: `phantom` (of `make demo`), `losses` (two variants), `forecast`
            (its policy), `volumes` (3D), those imported from tables, and the frozen databases of earlier versions
"""

from __future__ import annotations

import shutil
import sqlite3
import sys
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import drawn_data
import numpy as np
import pandas as pd
from checkout import Checkout

if TYPE_CHECKING:
    from collections.abc import Callable

SMALL = (
    *("--set", "training.size=16", "--set", "training.channels=4", "--set", "resources.max_trials=1"),
    *("--set", "training.evaluations=8", "--set", "training.budget=120"),
)
STUDIES = {
    "phantom": ("phantom",),
    "losses": (
        *("phantom", "--name", "losses", *SMALL, "--set", "data.phantom_cases=60"),
        *("--set", "grid.ratio=[0.25,0.5,0.75,1.0]", "--set", "grid.depth=[2,3]"),
        *("--set", 'grid.loss=["bce","dice_ce"]'),
    ),
    "forecast": (
        *("phantom", "--name", "forecast", *SMALL, "--set", "policy=forecast", "--set", "data.phantom_cases=120"),
        *("--set", "training.budget=300", "--set", "training.evaluations=15", "--set", "tolerance=0.04"),
        *("--set", "grid.ratio=[0.1,0.25,0.5,0.75,1.0]", "--set", "grid.depth=[2,3,4]"),
    ),
    "volumes": (
        *("folder", "--name", "volumes", "--data", "../../data/volumes", "--set", "data.kind=volumes"),
        *("--set", "training.patch=[16,16,16]", "--set", "training.channels=4", "--set", "training.batch=2"),
        *("--set", "training.budget=24", "--set", "training.evaluations=4", "--set", "resources.max_trials=1"),
        *("--set", "grid.ratio=[0.5,1.0]", "--set", "grid.depth=[2,3]", "--set", "grid.seed=[0]"),
    ),
}
COLUMNS = ["depth", "cases", "ratio", "seed", "epoch", "dsc", "seconds"]


def freeze(checkout: Checkout, folder: Path) -> None:
    """Make all of it, the cheap first."""
    recorded = sorted((checkout.folder / "tests" / "data").glob("*.csv"))
    make(folder / "surfaces", lambda place: copy_all(recorded, place))
    make(folder / "data", drawn_data.write_all)
    make(folder / "tables", lambda place: write_tables(recorded, place))
    for path in sorted((folder / "tables").glob("*.csv")):
        arguments = ["import", f"../../tables/{path.name}", "--name", path.stem]
        make(folder / "studies" / f"imported_{path.stem}", partial(command, checkout, arguments))
    for path in sorted((checkout.folder / "tests" / "data").glob("frozen_v*.sql")):
        make(folder / "studies" / path.stem, partial(thaw, path))
    for name, arguments in STUDIES.items():
        make(folder / "studies" / name, partial(command, checkout, ["run", *arguments]))


def make(place: Path, maker: Callable[[Path], None]) -> None:
    """Make a folder and fill it; nothing is left of one that could not be filled."""
    if place.exists():
        return
    place.mkdir(parents=True)
    try:
        maker(place)
    except BaseException:
        shutil.rmtree(place)
        raise
    print(place.name, flush=True)


def command(checkout: Checkout, arguments: list[str], place: Path) -> None:
    """Run a command of the checkout in the folder, and close the database's journal."""
    said = checkout.run_alone(arguments, place)
    if said.code:
        sys.exit(said.as_text())
    (place / "said.txt").write_text(said.as_text())
    connection = sqlite3.connect(place / "dicecurve.db")
    connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    connection.close()


def thaw(path: Path, place: Path) -> None:
    """A database of an earlier version, from its SQL text."""
    connection = sqlite3.connect(place / "dicecurve.db")
    connection.executescript(path.read_text())
    connection.commit()
    connection.close()


def copy_all(paths: list[Path], place: Path) -> None:
    """Copy files."""
    for path in paths:
        shutil.copy(path, place)


def write_tables(recorded: list[Path], place: Path) -> None:
    """Tables of numbers that `import` reads."""
    for path in recorded:
        table = pd.read_csv(path).rename(columns={"test_dsc": "dsc"})
        table["seconds"] = table["train_seconds"] + table["val_seconds"]
        table[COLUMNS].to_csv(place / path.name, index=False)
    drawn_table().to_csv(place / "two_variants.csv", index=False)


def drawn_table() -> pd.DataFrame:
    """Power laws of two variants and three depths, a row a run, with a little noise; one run has collapsed."""
    rng = np.random.default_rng(7)
    rows = [
        {
            "variant": variant,
            "depth": depth,
            "cases": cases,
            "seed": seed,
            "dsc": round(0.8 + 0.03 * depth + gain - 1.3 * cases**-0.5 + rng.normal(0, 0.006), 4),
            "seconds": 40.0 * depth + cases / 10,
        }
        for variant, gain in (("", 0.0), ("loss=dice_ce,optimiser=sgd", 0.02))
        for depth in (2, 3, 4)
        for cases in (20, 40, 80, 160, 320)
        for seed in (0, 1)
    ]
    table = pd.DataFrame(rows)
    table.loc[17, "dsc"] = 0.05
    return table


if __name__ == "__main__":
    with Checkout(Path.cwd()) as here:
        freeze(here, Path(sys.argv[1]).absolute())
