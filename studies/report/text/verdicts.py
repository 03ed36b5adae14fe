"""Whether the cases at hand are enough, in words: for a target a number, without one what more cases bring."""

from __future__ import annotations

from typing import TYPE_CHECKING

from search.curves.curve_answer import FURTHER_CASES
from storage.variants import recipe_of
from studies.report.text.formatting import case_count, dsc_with_interval
from studies.results.known_facts import known_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from search.analysis.answer import Answer
    from search.analysis.target import DepthTarget, TargetAnswer
    from search.curves.curve_answer import CurveAnswer

TO_TELL, REPEAT_TO_TELL = "a repeat with another seed, or more test cases, would tell", "a repeat would tell"


def target_sentences(wanted: TargetAnswer, answer: Answer) -> Iterator[str]:
    """The verdict on a target, what it means for one training, and where validation cases say otherwise."""
    chosen = wanted.chosen
    if chosen is None:
        yield f"Cannot tell whether a DSC of {wanted.target:g} can be reached: no network has a data curve yet."
        return
    yield _verdict(chosen, wanted, answer.num_train)
    yield (
        f"One new run of it with all {answer.num_train} cases reaches {wanted.target:g} with P = {chosen.p_run:.2f}"
        f" (a fresh seed{'' if known_of(answer).is_table else ', judged on all cases that the test cases stand for'})."
    )
    if not known_of(answer).one_score:
        yield from _disagreement(chosen, wanted)
    if not wanted.is_recommended:
        yield f"Nothing is recommended yet: {recipe_of(chosen)} is the network to plan with."


def _disagreement(chosen: DepthTarget, wanted: TargetAnswer) -> Iterator[str]:
    """Where the cases that choose and the cases that estimate do not say the same."""
    if wanted.p_validation is None:
        return
    chances = wanted.p_validation, chosen.p_at_hand
    sure = [chance >= wanted.assurance for chance in chances]
    if sure[0] == sure[1]:
        return
    surer, other = ("Validation", "test") if sure[0] else ("Test", "validation")
    yield (
        f"{surer} cases are sure of it, {other} cases are not (P = {max(chances):.2f} and {min(chances):.2f}):"
        " validation cases choose what is recommended, test cases say the number."
    )


def _verdict(chosen: DepthTarget, wanted: TargetAnswer, num_train: int) -> str:
    goal = f"a DSC of {wanted.target:g} at {recipe_of(chosen)}"
    at_hand = f"{num_train} training cases reach it with P = {chosen.p_at_hand:.2f}"
    doubled = f"twice as many, extrapolated, with P = {chosen.p_doubled:.2f}"
    if wanted.verdict == "enough":
        return f"Enough for {goal}: {at_hand}. It takes {case_count(chosen.cases)} training cases."
    if wanted.verdict == "annotate":
        return (
            f"Annotate {wanted.assured_more} more cases for {goal}, to be sure with P = {wanted.assurance:g}; as likely"
            f" as not {wanted.expected_more} are enough. {_sentence(at_hand)}; {case_count(chosen.cases)} are needed."
        )
    if wanted.verdict == "out of reach":
        return (
            f"Out of reach: {goal}. {_sentence(at_hand)}; {doubled}: then the DSC would be"
            f" {dsc_with_interval(chosen.dsc_doubled, chosen.dsc_doubled_interval)}. All {num_train} lack"
            f" {dsc_with_interval(chosen.shortfall, chosen.shortfall_interval)}."
        )
    expected = "" if wanted.expected_more is None else f" As likely as not {wanted.expected_more} more are enough."
    return f"Uncertain: {goal}. {_sentence(at_hand)}; {doubled}.{expected}"


def growth_sentence(curve: CurveAnswer, num_train: int, *, has_target: bool, has_cases: bool = True) -> str:
    """What more cases than all at hand would do."""
    doubling = f"doubling (+{num_train}) brings {dsc_with_interval(curve.doubling_gain, curve.doubling_gain_interval)}"
    gain = dsc_with_interval(curve.gain_per_100_cases, curve.gain_per_100_cases_interval)
    further = f"{doubling}, the next 100 cases {gain}" if num_train >= FURTHER_CASES else doubling
    if curve.verdict == "flat":
        number = "" if has_target else "0 more cases; "
        return f"Flat: {number}{further}. The plateau begins at {case_count(curve.plateau)} cases."
    if curve.verdict == "still rising":
        number = "" if has_target else "; state a target (--target-dsc) for a number of cases"
        return f"Still rising: {further}{number}."
    return f"Cannot tell whether more cases would help: {further}; {TO_TELL if has_cases else REPEAT_TO_TELL}."


def _sentence(text: str) -> str:
    return f"{text[0].upper()}{text[1:]}"
