"""Writes all that a user can get out of dicecurve's command line, from frozen inputs and with the code of one checkout.

`python tests/comparison/render.py CHECKOUT FROZEN OUT [--only REGEX] [--skip REGEX]`, with a Python that has the
dependencies, such as CHECKOUT/.venv/bin/python. FROZEN is what `freeze.py` made; it is copied, and never written to.
OUT gets a folder a shot (see shots.py): those whose names `--only` finds, without those that `--skip` finds. In it are

NN.txt         exit code, stdout and stderr of the shot's command NN, in the order of shots.py
NN.json/.csv   its stdout instead, where that is such a thing
files/         what it wrote: a page without plotly.js, its figures beside it as JSON; Parquet as CSV; of other binary
               files the hash, in files.txt
database.json  every row of the database at the end, where a shot changes it
"""

from __future__ import annotations

import argparse
import json
import re
import shutil
import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING

from checkout import Checkout
from kept_database import database_rows
from kept_files import keep_files, states_of
from shots import all_shots

if TYPE_CHECKING:
    from checkout import Said
    from shots import Command, Shot

SCRATCH = "dicecurve-compare-"
STUMBLES = {
    "text.db": "this is no database\n" * 100,
    "broken.toml": "name = \n",
    "wrong.toml": 'name = "x"\n[grid]\nratio = [2.0]\ndepth = [3]\n',
    "misspelt.toml": 'name = "x"\n[grid]\nratio = [0.5]\ndeepth = [3]\n',
}


def render(checkout: Checkout, frozen: Path, out: Path, only: str, skip: str | None) -> None:
    """Take every shot that is asked for, each in a folder of its own name."""
    with tempfile.TemporaryDirectory(prefix=SCRATCH) as scratch:
        root = Path(scratch)
        for shared in ("data", "surfaces", "tables"):
            shutil.copytree(frozen / shared, root / shared)
        for shot in all_shots(checkout, frozen):
            if not re.search(only, shot.name) or (skip and re.search(skip, shot.name)):
                continue
            started = time.monotonic()
            take(checkout, shot, frozen, root, fresh(out / shot.name))
            shutil.rmtree(root / shot.name)
            print(f"{time.monotonic() - started:6.1f} s  {shot.name}", flush=True)


def fresh(folder: Path) -> Path:
    """The folder, empty."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    return folder


def take(checkout: Checkout, shot: Shot, frozen: Path, root: Path, out: Path) -> None:
    """Run the commands of a shot, and keep what they say and write."""
    place = root / shot.name
    if shot.study is None:
        place.mkdir()
        for name, text in STUMBLES.items():
            (place / name).write_text(text)
    else:
        shutil.copytree(frozen / "studies" / shot.study, place)
    if shot.before:
        database_rows(place / "dicecurve.db", shot.before)
    before = states_of(place)
    for number, command in enumerate(shot.commands):
        if number < shot.alone:
            said = checkout.run_alone(command, place)
        else:
            said = checkout.run(command, place, still=shot.still)
        if number < shot.unheard:
            said = type(said)(said.code, "", "" if said.code == 0 else said.err)
        keep_said(out / f"{number:02d}.txt", command, said)
    fetched = checkout.fetch(("dashboard", "--port", "0"), place, shot.pages) if shot.pages else []
    for number, text in enumerate(fetched):
        (out / f"page{number}.json").write_text(text)
    keep_files(place, before, out)
    if shot.with_database:
        rows = database_rows(place / "dicecurve.db")
        (out / "database.json").write_text(json.dumps(rows, indent=1, ensure_ascii=False))


def keep_said(path: Path, command: Command, said: Said) -> None:
    """Write what a command said; numbers into a file of their own, to be compared as such."""
    suffix = suffix_of(command, said)
    if suffix:
        path.with_suffix(suffix).write_text(said.out)
        said = type(said)(said.code, f"see {path.with_suffix(suffix).name}", said.err)
    path.write_text(f"dicecurve {' '.join(command)}\n{said.as_text()}")


def suffix_of(command: Command, said: Said) -> str | None:
    """Of a file for the command's stdout, if that is JSON or CSV."""
    if said.code == 0 and command[:1] == ("export",) and "--all" not in command:
        return ".csv"
    if "--json" not in command:
        return None
    try:
        json.loads(said.out)
    except ValueError:
        return None
    return ".json"


def main() -> None:
    """Read the command line."""
    parser = argparse.ArgumentParser(description="All that a checkout says and writes from frozen inputs.")
    parser.add_argument("checkout", type=Path)
    parser.add_argument("frozen", type=Path)
    parser.add_argument("out", type=Path)
    parser.add_argument("--only", default="", metavar="REGEX", help="shots whose names it finds (default: all)")
    parser.add_argument("--skip", metavar="REGEX", help="shots to leave out (default: none)")
    options = parser.parse_args()
    options.out.mkdir(parents=True, exist_ok=True)
    about = {"checkout": str(options.checkout.absolute()), "python": sys.version.split()[0]}
    (options.out / "about.json").write_text(json.dumps(about, indent=1))
    with Checkout(options.checkout.absolute()) as checkout:
        render(checkout, options.frozen.absolute(), options.out.absolute(), options.only, options.skip)


if __name__ == "__main__":
    main()
