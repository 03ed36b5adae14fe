"""Tables and figures of a report as files, beside the page, and the formats they are written in."""

from __future__ import annotations

import json
import os
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

from storage.errors import InputError
from studies.report.frames import frames_of
from studies.report.sections import figures_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from pathlib import Path

    from studies.report.components import Figure
    from studies.report.report_data import ReportData

OF_TABLES, OF_FIGURES = ("csv", "json"), ("png", "pdf")


def formats_of(given: str) -> tuple[str, ...]:
    """The formats of a list such as "csv,png".

    Raises:
        InputError: There is no such format, or it needs what is not installed.
    """
    formats = tuple(dict.fromkeys(part.strip().lower() for part in given.split(",") if part.strip()))
    unknown = next((each for each in formats if each not in OF_TABLES + OF_FIGURES), None)
    if unknown is not None:
        raise InputError(f"a format is one of {', '.join(OF_TABLES + OF_FIGURES)}, got {unknown!r} (--format)")
    drawn = next((each for each in formats if each in OF_FIGURES), None)
    if drawn is not None and find_spec("kaleido") is None:
        raise InputError(f"--format {drawn} needs kaleido: pip install '.[figures]'; csv and json need nothing")
    return formats


WIDTH, SCALE = 900, 2  # of a figure in pixels, and how many dots each has in PNG
CHROMIUM = ("/usr/bin/chromium", "/usr/bin/chromium-browser")


def write_files(material: ReportData, folder: Path, formats: Sequence[str]) -> Path:
    """Write what the formats ask for into the folder, and return it.

    Raises:
        InputError: A file cannot be written, or no browser can be found to draw with.
    """
    figures = list(figures_of(material))
    try:
        folder.mkdir(exist_ok=True)
        tables = {name: frame for name, frame in frames_of(material).items() if len(frame)}
        for name, frame in tables.items():
            if "csv" in formats:
                frame.to_csv(folder / f"{name}.csv", index=False, float_format="%.6g", lineterminator="\n")
            if "json" in formats:
                rows = json.loads(frame.to_json(orient="records"))
                (folder / f"{name}.json").write_text(json.dumps(rows, indent=1), encoding="utf-8")
        if "json" in formats:
            _write_json(material, folder, figures)
        if drawn := [each for each in formats if each in OF_FIGURES]:
            draw(figures, folder, drawn)
    except OSError as error:
        raise InputError(f"cannot write to {folder}: {error.strerror or error}; choose another place (-o)") from None
    assert set(formats) <= {*OF_TABLES, *OF_FIGURES}
    return folder


def _write_json(material: ReportData, folder: Path, figures: Iterable[Figure]) -> None:
    answer = json.dumps(material.findings.answer.to_dict(), indent=1, allow_nan=False)
    (folder / "answer.json").write_text(answer, encoding="utf-8")
    for each in figures:
        (folder / f"figure-{each.name}.json").write_text(each.figure.to_json(), encoding="utf-8")


def draw(figures: Sequence[Figure], folder: Path, formats: Sequence[str]) -> None:
    """PNG and PDF through kaleido, which starts one browser for all of them.

    Raises:
        InputError: There is no browser.
    """
    import kaleido
    from choreographer.errors import BrowserFailedError, ChromeNotFoundError

    pictures: list[dict[str, Any]] = [
        {
            "fig": _on_white(each),
            "path": folder / f"figure-{each.name}.{kind}",
            "opts": {"format": kind, "width": max(WIDTH, each.min_width), "height": each.height, "scale": SCALE},
        }
        for each in figures
        for kind in formats
    ]
    try:
        kaleido.write_fig_from_object_sync(pictures, kopts=_browser())
    except (ChromeNotFoundError, BrowserFailedError) as error:
        raise InputError(
            f"--format {formats[0]} needs a browser: install Chromium or Chrome, or set BROWSER_PATH to one ({error})"
        ) from None


def _browser() -> dict[str, Any]:
    """Without fonts of formulas from a network; where Debian has Chromium, which kaleido does not find by itself."""
    found = next((path for path in CHROMIUM if os.access(path, os.X_OK)), None)
    place = {"path": found} if found and "BROWSER_PATH" not in os.environ else {}
    return {"mathjax": False, **place}


def _on_white(each: Figure) -> Any:
    figure = type(each.figure)(each.figure)
    figure.update_layout(paper_bgcolor="#fff", plot_bgcolor="#fff")
    return figure


def writable(path: Path) -> Path:
    """The path, if a file can be written there.

    Raises:
        InputError: It cannot.
    """
    if path.is_dir() or not os.access(path if path.exists() else path.parent, os.W_OK):
        raise InputError(f"cannot write to {path}; choose a file in a folder that exists (-o)")
    return path
