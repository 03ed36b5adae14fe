"""The columns of the ranking, defined once: the page, the note, the terminal and the files take theirs from here.

To add one, add a `RankingColumn` to `COLUMNS`.
"""

from __future__ import annotations

import string
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, replace
from typing import TYPE_CHECKING, Any, Literal

from search.analysis.ranking import RankedConfiguration
from storage.variants import name_of
from studies.report.text.formatting import NONE, amount, dsc, estimate
from studies.results.known_facts import EVERYTHING, TEST, UNNAMED, VALIDATION, known_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from search.analysis.answer import Answer
    from search.analysis.front import FrontStep
    from search.curves.curve_answer import DepthAnswer
    from studies.results.known_facts import KnownFacts

Rendering = Literal["page", "note", "terminal"]
Text = Callable[[RankedConfiguration, "Answer"], str | None]

COST_PER_DSC: Mapping[Rendering, str] = {
    "page": "{currency} per 0.01 DSC",
    "note": "{currency} per 0.01",
    "terminal": "{currency:.4}/.01",
}
IN_FILES_ALONE: Mapping[Rendering, str] = {}
SHORT = {VALIDATION: "val", TEST: "test", UNNAMED: "DSC"}  # names of scores in the terminal
LETTERS = string.ascii_uppercase + string.ascii_lowercase  # of variants: more than all axes together have


@dataclass(frozen=True)
class RankingColumn:
    """One column; a rendering for which it has no heading leaves it out.

    Attributes:
        fields: Of `RankedConfiguration` that it is made of; files hold them, as numbers under their own names.
        text: What stands in it for a row; None where there is no value.
        headings: By rendering; "{currency}" stands for that of the prices, "{validation}" and "{test}" for the names of
            the scores, "{val}" and "{tst}" for short ones.
        width: Characters that it takes in the terminal.
        numeric: Whether the page sets it flush right.
        known: What is known of the study, which names its scores.
    """

    fields: tuple[str, ...]
    text: Text
    headings: Mapping[Rendering, str]
    width: int = 0
    numeric: bool = True
    known: KnownFacts = EVERYTHING

    def heading(self, rendering: Rendering, currency: str) -> str:
        """What stands above it in a rendering that has it."""
        known = self.known
        return self.headings[rendering].format(
            currency=currency,
            validation=known.validation,
            test=known.test,
            val="fit" if known.one_score else SHORT[known.validation],
            tst=SHORT[known.test],
        )


def columns_of(rendering: Rendering, answer: Answer) -> list[RankingColumn]:
    """Those of a rendering, from left to right.

    Variants are named only where there is one besides the protocol's own, and a score that decides and estimates
    stands once.
    """
    known = known_of(answer)
    left_out = [*([] if answer.has_variants else [VARIANT]), *(OF_VALIDATION if known.one_score else ())]
    columns = [column for column in COLUMNS if rendering in column.headings and column not in left_out]
    return [replace(column, known=known) for column in columns]


def rows_of_files(answer: Answer) -> list[dict[str, Any]]:
    """The rows as files hold them, in the order of `RankedConfiguration`'s fields; what is not known is left out."""
    kept = {field for column in COLUMNS for field in column.fields} - known_of(answer).unknown_fields
    rows = map(asdict, answer.ranking)
    return [{field: value for field, value in row.items() if field in kept} for row in rows]


def lettered_depth(row: DepthAnswer | RankedConfiguration | FrontStep, answer: Answer) -> str:
    """The depth, and a letter for the variant where there are any."""
    return f"{row.depth} {LETTERS[answer.variants.index(row.variant)]}" if answer.has_variants else str(row.depth)


def _column(
    field: str,
    headings: Mapping[Rendering, str],
    write: Callable[[Any], str] = str,
    *,
    width: int = 0,
    numeric: bool = True,
) -> RankingColumn:
    """A column of one field."""

    def text(row: RankedConfiguration, _answer: Answer) -> str | None:
        value = getattr(row, field)
        return None if value is None else write(value)

    return RankingColumn((field,), text, headings, width, numeric)


def _validation(row: RankedConfiguration, _answer: Answer) -> str | None:
    value = row.validation_dsc if row.validation_fitted is None else row.validation_fitted
    return None if value is None else dsc(value)


def _test_or_flag(row: RankedConfiguration, _answer: Answer) -> str:
    return estimate(row.estimate) if row.flag is None else f"{dsc(row.estimate.value)} {row.flag.replace('_', ' ')}"


