"""The grid: ratio × depth × seed, and further axes of the protocol, laid out as cells."""

from __future__ import annotations

from decimal import Decimal
from itertools import product
from typing import TYPE_CHECKING, Annotated, TypeVar

from pydantic import AfterValidator, BaseModel, Field

from models.protocol import AXES, MAX_DEPTH, MIN_DEPTH, Architecture, Augmentation, Loss, Optimiser
from storage.data.splits import num_cases_of
from storage.errors import InputError
from storage.records import CellPlan
from storage.variants import OWN, Recipe, key_part, variant_of

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from models.protocol import TrainingSpec

RATIO_PLACES = 6
Value = TypeVar("Value", float, int, str)


def _valid_ratio(ratio: float) -> float:
    if not 0 < ratio <= 1:
        raise ValueError(f"ratio must be in (0, 1], got {ratio:g}")
    if round(ratio, RATIO_PLACES) != ratio:
        raise ValueError(f"ratio may have at most {RATIO_PLACES} decimal places, got {ratio!r}")
    return ratio


def _valid_depth(depth: int) -> int:
    if not MIN_DEPTH <= depth <= MAX_DEPTH:
        raise ValueError(f"depth must be {MIN_DEPTH}..{MAX_DEPTH}, got {depth}")
    return depth


def _distinct(values: tuple[Value, ...]) -> tuple[Value, ...]:
    repeated = sorted({v for v in values if values.count(v) > 1})
    if repeated:
        told = repr(repeated[0]) if isinstance(repeated[0], str) else f"{repeated[0]:g}"
        raise ValueError(f"each value may stand once, got {told} twice")
    return values


class GridSpec(BaseModel, frozen=True, extra="forbid"):
    """The axes of a study; each may gain values later.

    Attributes:
        ratio: Shares of the training split, each in (0, 1].
        depth: Depths of the residual U-Net.
        seed: Repeats; a seed draws initialisation, batch order and the nested subsets.
        architecture: As in the protocol, `TrainingSpec`. An axis of the protocol that is not given has its value alone;
            one that is given holds that value too.
        augmentation: Likewise.
        loss: Likewise.
        optimiser: Likewise.
    """

    ratio: Annotated[
        tuple[Annotated[float, AfterValidator(_valid_ratio)], ...], Field(min_length=1), AfterValidator(_distinct)
    ]
    depth: Annotated[
        tuple[Annotated[int, AfterValidator(_valid_depth)], ...], Field(min_length=1), AfterValidator(_distinct)
    ]
    seed: Annotated[tuple[Annotated[int, Field(ge=0)], ...], Field(min_length=1), AfterValidator(_distinct)] = (0,)
    architecture: Annotated[tuple[Architecture, ...], AfterValidator(_distinct)] = ()
    augmentation: Annotated[tuple[Augmentation, ...], AfterValidator(_distinct)] = ()
    loss: Annotated[tuple[Loss, ...], AfterValidator(_distinct)] = ()
    optimiser: Annotated[tuple[Optimiser, ...], AfterValidator(_distinct)] = ()

    def variants(self, training: TrainingSpec) -> list[str]:
        """Of the protocol, every combination of its axes, the protocol's own first.

        Raises:
            ValueError: An axis lacks the protocol's own value.
        """
        values = [_axis(axis, getattr(self, axis), getattr(training, axis)) for axis in AXES]
        return sorted(
            variant_of(
                {axis: value for axis, value in zip(AXES, chosen, strict=True) if value != getattr(training, axis)}
            )
            for chosen in product(*values)
        )


def _axis(axis: str, values: Sequence[str], own: str) -> Sequence[str]:
    if values and own not in values:
        raise ValueError(
            f"grid.{axis} must hold the protocol's own value, training.{axis} = {own!r}, got {list(values)}; add it, "
            f"or set training.{axis} = {values[0]!r}"
        )
    return values or (own,)


def lay_out(grid: GridSpec, num_train: int, parameters: Mapping[Recipe, int]) -> list[CellPlan]:
    """All cells of the grid, from cheap to dear.

    Args:
        grid: The axes.
        num_train: Cases in the training split.
        parameters: Trainable parameters of each depth of each variant.

    Raises:
        InputError: A ratio stands for no case, or two ratios for the same number of cases.
    """
    by_cases: dict[int, float] = {}
    for ratio in sorted(grid.ratio):
        num_cases = num_cases_of(ratio, num_train)
        if num_cases < 1:
            raise InputError(f"ratio {ratio:g} of {num_train} training cases is no case; raise it ([grid] ratio)")
        if num_cases in by_cases:
            raise InputError(
                f"ratios {by_cases[num_cases]:g} and {ratio:g} of {num_train} training cases are both {num_cases} "
                "cases; keep one of them ([grid] ratio)"
            )
        by_cases[num_cases] = ratio
    variants = sorted({recipe.variant for recipe in parameters})
    return [
        CellPlan(
            key=cell_key(ratio, depth, seed, variant),
            ratio=ratio,
            depth=depth,
            seed=seed,
            num_cases=num_cases,
            parameters=parameters[Recipe(variant, depth)],
            variant=variant,
        )
        for (num_cases, ratio), depth, seed, variant in product(
            by_cases.items(), sorted(grid.depth), sorted(grid.seed), variants
        )
    ]


def cell_key(ratio: float, depth: int, seed: int, variant: str = OWN) -> str:
    """A cell's name within its study, fit for a path: "ratio0.25-depth4-seed0", "ratio1-depth4-loss.dice_ce-seed0"."""
    return f"ratio{Decimal(str(ratio)).normalize():f}-depth{depth}{key_part(variant)}-seed{seed}"
