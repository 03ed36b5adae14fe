"""An answer in plain text: sentences for a physician, then tables, within 80 columns."""

from __future__ import annotations

import textwrap
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

    from search.answer import Answer
    from search.depth_answer import CaseCount, CurveAnswer, DepthAnswer
    from search.intervals import Estimate, Interval
    from search.ranking import RankedConfiguration

COLUMNS = 80
WIDEST_AMOUNT = 1e7  # beyond, digits would leave their column
LEAST_WHOLE_AMOUNT = 100
MOST_ROWS = 30  # of the ranking


def render(answer: Answer, currency: str) -> str:
    """The whole answer, each line within 80 columns, with prices in ``currency``."""
    parts = [
        "\n".join(textwrap.fill(sentence, COLUMNS) for sentence in sentences(answer, currency)),
        "\n".join(_depth_table(answer)),
        "\n".join(_ranking_table(answer, currency)),
        textwrap.fill(footnote(answer), COLUMNS),
    ]
    return "\n\n".join(part for part in parts if part) + "\n"


def sentences(answer: Answer, currency: str) -> Iterator[str]:
    """The answer in words, for a reader who knows medicine and not this program."""
    if answer.reason is not None:
        yield _sentence(answer.reason)
    row = answer.recommended
    if row is None:
        return
    yield _recommendation(row, answer, currency)
    depth = next(each for each in answer.depths if each.depth == row.depth)
    if depth.reason is not None:
        yield _sentence(depth.reason)
    if depth.on_test is None:
        return
    yield _enough(depth.on_test, depth, answer.num_train)
    yield _plateau(depth.on_test, depth, answer.num_train)


def _recommendation(row: RankedConfiguration, answer: Answer, currency: str) -> str:
    hours = f"{'about ' if row.seconds_estimated else ''}{amount(row.training_seconds / 3600)} {row.device.upper()} h"
    held_out = answer.num_validation + answer.num_test
    per_dsc = "" if row.cost_per_dsc is None else f" ({amount(row.cost_per_dsc)} {currency} per 0.01 DSC)"
    alone = f"; one new run: {_interval(row.estimate.run_interval)}" if row.estimate.run_interval else ""
    fresh = "" if row.confirmed_dsc is None else f" The fresh seed has test DSC {row.confirmed_dsc:.3f}."
    return (
        f"Recommended: depth {row.depth} with {row.num_cases} cases (ratio {row.ratio:.4g}): test DSC"
        f" {_dsc(row.estimate)}{alone}; {amount(row.price)} {currency}{per_dsc} for {hours} of training and"
        f" {row.num_cases} + {held_out} cases, the latter for validation and test.{fresh}"
    )


def _enough(curve: CurveAnswer, depth: DepthAnswer, num_train: int) -> str:
    count = curve.sufficient
    ratio = "" if count.ratio is None else f" (ratio {count.ratio:.2g})"
    cases = f"{_at_most(count, depth)}{_cases(count)} of {num_train} cases"
    return f"Enough within the data at depth {depth.depth}: {cases}{ratio}."


def _plateau(curve: CurveAnswer, depth: DepthAnswer, num_train: int) -> str:
    doubling = f"doubling brings {curve.doubling_gain:.3f} {_interval(curve.doubling_gain_interval)}"
    further = f"100 further cases bring {curve.gain_per_100_cases:.3f} {_interval(curve.gain_per_100_cases_interval)}"
    if not curve.reached:
        return f"No plateau within {num_train} cases; {doubling}; {further}."
    return f"Plateau: {_at_most(curve.plateau, depth)}{_cases(curve.plateau)} cases; {doubling}; {further}."


def _depth_table(answer: Answer) -> Iterator[str]:
    if not answer.depths:
        return
    yield _depth_line("depth", "enough cases", "plateau", "gain by doubling", "flagged")
    for depth in answer.depths:
        flagged = f"{depth.num_flagged} of {depth.num_measured}"
        if depth.on_test is None:
            yield f"{depth.depth:>5} {depth.reason or '':<64} {flagged:>8}"
            continue
        curve = depth.on_test
        gain = f"{curve.doubling_gain:.3f} {_interval(curve.doubling_gain_interval)}"
        yield _depth_line(str(depth.depth), _cases(curve.sufficient), _cases(curve.plateau), gain, flagged)


