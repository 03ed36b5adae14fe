"""Contenders that take turns, and the table of what came out: medians and ratios of alternating rounds."""

from __future__ import annotations

import os
import statistics
import sys
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

import torch

if TYPE_CHECKING:
    from collections.abc import Sequence

OURS, BARE, BARE_AGAIN = "ours", "bare loop, tensors in memory", "the same, a second copy"
DEVICE = "cuda" if torch.cuda.is_available() else "cpu"

Contender = Callable[[], float]  # takes its turn, and returns the seconds


@dataclass(frozen=True)
class Row:
    """One row of the table: cases per second, and the ratio that is asked for."""

    what: str
    rival: str
    ours: float
    theirs: float
    ratios: Sequence[float]
    wanted: float

    @property
    def ratio(self) -> float:
        """Ours over theirs: the median of all rounds."""
        return statistics.median(self.ratios)

    def text(self) -> str:
        """A row of Markdown."""
        verdict = "met" if self.ratio >= self.wanted else "MISSED"
        return (
            f"| {self.what} | {self.rival} | {self.ours:.1f} | {self.theirs:.1f} | {self.ratio:.3f} "
            f"({min(self.ratios):.3f} to {max(self.ratios):.3f}) | {self.wanted:g} | {verdict} |"
        )


def take_turns(contenders: dict[str, Contender], rounds: int) -> dict[str, list[float]]:
    """Seconds of every contender in every round, after a warm-up."""
    seconds: dict[str, list[float]] = {name: [] for name in contenders}
    for contender in contenders.values():
        contender()
    for number in range(rounds):
        for name in list(contenders)[:: 1 if number % 2 == 0 else -1]:
            seconds[name].append(contenders[name]())
    return seconds


def compare(what: str, seconds: dict[str, list[float]], cases: int, wanted: Callable[[str], float]) -> list[Row]:
    """A row for every rival of "ours", whose turns are of so many cases."""
    speed = {name: cases / statistics.median(values) for name, values in seconds.items()}
    return [
        Row(what, name, speed[OURS], speed[name], ratios(seconds[OURS], values), wanted(name))
        for name, values in seconds.items()
        if name != OURS
    ]


def ratios(mine: Sequence[float], theirs: Sequence[float]) -> list[float]:
    """How many times as fast the first was, in every round."""
    return [their / my for my, their in zip(mine, theirs, strict=True)]


def print_table(what: str, rows: Sequence[Row]) -> None:
    """All rows, as Markdown."""
    say(f"\n| {what} | rival | ours, cases/s | rival, cases/s | ratio (range over rounds) | wanted | |")
    say("| --- | --- | --- | --- | --- | --- | --- |")
    say("\n".join(row.text() for row in rows))


def where() -> str:
    """The device, with what a reader needs to judge it."""
    if DEVICE == "cuda":
        return torch.cuda.get_device_name()
    return f"CPU, 1 torch thread, {os.cpu_count()} cores, torch {torch.__version__}"


def say(text: str) -> None:
    """Print at once, also into a pipe."""
    sys.stdout.write(text + "\n")
    sys.stdout.flush()
