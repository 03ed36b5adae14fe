"""What an answer rests on, in words: how far runs differ, what test cases leave open, what cannot be told apart."""

from __future__ import annotations

from typing import TYPE_CHECKING

from storage.variants import configuration_of
from studies.report.text.formatting import interval

if TYPE_CHECKING:
    from collections.abc import Iterator

    from search.analysis.answer import Answer
    from search.analysis.precision import CasePrecision
    from search.curves.data_curves import RunNoise

FEW_GROUPS = 50  # below which the answer says by itself how many test cases would do better
MOST_TIES = 3


def run_noise_words(noise: RunNoise | None) -> str:
    """How far runs differ from seed to seed, and what that is known from."""
    if noise is None:
        return "how far runs differ is not known"
    size = f"{noise.sigma:.3f} {interval(noise.interval)}"
    if noise.degrees_of_freedom == 0:
        return f"one run each: how far runs differ is assumed, SD {size}"
    repeats = f"{noise.degrees_of_freedom} repeat{'s' * (noise.degrees_of_freedom > 1)}"
    if noise.is_assumed:
        return f"{repeats}: how far runs differ is still mostly assumed, SD {size}"
    return f"runs differ by an SD of {size}, by {repeats}"


def ties_sentence(answer: Answer) -> str | None:
    """What cannot be told apart from the recommended configuration; None where nothing is."""
    if answer.recommended is None or not answer.near_ties:
        return None
    named = [str(configuration_of(row)) for row in answer.near_ties[:MOST_TIES]]
    others = len(answer.near_ties) - MOST_TIES
    if others > 0:
        named.append(f"{others} other{'s' * (others > 1)}")
    runs = "" if any(row.seeds > 1 for row in answer.near_ties) else ", one run each"
    return f"It cannot be told apart from {', '.join(named)}, at about the same price{runs}."


def unlike_sentence(answer: Answer) -> str | None:
    """Which runs are unlike their neighbours; None where none is."""
    rows = [str(configuration_of(row)) for row in answer.ranking if row.unlike]
    if not rows:
        return None
    is_one = len(rows) == 1
    return (
        f"Unlike {'its' if is_one else 'their'} neighbours {'is' if is_one else 'are'} {'; '.join(rows)}:"
        f" {'it moves' if is_one else 'they move'} no curve; look at {'that run' if is_one else 'those runs'}."
    )


def precision_sentences(precision: CasePrecision | None) -> Iterator[str]:
    """What the test cases leave open of the recommended DSC, and how many would do better."""
    if precision is None:
        return
    what = "test cases" if precision.groups == precision.cases else "groups of test cases"
    if precision.is_asked or precision.groups < FEW_GROUPS:
        needed = precision.groups_needed
        yield (
            f"The {precision.groups} {what} alone leave its DSC open by +/- {precision.half_width:.3f}: about {needed}"
            f" {'would bring it to' if needed > precision.groups else 'are enough for'} +/- {precision.wanted:.3f}."
        )
    if precision.new_run_interval is not None:
        yield (
            f"One new run, scored on {precision.new_cases} other test cases: {interval(precision.new_run_interval)}."
        )
