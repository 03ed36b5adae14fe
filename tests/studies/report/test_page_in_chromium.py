"""The report as a person sees it: opened from a file in a real Chromium."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from tests.helpers.reported_study import HOSTILE, failed, grid, page_of, render, study_record

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.helpers.browser import Visit

PHONE = {"width": 390, "height": 844}
PRINTED_WIDTH = 680  # CSS pixels of A4 and Letter, within their margins
MOST_PAGES = 40
LIGHTNESS = """
(element, property) => {
  const [red, green, blue] = getComputedStyle(element)[property].match(/[0-9.]+/g).map(Number);
  return (0.299 * red + 0.587 * green + 0.114 * blue) / 255;
}
"""
TEXTS = f"""
[...document.querySelectorAll("svg text")]
  .filter(text => text.textContent.trim())
  .filter(text => text.matches("[class*=tick] text, [class*=title], .legendtext, .annotation-text"))
  .map(text => [text.textContent, ({LIGHTNESS})(text, "fill")])
"""
FIGURES = """
[...document.querySelectorAll("[data-figure]")].map(holder => ({
  name: holder.id,
  width: holder.querySelector(".main-svg")?.getBoundingClientRect().width ?? 0,
  height: holder.querySelector(".main-svg")?.getBoundingClientRect().height ?? 0,
  marks: holder.querySelectorAll(".overplot :is(path, rect, image, text, circle)").length,
}))
"""


@pytest.fixture
def opened(tmp_path: Path, visit: Callable[..., Visit]) -> Callable[..., Visit]:
    """Write a page to a file and open it."""

    def open_file(page: str, **context: Any) -> Visit:
        path = tmp_path / "report.html"
        path.write_text(page, encoding="utf-8")
        seen = visit(path.as_uri(), **context)
        seen.page.evaluate("document.querySelectorAll('details').forEach(fold => { fold.open = true; })")
        seen.page.wait_for_function(
            "[...document.querySelectorAll('[data-figure]')].every(e => e.querySelector('svg'))"
        )
        return seen

    return open_file


def lightness(seen: Visit, selector: str, colour: str) -> float:
    """Of a computed colour, from 0 (black) to 1 (white)."""
    value: float = seen.page.evaluate(f"({LIGHTNESS})(document.querySelector({selector!r}), {colour!r})")
    return value


def test_the_page_opens_from_a_file_and_draws_every_figure(opened: Callable[..., Visit], tmp_path: Path) -> None:
    """It asks for nothing beside itself, reports no error, and each figure has a size and marks in it."""
    seen = opened(page_of("some of each"))
    figures = seen.page.evaluate(FIGURES)
    assert len(figures) >= 4
    assert [figure["name"] for figure in figures if figure["width"] < 300 or figure["height"] < 100] == []
    assert [figure["name"] for figure in figures if not figure["marks"]] == []
    seen.assert_quiet((tmp_path / "report.html").as_uri())
    assert [url for url in seen.requests if url.startswith("file:")] == [(tmp_path / "report.html").as_uri()]


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_both_schemes_hold_on_a_phone(opened: Callable[..., Visit], scheme: str) -> None:
    """Text stands out from its ground, in figures too, and a screen of 390 pixels never scrolls sideways."""
    seen = opened(page_of("all done"), viewport=PHONE, color_scheme=scheme, is_mobile=True, has_touch=True)
    ground = lightness(seen, "body", "backgroundColor")
    assert ground < 0.2 if scheme == "dark" else ground > 0.9
    assert abs(lightness(seen, "body", "color") - ground) > 0.5
    faint = {text: light for text, light in seen.page.evaluate(TEXTS) if abs(light - ground) <= 0.5}
    assert faint == {}
    assert seen.page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]
    too_small = "e => parseFloat(getComputedStyle(e).fontSize) < 12 && e.textContent.trim() !== ''"
    assert not seen.page.evaluate(f"[...document.querySelectorAll('p, td, th, figcaption, dt, dd')].some({too_small})")


def test_the_page_prints(opened: Callable[..., Visit]) -> None:
    """Every figure is drawn anew in the width of the paper, and afterwards in that of the screen."""
    seen = opened(page_of("some of each"))
    before = [figure["width"] for figure in seen.page.evaluate(FIGURES)]
    seen.page.evaluate("window.dispatchEvent(new Event('beforeprint'))")
    assert all(figure["width"] <= PRINTED_WIDTH for figure in seen.page.evaluate(FIGURES))
    seen.page.evaluate("window.dispatchEvent(new Event('afterprint'))")
    seen.page.wait_for_timeout(500)
    assert [figure["width"] for figure in seen.page.evaluate(FIGURES)] == pytest.approx(before, abs=2)
    paper = seen.page.pdf(format="A4")
    assert paper.startswith(b"%PDF")
    assert 1 < paper.count(b"/Type /Page\n") + paper.count(b"/Type /Page ") <= MOST_PAGES


def test_a_hostile_text_is_read_and_not_run(opened: Callable[..., Visit], tmp_path: Path) -> None:
    """A reason of failure that looks like a script shows as it was written, and no dialog opens."""
    seen = opened(render(study_record(), [*grid()[:5], failed(3, 1.0, HOSTILE)]))
    assert seen.page.evaluate("document.body.textContent").count(HOSTILE) >= 1
    seen.assert_quiet((tmp_path / "report.html").as_uri())
