"""What is known of a study's runs besides their DSC, and what these are called: of an imported table often no more.

Whatever is written of a study asks here. What is not known is left out, and never shown as 0.
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, Any

from search.analysis.answer import Answer
from storage.frames.table_surface import TABLE

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from storage.records import CellRecord, StudyRecord

VALIDATION, TEST, UNNAMED = "validation DSC", "test DSC", "DSC"
NAMES = {
    "dsc": (UNNAMED, UNNAMED),
    "validation": (VALIDATION, VALIDATION),
    "test": (TEST, TEST),
    "both": (VALIDATION, TEST),
}
FACTS = {
    "parameters": "the sizes of the networks",
    "held_out": "the numbers of validation and test cases",
    "seconds": "the seconds of training",
    "flags": "which runs failed to learn",
}
FIELDS = {
    "parameters": ("parameters",),
    "seconds": ("training_seconds", "seconds_estimated", "device"),
    "held_out": (
        *("num_validation", "num_test", "num_validation_groups", "num_test_groups"),
        *("validation", "test", "total"),
    ),
}
FLAG_COUNTS = ("num_flagged",)  # of which those that are not 0 are known in any case


@dataclass(frozen=True)
class KnownFacts:
    """Everything of a study that was run; of a table what it told.

    Attributes:
        is_table: Whether its numbers are those of an imported table.
        validation: What the scores are called that decide.
        test: What the scores are called that estimate; the same where they are the same numbers.
        parameters: Whether the sizes of its networks are known.
        held_out: Whether the numbers of its validation and test cases are.
        seconds: Whether it is known what trainings took.
        flags: Whether runs that are not flagged are known to have learned.
        curves: Whether there are training curves.
    """

    is_table: bool = False
    validation: str = VALIDATION
    test: str = TEST
    parameters: bool = True
    held_out: bool = True
    seconds: bool = True
    flags: bool = True
    curves: bool = True

    @property
    def one_score(self) -> bool:
        """Whether the same numbers decide and estimate."""
        return self.validation == self.test

    @property
    def unknown_fields(self) -> frozenset[str]:
        """Names of the fields of an answer that hold what is not known."""
        return frozenset(name for fact, names in FIELDS.items() if not getattr(self, fact) for name in names)


EVERYTHING = KnownFacts()


@dataclass(frozen=True)
class TableAnswer(Answer):
    """The answer that an imported table gives.

    Attributes:
        known: What the table told.
    """

    known: KnownFacts

    @classmethod
    def of(cls, answer: Answer, known: KnownFacts) -> TableAnswer:
        """The same answer, with what is known."""
        return cls(**{field.name: getattr(answer, field.name) for field in fields(Answer)}, known=known)

    def to_dict(self) -> dict[str, object]:
        """As that of any study, with None for what is not known, and what its scores are called."""
        values = super().to_dict()
        del values["known"]
        plain = {name: _blanked(value, self.known) for name, value in values.items()}
        unknown = {name: None for name in self.known.unknown_fields if name in plain}
        return plain | unknown | {"scores": {"validation": self.known.validation, "test": self.known.test}}


def known_of(answer: Answer) -> KnownFacts:
    """What is known of the study that gave the answer."""
    return answer.known if isinstance(answer, TableAnswer) else EVERYTHING


def known_facts(study: StudyRecord, records: Sequence[CellRecord]) -> KnownFacts:
    """What is known of a study; of one that an earlier version imported, what its numbers show.

    Args:
        study: Its split and facts.
        records: All of its cells.
    """
    if all(record.attempt.told_dsc is None for record in records):
        return EVERYTHING
    told: Mapping[str, Any] = study.facts.get(TABLE, {})
    validation, test = NAMES[told.get("scores", "dsc")]
    return KnownFacts(
        is_table=True,
        validation=validation,
        test=test,
        parameters=any(record.cell.plan.parameters > 0 for record in records),
        held_out=bool(study.split["validation"] or study.split["test"]),
        seconds=told.get("seconds", any(record.device_seconds > 0 for record in records)),
        flags=told.get("flags", False),
        curves=any(record.totals.evaluations > 1 for record in records),
    )


def _blanked(value: object, known: KnownFacts) -> object:
    """The value with None in the fields that hold what is not known."""
    if isinstance(value, list):
        return [_blanked(item, known) for item in value]
    if not isinstance(value, dict):
        return value
    unknown = known.unknown_fields
    blanked = {name: None if name in unknown else _blanked(item, known) for name, item in value.items()}
    if not known.flags:
        blanked |= {name: blanked[name] or None for name in FLAG_COUNTS if name in blanked}
    return blanked