def _depth_line(*cells: str) -> str:
    return " ".join(f"{cell:>{width}}" for cell, width in zip(cells, (5, 21, 21, 20, 8), strict=True))


def _ranking_table(answer: Answer, currency: str) -> Iterator[str]:
    if not answer.ranking:
        return
    unit = f"{currency[:4]}/.01"
    yield _ranking_line("rank", "depth", "cases", "ratio", "val", "test", currency[:9], unit, "P", "")
    for row in answer.ranking[:MOST_ROWS]:
        yield _ranking_line(*_ranking_cells(row))
    if len(answer.ranking) > MOST_ROWS:
        yield f"... and {len(answer.ranking) - MOST_ROWS} more, in the report"


def _ranking_cells(row: RankedConfiguration) -> Iterator[str]:
    yield "-" if row.rank is None else str(row.rank)
    yield str(row.depth)
    yield str(row.num_cases)
    yield f"{row.ratio:.4g}"
    validation = row.validation_dsc if row.validation_fitted is None else row.validation_fitted
    yield "-" if validation is None else f"{validation:.3f}"
    yield _dsc(row.estimate) if row.flag is None else f"{row.estimate.value:.3f} {row.flag.replace('_', ' ')}"
    yield amount(row.price)
    yield "-" if row.cost_per_dsc is None else amount(row.cost_per_dsc)
    yield "-" if row.p_floor is None else f"{row.p_floor:.2f}"
    yield "f" if row.is_forecast else "~" * row.seconds_estimated


def _ranking_line(*cells: str) -> str:
    widths = (4, 5, 6, 6, 5, 20, 9, 9, 4, 1)
    return " ".join(f"{cell:>{width}}" for cell, width in zip(cells, widths, strict=True)).rstrip()


def footnote(answer: Answer) -> str:
    """What the numbers of an answer mean."""
    row = answer.recommended
    confirmed = row is not None and row.confirmed_dsc is not None
    forecast = " f marks a configuration that was not trained, its DSC and time a forecast;"
    marked = forecast if any(each.is_forecast for each in answer.ranking) else ""
    decided = "" if answer.floor is None else f" of {answer.floor:.3f}"
    return (
        "DSC is the mean over cases (empty truth and empty prediction count 1); intervals are 90 %; decisions read"
        " validation, estimates read test, and so do the numbers of enough cases and of the plateau; val is fitted;"
        f" P is the probability that it reaches the floor{decided}; ~ marks an estimated training time;{marked}"
        f" SD between runs {answer.test_noise.sigma:.3f} ({answer.test_noise.source});"
        f" {'confirmed' if confirmed else 'not yet confirmed'} by a fresh seed."
    )


def _at_most(count: CaseCount, depth: DepthAnswer) -> str:
    """Nothing is read off below the fewest cases that were tried: there, the true number may be smaller."""
    return "at most " if count.cases == depth.fewest_cases else ""


def _cases(count: CaseCount) -> str:
    lower, upper = f"{count.interval.lower:.0f}", f"{count.interval.upper:.0f}"
    beyond = f">{upper}"
    value = beyond if count.cases is None else str(count.cases)
    return f"{value} [{lower}, {beyond if count.capped else upper}]"


def _dsc(estimate: Estimate) -> str:
    return f"{estimate.value:.3f}" + (f" {_interval(estimate.mean_interval)}" if estimate.mean_interval else "")


def _interval(interval: Interval) -> str:
    return f"[{interval.lower:.3f}, {interval.upper:.3f}]"


def amount(value: float) -> str:
    """A price or a number of hours, in at most nine characters."""
    if value >= WIDEST_AMOUNT:
        return f"{value:.3g}"
    return f"{value:,.0f}" if value >= LEAST_WHOLE_AMOUNT else f"{value:.3g}"


def _sentence(reason: str) -> str:
    return f"{reason[0].upper()}{reason[1:]}."
