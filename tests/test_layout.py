"""The root packages have common names: what is imported must be ours, and importing a package must cost nothing."""

from __future__ import annotations

import ast
from importlib import import_module
from pathlib import Path

import pytest

from tests.helpers.paths import ROOT

PACKAGES = ("studies", "search", "models", "storage")
INITS = sorted(path for package in PACKAGES for path in (ROOT / package).rglob("__init__.py"))


@pytest.mark.parametrize("package", PACKAGES)
def test_a_package_comes_from_this_repository(package: str) -> None:
    """A package of the same name elsewhere on the path does not shadow ours."""
    file = import_module(package).__file__
    assert file is not None
    assert Path(file).resolve().is_relative_to(ROOT / package)


@pytest.mark.parametrize("path", INITS, ids=lambda path: str(path.parent.relative_to(ROOT)))
def test_a_package_imports_nothing_by_itself(path: Path) -> None:
    """An `__init__` file holds its docstring and no statement."""
    (only,) = ast.parse(path.read_text(encoding="utf-8")).body
    assert isinstance(only, ast.Expr)
    assert isinstance(only.value, ast.Constant)
    assert isinstance(only.value.value, str)


@pytest.mark.parametrize("package", PACKAGES)
def test_every_folder_of_code_is_a_package(package: str) -> None:
    """No module hides in a folder without `__init__`: a wheel and Ray's py_modules would miss it."""
    folders = {path.parent for path in (ROOT / package).rglob("*.py")}
    assert [folder for folder in folders if not (folder / "__init__.py").exists()] == []


@pytest.mark.parametrize("package", PACKAGES)
def test_a_room_is_taken_in_at_a_glance(package: str) -> None:
    """At most 14 modules in a folder, the commands excepted, of at most 360 lines each."""
    folders = {path.parent for path in (ROOT / package).rglob("*.py")} - {ROOT / "studies" / "commands"}
    assert {folder: number for folder in folders if (number := len(modules_in(folder))) > 14} == {}
    lines = {path: len(path.read_text(encoding="utf-8").splitlines()) for path in (ROOT / package).rglob("*.py")}
    assert {path: number for path, number in lines.items() if number > 360} == {}


def modules_in(folder: Path) -> list[Path]:
    """The modules of a room, those of its own rooms aside."""
    return [path for path in folder.glob("*.py") if path.name != "__init__.py"]


def test_a_room_says_its_purpose_in_one_line() -> None:
    """The README's file tree shows it."""
    purposes = {path: ast.literal_eval(ast.parse(path.read_text()).body[0].value) for path in INITS}
    assert [path for path, purpose in purposes.items() if "\n" in purpose or not purpose.endswith(".")] == []


def test_tests_share_helpers_and_never_import_each_other() -> None:
    """A test file can be read, moved and run alone."""
    for path in (ROOT / "tests").rglob("*.py"):
        modules = [node.module for node in ast.walk(ast.parse(path.read_text())) if isinstance(node, ast.ImportFrom)]
        assert [name for name in modules if name and ".test_" in name] == [], path


def test_unit_tests_mirror_the_rooms() -> None:
    """A test file of a room is named after one of the room's modules."""
    for package in PACKAGES:
        for path in (ROOT / "tests" / package).rglob("test_*.py"):
            room = ROOT / path.relative_to(ROOT / "tests").parent
            names = [module.stem for module in modules_in(room)]
            assert any(path.stem.removeprefix("test_").startswith(name.strip("_")) for name in names), path
