"""The formats that tables and figures are written in, beside the page."""

from __future__ import annotations

from importlib.util import find_spec

from storage.errors import InputError

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
