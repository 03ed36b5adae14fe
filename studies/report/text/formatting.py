"""Numbers as every rendering of an answer writes them, and texts without the places of a person's files."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from search.curves.curve_answer import CaseCount
    from search.curves.intervals import Estimate

NONE = "–"  # noqa: RUF001 - an en dash where there is no value
ELLIPSIS = "…"
WIDEST_AMOUNT = 1e7  # beyond, digits would leave their column
LEAST_WHOLE_AMOUNT = 100

_URL = re.compile(r"\b[A-Za-z][A-Za-z0-9+.-]*://[^\s'\",;)\]]+")
_QUOTED_PATH = re.compile(r"(['\"])((?:[A-Za-z]:[\\/]|~?/|\\\\)[^'\"\n]*)\1")
_BARE_PATH = re.compile(r"(?<![\w.…/\\<])(?:[A-Za-z]:[\\/]|~?/|\\\\)[^\s'\",;:)\]<>]+")
_HOME_COMPONENTS = 2  # the last component of a home folder is a person's name


class Bounds(Protocol):
    """An interval, or a forecast that has one."""

    @property
    def lower(self) -> float:
        """Its 5th percentile."""

    @property
    def upper(self) -> float:
        """Its 95th percentile."""


def dsc(value: float | None) -> str:
    """A DSC with three digits."""
    return NONE if value is None else f"{value:.3f}"


def interval(bounds: Bounds | None) -> str:
    """An interval of DSC in brackets, or nothing."""
    return "" if bounds is None else f"[{bounds.lower:.3f}, {bounds.upper:.3f}]"


def dsc_with_interval(value: float, bounds: Bounds | None) -> str:
    """A DSC, or a difference of DSC, with its interval where there is one."""
    return f"{dsc(value)} {interval(bounds)}".rstrip()


def estimate(measured: Estimate) -> str:
    """A DSC with the interval of its mean."""
    return dsc_with_interval(measured.value, measured.mean_interval)


def amount(value: float | None) -> str:
    """A price or a number of hours, in at most nine characters."""
    if value is None:
        return NONE
    if value >= WIDEST_AMOUNT:
        return f"{value:.3g}"
    return f"{value:,.0f}" if value >= LEAST_WHOLE_AMOUNT else f"{value:.3g}"


def case_count(count: CaseCount, *, unsure: bool = False) -> str:
    """A number of cases with its interval; with a question mark where it is ``unsure``."""
    lower, upper = f"{count.interval.lower:.0f}", f"{count.interval.upper:.0f}"
    beyond = f">{upper}"
    value = beyond if count.cases is None else f"{count.cases}{'?' * unsure}"
    return f"{value} [{lower}, {beyond if count.capped else upper}]"


def bounded_case_count(count: CaseCount, fewest: int | None, *, unsure: bool = False) -> str:
    """The same, "at most" where fewer than the ``fewest`` were never tried: there, the true number may be smaller."""
    bound = "at most " if count.cases is not None and count.cases == fewest else ""
    return bound + case_count(count, unsure=unsure)


def without_places(text: str) -> str:
    """The text with every URL and absolute path cut down to its last component: a page travels, these stay at home."""
    text = _URL.sub(ELLIPSIS, text)
    text = _QUOTED_PATH.sub(lambda match: match[1] + _last_component(match[2]) + match[1], text)
    return _BARE_PATH.sub(lambda match: _last_component(match[0]), text)


def _last_component(path: str) -> str:
    components = [name for name in re.split(r"[\\/]+", path) if name and not name.endswith(":")]
    return ELLIPSIS if len(components) <= _HOME_COMPONENTS else f"{ELLIPSIS}/{components[-1]}"
