"""A paragraph on sample size for a grant or a paper."""

from __future__ import annotations

from typing import TYPE_CHECKING

from storage.records import CellState
from storage.variants import axis_values, name_of, recipe_of
from studies.report.text.sentences import amount, at_most, case_count, dsc_estimate, interval

if TYPE_CHECKING:
    from collections.abc import Iterator

    from search.analysis.ranking import RankedConfiguration
    from search.analysis.target import DepthTarget
    from search.curves.curve_answer import DepthAnswer
    from studies.results.findings import Findings

PAPER = "Lee et al. 2025, PLoS One 20(12): e0339064"
PARTS = {"train": "training", "validation": "validation", "test": "test"}


def methods_paragraph(findings: Findings) -> str:
    """Data, protocol, cells, use of the test cases, the numbers with both intervals, prices, versions and citation."""
    return " ".join(_sentences(findings))


def _sentences(findings: Findings) -> Iterator[str]:
    yield _data(findings)
    yield _metric(findings)
    yield _cells(findings)
    yield _use_of_cases(findings)
    yield from _numbers(findings)
    yield _prices(findings)
    yield (
        f"Nothing is extrapolated beyond twice the {findings.answer.num_train} training cases at hand, and whatever"
        " lies beyond all of them is extrapolated and marked as such."
    )
    yield _citation(findings)


def _data(findings: Findings) -> str:
    study = findings.study
    parts = ", ".join(f"{len(study.split[part])} {word}{_groups(findings, part)}" for part, word in PARTS.items())
    kind = study.identity.get("data", {}).get("kind", "an imported table")
    return (
        f"Sample size was studied with dicecurve on {sum(map(len, study.split.values()))} annotated cases"
        f" ({kind}; dataset fingerprint {study.fingerprint[:12]}), divided into {parts} cases."
    )


def _groups(findings: Findings, part: str) -> str:
    names, groups = findings.study.split[part], findings.study.groups
    number = len({groups[name] for name in names if name in groups})
    return f" (from {number} patients or groups)" if 0 < number < len(names) else ""


def _metric(findings: Findings) -> str:
    if _is_told(findings):
        return "DSC is that of an imported table, one number a run, without cases behind it."
    return (
        "The metric is the Dice score (DSC), the mean over cases; a case whose truth and prediction are both empty"
        " counts 1, one of them empty 0."
    )


def _is_told(findings: Findings) -> bool:
    return any(record.attempt.told_dsc is not None for record in findings.records)


def _cells(findings: Findings) -> str:
    records = findings.records
    plans = [record.cell.plan for record in records]
    states = [record.cell.state for record in records]
    ratios, depths, seeds = ({getattr(plan, name) for plan in plans} for name in ("ratio", "depth", "seed"))
    counts = {
        "measured": sum(record.attempt.scores is not None or record.attempt.told_dsc is not None for record in records),
        "stopped early": sum(record.attempt.stop_reason is not None for record in records),
        "skipped": sum(record.cell.skip is not None for record in records),
        "not learned": states.count(CellState.NOT_LEARNED),
        "collapsed": states.count(CellState.COLLAPSED),
        "failed": states.count(CellState.FAILED),
    }
    told = ", ".join(f"{number} {word}" for word, number in counts.items())
    own = findings.study.identity.get("training", {}).get("architecture", "unet")
    networks = sorted({axis_values(variant).get("architecture", own) for variant in findings.variants})
    name = "residual U-Nets" if networks == ["unet"] else f"networks ({', '.join(networks)})"
    variants = ""
    if findings.has_variants:
        variants = (
            f", in {len(findings.variants)} variants of the protocol ({'; '.join(map(name_of, findings.variants))})"
        )
    return (
        f"{name[0].upper()}{name[1:]} of {len(depths)} depths ({_range(depths)}) were trained on {len(ratios)} nested"
        f" shares of the training cases ({_range(ratios)}) under {len(seeds)} seed{'' if len(seeds) == 1 else 's'}"
        f"{variants}: {len(records)} cells, of which {told}."
    )


