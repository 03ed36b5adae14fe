"""Which labels of a mask are foreground, and which of the others are known."""

from __future__ import annotations

import difflib
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from storage.errors import DataError

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from numpy.typing import NDArray

    from storage.data.spec import DataSpec

BACKGROUND = "background"
MOST_NAMED = 5
IGNORE = "ignore"  # nnU-Net leaves such voxels out of its loss, which we cannot


@dataclass(frozen=True)
class Labels:
    """What the values of a mask mean.

    Attributes:
        foreground: Labels that count as foreground.
        background: All other labels that may stand in a mask.
    """

    foreground: frozenset[int]
    background: frozenset[int]

    def is_foreground(self, values: NDArray[np.uint16]) -> NDArray[np.bool_]:
        """Foreground voxels of a mask."""
        return _is_one_of(values, self.foreground)

    def unknown(self, values: NDArray[np.uint16]) -> list[int]:
        """Labels of a mask that nobody named."""
        strange = values[~_is_one_of(values, self.foreground | self.background)]
        return [int(label) for label in np.unique(strange)]


def unknown_labels(values: NDArray[np.uint16], labels: Labels) -> str | None:
    """What to say of labels in a mask that nobody named; None where there are none."""
    unknown = labels.unknown(values)
    if not unknown:
        return None
    listed = ", ".join(str(label) for label in unknown[:MOST_NAMED]) + (", ..." if len(unknown) > MOST_NAMED else "")
    known = ", ".join(str(label) for label in sorted(labels.foreground | labels.background))
    return f"label {listed} is unknown (known: {known}); name it in foreground or background ([data])"


def labels_of(spec: DataSpec, default: Iterable[int], known: Iterable[int]) -> Labels:
    """What the spec says, else these labels; known ones that are no foreground are background."""
    assert not isinstance(spec.foreground, str)
    foreground = frozenset(default if spec.foreground is None else spec.foreground)
    return Labels(foreground, frozenset({0, *known, *spec.background}) - foreground)


def named_labels(spec: DataSpec, names: Mapping[str, tuple[int, ...]]) -> Labels:
    """What the spec says in terms of a dataset.json.

    Args:
        spec: Its foreground may be a name.
        names: Labels of each name, several for a region.

    Raises:
        DataError: The spec names what dataset.json does not know.
    """
    known = {label for name, labels in names.items() if name.lower() != IGNORE for label in labels}
    if not isinstance(spec.foreground, str):
        return labels_of(spec, known - {0}, known)
    if spec.foreground not in names:
        close = difflib.get_close_matches(spec.foreground, names, n=1)
        meant = f", did you mean {close[0]!r}?" if close else ""
        raise DataError(
            f"foreground {spec.foreground!r} is no label or region of dataset.json{meant} "
            f"(known: {', '.join(name for name in names if name.lower() != BACKGROUND)}) ([data] foreground)"
        )
    foreground = frozenset(names[spec.foreground])
    return Labels(foreground, frozenset({0, *known, *spec.background}) - foreground)


def _is_one_of(values: NDArray[np.uint16], labels: frozenset[int]) -> NDArray[np.bool_]:
    """By a table, which takes a tenth of the time of `np.isin`."""
    table = np.zeros(2**16, dtype=np.bool_)
    table[sorted(labels)] = True
    return table[values]
