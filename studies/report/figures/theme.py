"""What all figures share: colours, marks and layout.

Backgrounds are transparent, and the page's style sheet gives text and grid the colours of the light or dark scheme.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeVar

from plotly import graph_objects as go
from plotly.colors import sample_colorscale

from storage.variants import Recipe

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

Which = TypeVar("Which", int, Recipe)  # what has a colour of its own
# Okabe and Ito 2008, told apart by the colour-blind; olive for their black and yellow, which vanish on dark or white.
PALETTE = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#999933")
SYMBOLS = ("circle", "square", "diamond", "triangle-up", "triangle-down", "pentagon", "star", "hexagram")
RATIOS = ["rgb(64,104,190)", "rgb(128,132,140)", "rgb(212,150,30)"]  # blue, grey, amber
NEUTRAL = "#808890"
CLEAR = "rgba(0,0,0,0)"


def hue(coloured: Which, among: Sequence[Which]) -> str:
    """The colour of a depth's, or of a recipe's, measured values."""
    return PALETTE[sorted(among).index(coloured) % len(PALETTE)]


def dash(coloured: Which, among: Sequence[Which]) -> str:
    """The kind of a depth's measured line: dotted where colours come round again."""
    return "solid" if sorted(among).index(coloured) < len(PALETTE) else "dot"


def symbol(coloured: Which, among: Sequence[Which]) -> str:
    """The marker of a depth, which tells it from others without colour."""
    return SYMBOLS[sorted(among).index(coloured) % len(SYMBOLS)]


def faded(colour: str) -> str:
    """The colour of what is fitted or forecast: half way to grey, and so legible on white and on dark."""
    mixed = [(own + grey) // 2 for own, grey in zip(_channels(colour), _channels(NEUTRAL), strict=True)]
    return "#" + "".join(f"{channel:02x}" for channel in mixed)


def shade(share: float) -> str:
    """The colour of a ratio, from the smallest (0) to the largest (1); each is legible on white and on dark."""
    (colour,) = sample_colorscale(RATIOS, [share])
    return str(colour)


def see_through(colour: str, alpha: float) -> str:
    """The colour of an area."""
    return f"rgba({','.join(map(str, _channels(colour)))},{alpha})"


def _channels(colour: str) -> list[int]:
    return [int(colour[i : i + 2], 16) for i in (1, 3, 5)]


def drawn(traces: Iterable[Any], *, x_title: str, y_title: str, **layout: Any) -> go.Figure:
    """A figure with the page's layout; ``layout`` changes parts of it."""
    figure = go.Figure(list(traces))
    figure.update_layout(
        template="none",
        autosize=True,
        dragmode=False,  # a finger on a figure scrolls the page
        paper_bgcolor=CLEAR,
        plot_bgcolor=CLEAR,
        font={"family": "system-ui, sans-serif", "size": 13, "color": "#1c2126"},
        margin={"l": 8, "r": 12, "t": 12, "b": 8},
        legend={"orientation": "h", "x": 0, "y": 1.02, "yanchor": "bottom", "font": {"size": 12}},
        hoverlabel={"namelength": -1},
        modebar={"bgcolor": CLEAR, "color": NEUTRAL, "activecolor": "#0072B2"},
        xaxis={"title": {"text": x_title, "standoff": 8}, "automargin": True, "zeroline": False},
        yaxis={"title": {"text": y_title, "standoff": 8}, "automargin": True, "zeroline": False},
    )
    figure.update_layout(**layout)
    return figure
