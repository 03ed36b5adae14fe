"""A paragraph on sample size for a grant or a paper."""

from __future__ import annotations

from typing import TYPE_CHECKING

from storage.records import CellState
from storage.variants import axis_values, name_of, recipe_of
from studies.report.text.formatting import (
    amount,
    bounded_case_count,
    case_count,
    dsc_with_interval,
    estimate,
    interval,
)
from studies.report.text.known_words import table_note
from studies.report.text.uncertainty import run_noise_words
from studies.results.findings import is_measured
from studies.results.known_facts import known_of
from studies.spec import recorded_spec

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from search.analysis.answer import Answer
    from search.analysis.ranking import RankedConfiguration
    from search.analysis.target import DepthTarget, TargetAnswer
    from search.curves.curve_answer import DepthAnswer
    from storage.records import CellRecord
    from studies.results.findings import Findings

PAPER = "Lee et al. 2025, PLoS One 20(12): e0339064"
UNET = "unet"  # the architecture of the paper
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
    if findings.is_imported:
        return (
            f"Sample size was studied with dicecurve on an imported table of {len(findings.records)} runs, with up to"
            f" {len(study.split['train'])} training cases."
        )
    split = ", ".join(f"{len(study.split[part])} {name}{_groups(findings, part)}" for part, name in PARTS.items())
    kind = recorded_spec(study).data_kind
    return (
        f"Sample size was studied with dicecurve on {sum(map(len, study.split.values()))} annotated cases"
        f" ({kind}; dataset fingerprint {study.fingerprint[:12]}), divided into {split} cases."
    )


def _groups(findings: Findings, part: str) -> str:
    names, groups = findings.study.split[part], findings.study.groups
    number = len({groups[name] for name in names if name in groups})
    return f" (from {number} patients or groups)" if 0 < number < len(names) else ""


def _metric(findings: Findings) -> str:
    if findings.is_imported:
        return table_note(findings.known)
    return (
        "The metric is the Dice score (DSC), the mean over cases; a case whose truth and prediction are both empty"
        " counts 1, one of them empty 0."
    )


def _cells(findings: Findings) -> str:
    plans = [record.cell.plan for record in findings.records]
    ratios, depths, seeds = ({getattr(plan, name) for plan in plans} for name in ("ratio", "depth", "seed"))
    if findings.is_imported:
        sizes = f"{_count(depths, 'depth')} were trained on {_count(ratios, 'share')} of the training cases"
        return f"Networks of {sizes}{_flags(findings)}."
    variants = ""
    if findings.has_variants:
        names = "; ".join(map(name_of, findings.variants))
        variants = f", in {len(findings.variants)} variants of the protocol ({names})"
    return (
        f"{_networks(findings)} of {len(depths)} depths ({_range(depths)}) were trained on {len(ratios)} nested"
        f" shares of the training cases ({_range(ratios)}) under {len(seeds)} seed{'' if len(seeds) == 1 else 's'}"
        f"{variants}: {len(plans)} cells, of which {_fates(findings.records)}."
    )


def _count(values: set[float], name: str) -> str:
    """How many values an axis has, and from where to where: "3 depths (2 to 4)"."""
    return f"{len(values)} {name}{'' if len(values) == 1 else 's'} ({_range(values)})"


def _flags(findings: Findings) -> str:
    """How many runs of a table are flagged, unless none is known to be."""
    flags = [str(cell.flag) for cell in findings.answer.flagged]
    fates = {"did not learn": flags.count("not_learned"), "collapsed": flags.count("collapsed")}
    known = [f"{count} {fate}" for fate, count in fates.items() if count or findings.known.flags]
    return f"; {', '.join(known)}" if known else ""


def _networks(findings: Findings) -> str:
    training = recorded_spec(findings.study).training
    own = UNET if training is None else training.architecture
    architectures = sorted({axis_values(variant).get("architecture", own) for variant in findings.variants})
    return "Residual U-Nets" if architectures == [UNET] else f"Networks ({', '.join(architectures)})"


def _fates(records: Sequence[CellRecord]) -> str:
    states = [record.cell.state for record in records]
    counts = {
        "measured": sum(is_measured(record) for record in records),
        "stopped early": sum(record.attempt.stop_reason is not None for record in records),
        "skipped": sum(record.cell.skip is not None for record in records),
        "not learned": states.count(CellState.NOT_LEARNED),
        "collapsed": states.count(CellState.COLLAPSED),
        "failed": states.count(CellState.FAILED),
    }
    return ", ".join(f"{count} {fate}" for fate, count in counts.items())


