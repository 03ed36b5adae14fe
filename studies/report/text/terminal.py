"""An answer in plain text: sentences for a physician, then tables, within 80 columns."""

from __future__ import annotations

import textwrap
from typing import TYPE_CHECKING

from storage.variants import name_of
from studies.report.text.formatting import amount, case_count, dsc, dsc_with_interval
from studies.report.text.known_words import table_note
from studies.report.text.ranking_columns import LETTERS, columns_of, flagged_runs, lettered_depth, shows_flags
from studies.report.text.sentences import UNREACHED, has_unreached, sentences
from studies.report.text.uncertainty import run_noise_words
from studies.results.known_facts import known_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from search.analysis.answer import Answer
    from search.analysis.front import FrontStep
    from search.curves.curve_answer import DepthAnswer

COLUMNS = 80
MOST_ROWS, MOST_STEPS = 30, 12  # of the ranking, and of the front
NONE = "-"  # where there is no value
DEPTH_WIDTHS = (5, 20, 22, 21, 8)
FRONT_WIDTHS = (12, 6, 9, 5, 22, 18, 1)


def render(answer: Answer, currency: str) -> str:
    """The whole answer, each line within 80 columns, with prices in ``currency``."""
    blocks = [
        "\n".join(textwrap.fill(sentence, COLUMNS) for sentence in sentences(answer, currency)),
        "\n".join(_depth_table(answer)),
        "\n".join(_ranking_table(answer, currency)),
        "\n".join(_front_table(answer, currency)),
        "\n".join(_legend(answer)),
        textwrap.fill(footnote(answer), COLUMNS),
    ]
    return "\n\n".join(block for block in blocks if block) + "\n"


def _line(cells: Iterable[str], widths: Iterable[int]) -> str:
    """Cells flush right in columns of these widths."""
    return " ".join(f"{cell:>{width}}" for cell, width in zip(cells, widths, strict=True)).rstrip()


def _depth_table(answer: Answer) -> Iterator[str]:
    if not answer.depths:
        return
    flagged = "flagged" if shows_flags(answer) else ""
    yield _line(("depth", f"within {answer.tolerance:g} of all", "plateau", "gain by doubling", flagged), DEPTH_WIDTHS)
    yield from (_depth_line(depth, answer) for depth in answer.depths)
    if has_unreached(answer):
        yield UNREACHED


def _depth_line(depth: DepthAnswer, answer: Answer) -> str:
    flagged = flagged_runs(depth, answer, NONE) if shows_flags(answer) else ""
    curve = depth.on_test
    if curve is None:
        return f"{lettered_depth(depth, answer):>5} {depth.reason or '':<65.65} {flagged:>8}".rstrip()
    plateau = case_count(curve.plateau, unsure=not curve.reached)
    # Of a gain below 0 the noughts before the points would leave the column.
    gain = dsc_with_interval(curve.doubling_gain, curve.doubling_gain_interval).replace("0.", ".")
    return _line((lettered_depth(depth, answer), case_count(curve.sufficient), plateau, gain, flagged), DEPTH_WIDTHS)


def _ranking_table(answer: Answer, currency: str) -> Iterator[str]:
    if not answer.ranking:
        return
    columns = columns_of("terminal", answer)
    widths = [column.width for column in columns]
    yield _line((column.heading("terminal", currency) for column in columns), widths)
    for row in answer.ranking[:MOST_ROWS]:
        texts = (column.text(row, answer) for column in columns)
        yield _line((NONE if text is None else text for text in texts), widths)
    if len(answer.ranking) > MOST_ROWS:
        yield f"... and {len(answer.ranking) - MOST_ROWS} more, in the report"


def _front_table(answer: Answer, currency: str) -> Iterator[str]:
    if not answer.front:
        return
    per_step = f"{currency[:4]} per further 0.01"
    validation = "fit" if known_of(answer).one_score else "val"
    yield _line(("front: depth", "cases", currency[:9], validation, "gain", per_step, ""), FRONT_WIDTHS)
    for step in answer.front[:MOST_STEPS]:
        yield _line(_front_cells(step, answer), FRONT_WIDTHS)
    if len(answer.front) > MOST_STEPS:
        yield f"... and {len(answer.front) - MOST_STEPS} more, in the report"


def _front_cells(step: FrontStep, answer: Answer) -> Iterator[str]:
    yield lettered_depth(step, answer)
    yield str(step.num_cases)
    yield amount(step.price)
    yield dsc(step.validation_fitted)
    gain = NONE if step.gain is None else dsc_with_interval(step.gain, step.gain_interval)
    yield f"{gain}{'' if step.distinguishable in {None, True} else ' n'}"
    yield NONE if step.icer is None else amount(step.icer)
    yield "f" * step.is_forecast


def _legend(answer: Answer) -> Iterator[str]:
    if not answer.has_variants:
        return
    yield "Variants:"
    for letter, variant in zip(LETTERS, answer.variants, strict=False):
        yield f"  {letter} {name_of(variant)}"


def footnote(answer: Answer) -> str:
    """What the numbers of an answer mean."""
    chosen = answer.recommended
    confirmed = chosen is not None and chosen.confirmed_dsc is not None
    forecast = " f marks a configuration that was not trained, its DSC and time a forecast;"
    marked = forecast if any(row.is_forecast for row in answer.ranking) else ""
    reaching = (
        f"lies within {answer.tolerance:g} of the best" if answer.target is None else f"reaches {answer.target:g}"
    )
    unclear = " n marks a gain that is not distinguishable from none;" if _has_unclear_step(answer) else ""
    likely = f"P is the probability that it {reaching};"
    noise = f"{run_noise_words(answer.test_noise)}; one new run is a training under a fresh seed"
    if known_of(answer).is_table:
        return _table_footnote(answer, f"{likely}{unclear} {noise}.")
    return (
        "DSC is the mean over cases (empty truth and empty prediction count 1); intervals are 90 %; decisions read"
        " validation, estimates read test, and so do the numbers of cases and of the plateau; val is fitted;"
        f" {likely} ~ marks an estimated training time;{marked}{unclear} {noise}, scored on all cases that the test"
        f" cases stand for; {'confirmed' if confirmed else 'not yet confirmed'} by a fresh seed."
    )


def _table_footnote(answer: Answer, rest: str) -> str:
    known = known_of(answer)
    fitted = (
        "fit is the fitted DSC" if known.one_score else "decisions read validation, estimates read test; val is fitted"
    )
    return f"{table_note(known)} Intervals are 90 %; {fitted}; {rest}"


def _has_unclear_step(answer: Answer) -> bool:
    return any(step.distinguishable is False for step in answer.front)
