"""Optuna dashboard, started by the command line on a study's page: asked over HTTP, and looked at in Chromium."""

from __future__ import annotations

import http.client
import json
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from typing import TYPE_CHECKING, Any

import pytest

from storage.errors import InputError, StorageError
from studies.monitor.dashboard import open_dashboard, warning_of
from tests.helpers.paths import ROOT
from tests.helpers.shown_study import HOSTILE, make_shown_study

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tests.helpers.browser import Visit

FIGURES = (
    "Test DSC against training cases",
    "Test DSC by ratio and depth",
    "Cost per 0.01 DSC, in the order of the ranking",
)


@pytest.fixture(scope="module")
def study_url(tmp_path_factory: pytest.TempPathFactory) -> str:
    """A database with a finished study."""
    url = f"sqlite:///{tmp_path_factory.mktemp('dashboard')}/dicecurve.db"
    make_shown_study(url)
    return url


@pytest.fixture(scope="module")
def dashboard(study_url: str) -> Iterator[str]:
    """Its address, once it answers and the page is up to date."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [sys.executable, "-m", "studies", "dashboard", "--storage", study_url, "--port", str(port)]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        address = f"http://127.0.0.1:{port}"
        _wait_for(address, process)
        yield address
        process.terminate()
        out, err = process.communicate(timeout=10)
        assert out == f"{address}/ (Ctrl-C ends it)\n"
        assert err == ""


def _wait_for(address: str, process: subprocess.Popen[str]) -> None:
    deadline = time.monotonic() + 120
    while time.monotonic() < deadline:
        assert process.poll() is None
        try:
            ask(address, "meta")
        except urllib.error.URLError:
            time.sleep(0.1)
        else:
            if ask(address, "studies/1?after=0")["note"]["body"]:
                return
    pytest.fail("the dashboard does not answer, or its note is not written")


def ask(address: str, path: str) -> Any:
    """What its API answers."""
    with urllib.request.urlopen(f"{address}/api/{path}", timeout=60) as answer:  # noqa: S310 - our own loopback
        return json.load(answer)


def fetch(address: str, path: str, host: str | None = None) -> http.client.HTTPResponse:
    """An answer as it comes, read, with no redirection followed."""
    connection = http.client.HTTPConnection(address.removeprefix("http://"), timeout=60)
    connection.request("GET", path, headers={} if host is None else {"Host": host})
    answer = connection.getresponse()
    answer.read()
    connection.close()
    return answer


def test_the_dashboard_shows_params_curve_metrics_and_costs(dashboard: str) -> None:
    """A finished cell is a complete trial with ratio and depth, its curve, its value, and what stands beside it."""
    (study,) = ask(dashboard, "studies")["study_summaries"]
    assert study["study_name"] == "shown"
    assert study["directions"] == ["maximize"]
    trials = ask(dashboard, f"studies/{study['study_id']}?after=0")["trials"]
    assert [trial["state"] for trial in trials] == ["Complete"] * 6 + ["Fail", "Waiting"]
    done = trials[0]
    assert {p["name"]: p["param_external_value"] for p in done["params"]} == {"ratio": "0.25", "depth": "2"}
    curve = [p["value"] for p in done["intermediate_values"]]
    assert len(curve) == 6
    assert done["values"] == [max(curve)]
    attributes = {a["key"]: a["value"] for a in done["user_attrs"]}
    assert float(attributes["test_dsc"]) > 0
    assert attributes["gpu_seconds"] == "55.2"
    assert attributes["num_cases"] == "20"
    assert [artifact["filename"].split(", ")[1] for artifact in done["artifacts"]] == ["polyp-1", HOSTILE]


def test_a_study_s_page_opens_and_shows_its_curves_and_figures(dashboard: str, visit: Callable[..., Visit]) -> None:
    """The root leads to it: training curves, our figures, and the answer; nothing is loaded from elsewhere."""
    seen = visit(dashboard)
    seen.page.get_by_text("Intermediate values").wait_for()
    for title in FIGURES:
        seen.page.locator(".gtitle", has_text=title).wait_for()
    assert "/studies/1" in seen.page.url
    assert seen.page.locator("text=trial #0").count() == 1
    assert "depth 3 with 80 of 80 cases" in seen.page.inner_text("body")
    seen.assert_quiet(dashboard)


def test_the_note_holds_the_answer_and_the_ranking(dashboard: str, visit: Callable[..., Visit]) -> None:
    """As tables and sentences, and marks in a text of a user's stay as they were written."""
    seen = visit(f"{dashboard}/dashboard/studies/1/note")
    seen.page.get_by_role("heading", name="Ranking by cost per DSC").wait_for()
    note = seen.page.inner_text("body")
    assert "Recommended: depth 3 with 80 cases" in note
    assert "*EUR*<b> per 0.01" in note
    assert "7 of 8 cells finished" in note
    assert seen.page.locator("table").nth(1).locator("tbody tr").count() == 6
    seen.assert_quiet(dashboard)


