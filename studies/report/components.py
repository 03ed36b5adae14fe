"""What a section of the page is made of; the template knows how each kind is drawn."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, ClassVar, TypeAlias

from storage.variants import key_part, name_of

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

    def of_variant(self, variant: str) -> Figure:
        """The same as that of one variant among several."""
        name = f"{self.name}{re.sub('[._]', '-', key_part(variant)) or '-own'}"
        return replace(self, name=name, caption=_named(variant, self.caption))


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


def variant_columns(*, named: bool) -> tuple[Column, ...]:
    """The head of a column of variants, where rows have to name theirs."""
    return (Column("variant", numeric=False),) if named else ()


def variant_cells(variant: str, *, named: bool) -> tuple[str, ...]:
    """What stands in it."""
    return (name_of(variant),) if named else ()


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

    def of_variant(self, variant: str) -> Table:
        """The same as that of one variant among several."""
        return replace(self, caption=_named(variant, self.caption))


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

    def of_variant(self, variant: str) -> Gallery:
        """The same as that of one variant among several."""
        return replace(self, caption=_named(variant, self.caption))


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
    """Components that a reader may open."""

    kind: ClassVar[str] = "fold"
    summary: str
    components: Sequence[Component]


def _named(variant: str, caption: str) -> str:
    return f"{name_of(variant)}: {caption}"


Component: TypeAlias = "Figure | Table | Gallery | Notes | Code | Fold"


@dataclass(frozen=True)
class Section:
    """A titled stretch of the page; one without components is left out.

    Attributes:
        name: Unique in the page, its anchor.
        title: Its heading.
        components: From top to bottom.
    """

    name: str
    title: str
    components: Sequence[Component]
