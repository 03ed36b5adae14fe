"""Keeps a study's page in Optuna dashboard up to date while the study runs: its note, and a few figures."""

from __future__ import annotations

import logging
import threading
import time
from typing import TYPE_CHECKING, Any, Self

from plotly import graph_objects as go

from storage.dashboard.study_attributes import show_on_study, shown_facts
from storage.ledger.cell_records import cell_records
from storage.variants import name_of
from studies.monitor.study_note import PROGRESS, progress, study_facts, study_note
from studies.report.figures.cost_bars import cost_bars
from studies.report.figures.data_curves import data_curves
from studies.report.figures.fitted_curves import fitted_curves
from studies.report.figures.heatmaps import heatmap
from studies.results.findings import findings_of
from studies.results.scores import scored_configurations

if TYPE_CHECKING:
    from collections.abc import Iterator
    from types import TracebackType

    from storage.ledger.ledger import Ledger
    from storage.records import StudyRecord
    from studies.report.components import Figure
    from studies.results.findings import Findings

SECONDS_BETWEEN = 60.0
REST = 50  # a refresh waits for so many times the seconds that the last one took
MOST_CHARACTERS = 100_000  # of a figure: it is cut into attributes of two thousand
TITLES = {
    "data-curves": "{scores} against training cases",
    "scores": "{scores} by ratio and depth",
    "ranking-bars": "Cost per 0.01 DSC, in the order of the ranking",
}
APART = ("data-curves", "scores")  # figures that each variant has for itself

log = logging.getLogger(__name__)


def refresh_page(ledger: Ledger, study: StudyRecord, findings: Findings | None = None) -> None:
    """Write the note and the figures; whatever fails is logged, and nothing else happens.

    Args:
        ledger: Holds the study.
        study: Whose page it is.
        findings: To show; by default what its cells say now, which takes as long as a report.
    """
    try:
        _show(ledger, findings or findings_of(study, cell_records(ledger, study.study_id), 0.0))
    except Exception as error:  # noqa: BLE001 - a page that nobody decides by must not end a study
        log.warning("the page in Optuna dashboard was not refreshed: %s: %s", type(error).__name__, error)


def is_fresh(ledger: Ledger, study: StudyRecord) -> bool:
    """Whether the page knows of every cell that was finished."""
    return shown_facts(ledger, study.study_id).get(PROGRESS) == progress(ledger.cells(study.study_id))


def _show(ledger: Ledger, findings: Findings) -> None:
    records, answer, currency = findings.records, findings.answer, findings.criteria.prices.currency
    scores = f"{findings.known.test[0].upper()}{findings.known.test[1:]}"
    figures = [*_by_variant(findings), ("", cost_bars(answer, currency))]
    shown = {
        (figure.of_variant(variant) if named else figure).name: json
        for variant, figure in figures
        if figure
        for named in [findings.has_variants and figure.name in APART]
        for json in _small(
            figure, f"{TITLES[figure.name].format(scores=scores)}{f', {name_of(variant)}' if named else ''}"
        )
    }
    show_on_study(
        ledger,
        findings.study.study_id,
        note=study_note(records, answer, currency),
        facts=study_facts(records, answer, currency),
        figures=shown,
    )


def _by_variant(findings: Findings) -> Iterator[tuple[str, Figure | None]]:
    """Data curves and scores of each variant."""
    for variant in findings.variants:
        answer = findings.answer.of_variant(variant)
        records = [record for record in findings.records if record.cell.plan.variant == variant]
        yield variant, data_curves(answer, fitted_curves(answer, findings.curves.get(variant)))
        yield variant, heatmap("dsc", scored_configurations(records, findings.metrics), records, findings.known)


def _small(figure: Figure, title: str) -> Iterator[str]:
    """Its JSON with a title, and a ground of its own on a dark page, unless it is too large."""
    drawn = go.Figure(figure.figure)
    drawn.update_layout(
        title={"text": f"<b>{title}</b>", "font": {"size": 18}, "x": 0.03, "y": 0.96},
        margin={"l": 60, "r": 30, "t": 90, "b": 60},
        paper_bgcolor="#fff",
        plot_bgcolor="#fff",
        height=None,
    )
    text: str = drawn.to_json()
    if len(text) <= MOST_CHARACTERS:
        yield text


class PageKeeper:
    """Refreshes the page from a thread of its own, in a `with` block: seldom, and only when cells were finished."""

    def __init__(
        self, ledger: Ledger, study: StudyRecord, seconds_between: float = SECONDS_BETWEEN, rest: float = REST
    ) -> None:
        """Start with `with`."""
        self._ledger, self._study = ledger, study
        self._seconds_between, self._rest = seconds_between, rest
        self._end = threading.Event()
        self._thread = threading.Thread(target=self._run, name="study-page", daemon=True)

    def __enter__(self) -> Self:
        """Start the thread."""
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        """End it; whoever goes on shows what was finished last."""
        self._end.set()
        self._thread.join()

    def _run(self) -> None:
        wait, shown = self._seconds_between, -1
        while not self._end.wait(wait):
            finished = self._finished()
            if finished in {None, shown}:
                continue
            started = time.monotonic()
            refresh_page(self._ledger, self._study)
            shown = finished
            wait = max(self._seconds_between, self._rest * (time.monotonic() - started))

    def _finished(self) -> Any:
        try:
            return sum(not cell.state.is_open for cell in self._ledger.cells(self._study.study_id))
        except Exception as error:  # noqa: BLE001 - the driver itself will say that the database is away
            log.warning("the page in Optuna dashboard waits: %s", error)
            return None
