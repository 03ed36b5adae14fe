"""The coverage benchmark's simulated studies are what they say, and its judges count as their formulas do."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np
import pytest

from tests.benchmarks.coverage.asked.oracle import case_covariance, oracle
from tests.benchmarks.coverage.asked.pow3 import pow3
from tests.benchmarks.coverage.judging.few_cases import POPULATIONS
from tests.benchmarks.coverage.judging.items import Chance, Interval, means, new_runs, recommended_chance, unmoved
from tests.benchmarks.coverage.judging.rows import every_row, every_width
from tests.benchmarks.coverage.judging.summaries import calibrated, covered, share_of
from tests.benchmarks.coverage.results import Key, Results
from tests.benchmarks.coverage.run import keys_of
from tests.benchmarks.coverage.scenes.cases import draw_cases, quantile, scored
from tests.benchmarks.coverage.scenes.laws import DEPTHS, FAMILIES, KINK, STRAIGHT, draw_law, kinked
from tests.benchmarks.coverage.scenes.recorded import KVASIR64, each_seed, one_repeat_a_depth, runs_of
from tests.benchmarks.coverage.scenes.run_noise import RunNoise
from tests.benchmarks.coverage.scenes.scenarios import SCENARIOS, base, noise_free, with_bad_run
from tests.benchmarks.coverage.scenes.simulated import Scene
from tests.benchmarks.coverage.scenes.study import Bounds, Place, Said, SaidRow

if TYPE_CHECKING:
    from pathlib import Path

    from tests.benchmarks.coverage.scenes.cases import Peaks
    from tests.benchmarks.coverage.scenes.study import Study

MIDDLES = (np.arange(200_000) + 0.5) / 200_000
SHARES = np.geomspace(0.02, 2.0, 200)


def scene(index: int) -> Scene:
    """A study of one seed."""
    return Scene(base(index, np.random.default_rng(index)), (index,))


@pytest.mark.parametrize("peaks", ["two peaks", "one peak", "all alike"])
@pytest.mark.parametrize("dsc", [0.03, 0.3, 0.5, 0.8, 0.92, 0.98])
def test_scores_of_all_cases_have_the_promised_mean(peaks: Peaks, dsc: float) -> None:
    """Whatever the kind of scores, their mean over the population is the run's DSC, and each lies from 0 to 1."""
    scores = quantile(MIDDLES, dsc, peaks)
    assert scores.mean() == pytest.approx(dsc, abs=1e-4)
    assert 0 <= scores.min() <= scores.max() <= 1


def test_two_peaks_are_failures_and_successes() -> None:
    """At a DSC of 0.92, one in twenty cases fails, and nothing lies between."""
    scores = quantile(MIDDLES, 0.92, "two peaks")
    assert 0.03 < (scores < 0.5).mean() < 0.1
    assert ((scores > 0.5) & (scores < 0.9)).mean() == 0


def test_drawn_cases_have_the_promised_mean() -> None:
    """Cases drawn in groups score on average what the run's DSC is, and a group's cases go together."""
    rng = np.random.default_rng(0)
    cases = draw_cases(60_000, 4, rng)
    scores = scored(cases, 0.8, "two peaks", rng)
    assert scores.mean() == pytest.approx(0.8, abs=0.006)
    assert cases.groups is not None
    assert set(np.bincount(cases.groups)[:-1]) == {2, 3, 4}
    first = np.flatnonzero(np.diff(cases.groups) == 0)
    assert np.corrcoef(scores[first], scores[first + 1])[0, 1] > 0.2


@pytest.mark.parametrize("name", POPULATIONS)
def test_scores_of_few_cases_have_the_promised_mean(name: str) -> None:
    """The mean that an interval is judged by is that of the population."""
    population = POPULATIONS[name]
    assert population.quantile(MIDDLES).mean() == pytest.approx(population.mean, abs=1e-4)


@pytest.mark.parametrize("family", FAMILIES)
@pytest.mark.parametrize("seed", range(4))
def test_laws_rise_but_for_the_dip(family: str, seed: int) -> None:
    """More cases never score less, except where a dip is; no DSC leaves its range."""
    law = draw_law(family, np.random.default_rng(seed))
    for depth in DEPTHS:
        dsc = law.dsc(depth, SHARES)
        assert 0 < dsc.min() <= dsc.max() < 1
        assert (np.diff(dsc).min() < -1e-4) == (family == "dip")


