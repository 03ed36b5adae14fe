"""The cells of a spec, and what is counted of their networks before any training."""

from __future__ import annotations

from typing import TYPE_CHECKING

from search.grid import lay_out
from storage.variants import Recipe

if TYPE_CHECKING:
    from collections.abc import Callable

    from models.protocol import TrainingSpec
    from storage.records import CellPlan
    from studies.spec import StudySpec


def lay_out_cells(spec: StudySpec, num_train: int, channels: int) -> list[CellPlan]:
    """The cells of a spec, for so many training cases and channels.

    Raises:
        InputError: A ratio stands for no case, or two ratios for the same number of cases.
    """
    from models.networks.architectures import count_parameters

    return lay_out(spec.grid, num_train, _counted(spec, channels, count_parameters))


def flops_by_recipe(spec: StudySpec, channels: int) -> dict[str, int]:
    """FLOPs of one forward pass of one case, by the key of the recipe."""
    from models.networks.architectures import count_flops

    return {recipe.key: flops for recipe, flops in _counted(spec, channels, count_flops).items()}


def _counted(spec: StudySpec, channels: int, count: Callable[[TrainingSpec, int, int], int]) -> dict[Recipe, int]:
    """What is counted of the network of each recipe; variants of one architecture share it."""
    protocols = {variant: spec.protocol(variant) for variant in spec.variants}
    networks = {protocol.architecture: protocol for protocol in protocols.values()}
    counts = {
        (name, depth): count(network, depth, channels)
        for name, network in networks.items()
        for depth in spec.grid.depth
    }
    return {
        Recipe(variant, depth): counts[protocol.architecture, depth]
        for variant, protocol in protocols.items()
        for depth in spec.grid.depth
    }
