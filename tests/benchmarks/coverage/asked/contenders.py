"""Whose answers are compared: this checkout's, the former one, and rivals that are written here."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from tests.benchmarks.coverage.asked.checkouts import FORMER, Checkout, former_checkout
from tests.benchmarks.coverage.asked.oracle import oracle
from tests.benchmarks.coverage.asked.pow3 import pow3
from tests.benchmarks.coverage.scenes.study import Said, Study
from tests.helpers.paths import ROOT

OURS, FORMERLY, POW3, ORACLE = "ours", "former", "pow3", "oracle"
ROOM = Path(__file__).parents[1]

Ask = Callable[[Study], Said]


@dataclass(frozen=True)
class Contender:
    """One of them.

    Attributes:
        name: Of the column.
        ask: For what it says of a study.
        code: What tells one version of it from another.
    """

    name: str
    ask: Ask
    code: str


@cache
def contenders(folder: Path) -> dict[str, Contender]:
    """All of them by name; without the former one where the history lacks its commit.

    Args:
        folder: Where the former code is unpacked.
    """
    ours = Checkout(ROOT)
    every = [
        Contender(OURS, ours, ours.code),
        Contender(POW3, pow3, hash_of("asked/pow3.py", "asked/drawn_answer.py")),
        Contender(ORACLE, oracle, hash_of("asked/oracle.py", "asked/drawn_answer.py")),
    ]
    former = former_checkout(folder)
    if former is not None:
        every.insert(1, Contender(FORMERLY, Checkout(former), FORMER))
    return {contender.name: contender for contender in every}


@cache
def hash_of(*files: str) -> str:
    """Of the text of modules of the benchmark."""
    return hashlib.sha256(b"".join((ROOM / file).read_bytes() for file in files)).hexdigest()[:12]
