"""Whether the answer's 90 % intervals and probabilities hold: studies with a known truth, ours beside its rivals.

    python -m tests.benchmarks.coverage [--quick] [--studies N] [--rows 1,2,13] [--contenders ours] [--jobs N]
        [--out FOLDER]

Studies are simulated from laws that the answer's model does not hold (`scenes/laws.py`), and recorded surfaces are
given with seeds held out. Asked are the answer of this checkout; the one before intervals knew of the spread between
runs (commit 5a117d4, unpacked from the history); pow3 with a plain bootstrap; and, where there is one seed, an oracle
that is told how far runs differ, which is no rival but says how narrow intervals can be. All have 1,000 replicates.

Shares stand with 95 % intervals that take each study for a cluster. "met" and "MISSED" are of ours; "open" means that
the interval still touches the wanted range. Widths and interval scores (less is better) are in 0.001 DSC.

Answers are kept in FOLDER, a line each: a run that was broken off goes on, and one after a change of the answer asks
this checkout alone again. The tables are written there as CSV too. `--quick` takes minutes; a full run, 300 studies of
each scenario, takes hours.
"""

from __future__ import annotations

import argparse
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tests.benchmarks.coverage.asked.checkouts import FORMER, Checkout
from tests.benchmarks.coverage.asked.contenders import FORMERLY, contenders
from tests.benchmarks.coverage.judging.few_cases import HEADING, few_cases
from tests.benchmarks.coverage.judging.rows import every_pair, every_row, every_width
from tests.benchmarks.coverage.judging.table import (
    RECORD,
    bound_table,
    filled,
    main_table,
    markdown,
    pair_table,
    records,
    width_table,
    write_csv,
)
from tests.benchmarks.coverage.results import Key, Results
from tests.benchmarks.coverage.run import BY_NAME, keys_of, run
from tests.benchmarks.coverage.scenes.recorded import OWN_SURFACE, PHANTOM

if TYPE_CHECKING:
    from collections.abc import Container, Iterable, Iterator

    from tests.benchmarks.coverage.judging.rows import Row
    from tests.benchmarks.coverage.scenes.scenarios import Answers

FULL = 300  # studies of each scenario
QUICK = 60  # studies in all
FEW_CASES = 9  # number of the row that is a table of its own
FULL_SAMPLES, QUICK_SAMPLES = 2000, 300  # of it
WHERE = {
    "other Kvasir-SEG 64": f"Set DICECURVE_TEST_DATA to the folder that holds {OWN_SURFACE}.",
    "phantom": f"It would be tests/data/{PHANTOM.name}.",
}


def main() -> None:
    """Ask what is not known yet, and print the tables."""
    arguments = _arguments()
    rows = [row for row in every_row() if arguments.rows is None or row.number in arguments.rows]
    scenarios = list(dict.fromkeys(name for row in rows for name in row.scenarios))
    studies = max(1, round(QUICK / len(scenarios))) if arguments.quick else arguments.studies
    results = Results(arguments.out)
    found = contenders(arguments.out)
    whose = [contender for name, contender in found.items() if name in (arguments.contenders or found)]
    keys = keys_of(scenarios, studies, whose)
    run(keys, results, arguments.jobs)
    names = [contender.name for contender in whose]
    lines = filled(rows, names, lambda row, name: pairs(row, name, keys, results))
    tables = [
        main_table(lines, names),
        width_table(lines, names),
        bound_table(lines, every_width()),
        pair_table(lines, every_pair()),
    ]
    if arguments.rows is None or FEW_CASES in arguments.rows:
        checkouts = {contender.name: contender.ask for contender in whose if isinstance(contender.ask, Checkout)}
        few = few_cases(checkouts, QUICK_SAMPLES if arguments.quick else FULL_SAMPLES)
        tables.append(markdown(HEADING, few))
        write_csv(HEADING, few, arguments.out / "few_cases.csv")
    print("\n\n".join("\n".join(table) for table in tables if table))
    write_csv(RECORD, records(lines), arguments.out / "coverage.csv")
    for missing in _missing(scenarios, found):
        print(f"\n{missing}")


def _missing(scenarios: Iterable[str], found: Container[str]) -> Iterator[str]:
    """What could not be asked here, and why."""
    if FORMERLY not in found:
        yield f"Without the former answer: the history here lacks commit {FORMER}."
    for name in scenarios:
        if BY_NAME[name].most == 0:
            yield f"Without {name!r}: its recorded surface is not at hand. {WHERE.get(name, '')}".rstrip()


def pairs(row: Row, name: str, keys: list[Key], results: Results) -> list[tuple[Answers, Any]]:
    """What a contender said in a row's studies, each beside its truth."""
    own = [key for key in keys if key.scenario in row.scenarios and key.contender == name]
    known = [(results[key], BY_NAME[key.scenario].scene(key.index)) for key in own]
    return [(answers, scene) for answers, scene in known if row.where(scene)]


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="Whether 90 % intervals and probabilities hold.")
    parser.add_argument("--quick", action="store_true", help=f"{QUICK} studies in all")
    parser.add_argument("--studies", type=int, default=FULL, help=f"of each scenario (default: {FULL})")
    parser.add_argument("--rows", type=_numbers, help="numbers of rows, such as 1,2,13; all unless given")
    parser.add_argument(
        "--contenders", type=lambda text: text.split(","), help="of ours,former,pow3,oracle; all unless given"
    )
    parser.add_argument("--jobs", type=int, default=1, help="processes at once (default: 1)")
    parser.add_argument("--out", type=Path, default=_folder(), help="where answers are kept (default: %(default)s)")
    return parser.parse_args()


def _numbers(text: str) -> set[int]:
    return {int(number) for number in text.split(",")}


def _folder() -> Path:
    return Path(tempfile.gettempdir()) / "dicecurve-coverage"


if __name__ == "__main__":
    main()
