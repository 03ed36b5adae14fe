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
class VariantData:
    """What is drawn and told of each variant of the protocol apart.

    Attributes:
        name: Of the variant; empty is the protocol's own.
        answer: What the answer says of it.
        records: Its cells.
        scored: Every metric of its measured configurations.
        fitted_curves: Its data curves behind the answer, for drawing.
        half_forecasts: Its data curves forecast from half of the cases.
        claims: Of the paper, held against it.
        overlays: Of chosen cells.
    """

    name: str
    answer: Answer
    records: Sequence[CellRecord]
    scored: Sequence[Scored]
    fitted_curves: FittedCurves
    half_forecasts: Sequence[HalfForecast]
    claims: Sequence[PaperClaim]
    overlays: Sequence[ShownCell]

    @classmethod
    def of(cls, name: str, findings: Findings, overlays: Sequence[ShownCell], forecast: HalfForecaster) -> VariantData:
        """Work everything out."""
        answer = findings.answer.of_variant(name)
        records = [record for record in findings.records if record.cell.plan.variant == name]
        curves = findings.curves.get(name)
        measurements = [cell for cell in findings.measurements.values() if cell.variant == name]
        forecasts = forecast(measurements, answer.num_train)
        return cls(
            name=name,
            answer=answer,
            records=records,
            scored=scored_configurations(records, findings.metrics),
            fitted_curves=fitted_curves(answer, curves),
            half_forecasts=forecasts,
            claims=paper_claims(
                curves,
                [depth.depth for depth in answer.depths if depth.on_test is not None],
                {half.depth: half.errors for half in forecasts},
                num_train=answer.num_train,
                tolerance=answer.tolerance,
            ),
            overlays=[cell for cell in overlays if cell.variant == name],
        )


@dataclass(frozen=True, eq=False)
class ReportData:
    """What is drawn and told.

    Attributes:
        findings: The study, its cells and its answer.
        measurements: Finished cells.
        variants: Those that have cells, the protocol's own first; at least one.
        savings: Against the full grid; None where times are not known.
        paper: The paper's Tables 2 and 3, where they were asked for.
        changes: Of the spec since the first start, as `changes_frame` has them.
    """

    findings: Findings
    measurements: Sequence[Measurement]
    variants: Sequence[VariantData]
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
        """Work everything out; ``forecast`` makes the half forecasts."""
        return cls(
            findings=findings,
            measurements=list(findings.measurements.values()),
            variants=[VariantData.of(name, findings, overlays, forecast) for name in findings.variants],
            savings=savings_of(findings),
            paper=paper,
            changes=changes,
        )