def test_a_law_without_a_plateau_has_none() -> None:
    """Each doubling brings as much as the last."""
    law = draw_law(STRAIGHT, np.random.default_rng(0))
    gains = np.diff(law.dsc(4, np.array([0.25, 0.5, 1.0, 2.0])))
    assert gains == pytest.approx(np.full(3, law.doubling_gain(4)))
    assert law.doubling_gain(4) > 0.01


def test_a_kink_kinks() -> None:
    """At the kink the curve is whole and its slope is not; the rise and the gain are as asked for."""
    below = kinked(gain=0.01, rise=0.3, late=0.2, kink=0.3)
    at = below(np.array([0.05, 0.3 - 1e-9, 0.3, 1.0, 2.0]))
    assert at[0] == pytest.approx(0.3)
    assert at[1] == pytest.approx(at[2], abs=1e-6)
    assert at[3] - at[4] == pytest.approx(0.01)
    before, after = (np.diff(below(0.3 * np.exp(np.array(step))))[0] / 0.01 for step in ([-0.01, 0], [0, 0.01]))
    assert before < 1.5 * after < 0
    assert draw_law(KINK, np.random.default_rng(1)).doubling_gain(4) < 0.06


def test_depths_cross() -> None:
    """Deeper networks are better with many cases, and shallower ones with few, in most laws."""
    laws = [draw_law(family, np.random.default_rng(seed)) for family in FAMILIES for seed in range(5)]
    shallow = [law.dsc(3, 0.02) > law.dsc(6, 0.02) for law in laws]
    deep = [law.dsc(6, 2.0) > law.dsc(3, 2.0) for law in laws]
    assert np.mean(shallow) > 0.8
    assert np.mean(deep) > 0.5


def test_a_seed_lasts_along_n() -> None:
    """Two runs of a seed go together by its lasting share, those of two seeds not at all; noise grows as asked for."""
    noise = RunNoise(sigma=0.02, lasting=0.75, growth=0.3)
    drawn = noise.draw(np.array([0.1, 0.12, 1.0]), 40_000, np.random.default_rng(0))
    assert drawn.std(axis=0) == pytest.approx(0.02 * np.array([0.1, 0.12, 1.0]) ** -0.3, rel=0.02)
    assert np.corrcoef(drawn[:, 0], drawn[:, 1])[0, 1] == pytest.approx(0.75, abs=0.02)
    assert np.corrcoef(drawn[:-1, 0], drawn[1:, 1])[0, 1] == pytest.approx(0.0, abs=0.02)


def test_interval_score() -> None:
    """It is the width, and 20 times the distance by which a 90 % interval misses."""
    assert Interval(0.2, 0.3, 0.25).score == pytest.approx(0.1)
    assert Interval(0.2, 0.3, 0.32).score == pytest.approx(0.1 + 20 * 0.02)
    assert Interval(0.2, 0.3, 0.15).score == pytest.approx(0.1 + 20 * 0.05)


def test_studies_are_clusters() -> None:
    """Items of a study that all agree count as one; where items are independent, each counts."""
    agreeing = share_of([[True] * 50] * 9 + [[False] * 50])
    assert (agreeing.value, agreeing.items, agreeing.studies) == (0.9, 500, 10)
    assert agreeing.upper - agreeing.lower > 0.3
    rng = np.random.default_rng(0)
    independent = share_of([(rng.random(50) < 0.9).tolist() for _ in range(10)])
    assert independent.upper - independent.lower < 0.09
    assert math.isnan(share_of([[], []]).value)


def test_a_perfect_contender_covers_as_it_says() -> None:
    """Intervals from the truth's own distribution hold 90 % of new runs, and stated chances come true."""
    rng = np.random.default_rng(0)
    clusters, chances = [], []
    for index in range(60):
        study = scene(index)
        sigma = study.design.noise.sigma
        apart = rng.normal(0, sigma, len(study.places))
        rows = tuple(
            _row(place, study.dsc(*place), shift, sigma) for place, shift in zip(study.places, apart, strict=True)
        )
        said = Said(rows, (), (), None)
        clusters.append([*means(said, study)])
        stated = rng.random()
        chances.append([Chance(stated, bool(rng.random() < stated))])
        runs = [*new_runs(said, study)]
        assert len(runs) == 8 * len(rows)
    assert covered(clusters).share.value == pytest.approx(0.9, abs=0.02)
    assert calibrated(chances).agrees


