"""All that the page and the files are made of, worked out once."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from search.claims import claims_of
from studies.halves import half_forecasts
from studies.report.fitted import fitted_curves
from studies.report.scores import scored_configurations
from studies.savings import savings_of

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from search.claims import Claim
    from search.measurements import Measurement
    from studies.answering import Findings
    from studies.halves import HalfForecast, HalfForecaster
    from studies.report.fitted import FittedCurves
    from studies.report.gallery import ShownCell
    from studies.report.scores import Scored
    from studies.savings import Savings


@dataclass(frozen=True, eq=False)
class Material:
    """What is drawn and told.

    Attributes:
        findings: The study, its cells and its answer.
        measurements: Finished cells.
        scored: Every metric of every measured configuration.
        fitted: Data curves behind the answer, for drawing.
        halves: Data curves forecast from half of the cases.
        claims: Of the paper, held against this study.
        savings: Against the full grid; None where times are not known.
        overlays: Of chosen cells.
        paper: The paper's Tables 2 and 3, where they were asked for.
        changes: Of the spec since the first start, as `changes_frame` has them.
    """

    findings: Findings
    measurements: Sequence[Measurement]
    scored: Sequence[Scored]
    fitted: FittedCurves
    halves: Sequence[HalfForecast]
    claims: Sequence[Claim]
    savings: Savings | None
    overlays: Sequence[ShownCell] = ()
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
    ) -> Material:
        """Work everything out; ``forecast`` makes `halves`."""
        found = findings.answer
        measurements = list(findings.measurements.values())
        halves = forecast(measurements, found.num_train)
        return cls(
            findings=findings,
            measurements=measurements,
            scored=scored_configurations(findings.records, findings.metrics),
            fitted=fitted_curves(found, findings.curves),
            halves=halves,
            claims=claims_of(
                findings.curves,
                [each.depth for each in found.depths if each.on_test is not None],
                {each.depth: each.errors for each in halves},
                num_train=found.num_train,
                tolerance=found.tolerance,
            ),
            savings=savings_of(findings),
            overlays=overlays,
            paper=paper,
            changes=changes,
        )
