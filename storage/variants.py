"""Variants of a study's protocol, as they are named: "loss=dice_ce,optimiser=sgd", and "" for the protocol's own."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple, Protocol

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

OWN = ""
_NAMED = re.compile(r"[a-z_]+=[a-z0-9_]+(,[a-z_]+=[a-z0-9_]+)*")


class Recipe(NamedTuple):
    """A variant at a depth: what one data curve is of."""

    variant: str
    depth: int

    def __str__(self) -> str:
        """For print: the protocol's own variant is not told."""
        return f"depth {self.depth}" + (f" ({self.variant})" if self.variant else "")

    @property
    def key(self) -> str:
        """A text that tells it from others, such as "3" or "3-loss.dice_ce"."""
        return f"{self.depth}{key_part(self.variant)}"


class _Trained(Protocol):
    """Whatever was trained at a depth, or may be."""

    @property
    def variant(self) -> str: ...

    @property
    def depth(self) -> int: ...


def recipe_of(trained: _Trained) -> Recipe:
    """The recipe of a cell, of a row of the ranking, or of anything else that was trained."""
    return Recipe(trained.variant, trained.depth)


class ConfigurationKey(NamedTuple):
    """A recipe with a number of training cases: what is priced, ranked and recommended."""

    recipe: Recipe
    num_cases: int

    def __str__(self) -> str:
        """For print: "depth 4 with 140 cases"."""
        return f"{self.recipe} with {self.num_cases} cases"


class _Sized(_Trained, Protocol):
    """Whatever was trained with a number of cases, or may be."""

    @property
    def num_cases(self) -> int: ...


def configuration_of(trained: _Sized) -> ConfigurationKey:
    """The configuration of a cell, of a row of the ranking, or of anything else that has a number of cases."""
    return ConfigurationKey(recipe_of(trained), trained.num_cases)


def variant_of(values: Mapping[str, str]) -> str:
    """The name of what axes change in the protocol; the values that are its own must be left out.

    Args:
        values: By axis, such as {"loss": "dice_ce"}.
    """
    return ",".join(f"{axis}={value}" for axis, value in sorted(values.items()))


def axis_values(variant: str) -> dict[str, str]:
    """What a variant changes, by axis; empty for the protocol's own."""
    pairs = [part.partition("=") for part in variant.split(",") if part]
    return {axis: value for axis, _, value in pairs}


def name_of(variant: str) -> str:
    """A variant for print."""
    return variant or "own protocol"


def key_part(variant: str) -> str:
    """What a variant adds to the key of a cell, fit for a path: "-loss.dice_ce"."""
    return "".join(f"-{axis}.{value}" for axis, value in axis_values(variant).items())


def is_variant(text: str) -> bool:
    """Whether a text names a variant as `variant_of` would."""
    return text == OWN or (_NAMED.fullmatch(text) is not None and variant_of(axis_values(text)) == text)


def variants_in(trained: Iterable[_Trained]) -> list[str]:
    """The variants that occur, the protocol's own first."""
    return sorted({training.variant for training in trained})