def _row(place: Place, dsc: float, shift: float, sigma: float) -> SaidRow:
    bounds = Bounds(dsc + shift - 1.645 * sigma, dsc + shift + 1.645 * sigma)
    return SaidRow(*place, bounds, bounds, 0.5, eligible=True)


def test_an_oracle_covers() -> None:
    """The process that is told the noise of runs holds most true means, neither all nor few."""
    scenes = [scene(index) for index in range(16)]
    found = covered([[*means(oracle(study.study), study)] for study in scenes])
    assert 0.75 < found.share.value < 1
    assert 0.03 < found.width < 0.2


def test_cases_shift_all_runs_alike() -> None:
    """The covariance of means over cases is that of drawing the cases anew."""
    rng = np.random.default_rng(0)
    means_of = []
    for _ in range(400):
        cases = draw_cases(100, 4, rng)
        scores = np.stack([scored(cases, dsc, "two peaks", rng) for dsc in (0.7, 0.8)])
        means_of.append(scores.mean(axis=1))
    told = case_covariance(scores, cases.groups)
    assert np.sqrt(np.diag(told)) == pytest.approx(np.std(means_of, axis=0), rel=0.35)
    assert told[0, 1] > 0.5 * np.sqrt(told[0, 0] * told[1, 1])


def test_pow3_reads_a_clean_curve() -> None:
    """Without noise the law lies near the curve, and its intervals are narrow."""
    study = scene(FAMILIES.index(STRAIGHT))
    clean = Scene(noise_free(study.design), study.entropy)
    said = pow3(clean.study)
    assert len(said.rows) == len(clean.places)
    assert [row for row in said.rows if abs(sum(row.mean) / 2 - clean.dsc(row.depth, row.num_cases)) > 0.03] == []
    assert {depth.depth for depth in said.depths} == set(DEPTHS)
    assert list(recommended_chance(said, clean))


def test_a_study_is_the_same_each_time() -> None:
    """Results can be kept, because a study of an index never changes."""
    once, again = scene(3).study, scene(3).study
    assert once.to_json() == again.to_json()
    assert scene(4).study.to_json() != once.to_json()


def test_a_confirmed_study_has_one_run_more() -> None:
    """It is scored on the same cases under a fresh seed."""
    study = scene(1)
    more = study.confirmed(study.places[3])
    assert len(more.runs) == len(study.study.runs) + 1
    assert (more.runs[-1].place, more.runs[-1].seed, more.runs[-1].confirms) == (study.places[3], 1, True)
    assert len(more.runs[-1].test) == len(more.runs[0].test)


def test_a_bad_run_is_of_another_configuration() -> None:
    """One run scores 0.05, and what was recommended keeps its own."""
    study = scene(2)

    def ask(asked: Study) -> Said:
        return Said((), (), (), min(asked.runs, key=lambda run: abs(run.test.mean() - 0.05)).place)

    answers = with_bad_run(study, ask)
    assert answers["before"].recommended != answers["after"].recommended
    assert list(unmoved(answers, study)) == [False]


def test_what_was_said_is_kept(tmp_path: Path) -> None:
    """A run that was broken off in the middle of a line goes on after the last whole one."""
    said = pow3(scene(0).study)
    key = Key("one seed", 0, "pow3", "scene", "code")
    Results(tmp_path).add(key, {"": said})
    path = tmp_path / "one-seed.jsonl"
    path.write_text(path.read_text() + '{"key": {"scen')
    kept = Results(tmp_path)
    assert key in kept
    assert kept[key][""] == said


def test_recorded_runs_are_given_or_held_out() -> None:
    """Of three recorded seeds one is given, or one and a repeat of each depth; the truth is the others' runs."""
    runs = runs_of(KVASIR64)
    assert [len(given) for given in each_seed(runs)] == [40, 40, 40]
    assert {len(given) for given in one_repeat_a_depth(runs)} == {44}
    recorded = next(scenario for scenario in SCENARIOS if scenario.name == "Kvasir-SEG 64").scene(0)
    assert len(recorded.new_runs(4, 700)) == 2
    assert recorded.num_train == 700


def test_every_row_has_its_studies() -> None:
    """Rows and bounds name scenarios and rows that there are, and no two rows are called alike."""
    names, rows = {scenario.name for scenario in SCENARIOS}, every_row()
    assert {name for row in rows for name in row.scenarios} == names
    labels = [row.label for row in rows]
    assert len(set(labels)) == len(labels)
    assert {width.label for width in every_width()} <= set(labels)
    assert len(keys_of(["Kvasir-SEG 64"], 300, [])) == 0
