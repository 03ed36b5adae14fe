"""Records of a small study, its page, and what a browser would see of it."""

from __future__ import annotations

import dataclasses
import json
from functools import cache
from html.parser import HTMLParser
from typing import TYPE_CHECKING, Any

import numpy as np

from storage.records import (
    AttemptRecord,
    Cell,
    CellPlan,
    CellRecord,
    CellState,
    Evaluation,
    PlateauForecast,
    Scores,
    StudyRecord,
)
from studies.report.page import render_page
from studies.report.report_data import ReportData
from studies.results.findings import findings_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from studies.report.figures.overlays import ShownCell

NUM_TRAIN, NUM_VALIDATION, NUM_TEST = 80, 6, 9
RATIOS, DEPTHS = (0.1, 0.25, 0.5, 1.0), (2, 3)
HOSTILE = "</script><script>alert(1)</script><img src=x onerror=alert(2)>"
VOID = {"meta", "link", "br", "img", "hr", "input"}
STATES_WITHOUT_SCORES = {CellState.WAITING, CellState.CLAIMED, CellState.TEST, CellState.FAILED}


def study_record(**changes: Any) -> StudyRecord:
    """A study of 95 cases."""
    names = [f"case{number:03}" for number in range(NUM_TRAIN + NUM_VALIDATION + NUM_TEST)]
    split = {
        "train": names[:NUM_TRAIN],
        "validation": names[NUM_TRAIN : NUM_TRAIN + NUM_VALIDATION],
        "test": names[NUM_TRAIN + NUM_VALIDATION :],
    }
    running = {
        "policy": "grid",
        "tolerance": 0.01,
        "target_dsc": None,
        "prices": {"currency": "EUR"},
        "data_path": "/home/somebody/scans",
        "files": {"checkpoints": "/home/somebody/checkpoints"},
    }
    plain = StudyRecord(
        study_id=1,
        name="polyps",
        identity={"data": {"kind": "folder"}, "grid": {"ratio": list(RATIOS), "depth": list(DEPTHS), "seed": [0]}},
        running=running,
        fingerprint="0123456789abcdef" * 4,
        split=split,
        groups={name: number for number, name in enumerate(names)},
        facts={"d0": 0.2, "channels": 3, "versions": {"torch": "2.13.0"}},
    )
    return dataclasses.replace(plain, **changes)


def cell_record(
    depth: int, ratio: float, *, seed: int = 0, state: CellState = CellState.DONE, **attempt: Any
) -> CellRecord:
    """A cell of a surface that rises with depth and cases; one that waits or failed has no scores."""
    num_cases = round(NUM_TRAIN * ratio)
    dsc = 0.7 + 0.04 * depth - 1.1 * num_cases**-0.6 + 0.01 * seed
    plan = CellPlan(f"ratio{ratio}-depth{depth}-seed{seed}", ratio, depth, seed, num_cases, 1000 * 4**depth)
    waiting = state is CellState.WAITING
    curve = tuple(Evaluation(e, float(e), 20 * e, dsc * (1 - 0.6**e), 3.0 * depth, 0.2) for e in range(1, 11))
    known: dict[str, Any] = {
        "device": None if waiting else "gpu",
        "device_name": "A GPU",
        "planned_steps": 200,
        "scores": None if state in STATES_WITHOUT_SCORES else scores(dsc, seed=depth),
    }
    cell = Cell(plan, state, 1, 1, None, 1, 0, 0)
    return CellRecord(cell, AttemptRecord(**known | attempt), () if waiting else curve)


def scores(dsc: float, *, seed: int) -> Scores:
    """Pixel counts whose DSC lies around the given one."""
    values = np.clip(dsc + np.random.default_rng(seed).normal(0, 0.05, NUM_VALIDATION + NUM_TEST), 0.05, 0.98)
    counts = [(round(1000 * value), round(1000 * (1 - value)), round(1000 * (1 - value))) for value in values]
    return Scores(10, tuple(counts[:NUM_VALIDATION]), tuple(counts[NUM_VALIDATION:]), 0.5)


def grid(*, seeds: int = 1, ratios: Sequence[float] = RATIOS, depths: Sequence[int] = DEPTHS) -> list[CellRecord]:
    """Every depth at every ratio, all done."""
    return [cell_record(depth, ratio, seed=seed) for depth in depths for ratio in ratios for seed in range(seeds)]


