"""The files that commands wrote, in a form that can be compared."""

from __future__ import annotations

import hashlib
import json
import re
import shutil
from typing import TYPE_CHECKING

import pandas as pd

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

READABLE = (".csv", ".json", ".md", ".txt", ".toml", ".py", "")
NEVER = (".db", ".db-wal", ".db-shm")
NAMED_ONLY = "dicecurve-files"  # checkpoints and prepared data: only which files there are
FIGURE = re.compile(r'<script type="application/json" id="([^"]+)-data">(.*?)</script>', re.DOTALL)
PLOTLY = re.compile(r'<script id="plotly">.*?</script>', re.DOTALL)
PICTURE = re.compile(r"data:image/png;base64,[A-Za-z0-9+/=]+")

States = dict[str, tuple[int, int]]


def states_of(folder: Path) -> States:
    """Time and size of every file, by its path."""
    files = (path for path in folder.rglob("*") if path.is_file())
    return {str(path.relative_to(folder)): (path.stat().st_mtime_ns, path.stat().st_size) for path in files}


def keep_files(folder: Path, before: Mapping[str, tuple[int, int]], out: Path) -> None:
    """Keep what is new or changed, and name it all in files.txt, with what is gone."""
    now = states_of(folder)
    lines = [f"gone     {name}" for name in before.keys() - now.keys() if not name.endswith(NEVER)]
    changed = (name for name, state in now.items() if before.get(name) != state)
    lines += [_keep(folder, name, out / "files") for name in changed if not name.endswith(NEVER)]
    (out / "files.txt").write_text("".join(f"{line}\n" for line in sorted(lines)))


def _keep(folder: Path, name: str, out: Path) -> str:
    """Write one file in a readable form; returns its line of files.txt."""
    path, kept = folder / name, out / name
    if name.startswith(NAMED_ONLY):
        return f"named    {name}"
    if path.suffix not in {*READABLE, ".html", ".parquet"}:
        return f"binary   {name} {hashlib.sha256(path.read_bytes()).hexdigest()}"
    kept.parent.mkdir(parents=True, exist_ok=True)
    if path.suffix == ".html":
        _keep_page(path.read_text(encoding="utf-8"), kept)
    elif path.suffix == ".parquet":
        frame = pd.read_parquet(path)
        frame.to_csv(kept.with_suffix(".parquet.csv"), index=False, lineterminator="\n")
        types = "".join(f"{column} {kind}\n" for column, kind in frame.dtypes.items())
        kept.with_suffix(".parquet.types.txt").write_text(types)
    else:
        shutil.copyfile(path, kept)
    return f"readable {name}"


def _keep_page(page: str, kept: Path) -> None:
    """The page without plotly.js, figures in files of their own, and hashes in the place of pictures."""
    figures = kept.with_suffix(".figures")
    figures.mkdir(parents=True, exist_ok=True)
    for name, text in FIGURE.findall(page):
        (figures / f"{name}.json").write_text(json.dumps(json.loads(text), indent=1))
    page = FIGURE.sub(lambda found: f"[figure {found[1]}]", page)
    page = PLOTLY.sub("[plotly.js]", page)
    page = PICTURE.sub(lambda found: f"[png {hashlib.sha256(found[0].encode()).hexdigest()[:16]}]", page)
    kept.write_text(page, encoding="utf-8")
