"""The README keeps its promises about files and commands."""

from __future__ import annotations

import ast
import re
import textwrap
from typing import TYPE_CHECKING

import pytest

from studies.__main__ import build_parser
from tests.helpers.paths import ROOT

if TYPE_CHECKING:
    from pathlib import Path

README = (ROOT / "README.md").read_text()
TREE = README.partition("## The files")[2]


def rooms() -> list[Path]:
    """Every folder of code, a root package before its rooms."""
    return [
        path.parent
        for package in ("studies", "search", "models", "storage")
        for path in sorted((ROOT / package).rglob("__init__.py"), key=lambda path: path.parent.parts)
    ]


def entry(room: Path) -> str:
    """What the tree should say of a room: its purpose, and the names of its modules."""
    indent = "  " * len(room.relative_to(ROOT).parts[1:])
    (only,) = ast.parse((room / "__init__.py").read_text()).body
    assert isinstance(only, ast.Expr)
    purpose = ast.literal_eval(only.value)
    modules = sorted(path.stem for path in room.glob("*.py") if path.name != "__init__.py")
    names = textwrap.wrap(", ".join(modules), 114 - len(indent), break_on_hyphens=False)
    return "\n".join(
        [f"{indent}{room.name + '/':<{24 - len(indent)}} {purpose}", *(f"{indent}    {line}" for line in names)]
    )


@pytest.mark.parametrize("room", rooms(), ids=lambda room: str(room.relative_to(ROOT)))
def test_the_file_tree_shows_every_room(room: Path) -> None:
    """A line for its purpose, as its docstring says it, and the names of its modules: no more and no fewer."""
    assert f"\n{entry(room)}\n" in TREE


def test_the_file_tree_shows_no_room_that_is_gone() -> None:
    """Every folder of code in the tree exists, once."""
    block = TREE.partition("```")[2].partition("```")[0]
    shown = re.findall(r"^ *(\w+)/ {2,}\w", block, flags=re.MULTILINE)
    assert sorted(shown) == sorted([*(room.name for room in rooms()), "tests"])


def test_every_command_is_documented() -> None:
    """Each command of the program stands in the README."""
    help_text = build_parser().format_help()
    commands = re.findall(r"^    (\w+)", help_text, flags=re.MULTILINE)
    assert {"run", "status", "report", "export", "dashboard"} <= set(commands)
    assert all(f"dicecurve {command}" in README for command in commands)


def test_make_targets_in_the_readme_exist() -> None:
    """`make demo` and `make test` are the two commands of a newcomer."""
    makefile = (ROOT / "Makefile").read_text()
    assert all(re.search(rf"^{target}:", makefile, flags=re.MULTILINE) for target in re.findall(r"make (\w+)", README))
