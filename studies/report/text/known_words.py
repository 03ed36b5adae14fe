"""Words that differ by what is known of a study: what scores are called, what a mean is over, what a price covers."""

from __future__ import annotations

from typing import TYPE_CHECKING

from studies.results.known_facts import FACTS, UNNAMED
from studies.results.scores import METRICS

if TYPE_CHECKING:
    from studies.results.known_facts import KnownFacts


def capital(text: str) -> str:
    """The text as a sentence begins."""
    return f"{text[:1].upper()}{text[1:]}"


def score_name(metric: str, known: KnownFacts) -> str:
    """What the values of a metric are called that estimate; a table has DSC alone."""
    return known.test if metric == "dsc" else f"test {METRICS[metric]}"


def error_name(known: KnownFacts) -> str:
    """What 1 - DSC is called: "test error"."""
    return f"{known.test.removesuffix('DSC')}error"


def averaged_over(known: KnownFacts, runs: str = "seeds") -> str:
    """What the score of a configuration is a mean over."""
    return runs if known.is_table else f"cases and {runs}"


def price_covers(known: KnownFacts) -> str:
    """What a price is made of."""
    cases = "all cases" if known.held_out else "the training cases"
    return f"one training and {cases}" if known.seconds else f"{cases} alone"


def price_note(known: KnownFacts) -> str:
    """What the price of a configuration is that of, at length."""
    if known.is_table:
        return f"Its price is that of {price_covers(known)}."
    return (
        "Its price is that of one training under the full budget and of its training, validation and test cases; ~ "
        "marks an estimated one."
    )


def untold(known: KnownFacts) -> str | None:
    """What a table does not tell, in one sentence; None where nothing is missing."""
    names = [name for fact, name in FACTS.items() if not getattr(known, fact)]
    if not names:
        return None
    listed = names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"
    return f"The table does not tell {listed}; a price is that of {price_covers(known)}."


def table_note(known: KnownFacts) -> str:
    """What the numbers of a table are, what they leave open, and what they do not tell."""
    scores = f"one {known.test}" if known.one_score else f"one {known.validation} and one {known.test}"
    whose = " on cases that the table does not name" if known.test == UNNAMED else ""
    note = f"Imported numbers: {scores} a run{whose}, no single cases; intervals hold the noise between runs alone."
    return " ".join(filter(None, [note, untold(known)]))
