"""Which test cases of a study are shown, and their overlays, made in the test phase of each cell."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from models.metrics import per_case
from search.worker.overlay_image import axial, grey, overlay_png
from storage.files.artifacts import Overlay

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import ArrayLike, NDArray

    from models.training.training import Training
    from storage.data.dataset import Dataset

SHOWN = {"small": 0.1, "medium": 0.5, "large": 0.9}  # quantiles of the foreground's share


@dataclass(frozen=True)
class ShownCase:
    """A test case that every cell of the study shows.

    Attributes:
        name: Its name.
        size: How its foreground compares with that of the other test cases.
        foreground: Its share of the whole image.
    """

    name: str
    size: str
    foreground: float


def shown_cases(foreground: Mapping[str, float]) -> list[ShownCase]:
    """Cases at the 10th, 50th and 90th percentile of the foreground's share, the same for every cell of a study.

    They follow from the split alone, never from scores, so that ratios and depths can be compared. Cases without
    foreground are left out where others are; of few cases none is shown twice.

    Args:
        foreground: Share of foreground by name of test case.
    """
    marked = {name: share for name, share in foreground.items() if share > 0} or foreground
    ranked = sorted(marked, key=lambda name: (marked[name], name))
    sizes = SHOWN if len(ranked) > 1 else {"medium": 0.5}
    at = {int(quantile * (len(ranked) - 1) + 0.5): size for size, quantile in sizes.items()}
    return [ShownCase(name, at[place], marked[name]) for place, name in enumerate(ranked) if place in at]


def draw_overlays(
    training: Training,
    dataset: Dataset,
    test: Sequence[str],
    counts: ArrayLike,
    spacing: Sequence[float] | None,
) -> list[Overlay]:
    """Overlays of the shown cases at the best-validation weights.

    Args:
        training: Of the cell.
        dataset: Prepared.
        test: Names of the test cases.
        counts: (tp, fp, fn) of each.
        spacing: Sides of a voxel in mm that all volumes were resampled to, or None.
    """
    facts = dict(zip(dataset.names, dataset.case_facts(), strict=True))
    shown = shown_cases({name: facts[name].foreground for name in test})
    indices = dataset.indices([case.name for case in shown])
    dsc = dict(zip(test, per_case(counts)["dsc"].tolist(), strict=True))
    images, masks, overlays = dataset.images(), dataset.masks(), []
    for case, index, predicted in zip(shown, indices, training.predict_best(indices), strict=True):
        truth, about = masks[index][0] > 0, facts[case.name]
        if dataset.dimensions == 2:  # noqa: PLR2004 - axes
            view = _whole(images[index], truth, predicted, about.shape)
        else:
            view = _largest_slice(images[index], truth, predicted, spacing or about.spacing or (1.0, 1.0, 1.0))
        png = overlay_png(view.image, view.truth, view.predicted, aspect=view.aspect, dsc=dsc[case.name])
        caption = f"{case.size} foreground ({100 * case.foreground:.2g} %){view.where}"
        overlays.append(Overlay(case.name, caption, dsc[case.name], png))
    return overlays


@dataclass(frozen=True)
class _View:
    """What is seen of a case: pixels and masks, height by width as a person sees it, and which part it is."""

    image: NDArray[np.uint8]
    truth: NDArray[np.bool_]
    predicted: NDArray[np.bool_]
    aspect: float
    where: str = ""


def _whole(
    image: NDArray[np.uint8], truth: NDArray[np.bool_], predicted: NDArray[np.bool_], shape: Sequence[int]
) -> _View:
    """A picture, in the proportions that it had before it was made square."""
    seen = image[0] if len(image) == 1 else np.moveaxis(image, 0, -1)
    return _View(seen, truth, predicted, shape[0] / shape[1])


def _largest_slice(
    image: NDArray[np.float16], truth: NDArray[np.bool_], predicted: NDArray[np.bool_], voxel: Sequence[float]
) -> _View:
    """The axial slice of a volume with the largest true foreground, in the first modality."""
    z = int(truth.sum(axis=(0, 1)).argmax())
    aspect = truth.shape[1] * voxel[1] / (truth.shape[0] * voxel[0])
    where = f", axial slice {z + 1} of {truth.shape[2]}"
    return _View(grey(axial(image[0], z)), axial(truth, z), axial(predicted, z), aspect, where)