def _range(values: set[float]) -> str:
    if not values:
        return "none"
    return f"{min(values):g}" if len(values) == 1 else f"{min(values):g} to {max(values):g}"


def _use_of_cases(findings: Findings) -> str:
    noise = findings.answer.test_noise
    if _is_told(findings):
        return f"Intervals are 90 %, and hold the noise between runs (SD {noise.sigma:.3f}, from {noise.source})."
    return (
        "Every decision read validation cases; test cases were measured once a cell, at the checkpoint with the best"
        " validation DSC, and only estimate. Intervals are 90 %, from"
        f" {findings.answer.replicates:,} replicates that resample cases by group and add the noise between runs (SD"
        f" {noise.sigma:.3f}, from {noise.source})."
    )


def _numbers(findings: Findings) -> Iterator[str]:
    found = findings.answer
    if found.wanted is not None and found.wanted.best is not None:
        yield _target(found.wanted.best, found.wanted.target)
    if found.recommended is None:
        yield f"No configuration is recommended: {found.reason}."
        return
    yield _recommended(found.recommended, findings)
    depth = next(each for each in found.depths if recipe_of(each) == recipe_of(found.recommended))
    if depth.on_test is not None:
        yield _enough(depth, found.num_train)


def _target(best: DepthTarget, target: float) -> str:
    if best.cases.cases is None:
        return (
            f"A DSC of {target:g} is not reached within twice the cases at hand: {recipe_of(best)} lacks"
            f" {best.shortfall:.3f} {interval(best.shortfall_interval)} with all of them, and would have"
            f" {best.dsc_doubled:.3f} {interval(best.dsc_doubled_interval)} with twice as many (extrapolated)."
        )
    run = best.run_interval
    return (
        f"A DSC of {target:g} takes {case_count(best.cases)} training cases at {recipe_of(best)}"
        f" ({'extrapolated; ' if best.extrapolated else ''}90 % interval for the mean); for one new run"
        f" [{run.lower:.0f}, {'>' if best.run_capped else ''}{run.upper:.0f}]."
    )


def _recommended(row: RankedConfiguration, findings: Findings) -> str:
    found = findings.answer
    total = row.num_cases + found.num_validation + found.num_test
    confirmed = "" if row.confirmed_dsc is None else f"; a fresh seed measured {row.confirmed_dsc:.3f}"
    run = f"; one new run {interval(row.estimate.run_interval)}" if row.estimate.run_interval else ""
    return (
        f"Recommended are {row.num_cases} training cases and {recipe_of(row)}, {total} annotated cases in all, with a"
        f" test DSC of {dsc_estimate(row.estimate)}{run}{confirmed}."
    )


def _enough(depth: DepthAnswer, num_train: int) -> str:
    curve = depth.on_test
    assert curve is not None
    plateau = (
        f"a plateau is reached at {at_most(curve.plateau, depth)}{case_count(curve.plateau)} cases"
        if curve.reached
        else f"no plateau is reached within {num_train} cases"
    )
    return (
        f"At {recipe_of(depth)}, {at_most(curve.sufficient, depth)}{case_count(curve.sufficient)} cases lie within the"
        f" tolerance of all {num_train}; {plateau}: twice as many would bring {curve.doubling_gain:.3f}"
        f" {interval(curve.doubling_gain_interval)} more (extrapolated)."
    )


def _prices(findings: Findings) -> str:
    prices = findings.question.prices
    owned = f", {prices.owned_cases} cases owned" if prices.owned_cases else ""
    return (
        f"Prices: {amount(prices.case)} {prices.currency} a case, {amount(prices.gpu_hour)} a GPU hour and"
        f" {amount(prices.cpu_hour)} a CPU hour{owned}; the tolerance is {findings.answer.tolerance:g} DSC."
    )


def _citation(findings: Findings) -> str:
    versions = findings.study.facts.get("versions", {})
    named = ", ".join(
        f"{name} {versions[name]}" for name in ("dicecurve", "torch", "monai", "python") if name in versions
    )
    return f"Method: {PAPER}{f'; software: {named}' if named else ''}."