def flagged(depth: int, ratio: float, state: CellState = CellState.COLLAPSED, *, seed: int = 0) -> CellRecord:
    """A cell that says nothing about its configuration."""
    return cell_record(depth, ratio, seed=seed, state=state)


def stopped(depth: int, ratio: float, *, reason: str = "the forecast gain is within the tolerance") -> CellRecord:
    """A cell that was stopped at its tenth of fifteen evaluations."""
    forecast = PlateauForecast(0.83, 0.80, 0.86, "power law")
    return cell_record(depth, ratio, planned_steps=300, stop_reason=reason, forecast=forecast)


def failed(depth: int, ratio: float, reason: str = "out of memory") -> CellRecord:
    """A cell that failed."""
    return cell_record(depth, ratio, state=CellState.FAILED, failure=reason)


CASES: dict[str, list[CellRecord]] = {
    "no cell": [],
    "nothing finished": [cell_record(2, ratio, state=CellState.WAITING) for ratio in RATIOS],
    "one cell": [cell_record(2, 0.5)],
    "all done": grid(),
    "one depth": grid(depths=[3]),
    "one ratio": grid(ratios=[0.5]),
    "several seeds": grid(seeds=3),
    "all flagged": [flagged(depth, ratio) for depth in DEPTHS for ratio in RATIOS],
    "a flagged depth": [*grid(depths=[2]), *(flagged(3, ratio, CellState.NOT_LEARNED) for ratio in RATIOS)],
    "a flagged seed": [*grid(), flagged(3, 0.5, seed=1)],
    "all failed": [failed(2, ratio) for ratio in RATIOS],
    "some of each": [*grid()[:5], stopped(3, 0.25), failed(3, 0.5), flagged(3, 1.0)],
    "many depths": grid(depths=range(2, 12)),
}


@cache
def page_of(case: str) -> str:
    """The page of one of the cases."""
    return render(study_record(), CASES[case])


def render(
    study: StudyRecord,
    records: list[CellRecord],
    spent_seconds: float = 7200.0,
    overlays: Sequence[ShownCell] = (),
) -> str:
    """The page, with the answer that its cells give."""
    return render_page(ReportData.of(findings_of(study, records, spent_seconds), overlays))


class Page(HTMLParser):
    """What a browser would see: text outside of scripts, tables, and addresses to load."""

    def __init__(self, html: str) -> None:
        """Read the whole page, which must close what it opens."""
        super().__init__()
        self.text: list[str] = []
        self.tables: dict[str, list[list[str]]] = {}
        self.scripts: dict[str, str] = {}
        self.addresses: list[str] = []
        self.tags: list[str] = []
        self.ids: list[str] = []
        self._open: list[tuple[str, str]] = []
        self._rows: list[list[str]] = []
        self._caption = ""
        self.feed(html)
        self.close()
        assert not self._open, f"unclosed: {self._open}"

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Note the tag and its addresses."""
        known = {name: value or "" for name, value in attrs}
        self.tags.append(tag)
        self.addresses += [
            known[name] for name in ("src", "href", "action", "data", "poster", "srcset") if name in known
        ]
        self.ids += [known["id"]] if "id" in known else []
        assert not any(name.startswith("on") for name in known)
        if tag not in VOID:
            self._open.append((tag, known.get("id", "")))
        if tag == "table":
            self._rows, self._caption = [], ""
        if tag == "tr":
            self._rows.append([])
        if tag in {"td", "th"}:
            self._rows[-1].append("")

    def handle_endtag(self, tag: str) -> None:
        """Every tag closes the one that was opened last."""
        opened, _ = self._open.pop()
        assert opened == tag
        if tag == "table":
            self.tables[self._caption] = self._rows

    def handle_data(self, data: str) -> None:
        """Sort text into scripts, tables and the rest."""
        tag, name = self._open[-1] if self._open else ("", "")
        if tag == "script":
            self.scripts[name] = self.scripts.get(name, "") + data
            return
        if tag == "caption":
            self._caption += data
        if tag in {"td", "th"}:
            self._rows[-1][-1] += data.replace("\u00a0", " ")
        if tag != "style":
            self.text.append(data)

    @property
    def words(self) -> str:
        """All text, on one line."""
        return " ".join(" ".join(self.text).split())

    def figure(self, name: str) -> dict[str, Any]:
        """What plotly is given."""
        found: dict[str, Any] = json.loads(self.scripts[f"{name}-data"])
        return found
