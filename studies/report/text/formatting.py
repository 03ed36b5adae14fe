"""Numbers and texts as the page prints them."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from studies.report.text import sentences

if TYPE_CHECKING:
    from search.curves.curve_answer import CaseCount
    from search.curves.intervals import Estimate, Interval

NONE = "–"  # noqa: RUF001 - an en dash where there is no value
ELLIPSIS = "…"
SECONDS_PER_HOUR = 3600

_URL = re.compile(r"\b[A-Za-z][A-Za-z0-9+.-]*://[^\s'\",;)\]]+")
_QUOTED_PATH = re.compile(r"(['\"])((?:[A-Za-z]:[\\/]|~?/|\\\\)[^'\"\n]*)\1")
_BARE_PATH = re.compile(r"(?<![\w.…/\\<])(?:[A-Za-z]:[\\/]|~?/|\\\\)[^\s'\",;:)\]<>]+")
_HOME_COMPONENTS = 2  # the last part of a home folder is a person's name


def dsc(value: float | None) -> str:
    """A DSC with three digits."""
    return NONE if value is None else f"{value:.3f}"


def interval(given: Interval | None) -> str:
    """An interval of DSC in brackets, or nothing."""
    return "" if given is None else f"[{given.lower:.3f}, {given.upper:.3f}]"


def estimate(given: Estimate) -> str:
    """A DSC with the interval of its mean."""
    return f"{dsc(given.value)} {interval(given.mean_interval)}".rstrip()


def case_count(count: CaseCount, fewest: int | None, *, unsure: bool = False) -> str:
    """A number of cases with its interval, and "?" if ``unsure``; "at most" where fewer were never tried."""
    bound = "at most " if count.cases is not None and count.cases == fewest else ""
    return bound + sentences.case_count(count, unsure=unsure)


def amount(value: float | None) -> str:
    """A price, or a number of hours."""
    return NONE if value is None else sentences.amount(value)


def without_places(text: str) -> str:
    """The text with every URL and absolute path cut down to its last part: a page travels, these stay at home."""
    text = _URL.sub(ELLIPSIS, text)
    text = _QUOTED_PATH.sub(lambda match: match[1] + _last_part(match[2]) + match[1], text)
    return _BARE_PATH.sub(lambda match: _last_part(match[0]), text)


def _last_part(path: str) -> str:
    parts = [part for part in re.split(r"[\\/]+", path) if part and not part.endswith(":")]
    return ELLIPSIS if len(parts) <= _HOME_COMPONENTS else f"{ELLIPSIS}/{parts[-1]}"
