"""Draws many faults on both databases and prints the table of the README: `make faults`."""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING

from tests.faults.random_faults import FAULTS, PostgresDatabase, SqliteDatabase, run_draw

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tests.faults.random_faults import Database, Outcome

COLUMNS = ("fault", "SQLite", "PostgreSQL", "cells lost", "cells repeated", "evaluations lost", "other")


def main() -> int:
    """Draw, print each seed, then the table; 1 if anything was lost or counted twice."""
    parser = argparse.ArgumentParser(description="inject drawn faults and count what is lost")
    parser.add_argument("--draws", type=int, default=200, help="studies for each database (default: %(default)s)")
    parser.add_argument("--first", type=int, default=1000, help="first seed (default: %(default)s)")
    options = parser.parse_args()
    seeds = range(options.first, options.first + options.draws)
    with tempfile.TemporaryDirectory(prefix="dicecurve-faults-", ignore_cleanup_errors=True) as folder:
        on_sqlite = _draw(seeds, SqliteDatabase(Path(folder) / "study.db"), Path(folder) / "on-sqlite")
        server = PostgresDatabase(Path(folder) / "server")
        try:
            on_postgres = _draw(seeds, server, Path(folder) / "on-postgresql")
        finally:
            server.server.stop()
    _say("\n" + "\n".join(_table(on_sqlite, on_postgres)))
    return int(not all(outcome.is_clean for outcome in on_sqlite + on_postgres))


def _draw(seeds: Sequence[int], database: Database, folder: Path) -> list[Outcome]:
    folder.mkdir()
    outcomes = []
    for seed in seeds:
        started = time.monotonic()
        outcome = run_draw(seed, database, folder / str(seed))
        verdict = "clean" if outcome.is_clean else f"NOT CLEAN {outcome}"
        faults = ", ".join(f"{name} x{number}" for name, number in outcome.injected.items()) or "nothing"
        _say(f"{folder.name} seed {seed}: {verdict} in {time.monotonic() - started:.1f} s: {faults}")
        outcomes.append(outcome)
    return outcomes


def _table(on_sqlite: list[Outcome], on_postgres: list[Outcome]) -> list[str]:
    outcomes = on_sqlite + on_postgres
    names = ["2 drivers at once", "8 drivers at once", *FAULTS]
    rows = [COLUMNS, ("---",) * len(COLUMNS)]
    for name in names:
        with_it = [outcome for outcome in outcomes if outcome.injected[name]]
        rows.append((name, _times(on_sqlite, name), _times(on_postgres, name), *_losses(with_it)))
    rows.append((f"all {len(outcomes)} studies", _times(on_sqlite), _times(on_postgres), *_losses(outcomes)))
    return [f"| {' | '.join(row)} |" for row in rows]


def _times(outcomes: list[Outcome], name: str | None = None) -> str:
    injected = sum((outcome.injected for outcome in outcomes), Counter[str]())
    return str(injected.total() if name is None else injected[name])


def _losses(outcomes: list[Outcome]) -> tuple[str, ...]:
    return (
        tuple(
            str(sum(numbers))
            for numbers in zip(
                *((o.cells_lost, o.cells_repeated, o.evaluations_lost, len(o.problems)) for o in outcomes), strict=True
            )
        )
        or ("0",) * 4
    )


def _say(text: str) -> None:
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    raise SystemExit(main())
