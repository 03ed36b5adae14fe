"""The situations in which answers are asked: what studies of each are drawn from, and what is asked of them."""

from __future__ import annotations

import zlib
from dataclasses import dataclass, replace
from functools import cache
from typing import TYPE_CHECKING, Any

import numpy as np

from tests.benchmarks.coverage.asked.contenders import FORMERLY, ORACLE, OURS, POW3, Ask
from tests.benchmarks.coverage.scenes import recorded
from tests.benchmarks.coverage.scenes.laws import FAMILIES, SATURATIONS, STRAIGHT
from tests.benchmarks.coverage.scenes.run_noise import RunNoise
from tests.benchmarks.coverage.scenes.simulated import Design, Scene
from tests.benchmarks.coverage.scenes.study import Said

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.benchmarks.coverage.scenes.cases import Peaks
    from tests.benchmarks.coverage.scenes.recorded import RecordedPart, RecordedScene

GRIDS: tuple[tuple[int, tuple[float, ...]], ...] = (
    (700, (0.05, 0.1, 0.2, 0.3, 0.45, 0.6, 0.8, 1.0)),
    (240, (0.1, 0.2, 0.3, 0.45, 0.6, 0.8, 1.0)),
    (1500, (0.02, 0.04, 0.08, 0.15, 0.25, 0.4, 0.6, 0.8, 1.0)),
)
CASE_COUNTS = (10, 30, 100, 200)
TARGET_CASE_COUNTS = (10, 30, 100, 200, 200)
HOUR_PRICES = (2.0, 40.0)
OFFSETS = RunNoise(sigma=0.02, lasting=0.75)
NO_NOISE = RunNoise(sigma=0.0, lasting=0.0)
SLOPES = (0.02, 0.04, 0.08)  # of noise-free lines, a doubling
SATURATED_GAINS = (0.0005, 0.003)
BAD_DSC = 0.05
RIVALS = (OURS, FORMERLY, POW3)
TOLD = (*RIVALS, ORACLE)
NOISE_FREE_STUDIES = 24

Answers = dict[str, Said]  # by stage


def once(scene: Scene | RecordedScene, ask: Ask) -> Answers:
    """Everything that is there."""
    return {"": ask(scene.study)}


def confirmed(scene: Scene, ask: Ask) -> Answers:
    """The whole grid, and again with one more run of what is recommended."""
    before = ask(scene.study)
    if before.recommended is None:
        return {"before": before}
    return {"before": before, "after": ask(scene.confirmed(before.recommended))}


def with_bad_run(scene: Scene, ask: Ask) -> Answers:
    """The whole grid, and again with one bad run of another configuration than what is recommended."""
    before = ask(scene.study)
    return {"before": before, "after": ask(scene.with_bad_run(before.recommended, BAD_DSC))}


def by_forecast(scene: Scene, ask: Ask) -> Answers:
    """What the policy trained."""
    from tests.benchmarks.coverage.scenes.forecast_policy import forecast_study

    return {"": ask(forecast_study(scene))}


@dataclass(frozen=True)
class Scenario:
    """A situation.

    Attributes:
        name: Of the situation.
        scene: The study of an index, always the same.
        play: What is asked of a contender.
        contenders: Who is asked.
        most: Studies that there are; None: as many as are wanted.
    """

    name: str
    scene: Callable[[int], Any]
    play: Callable[[Any, Ask], Answers] = once
    contenders: tuple[str, ...] = RIVALS
    most: int | None = None


def simulated(name: str, draw: Callable[[int, np.random.Generator], Design], **about: Any) -> Scenario:
    """Studies that are each drawn from a design of their own, by a generator of their own."""

    def scene(index: int) -> Scene:
        entropy = (zlib.crc32(name.encode()), index)
        return Scene(draw(index, np.random.default_rng(entropy)), entropy)

    return Scenario(name, cache(scene), **about)


def from_records(name: str, part: RecordedPart) -> Scenario:
    """Parts of a recorded surface; none where it is not at hand."""
    scenes = part.scenes()
    return Scenario(name, scenes.__getitem__, most=len(scenes))


