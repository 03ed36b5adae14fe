"""What all figures share: colours, marks and layout.

Backgrounds are transparent, and the page's style sheet gives text and grid the colours of the light or dark scheme.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from plotly import graph_objects as go

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

# Okabe and Ito 2008, told apart by the colour-blind; without black and yellow, which vanish on dark or white.
PALETTE = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9")
SYMBOLS = ("circle", "square", "diamond", "triangle-up", "triangle-down", "pentagon", "star", "hexagram")
NEUTRAL = "#808890"
CLEAR = "rgba(0,0,0,0)"
FIT_ALPHA = 0.6  # of what is fitted or forecast, beside the full colour of what is measured


def hue(depth: int, depths: Sequence[int]) -> str:
    """The colour of a depth's measured values."""
    return PALETTE[sorted(depths).index(depth) % len(PALETTE)]


def symbol(depth: int, depths: Sequence[int]) -> str:
    """The marker of a depth, which tells it from others without colour."""
    return SYMBOLS[sorted(depths).index(depth) % len(SYMBOLS)]


def faded(colour: str, alpha: float) -> str:
    """The colour of a forecast beside a measured one."""
    red, green, blue = (int(colour[i : i + 2], 16) for i in (1, 3, 5))
    return f"rgba({red},{green},{blue},{alpha})"


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
        xaxis={"title": {"text": x_title, "standoff": 8}, "automargin": True, "zeroline": False},
        yaxis={"title": {"text": y_title, "standoff": 8}, "automargin": True, "zeroline": False},
    )
    figure.update_layout(**layout)
    return figure
