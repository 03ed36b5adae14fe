"""The one interface of every forecaster: a curve's seen points in, a distribution over unseen points out."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Sequence

    from models.forecaster.curves import Curve, Floats
    from models.forecaster.forecast import Forecast
    from models.forecaster.siblings import Sibling, Siblings


class Forecaster(Protocol):
    """Anything that forecasts a curve from its seen part, beside other curves of the same study or not."""

    def context(self, curves: Sequence[Curve | Sibling]) -> Siblings | None:
        """Other curves, made ready once for many forecasts; None if they are of no use to it."""
        ...

    def forecast(self, x: Floats, y: Floats, at: Floats, siblings: Siblings | None = None) -> Forecast:
        """Forecast the curve through (x, y), both of shape (T,), at positions ``at`` of shape (H,)."""
        ...
