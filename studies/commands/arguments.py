"""Arguments that several commands take."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import argparse
    from collections.abc import Callable, Mapping, Sequence

    from studies.spec import StudySpec

OK, BAD_INPUT, SOME_FAILED, INTERRUPTED = 0, 2, 3, 130


def plain_command(commands: Any, name: str, function: Callable[..., int], text: str) -> argparse.ArgumentParser:
    """Add a command that needs no database."""
    command: argparse.ArgumentParser = commands.add_parser(name, help=text, description=text[0].upper() + text[1:])
    command.set_defaults(command=function)
    return command


def storage_command(commands: Any, name: str, function: Callable[..., int], text: str) -> argparse.ArgumentParser:
    """Add a command on a database, with --storage and --name."""
    command = plain_command(commands, name, function, text)
    command.add_argument(
        "--storage",
        metavar="URL",
        help="database (default: DICECURVE_STORAGE, else the URL in the file DICECURVE_STORAGE_FILE, else "
        "sqlite:///dicecurve.db)",
    )
    command.add_argument("--name", metavar="STUDY", help="name of the study")
    return command


def study_command(commands: Any, name: str, function: Callable[..., int], text: str) -> argparse.ArgumentParser:
    """Add a command on one recorded study, which may be named without --name."""
    command = storage_command(commands, name, function, text)
    command.add_argument("study", nargs="?", help="name of the study (default: the only one)")
    return command


def take_spec(command: argparse.ArgumentParser) -> None:
    """Add the spec and --set."""
    command.add_argument("spec", nargs="?", default="folder", help="preset or TOML file (default: %(default)s)")
    command.add_argument(
        "--set", metavar="KEY=VALUE", action="append", default=[], dest="overrides", help="change a value"
    )


def take_data(command: argparse.ArgumentParser) -> None:
    """Add --data."""
    command.add_argument("--data", metavar="DIR", help="folder of the dataset")


def take_json(command: argparse.ArgumentParser) -> None:
    """Add --json."""
    command.add_argument("--json", action="store_true", help="print JSON")


def spec_of(options: argparse.Namespace) -> StudySpec:
    """The checked spec that the options name."""
    from studies.spec import Option, load_spec

    given = {}
    if getattr(options, "name", None):
        given["name"] = Option("--name", options.name)
    if getattr(options, "data", None):
        given["data.path"] = Option("--data", str(Path(options.data).expanduser().absolute()))
    return load_spec(options.spec, options.overrides, given)


def show(options: argparse.Namespace, values: Mapping[str, Any] | Sequence[Any], text: Callable[[], str]) -> None:
    """Print the values as JSON where --json is given, else the text, which ends its own lines."""
    if options.json:
        print(json.dumps(values, indent=2))
    else:
        print(text(), end="")
