"""What `prepare` saw in the data, for an 80-column terminal."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from studies.launch.data_check import MOST_NAMED, duplicates_warning

if TYPE_CHECKING:
    from collections.abc import Sequence


def render_overview(name: str, overview: dict[str, Any]) -> str:
    """What `data_overview` saw, as text for an 80-column terminal."""
    foreground, split, cache = overview["foreground"], overview["split"], overview["cache"]
    several = f" ({overview['groups_of_several']} with several cases, at most {overview['largest_group']})"
    pairs = overview["near_duplicates"]
    across = sum(pair["across_split"] for pair in pairs)
    lines = [
        ("cases", f"{overview['cases']:,}"),
        ("groups", f"{overview['groups']:,}{several if overview['groups_of_several'] else ', each of one case'}"),
        ("split", ", ".join(f"{number:,} {part}" for part, number in split.items())),
        ("foreground", f"{foreground['mean']:.2%} on average, {foreground['min']:.2%} to {foreground['max']:.2%}"),
        *(_picture_lines(overview) if overview["dimensions"] == 2 else _volume_lines(overview)),  # noqa: PLR2004 - axes
        ("near-duplicates", f"{len(pairs):,} pairs, {across:,} of them across the split" if pairs else "none"),
        ("cache", f"{cache['bytes'] / 1e6:,.1f} MB in {cache['folder']}"),
    ]
    text = f"Data of {name}\n" + "".join(f"  {label:<16} {value}\n" for label, value in lines)
    warning = duplicates_warning(pairs)
    return text if warning is None else f"{text}\n{warning}\n"


def _picture_lines(overview: dict[str, Any]) -> list[tuple[str, str]]:
    size = _sizes(overview["prepared_sizes"])
    return [
        ("image sizes", f"{_sizes(overview['image_sizes'])}; all resized to {size}"),
        ("empty masks", _named(overview["empty_masks"])),
        (f"lost at {size}", _named(overview["masks_lost_by_resizing"])),
    ]


def _volume_lines(overview: dict[str, Any]) -> list[tuple[str, str]]:
    return [
        ("modalities", f"{overview['channels']}"),
        ("volume sizes", f"{_sizes(overview['image_sizes'], upright=False)} voxels"),
        ("voxel sizes", f"{_spacing_range(overview['spacings'])} mm"),
        ("orientation", f"{_orientation(overview['orientations'])}; scored and kept in RAS"),
        ("kept", f"{_sizes(overview['prepared_sizes'], upright=False)} voxels"),
        ("empty masks", _named(overview["empty_masks"])),
        ("masks lost", _named(overview["masks_lost_by_resizing"])),
    ]


def _orientation(orientations: Sequence[dict[str, Any]]) -> str:
    """Every orientation, and of how many cases where there are several."""
    several = len(orientations) > 1
    return ", ".join(
        f"{orientation['axes']} ({orientation['cases']:,})" if several else orientation["axes"]
        for orientation in orientations
    )


def _named(names: Sequence[str]) -> str:
    more = f" and {len(names) - MOST_NAMED:,} more" if len(names) > MOST_NAMED else ""
    return f"{len(names):,}: {', '.join(names[:MOST_NAMED])}{more}" if names else "none"


def _sizes(sizes: Sequence[dict[str, Any]], *, upright: bool = True) -> str:
    """Of pictures width before height, as image viewers tell it."""
    by_area = sorted((size["shape"][:: -1 if upright else 1] for size in sizes), key=math.prod)
    smallest, largest = ("x".join(str(side) for side in shape) for shape in (by_area[0], by_area[-1]))
    return smallest if len(sizes) == 1 else f"{len(sizes):,} from {smallest} to {largest}"


def _spacing_range(spacings: Sequence[dict[str, Any]]) -> str:
    by_volume = sorted((spacing["mm"] for spacing in spacings), key=math.prod)
    finest, coarsest = (" x ".join(f"{side:g}" for side in spacing) for spacing in (by_volume[0], by_volume[-1]))
    return finest if len(spacings) == 1 else f"{len(spacings):,} from {finest} to {coarsest}"