def base(index: int, rng: np.random.Generator, noise: RunNoise = OFFSETS, seeds: int = 1, cases: int = 200) -> Design:
    """Families by turns; grids, groups, scores and prices by chance."""
    num_train, shares = GRIDS[rng.integers(len(GRIDS))]
    peaks: tuple[Peaks, Peaks] = ("two peaks", "one peak")
    return Design(
        family=FAMILIES[index % len(FAMILIES)],
        num_train=num_train,
        shares=shares,
        seeds=seeds,
        noise=noise,
        num_validation=cases,
        num_test=cases,
        largest_group=int(rng.choice([1, 4])),
        peaks=peaks[rng.integers(2)],
        hour_price=float(rng.choice(HOUR_PRICES)),
    )


def various(
    index: int, rng: np.random.Generator, case_counts: tuple[int, ...] = CASE_COUNTS, margin: float | None = None
) -> Design:
    """One and three seeds, noise with and without offsets, few and many cases."""
    noise = RunNoise(sigma=float(rng.uniform(0.008, 0.025)), lasting=float(rng.choice([0.0, 0.75])))
    design = base(index, rng, noise, seeds=int(rng.choice([1, 3])), cases=int(rng.choice(case_counts)))
    return replace(design, margin=margin)


def with_target(index: int, rng: np.random.Generator) -> Design:
    """The same with a target, from below what most configurations reach to above the best."""
    return various(index, rng, TARGET_CASE_COUNTS, margin=float(rng.uniform(-0.1, 0.03)))


def loud(index: int, rng: np.random.Generator) -> Design:
    """Run noise of 0.04 or 0.06: independent under one seed, or lasting under three."""
    sigma = float(rng.choice([0.04, 0.06]))
    if rng.integers(2):
        return base(index, rng, RunNoise(sigma, 0.0))
    return base(index, rng, RunNoise(sigma, 0.75), seeds=3)


def noise_free(design: Design) -> Design:
    """The same without any noise of runs or cases."""
    return replace(design, noise=NO_NOISE, peaks="all alike", largest_group=1)


def noise_free_line(index: int, rng: np.random.Generator) -> Design:
    """Log-linear curves of a slope."""
    slope = SLOPES[index % len(SLOPES)]
    return replace(noise_free(base(index, rng)), family=STRAIGHT, gains=(slope, slope))


def noise_free_end(index: int, rng: np.random.Generator) -> Design:
    """Curves that have all but ended."""
    saturating = [family for family in SATURATIONS if family != "dip"]
    family = saturating[index % len(saturating)]
    return replace(noise_free(base(index, rng)), family=family, gains=SATURATED_GAINS)


SCENARIOS = (
    simulated("one seed", base, contenders=TOLD),
    simulated("three seeds", lambda i, rng: base(i, rng, seeds=3)),
    simulated("various", various),
    simulated("target", with_target),
    simulated("confirming", lambda i, rng: base(i, rng, seeds=int(rng.choice([1, 3]))), play=confirmed),
    simulated("growing noise", lambda i, rng: base(i, rng, RunNoise(0.02, 0.75, growth=0.3)), contenders=TOLD),
    simulated("loud", loud, contenders=TOLD),
    simulated(
        "large offsets",
        lambda i, rng: base(i, rng, RunNoise(float(rng.uniform(0.042, 0.06)), 0.9)),
        contenders=TOLD,
    ),
    simulated("forecast policy", lambda i, rng: base(i, rng, seeds=2), play=by_forecast),
    simulated("bad run", lambda i, rng: base(i, rng, RunNoise(0.01, 0.5)), play=with_bad_run),
    simulated("noise-free line", noise_free_line, most=NOISE_FREE_STUDIES),
    simulated("noise-free end", noise_free_end, most=NOISE_FREE_STUDIES),
    from_records("Kvasir-SEG 64", recorded.RecordedPart(recorded.KVASIR64, recorded.each_seed)),
    from_records("Kvasir-SEG 128", recorded.RecordedPart(recorded.KVASIR128, recorded.one_repeat_a_depth)),
    from_records(
        "Kvasir-SEG 64 to 140",
        recorded.RecordedPart(recorded.KVASIR64, recorded.up_to(140, depths=(4, 5, 6)), num_train=140),
    ),
    from_records("phantom", recorded.RecordedPart(recorded.PHANTOM, recorded.each_seed)),
    from_records("other Kvasir-SEG 64", recorded.RecordedPart(recorded.own_surface(), recorded.every_other_ratio)),
)