def _range(values: set[float]) -> str:
    if not values:
        return "none"
    return f"{min(values):g}" if len(values) == 1 else f"{min(values):g} to {max(values):g}"


def _use_of_cases(findings: Findings) -> str:
    noise = run_noise_words(findings.answer.test_noise)
    if findings.is_imported:
        return f"Intervals are 90 %, and hold the noise between runs ({noise})."
    return (
        "Every decision read validation cases; test cases were measured once a cell, at the checkpoint with the best"
        " validation DSC, and only estimate. Intervals are 90 %, from"
        f" {findings.answer.replicates:,} joint draws of the data curves, of the noise between runs ({noise}), and of"
        " the cases by group (Bayesian bootstrap with one unseen case)."
    )


def _numbers(findings: Findings) -> Iterator[str]:
    answer = findings.answer
    if answer.wanted is not None and answer.wanted.chosen is not None:
        yield _target(answer.wanted.chosen, answer.wanted)
    if answer.recommended is None:
        yield f"No configuration is recommended: {answer.reason}."
        return
    yield _recommended(answer.recommended, answer)
    depth = next(depth for depth in answer.depths if recipe_of(depth) == recipe_of(answer.recommended))
    if depth.on_test is not None:
        yield _enough(depth, answer.num_train)


def _target(best: DepthTarget, wanted: TargetAnswer) -> str:
    if best.cases.cases is None:
        return (
            f"Whether twice the cases at hand reach a DSC of {wanted.target:g} is uncertain at best (P ="
            f" {best.p_doubled:.2f}): {recipe_of(best)} lacks"
            f" {dsc_with_interval(best.shortfall, best.shortfall_interval)} with all of them, and would have"
            f" {dsc_with_interval(best.dsc_doubled, best.dsc_doubled_interval)} with twice as many (extrapolated)."
        )
    run = best.run_interval
    assured = "more than twice those at hand" if best.assured is None else str(best.assured)
    return (
        f"A DSC of {wanted.target:g} takes {case_count(best.cases)} training cases at {recipe_of(best)}"
        f" ({'extrapolated; ' if best.extrapolated else ''}90 % interval for the mean); for one new run"
        f" [{run.lower:.0f}, {'>' if best.run_capped else ''}{run.upper:.0f}]; {assured} reach it with P ="
        f" {wanted.assurance:g}."
    )


def _recommended(row: RankedConfiguration, answer: Answer) -> str:
    known = known_of(answer)
    total = row.num_cases + answer.num_validation + answer.num_test
    in_all = f", {total} annotated cases in all," if known.held_out else ","
    confirmed = "" if row.confirmed_dsc is None else f"; a fresh seed measured {row.confirmed_dsc:.3f}"
    run = f"; one new run {interval(row.estimate.run_interval)}" if row.estimate.run_interval else ""
    return (
        f"Recommended are {row.num_cases} training cases and {recipe_of(row)}{in_all} with a {known.test} of"
        f" {estimate(row.estimate)}{run}{confirmed}."
    )


def _enough(depth: DepthAnswer, num_train: int) -> str:
    curve = depth.on_test
    assert curve is not None
    plateau = (
        f"a plateau is reached at {bounded_case_count(curve.plateau, depth.fewest_cases)} cases"
        if curve.reached
        else f"no plateau is reached within {num_train} cases"
    )
    return (
        f"At {recipe_of(depth)}, {bounded_case_count(curve.sufficient, depth.fewest_cases)} cases lie within the"
        f" tolerance of all {num_train}; {plateau}: twice as many would bring"
        f" {dsc_with_interval(curve.doubling_gain, curve.doubling_gain_interval)} more (extrapolated)."
    )


def _prices(findings: Findings) -> str:
    prices = findings.criteria.prices
    owned = f", {prices.owned_cases} cases owned" if prices.owned_cases else ""
    hours = f", {amount(prices.gpu_hour)} a GPU hour and {amount(prices.cpu_hour)} a CPU hour"
    return (
        f"Prices: {amount(prices.case)} {prices.currency} a case{hours if findings.known.seconds else ''}{owned}; the"
        f" tolerance is {findings.answer.tolerance:g} DSC."
    )


def _citation(findings: Findings) -> str:
    versions = findings.study.facts.get("versions", {})
    named = ", ".join(
        f"{name} {versions[name]}" for name in ("dicecurve", "torch", "monai", "python") if name in versions
    )
    return f"Method: {PAPER}{f'; software: {named}' if named else ''}."