def test_a_trial_shows_its_overlays_and_hostile_names_as_text(dashboard: str, visit: Callable[..., Visit]) -> None:
    """The pictures are drawn, and a case that is called like a script is read, not run."""
    seen = visit(f"{dashboard}/dashboard/studies/1/trials?numbers=0")
    seen.page.get_by_text(HOSTILE).first.wait_for()
    pictures = seen.page.locator("img[src*='/artifacts/']")
    pictures.nth(1).wait_for()
    seen.page.wait_for_function("[...document.querySelectorAll('img')].every(each => each.complete)")
    assert pictures.evaluate_all("images => images.map(each => each.naturalWidth)") == [256, 256]
    text = seen.page.inner_text("body")
    assert f"small foreground (2 %), {HOSTILE}, DSC 0." in text
    assert f"A GPU {HOSTILE}" in text
    seen.assert_quiet(dashboard)


def test_pages_from_elsewhere_are_kept_away(dashboard: str) -> None:
    """A foreign name that points to the loopback address is refused, and no other page may read an overlay."""
    assert fetch(dashboard, "/").getheader("Location") == "/dashboard/studies/1"
    for path in ("/", "/api/studies", "/api/studies/1?after=0"):
        assert fetch(dashboard, path, host="evil.example:80").status == 403
    assert fetch(dashboard, "/api/studies", host="localhost:1").status == 200
    trial = ask(dashboard, "studies/1?after=0")["trials"][0]
    picture = fetch(dashboard, f"/artifacts/1/{trial['trial_id']}/{trial['artifacts'][0]['artifact_id']}")
    assert (picture.status, picture.getheader("Content-Type")) == (200, "image/png")
    assert picture.getheader("Access-Control-Allow-Origin") is None
    assert picture.getheader("X-Content-Type-Options") == "nosniff"
    assert fetch(dashboard, f"/artifacts/1/{trial['trial_id']}/00-00").status == 404


@pytest.mark.parametrize(
    ("host", "warned"),
    [("127.0.0.1", False), ("127.5.0.1", False), ("localhost", False), ("::1", False), ("0.0.0.0", True), ("me", True)],  # noqa: S104 - to be warned of
)
def test_another_host_is_warned_of(host: str, warned: bool) -> None:  # noqa: FBT001 - a table
    """The dashboard has no login, so that an address which others reach is told of."""
    warning = warning_of(host)
    assert (warning is not None) == warned
    assert not warned or f"whoever reaches {host} can read, change and delete" in str(warning)


def test_what_cannot_be_opened_is_one_clear_error(study_url: str) -> None:
    """A study that is not there, and an address that is taken or not ours."""
    with pytest.raises(StorageError, match="no study 'other' in this storage; there are: shown"):
        open_dashboard(study_url, "other", "127.0.0.1", 0)
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        with pytest.raises(InputError, match=r"cannot listen on 127\.0\.0\.1, port \d+: .*--port"):
            open_dashboard(study_url, None, "127.0.0.1", taken.getsockname()[1])
    with pytest.raises(InputError, match="port 99999"):
        open_dashboard(study_url, None, "127.0.0.1", 99_999)
