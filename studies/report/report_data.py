"""All that the page and the files are made of, worked out once."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from search.analysis.paper_claims import paper_claims
from studies.report.figures.fitted_curves import fitted_curves
from studies.results.half_forecasts import half_forecasts
from studies.results.savings import savings_of
from studies.results.scores import scored_configurations

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from search.analysis.answer import Answer
    from search.analysis.paper_claims import PaperClaim
    from search.curves.measurements import Measurement
    from storage.records import CellRecord
    from studies.report.figures.fitted_curves import FittedCurves
    from studies.report.figures.overlays import ShownCell
    from studies.results.findings import Findings
    from studies.results.half_forecasts import HalfForecast, HalfForecaster
    from studies.results.savings import Savings
    from studies.results.scores import Scored


@dataclass(frozen=True, eq=False)
class VariantPart:
    """What is drawn and told of each variant of the protocol apart.

    Attributes:
        variant: Its name; empty is the protocol's own.
        answer: What the answer says of it.
        records: Its cells.
        scored: Every metric of its measured configurations.
        fitted: Its data curves behind the answer, for drawing.
        halves: Its data curves forecast from half of the cases.
        claims: Of the paper, held against it.
        overlays: Of chosen cells.
    """

    variant: str
    answer: Answer
    records: Sequence[CellRecord]
    scored: Sequence[Scored]
    fitted: FittedCurves
    halves: Sequence[HalfForecast]
    claims: Sequence[PaperClaim]
    overlays: Sequence[ShownCell]

    @classmethod
    def of(
        cls, variant: str, findings: Findings, overlays: Sequence[ShownCell], forecast: HalfForecaster
    ) -> VariantPart:
        """Work everything out."""
        found = findings.answer.of_variant(variant)
        records = [record for record in findings.records if record.cell.plan.variant == variant]
        curves = findings.curves.get(variant)
        halves = forecast([e for e in findings.measurements.values() if e.variant == variant], found.num_train)
        return cls(
            variant=variant,
            answer=found,
            records=records,
            scored=scored_configurations(records, findings.metrics),
            fitted=fitted_curves(found, curves),
            halves=halves,
            claims=paper_claims(
                curves,
                [each.depth for each in found.depths if each.on_test is not None],
                {each.depth: each.errors for each in halves},
                num_train=found.num_train,
                tolerance=found.tolerance,
            ),
            overlays=[cell for cell in overlays if cell.variant == variant],
        )


@dataclass(frozen=True, eq=False)
class ReportData:
    """What is drawn and told.

    Attributes:
        findings: The study, its cells and its answer.
        measurements: Finished cells.
        parts: Of each variant that has cells, the protocol's own first; at least one.
        savings: Against the full grid; None where times are not known.
        paper: The paper's Tables 2 and 3, where they were asked for.
        changes: Of the spec since the first start, as `changes_frame` has them.
    """

    findings: Findings
    measurements: Sequence[Measurement]
    parts: Sequence[VariantPart]
    savings: Savings | None
    paper: Mapping[str, Any] | None = None
    changes: Sequence[Mapping[str, Any]] = ()

    @classmethod
    def of(
        cls,
        findings: Findings,
        overlays: Sequence[ShownCell] = (),
        paper: Mapping[str, Any] | None = None,
        changes: Sequence[Mapping[str, Any]] = (),
        forecast: HalfForecaster = half_forecasts,
    ) -> ReportData:
        """Work everything out; ``forecast`` makes `halves`."""
        return cls(
            findings=findings,
            measurements=list(findings.measurements.values()),
            parts=[VariantPart.of(each, findings, overlays, forecast) for each in findings.variants],
            savings=savings_of(findings),
            paper=paper,
            changes=changes,
        )
