"""What several test files share: hypothesis without clocks or chance, real data where there are some, a database."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from hypothesis import settings

settings.register_profile("dicecurve", deadline=None, derandomize=True)
settings.load_profile("dicecurve")


@pytest.fixture(scope="session")
def real_data() -> Path:
    """The folder of real datasets."""
    root = os.environ.get("DICECURVE_TEST_DATA")
    if not root:
        pytest.skip("needs real datasets: set DICECURVE_TEST_DATA to the folder that holds data/kvasir-seg")
    return Path(root) / "data"


@pytest.fixture
def storage_url(tmp_path: Path) -> str:
    """URL of a SQLite file that does not exist yet."""
    return f"sqlite:///{tmp_path / 'study.db'}"
