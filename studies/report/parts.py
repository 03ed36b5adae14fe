"""What a section of the page is made of; the template knows how each kind is drawn."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Sequence


@dataclass(frozen=True)
class Figure:
    """A plotly figure; its caption says in words what it shows.

    Attributes:
        name: Unique in the page.
        caption: Text below it.
        figure: What plotly draws, a `plotly.graph_objects.Figure`.
        height: In CSS pixels.
        min_width: Where the page is narrower, the figure scrolls in its own container.
    """

    kind: ClassVar[str] = "figure"
    name: str
    caption: str
    figure: Any
    height: int
    min_width: int = 0


@dataclass(frozen=True)
class Column:
    """Head of one column; numbers are set flush right, and long texts are given room and broken anywhere."""

    title: str
    numeric: bool = True
    long: bool = False

    @property
    def look(self) -> str:
        """Its class in the style sheet."""
        return "number" if self.numeric else "long" if self.long else "text"


@dataclass(frozen=True)
class Row:
    """Texts of one row, the first of which names it."""

    cells: tuple[str, ...]
    marked: bool = False


@dataclass(frozen=True)
class Table:
    """A table of texts."""

    kind: ClassVar[str] = "table"
    caption: str
    columns: tuple[Column, ...]
    rows: tuple[Row, ...]


@dataclass(frozen=True)
class Picture:
    """An image inside the page, as a data URI, and what stands below it."""

    source: str
    caption: str


@dataclass(frozen=True)
class Gallery:
    """Pictures in a grid: a head and a picture for each column in every row, None where there is none."""

    kind: ClassVar[str] = "gallery"
    caption: str
    columns: tuple[str, ...]
    rows: tuple[tuple[str, tuple[Picture | None, ...]], ...]


@dataclass(frozen=True)
class Notes:
    """Paragraphs."""

    kind: ClassVar[str] = "notes"
    paragraphs: tuple[str, ...]


@dataclass(frozen=True)
class Code:
    """A command to type."""

    kind: ClassVar[str] = "code"
    text: str


@dataclass(frozen=True)
class Fold:
    """Parts that a reader may open."""

    kind: ClassVar[str] = "fold"
    summary: str
    parts: Sequence[Part]


Part: TypeAlias = "Figure | Table | Gallery | Notes | Code | Fold"


@dataclass(frozen=True)
class Section:
    """A titled part of the page; one without parts is left out.

    Attributes:
        name: Unique in the page, its anchor.
        title: Its heading.
        parts: From top to bottom.
    """

    name: str
    title: str
    parts: Sequence[Part]
