"""The paper's Tables 2 and 3 for a study of one's own: MAE of its predictors over the data curves."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING, Any

import numpy as np

from models.forecaster.lstm.forecaster import load
from models.forecaster.paper.comparison import LEAST_POINTS, PaperScore, paper_scores, prefix_of
from search.curves.measurements import configurations_of
from storage.errors import InputError
from storage.variants import OWN, name_of, variants_in

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from search.curves.measurements import Measurement

    Floats = NDArray[np.float64]

PUBLISHED = (
    "Published: Kvasir-SEG uni-directional full-step 0.0067 ± 0.0066, one-step 0.0075 ± 0.0076;\n"
    "BraTS uni-directional one-step 0.0153 ± 0.0157 (Lee et al. 2025)."
)


def forecast_table(measurements: Sequence[Measurement]) -> dict[str, Any]:
    """Scores of every predictor at every depth of the protocol's own variant, or of the first; ready for JSON.

    Raises:
        InputError: Fewer than LEAST_POINTS sizes were measured at all depths.
    """
    variants = variants_in(measurements) or [OWN]
    cases, curves = _data_curves([cell for cell in measurements if cell.variant == variants[0]])
    scores = paper_scores(cases, curves, load())
    return {
        **({"variant": name_of(variants[0])} if any(variants) else {}),
        "score": "Test DSC" if any(len(cell.test) > 1 for cell in measurements) else "DSC",  # a table names no cases
        "cases": [int(n) for n in cases],
        "depths": sorted(curves),
        "prefix": prefix_of(len(cases)),
        "rows": [_row(protocol, method, scores) for protocol, method in _in_order(scores)],
    }


def render_forecast_table(table: dict[str, Any]) -> str:
    """The same as text."""
    sizes = table["cases"]
    lines = [
        *([f"Variant: {table['variant']}."] if "variant" in table else []),
        f"{table['score']} over {len(sizes)} dataset sizes, {sizes[0]} to {sizes[-1]} cases;",
        f"the first {table['prefix']} are seen at the start. MAE ± SD over the later ones.",
    ]
    for protocol, meaning in (
        ("as published", "fitted and scored on the same surface"),
        ("honest", "the scored depth held out, only earlier points seen"),
    ):
        rows = [row for row in table["rows"] if row["protocol"] == protocol]
        if not rows:
            continue
        head = "".join(f"{f'depth {depth}':>17}" for depth in table["depths"])
        lines += ["", f"{protocol}: {meaning}", f"{'':36}{head}{'all':>17}"]
        lines += [_line(row, table["depths"]) for row in rows]
    lines += ["", "* reads the very values that it predicts: its backward half sees the future.", PUBLISHED]
    return "\n".join(lines) + "\n"


def _data_curves(measurements: Sequence[Measurement]) -> tuple[Floats, dict[int, Floats]]:
    """Sizes measured at every depth, and test DSC there."""
    by_depth: dict[int, dict[int, float]] = defaultdict(dict)
    for configuration in configurations_of(measurements):
        if configuration.flag is None:
            by_depth[configuration.depth][configuration.num_cases] = configuration.dsc("test")
    shared = sorted(set.intersection(*(set(sizes) for sizes in by_depth.values()))) if by_depth else []
    if len(shared) < LEAST_POINTS:
        raise InputError(
            f"the table needs {LEAST_POINTS} dataset sizes measured at every depth, got {len(shared)}; "
            "let the study go on, or add ratios (grid.ratio)"
        )
    curves = {depth: np.array([sizes[n] for n in shared]) for depth, sizes in sorted(by_depth.items())}
    return np.array(shared, dtype=np.float64), curves


def _in_order(scores: Sequence[PaperScore]) -> list[tuple[str, str]]:
    return list(dict.fromkeys((score.protocol, score.method) for score in scores))


def _row(protocol: str, method: str, scores: Sequence[PaperScore]) -> dict[str, Any]:
    mine = [score for score in scores if (score.protocol, score.method) == (protocol, method)]
    everything = np.concatenate([score.errors for score in mine])
    return {
        "protocol": protocol,
        "method": method,
        "sees_future": mine[0].sees_future,
        "mae": {str(s.depth): float(s.errors.mean()) for s in mine} | {"all": float(everything.mean())},
        "sd": {str(s.depth): float(s.errors.std()) for s in mine} | {"all": float(everything.std())},
    }


def _line(row: dict[str, Any], depths: Sequence[int]) -> str:
    cells = "".join(f"{row['mae'][key]:>8.4f} ± {row['sd'][key]:.4f}" for key in (*map(str, depths), "all"))
    return f"{row['method'] + ' *' * row['sees_future']:36}{cells}"
