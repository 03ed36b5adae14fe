"""An answer in plain text: sentences for a physician, then tables, within 80 columns."""

from __future__ import annotations

import textwrap
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

    from search.answer import Answer
    from search.depth_answer import CurveAnswer, DepthAnswer
    from search.intervals import Estimate, Interval
    from search.ranking import RankedConfiguration

COLUMNS = 80
WIDEST_PRICE = 1e7  # beyond, digits would leave their column


def render(answer: Answer, currency: str) -> str:
    """The whole answer, each line within 80 columns, with prices in ``currency``."""
    parts = [
        "\n".join(textwrap.fill(sentence, COLUMNS) for sentence in _sentences(answer, currency)),
        "\n".join(_depth_table(answer)),
        "\n".join(_ranking_table(answer, currency)),
        textwrap.fill(_footnote(answer), COLUMNS),
    ]
    return "\n\n".join(part for part in parts if part) + "\n"


def _sentences(answer: Answer, currency: str) -> Iterator[str]:
    if answer.reason is not None:
        yield _sentence(answer.reason)
    row = answer.recommended
    if row is None:
        return
    yield _recommendation(row, answer, currency)
    depth = next(each for each in answer.depths if each.depth == row.depth)
    if depth.on_test is None:
        yield _sentence(depth.reason or "")
        return
    yield _enough(depth.on_test, depth, answer.num_train)
    yield _plateau(depth.on_test, depth, answer.num_train)


def _recommendation(row: RankedConfiguration, answer: Answer, currency: str) -> str:
    words = f"Recommended: {_named(row)}: test DSC {_dsc(row.test_dsc, 'mean')}"
    hours = f"{'about ' if row.seconds_estimated else ''}{_amount(row.training_seconds / 3600)} {row.device.upper()} h"
    held_out = answer.num_validation + answer.num_test
    cost = f"{_amount(row.price)} {currency} for {hours} and {row.num_cases} + {held_out} held-out cases"
    per_dsc = "" if row.cost_per_dsc is None else f" ({_amount(row.cost_per_dsc)} {currency} per 0.01 DSC)"
    alone = f"; one new run: {_interval(row.test_dsc.run_interval)}" if row.test_dsc.run_interval else ""
    fresh = "" if row.confirmed_dsc is None else f" The fresh seed that confirms it has test DSC {row.confirmed_dsc:.3f}."
    return f"{words}{alone}; {cost}{per_dsc}.{fresh}"


def _enough(curve: CurveAnswer, depth: DepthAnswer, num_train: int) -> str:
    count = curve.sufficient
    least = "at most " if count.cases == depth.fewest_cases else ""
    bounds = f"[{count.interval.lower:.0f}, {count.interval.upper:.0f}]"
    return f"Enough within the data: {least}{count.cases} cases {bounds} of {num_train} (ratio {count.ratio:.2g})."


def _plateau(curve: CurveAnswer, depth: DepthAnswer, num_train: int) -> str:
    doubling = f"doubling brings {curve.doubling_gain:.3f} {_interval(curve.doubling_gain_interval)}"
    further = f"100 further cases bring {curve.gain_per_100_cases:.3f} {_interval(curve.gain_per_100_cases_interval)}"
    if not curve.reached:
        return f"No plateau within {num_train} cases; {doubling}; {further}."
    least = "at most " if curve.plateau.cases == depth.fewest_cases else ""
    return f"Plateau at {least}{_cases(curve, 'plateau')} cases; {doubling}; {further}."


def _depth_table(answer: Answer) -> Iterator[str]:
    if not answer.depths:
        return
    yield f"{'depth':>5} {'enough cases':>18} {'plateau':>18} {'gain by doubling':>22} {'flagged':>8}"
    for depth in answer.depths:
        flagged = f"{depth.num_flagged} of {depth.num_measured}"
        if depth.on_test is None:
            yield f"{depth.depth:>5} {depth.reason or '':<60} {flagged:>8}"
            continue
        curve = depth.on_test
        gain = f"{curve.doubling_gain:.3f} {_interval(curve.doubling_gain_interval)}"
        yield f"{depth.depth:>5} {_cases(curve, 'sufficient'):>18} {_cases(curve, 'plateau'):>18} {gain:>22} {flagged:>8}"


def _ranking_table(answer: Answer, currency: str) -> Iterator[str]:
    if not answer.ranking:
        return
    unit = f"{currency[:4]}/.01"
    yield (
        f"{'rank':>4} {'depth':>5} {'cases':>6} {'ratio':>6} {'val':>5} {'test':>20} {currency[:9]:>9} {unit:>8}"
        f" {'P':>4} "
    ).rstrip()
    for row in answer.ranking:
        yield _ranking_line(row)


def _ranking_line(row: RankedConfiguration) -> str:
    rank = "-" if row.rank is None else str(row.rank)
    validation = row.validation_dsc if row.validation_fitted is None else row.validation_fitted
    cost = "-" if row.cost_per_dsc is None else _amount(row.cost_per_dsc)
    chance = row.flag[:4] if row.p_floor is None and row.flag else f"{row.p_floor or 0:.2f}"
    mark = "~" if row.seconds_estimated else ""
    return (
        f"{rank:>4} {row.depth:>5} {row.num_cases:>6} {row.ratio:>6.4g} {validation:>5.3f}"
        f" {_dsc(row.test_dsc, 'mean'):>20} {_amount(row.price):>9} {cost:>8} {chance:>4}{mark}"
    )


def _footnote(answer: Answer) -> str:
    row = answer.recommended
    fresh = "confirmed by a fresh seed" if row and row.confirmed_dsc is not None else "not yet confirmed by a fresh seed"
    return (
        "DSC is the mean over cases (empty truth and empty prediction count 1); intervals are 90 %; decisions read"
        " validation, estimates read test, counts of cases are read off the test curve; val is fitted; P is the"
        f" probability of reaching the floor; ~ is an estimated training time; run SD {answer.test_noise.sigma:.3f}"
        f" ({answer.test_noise.source}); {fresh}."
    )
