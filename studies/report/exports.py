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
    from collections.abc import Iterable, Iterator, Mapping, Sequence
    from pathlib import Path

    import pandas as pd

    from studies.report.components import Figure
    from studies.report.report_data import ReportData

OF_TABLES, OF_FIGURES = ("csv", "json"), ("png", "pdf")
WIDTH, SCALE = 900, 2  # of a figure in pixels, and how many dots each has in PNG
CHROMIUM = ("/usr/bin/chromium", "/usr/bin/chromium-browser")


def formats_of(given: str) -> tuple[str, ...]:
    """The formats of a list such as "csv,png".

    Raises:
        InputError: There is no such format, or it needs what is not installed.
    """
    formats = tuple(dict.fromkeys(name.strip().lower() for name in given.split(",") if name.strip()))
    unknown = next((name for name in formats if name not in OF_TABLES + OF_FIGURES), None)
    if unknown is not None:
        raise InputError(f"a format is one of {', '.join(OF_TABLES + OF_FIGURES)}, got {unknown!r} (--format)")
    drawn = next((name for name in formats if name in OF_FIGURES), None)
    if drawn is not None and find_spec("kaleido") is None:
        raise InputError(f"--format {drawn} needs kaleido: pip install '.[figures]'; csv and json need nothing")
    return formats


def write_files(data: ReportData, folder: Path, formats: Sequence[str]) -> Path:
    """Write what the formats ask for into the folder, and return it.

    Raises:
        InputError: A file cannot be written, or no browser can be found to draw with.
    """
    assert set(formats) <= {*OF_TABLES, *OF_FIGURES}
    figures = list(figures_of(data))
    frames = {name: frame for name, frame in frames_of(data).items() if len(frame)}
    try:
        folder.mkdir(exist_ok=True)
        if "csv" in formats:
            for name, frame in frames.items():
                frame.to_csv(folder / f"{name}.csv", index=False, float_format="%.6g", lineterminator="\n")
        if "json" in formats:
            for name, text in _json_files(data, frames, figures):
                (folder / f"{name}.json").write_text(text, encoding="utf-8")
        if drawn := [name for name in formats if name in OF_FIGURES]:
            draw(figures, folder, drawn)
    except OSError as error:
        raise InputError(f"cannot write to {folder}: {error.strerror or error}; choose another place (-o)") from None
    return folder


def _json_files(
    data: ReportData, frames: Mapping[str, pd.DataFrame], figures: Iterable[Figure]
) -> Iterator[tuple[str, str]]:
    """Name and text of each file."""
    for name, frame in frames.items():
        yield name, json.dumps(json.loads(frame.to_json(orient="records")), indent=1)
    yield "answer", json.dumps(data.findings.answer.to_dict(), indent=1, allow_nan=False)
    for figure in figures:
        yield f"figure-{figure.name}", figure.figure.to_json()


def draw(figures: Sequence[Figure], folder: Path, formats: Sequence[str]) -> None:
    """PNG and PDF through kaleido, which starts one browser for all of them.

    Raises:
        InputError: There is no browser.
    """
    import kaleido
    from choreographer.errors import BrowserFailedError, ChromeNotFoundError

    pictures: list[dict[str, Any]] = [
        {
            "fig": _on_white(figure),
            "path": folder / f"figure-{figure.name}.{kind}",
            "opts": {"format": kind, "width": max(WIDTH, figure.min_width), "height": figure.height, "scale": SCALE},
        }
        for figure in figures
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
    browser = next((path for path in CHROMIUM if os.access(path, os.X_OK)), None)
    place = {"path": browser} if browser and "BROWSER_PATH" not in os.environ else {}
    return {"mathjax": False, **place}


def _on_white(figure: Figure) -> Any:
    copy = type(figure.figure)(figure.figure)
    copy.update_layout(paper_bgcolor="#fff", plot_bgcolor="#fff")
    return copy


def writable(path: Path) -> Path:
    """The path, if a file can be written there.

    Raises:
        InputError: It cannot.
    """
    if path.is_dir() or not os.access(path if path.exists() else path.parent, os.W_OK):
        raise InputError(f"cannot write to {path}; choose a file in a folder that exists (-o)")
    return path