def _expected(row: RankedConfiguration, _answer: Answer) -> str | None:
    """Of a measured row, given all runs."""
    return None if row.test_fitted is None else estimate(row.estimate)


def _test_and_marks(row: RankedConfiguration, _answer: Answer) -> str:
    marks = [row.flag.replace("_", " ")] if row.flag else ["forecast"] if row.is_forecast else []
    return " ".join([estimate(row.estimate), *marks])


def _marked_price(row: RankedConfiguration, _answer: Answer) -> str:
    return f"{'~' if row.seconds_estimated else ''}{amount(row.price)}"


def _mark(row: RankedConfiguration, _answer: Answer) -> str:
    return "f" if row.is_forecast else "~" * row.seconds_estimated


def _note(row: RankedConfiguration, answer: Answer) -> str:
    return ", ".join(_remarks(row, answer))


def _remarks(row: RankedConfiguration, answer: Answer) -> Iterator[str]:
    if row is answer.recommended:
        yield "recommended"
    if row.is_forecast:
        yield "not trained: forecast"
    if row.confirmed_dsc is not None:
        yield f"fresh seed {dsc(row.confirmed_dsc)}"
    if row.flag is not None:
        yield f"flagged: {row.flag.replace('_', ' ')}"
    if row.unlike:
        yield "unlike its neighbours"
    if row.flag is None and not row.eligible:
        yield "not eligible"
    elif row.safe:
        yield "safe"


def _everywhere(heading: str) -> dict[Rendering, str]:
    return {"page": heading, "note": heading, "terminal": heading}


def shows_flags(answer: Answer) -> bool:
    """Whether numbers of flagged runs are known, or any is flagged."""
    return known_of(answer).flags or any(depth.num_flagged for depth in answer.depths)


def flagged_runs(depth: DepthAnswer, answer: Answer, none: str = NONE) -> str:
    """How many runs of a recipe are flagged; ``none`` where a table does not tell whether they learned."""
    known = known_of(answer).flags or depth.num_flagged
    return f"{depth.num_flagged} of {depth.num_measured}" if known else none


VARIANT = _column("variant", {"page": "variant", "note": "variant"}, name_of, numeric=False)
OF_VALIDATION = (
    _column("validation_fitted", {"page": "{validation}, fitted (decides)"}, dsc),
    _column("validation_dsc", {"page": "{validation}, measured"}, dsc),
)
COLUMNS = (
    _column("rank", _everywhere("rank"), width=4),
    _column("depth", {"page": "depth", "note": "depth"}),
    RankingColumn(("depth", "variant"), lettered_depth, {"terminal": "depth"}, width=5),
    VARIANT,
    _column("num_cases", _everywhere("cases"), width=6),
    _column("ratio", _everywhere("ratio"), "{:.4g}".format, width=6),
    _column("seeds", {"page": "runs"}),
    *OF_VALIDATION,
    RankingColumn(
        ("validation_fitted", "validation_dsc"), _validation, {"note": "{val}", "terminal": "{val}"}, width=5
    ),
    _column("test_dsc", {"page": "{test}, measured"}, lambda measured: dsc(measured.value)),
    RankingColumn(("test_fitted",), _expected, {"page": "{test}, expected [90 %]"}),
    _column("test_forecast", {"page": "{test}, forecast [90 %]"}, estimate),
    RankingColumn(("test_dsc", "test_forecast", "flag"), _test_and_marks, {"note": "{test}"}),
    RankingColumn(("test_dsc", "test_forecast", "flag"), _test_or_flag, {"terminal": "{tst}"}, width=20),
    RankingColumn(("price", "seconds_estimated"), _marked_price, {"page": "price, {currency}", "note": "{currency}"}),
    _column("price", {"terminal": "{currency:.9}"}, amount, width=9),
    _column("cost_per_dsc", COST_PER_DSC, amount, width=9),
    _column("p_floor", {"page": "P(reaches floor)", "note": "P", "terminal": "P"}, "{:.2f}".format, width=4),
    RankingColumn(("confirmed_dsc", "eligible", "safe", "flag"), _note, {"page": "note"}, numeric=False),
    RankingColumn(("seconds_estimated",), _mark, {"terminal": ""}, width=1),
    _column("parameters", IN_FILES_ALONE),
    _column("device", IN_FILES_ALONE),
    _column("training_seconds", IN_FILES_ALONE),
    _column("unlike", IN_FILES_ALONE),
)
