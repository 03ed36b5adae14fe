"""The README keeps its promises about files and commands."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from studies.__main__ import build_parser

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text()
TREE = README.partition("## The files")[2]


@pytest.mark.parametrize("room", ["studies", "search", "models", "storage"])
def test_every_module_stands_in_the_file_tree(room: str) -> None:
    """A file that the tree does not name is a file that nobody finds."""
    named = set(re.findall(r"[\w.]+\.py\b", TREE))
    modules = {path.name for path in (ROOT / room).rglob("*.py")} - {"__init__.py"}
    assert modules <= named


def test_the_file_tree_names_no_file_that_is_gone() -> None:
    """Every file in the tree exists."""
    existing = {path.name for room in ("studies", "search", "models", "storage") for path in (ROOT / room).rglob("*.*")}
    existing |= {path.name for path in ROOT.glob("*.py")}
    assert set(re.findall(r"[\w.]+\.(?:py|css|js|j2)\b", TREE)) <= existing


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
