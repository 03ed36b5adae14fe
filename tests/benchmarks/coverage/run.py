"""Ask every contender about every study that a run needs, one or several at a time."""

from __future__ import annotations

import hashlib
import sys
import time
from concurrent.futures import ProcessPoolExecutor, as_completed
from multiprocessing import get_context
from typing import TYPE_CHECKING

from threadpoolctl import threadpool_limits

from tests.benchmarks.coverage.asked.contenders import Contender, contenders, hash_of
from tests.benchmarks.coverage.results import Key, Results
from tests.benchmarks.coverage.scenes.scenarios import SCENARIOS

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

    from tests.benchmarks.coverage.scenes.scenarios import Answers, Scenario

SIMULATION = tuple(f"scenes/{name}.py" for name in ("laws", "cases", "run_noise", "simulated", "study"))
BY_NAME = {scenario.name: scenario for scenario in SCENARIOS}
EVERY = 20  # answers, after which progress is told


def keys_of(scenarios: Iterable[str], studies: int, whose: Iterable[Contender]) -> list[Key]:
    """Every answer that is wanted, study by study, so that a run that is broken off has some of each scenario."""
    contended, wanted = list(whose), [BY_NAME[name] for name in scenarios]
    return [
        Key(scenario.name, index, contender.name, _version(scenario, index), contender.code)
        for index in range(studies)
        for scenario in wanted
        if scenario.most is None or index < scenario.most
        for contender in contended
        if contender.name in scenario.contenders
    ]


def _version(scenario: Scenario, index: int) -> str:
    told = f"{scenario.scene(index)} {scenario.play.__name__} {hash_of(*SIMULATION)}"
    return hashlib.sha256(told.encode()).hexdigest()[:12]


def run(keys: Iterable[Key], results: Results, jobs: int) -> None:
    """Ask for what is not there yet."""
    wanted = [key for key in keys if key not in results]
    started = time.perf_counter()
    for number, (key, answers) in enumerate(_answered(wanted, results.folder, jobs), start=1):
        results.add(key, answers)
        if number % EVERY == 0 or number == len(wanted):
            sys.stderr.write(f"{number} of {len(wanted)} answers, {time.perf_counter() - started:.0f} s\n")


def _answered(wanted: list[Key], cache_folder: Path, jobs: int) -> Iterator[tuple[Key, Answers]]:
    if jobs == 1:
        with threadpool_limits(1):
            yield from (_answer(key, cache_folder) for key in wanted)
        return
    with ProcessPoolExecutor(jobs, get_context("spawn"), initializer=threadpool_limits, initargs=(1,)) as pool:
        for future in as_completed([pool.submit(_answer, key, cache_folder) for key in wanted]):
            yield future.result()


def _answer(key: Key, cache_folder: Path) -> tuple[Key, Answers]:
    scenario, contender = BY_NAME[key.scenario], contenders(cache_folder)[key.contender]
    if contender.code != key.code:
        sys.exit(f"the code of {key.contender!r} changed while it was being asked; run again")
    return key, scenario.play(scenario.scene(key.index), contender.ask)
