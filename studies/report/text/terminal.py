"""An answer in plain text: sentences for a physician, then tables, within 80 columns."""

from __future__ import annotations

import string
import textwrap
from typing import TYPE_CHECKING

from storage.variants import name_of
from studies.report.text.sentences import (
    UNREACHED,
    amount,
    case_count,
    dsc_estimate,
    has_unreached,
    interval,
    sentences,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

    from search.analysis.answer import Answer
    from search.analysis.front import FrontStep
    from search.analysis.ranking import RankedConfiguration
    from search.curves.curve_answer import DepthAnswer

COLUMNS = 80
LETTERS = string.ascii_uppercase + string.ascii_lowercase  # of variants: more than all axes together have
MOST_ROWS, MOST_STEPS = 30, 12  # of the ranking, and of the front


def render(answer: Answer, currency: str) -> str:
    """The whole answer, each line within 80 columns, with prices in ``currency``."""
    parts = [
        "\n".join(textwrap.fill(sentence, COLUMNS) for sentence in sentences(answer, currency)),
        "\n".join(_depth_table(answer)),
        "\n".join(_ranking_table(answer, currency)),
        "\n".join(_front_table(answer, currency)),
        "\n".join(_legend(answer)),
        textwrap.fill(footnote(answer), COLUMNS),
    ]
    return "\n\n".join(part for part in parts if part) + "\n"


def _depth_table(answer: Answer) -> Iterator[str]:
    if not answer.depths:
        return
    yield _depth_line("depth", "enough cases", "plateau", "gain by doubling", "flagged")
    for depth in answer.depths:
        flagged = f"{depth.num_flagged} of {depth.num_measured}"
        if depth.on_test is None:
            yield f"{_depth(depth, answer):>5} {depth.reason or '':<65.65} {flagged:>8}"
            continue
        curve = depth.on_test
        gain = f"{curve.doubling_gain:.3f} {interval(curve.doubling_gain_interval)}"
        plateau = case_count(curve.plateau, unsure=not curve.reached)
        yield _depth_line(_depth(depth, answer), case_count(curve.sufficient), plateau, gain, flagged)
    if has_unreached(answer):
        yield UNREACHED


def _depth_line(*cells: str) -> str:
    return " ".join(f"{cell:>{width}}" for cell, width in zip(cells, (5, 20, 22, 21, 8), strict=True))


def _ranking_table(answer: Answer, currency: str) -> Iterator[str]:
    if not answer.ranking:
        return
    unit = f"{currency[:4]}/.01"
    yield _ranking_line("rank", "depth", "cases", "ratio", "val", "test", currency[:9], unit, "P", "")
    for row in answer.ranking[:MOST_ROWS]:
        yield _ranking_line(*_ranking_cells(row, answer))
    if len(answer.ranking) > MOST_ROWS:
        yield f"... and {len(answer.ranking) - MOST_ROWS} more, in the report"


def _ranking_cells(row: RankedConfiguration, answer: Answer) -> Iterator[str]:
    yield "-" if row.rank is None else str(row.rank)
    yield _depth(row, answer)
    yield str(row.num_cases)
    yield f"{row.ratio:.4g}"
    validation = row.validation_dsc if row.validation_fitted is None else row.validation_fitted
    yield "-" if validation is None else f"{validation:.3f}"
    yield dsc_estimate(row.estimate) if row.flag is None else f"{row.estimate.value:.3f} {row.flag.replace('_', ' ')}"
    yield amount(row.price)
    yield "-" if row.cost_per_dsc is None else amount(row.cost_per_dsc)
    yield "-" if row.p_floor is None else f"{row.p_floor:.2f}"
    yield "f" if row.is_forecast else "~" * row.seconds_estimated


def _ranking_line(*cells: str) -> str:
    widths = (4, 5, 6, 6, 5, 20, 9, 9, 4, 1)
    return " ".join(f"{cell:>{width}}" for cell, width in zip(cells, widths, strict=True)).rstrip()


def _front_table(answer: Answer, currency: str) -> Iterator[str]:
    if not answer.front:
        return
    yield _front_line("front: depth", "cases", currency[:9], "val", "gain", f"{currency[:4]} per further 0.01", "")
    for step in answer.front[:MOST_STEPS]:
        yield _front_line(*_front_cells(step, answer))
    if len(answer.front) > MOST_STEPS:
        yield f"... and {len(answer.front) - MOST_STEPS} more, in the report"


def _front_cells(step: FrontStep, answer: Answer) -> Iterator[str]:
    yield _depth(step, answer)
    yield str(step.num_cases)
    yield amount(step.price)
    yield f"{step.validation_fitted:.3f}"
    gain = "-" if step.gain is None else f"{step.gain:.3f} {interval(step.gain_interval)}"
    yield f"{gain}{'' if step.distinguishable in {None, True} else ' n'}"
    yield "-" if step.icer is None else amount(step.icer)
    yield "f" * step.is_forecast


def _front_line(*cells: str) -> str:
    widths = (12, 6, 9, 5, 22, 18, 1)
    return " ".join(f"{cell:>{width}}" for cell, width in zip(cells, widths, strict=True)).rstrip()


def _depth(row: DepthAnswer | RankedConfiguration | FrontStep, answer: Answer) -> str:
    """The depth, and a letter for the variant where there are any."""
    return f"{row.depth} {LETTERS[answer.variants.index(row.variant)]}" if answer.has_variants else str(row.depth)


def _legend(answer: Answer) -> Iterator[str]:
    if not answer.has_variants:
        return
    yield "Variants:"
    for letter, variant in zip(LETTERS, answer.variants, strict=False):
        yield f"  {letter} {name_of(variant)}"


def footnote(answer: Answer) -> str:
    """What the numbers of an answer mean."""
    row = answer.recommended
    confirmed = row is not None and row.confirmed_dsc is not None
    forecast = " f marks a configuration that was not trained, its DSC and time a forecast;"
    marked = forecast if any(each.is_forecast for each in answer.ranking) else ""
    unclear = " n marks a gain that is not distinguishable from none;" if _has_unclear_step(answer) else ""
    decided = "" if answer.floor is None else f" of {answer.floor:.3f}"
    return (
        "DSC is the mean over cases (empty truth and empty prediction count 1); intervals are 90 %; decisions read"
        " validation, estimates read test, and so do the numbers of enough cases and of the plateau; val is fitted;"
        f" P is the probability that it reaches the floor{decided}; ~ marks an estimated training time;"
        f"{marked}{unclear}"
        f" SD between runs {answer.test_noise.sigma:.3f} ({answer.test_noise.source});"
        f" {'confirmed' if confirmed else 'not yet confirmed'} by a fresh seed."
    )


def _has_unclear_step(answer: Answer) -> bool:
    return any(step.distinguishable is False for step in answer.front)
