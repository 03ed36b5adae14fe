"""Configurations that cannot be told apart from the recommended one, in DSC and in price."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from storage.variants import configuration_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from search.analysis.ranking import RankedConfiguration
    from storage.variants import ConfigurationKey

    Floats = NDArray[np.float64]

SAME_PRICE = 0.05  # share of the price by which seconds of training vary from run to run


def near_ties(
    recommended: RankedConfiguration, rows: Sequence[RankedConfiguration], drawn: Floats
) -> set[ConfigurationKey]:
    """Those of about the same price whose paired 90 % interval of the difference in DSC holds 0.

    Args:
        recommended: One of the rows.
        rows: J judged configurations.
        drawn: Validation DSC of each in R replicates, shape (R, J).
    """
    names = [configuration_of(row) for row in rows]
    own = names.index(configuration_of(recommended))
    lower, upper = np.percentile(drawn - drawn[:, [own]], [5, 95], axis=0)
    return {
        names[place]
        for place, row in enumerate(rows)
        if place != own
        and lower[place] <= 0 <= upper[place]
        and abs(row.price - recommended.price) <= SAME_PRICE * recommended.price
    }
