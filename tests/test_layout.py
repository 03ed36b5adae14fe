"""The root packages have common names: what is imported must be ours, and importing a package must cost nothing."""

from __future__ import annotations

import ast
from importlib import import_module
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
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
