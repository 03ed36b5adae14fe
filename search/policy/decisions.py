"""What a driver decides, from what the ledger holds: which cell next, which not at all, and when a training ends."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

import numpy as np

from models.forecaster.siblings import make_ready
from search.policy.next_cell import agenda, free_cells
from search.policy.stop_rule import decide
from search.policy.surrogate import SeenCell
from storage.ledger.cell_records import cell_records, spent_seconds

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.typing import NDArray

    from models.forecaster.siblings import Sibling, Siblings
    from search.policy.decision_spec import DecisionSpec
    from search.policy.next_cell import Agenda
    from search.policy.stop_rule import StopDecision
    from storage.ledger.ledger import Ledger
    from storage.records import Cell, CellPlan, CellRecord, CellState, Evaluation, PlateauForecast, StudyRecord

    Floats = NDArray[np.float64]

log = logging.getLogger(__name__)

CLAIMS_PER_AGENDA = 16  # the more trials run at once, the less one of them changes


class Decisions:
    """The decisions of one driver. It keeps only what can be made again from the ledger."""

    def __init__(self, ledger: Ledger, study: StudyRecord, spec: DecisionSpec, slots: Callable[[], int]) -> None:
        """Decide for a study; `slots` tells how many trials can run at once."""
        self._ledger, self._study, self._spec, self._slots = ledger, study, spec, slots
        self._ended: dict[str, SeenCell] = {}
        self._curves: dict[str, Sibling | None] = {}  # of the ended ones, None where it tells nothing
        self._agenda: Agenda | None = None
        self._decided_on: frozenset[tuple[str, CellState, bool]] = frozenset()
        self._siblings_of: dict[str, Siblings | None] = {}  # by variant
        self._near: dict[str, Siblings] = {}  # by the cell that they are siblings of

    def next_cells(self, cells: Sequence[Cell]) -> list[str]:
        """Keys of the free cells that are to be trained or tested, in this order; skips and new cells are recorded.

        Args:
            cells: All cells of the study, as they stand.
        """
        if self._spec.policy == "grid":
            return [cell.plan.key for cell in free_cells(cells)]
        order = self._current_agenda(cells).order
        known = {cell.plan.key for cell in cells}
        free = {cell.plan.key for cell in free_cells(cells)}
        return [key for key in order if key in free or key not in known]  # one that was just added is free

    def stop(self, plan: CellPlan, curve: Sequence[Evaluation]) -> StopDecision | None:
        """Whether a running training is to end now; a confirming run never is. An error here lets it train on."""
        spec = self._spec
        if spec.policy == "grid" or plan.role == "confirm":
            return None
        try:
            return decide(
                curve,
                evaluations=spec.evaluations,
                d0=spec.d0,
                tolerance=spec.tolerance,
                spec=spec.stop,
                forecaster=spec.forecaster,
                siblings=self._siblings(plan),
                cannot_matter=lambda forecast: self._cannot_matter(plan, forecast),
            )
        except Exception:  # it would end the whole study
            log.exception("the stop rule failed; the cell trains on")
            return None

    def close(self) -> None:
        """The study has come to its end: what is skipped stays so."""
        if self._spec.policy == "forecast":
            self._ledger.close_skipped(self._study.study_id)

    def _cannot_matter(self, plan: CellPlan, forecast: PlateauForecast) -> bool:
        """Whether the recommendation is the same all over the interval of a forecast, by the latest agenda."""
        if self._agenda is None:
            return False
        surrogate = self._agenda.surrogate
        index, now = surrogate.find(plan), surrogate.recommended()
        ends = np.array([forecast.mean, forecast.upper, forecast.lower])
        return index != now and surrogate.recommended_if(index, ends) == [now] * len(ends)

    def _siblings(self, plan: CellPlan) -> Siblings | None:
        """Ended trainings of a cell's variant, those nearest to it first."""
        if plan.variant not in self._siblings_of:
            self._siblings_of[plan.variant] = self._spec.forecaster.context(self._ended_curves(plan.variant))
        siblings = self._siblings_of[plan.variant]
        if siblings is not None and plan.key not in self._near:
            self._near[plan.key] = siblings.near(_covariates(plan))
        return self._near.get(plan.key)

    def _ended_curves(self, variant: str) -> list[Sibling]:
        own = [self._curves[key] for key, cell in self._ended.items() if cell.plan.variant == variant]
        return [curve for curve in own if curve is not None]

    def _current_agenda(self, cells: Sequence[Cell]) -> Agenda:
        """The agenda, made anew once enough has changed or nothing of it is left."""
        now = frozenset((cell.plan.key, cell.state, cell.owner is not None) for cell in cells)
        free = {cell.plan.key for cell in free_cells(cells)}
        new = len(now - self._decided_on)
        few = new < max(1, self._slots() // CLAIMS_PER_AGENDA)
        if self._agenda is None or not few or (new and not any(key in free for key in self._agenda.order)):
            self._agenda = self._decide(cells)
            self._decided_on = now
        return self._agenda

    def _decide(self, cells: Sequence[Cell]) -> Agenda:
        study_id = self._study.study_id
        decided = agenda(self._seen(cells), self._spec, self._device_seconds_left())
        if decided.added is not None:
            self._ledger.layout(study_id, [decided.added])
        self._ledger.note_skips(study_id, decided.skips)
        return decided

    def _device_seconds_left(self) -> float | None:
        limit = self._spec.device_seconds
        return None if limit is None else limit - spent_seconds(self._ledger, self._study.study_id)

    def _seen(self, cells: Sequence[Cell]) -> list[SeenCell]:
        """Cells without anything of the test cases; curves of ended ones are read once."""
        begun = [cell for cell in cells if cell.claims and not self._is_known(cell)]
        records = cell_records(self._ledger, self._study.study_id, [cell.plan.key for cell in begun])
        fresh = {record.cell.plan.key: _seen(record) for record in records}
        ended = {key: cell for key, cell in fresh.items() if not cell.state.is_open}
        if ended:
            self._ended |= ended
            self._curves |= {key: make_ready(_curve(cell)) for key, cell in ended.items()}
            self._siblings_of, self._near = {}, {}
        known = self._ended | fresh
        return [known[cell.plan.key] if cell.claims else _unseen(cell) for cell in cells]

    def _is_known(self, cell: Cell) -> bool:
        known = self._ended.get(cell.plan.key)
        return known is not None and known.state is cell.state


def _seen(record: CellRecord) -> SeenCell:
    cell = record.cell
    return SeenCell(cell.plan, cell.state, cell.owner is not None, record.curve, record.attempt.forecast)


def _curve(cell: SeenCell) -> tuple[Floats, Floats, Floats]:
    x = np.array([point.evaluation for point in cell.curve], dtype=np.float64)
    y = np.array([point.val_dsc for point in cell.curve], dtype=np.float64)
    return x, y, _covariates(cell.plan)


def _covariates(plan: CellPlan) -> Floats:
    return np.array([plan.depth, np.log(plan.parameters), np.log(plan.num_cases)])


def _unseen(cell: Cell) -> SeenCell:
    return SeenCell(cell.plan, cell.state, cell.owner is not None, (), None)
