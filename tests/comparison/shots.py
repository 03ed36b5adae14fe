"""What is asked of a checkout: every shot is some commands in a fresh copy of a frozen study, or in an empty folder."""

from __future__ import annotations

import re
import sqlite3
from contextlib import closing
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from checkout import Checkout

Command = tuple[str, ...]

OF_RUNS = ("phantom", "losses", "forecast", "volumes")
# What the page in Optuna dashboard shows, dropped before a run that has nothing to train, which must write it anew.
FORGET_PAGE = (
    "delete from study_user_attributes",
    "delete from study_system_attributes where key like 'dashboard:%'",
)
QUESTIONS: tuple[Command, ...] = (
    ("--target-dsc", "0.8"),
    ("--target-dsc", "0.99"),
    ("--worth", "200"),
    ("--set", "tolerance=0.05"),
    ("--set", "prices.case=12", "--set", "prices.owned_cases=40", "--set", "prices.currency=EUR"),
    ("--set", "prices.case=0", "--set", "prices.cpu_hour=50", "--set", "prices.gpu_hour=80", "--worth", "1"),
    ("--target-dsc", "0.7", "--set", "tolerance=0.005", "--worth", "30", "--set", 'prices.gpu_types={ "86" = 9.0 }'),
)
SMALL = ("--set", "grid.depth=[2]")
DATA: dict[str, Command] = {
    "folder": ("folder", "--data", "../data/folder", "--set", "training.size=16", *SMALL),
    "folder_groups": ("--data", "../data/folder", "--set", "data.groups=groups.csv", "--set", "grid.ratio=[1.0]"),
    "folder_pattern": ("--data", "../data/folder", "--set", "data.group_pattern=^(p[0-9]+)_"),
    "folder_split": ("--data", "../data/folder", "--set", "data.split_seed=1", "--set", "data.split=[0.5,0.2,0.3]"),
    "nnunet_2d": ("--data", "../data/nnunet_2d", "--set", "data.kind=nnunet_2d", "--set", "data.foreground=cup"),
    "volumes": (
        *("--data", "../data/volumes", "--set", "data.kind=volumes", "--set", "training.patch=[16,16,16]"),
        *SMALL,
    ),
    "decathlon": ("decathlon", "--data", "../data/decathlon", "--set", "data.foreground=liver"),
    "decathlon_spacing": (
        *("decathlon", "--data", "../data/decathlon", "--set", "data.spacing=[1,1,2]"),
        *("--set", "data.foreground=[1,2]", "--set", "data.background=[3]"),
    ),
    "brats": ("brats2020", "--data", "../data/brats"),
    "phantom": ("phantom", "--set", "data.phantom_cases=30"),
}
TINY = (
    *("--set", "training.channels=4", "--set", "training.budget=12", "--set", "training.evaluations=3"),
    *("--set", "training.batch=2", "--set", "resources.max_trials=1", "--set", "grid.ratio=[0.5,1.0]"),
    *("--set", "grid.depth=[2]", "--set", "training.record_test_curve=true"),
)
COMPLEXITIES: dict[str, Command] = {
    "pictures": ("phantom", "--set", "training.size=16", "--set", "training.channels=4", "--set", "grid.depth=[2,3]"),
    "volumes": (
        *("folder", "--set", "data.kind=volumes", "--set", "training.patch=[16,16,16]", "--set", "grid.depth=[2]"),
        *("--set", "training.channels=8", "--set", "training.batch=2", "--set", "data.path=../data/volumes"),
        *("--set", 'grid.architecture=["unet","segresnet"]'),
    ),
}
IN_AN_EMPTY_FOLDER: tuple[Command, ...] = (
    (),
    ("walk",),
    ("run", "--dat", "x", "y", "z"),
    ("run", "phantm"),
    ("run", "missing.toml"),
    ("run", "broken.toml"),
    ("run", "wrong.toml"),
    ("run", "misspelt.toml"),
    ("run", "phantom", "--set", "grid.depth=[9]"),
    ("run", "phantom", "--set", "grid.depth=[7]"),
    ("run", "phantom", "--set", "x"),
    ("run", "phantom", "--set", "training.sise=64"),
    ("run", "phantom", "--set", "name.x=1"),
    ("run", "phantom", "--set", "training.channels=3", "--set", 'grid.architecture=["unet","segresnet"]'),
    ("run", "phantom", "--set", 'grid.architecture=["unet","swin_unetr"]', "--set", "training.channels=12"),
    ("run", "phantom", "--set", "training.patch=[16,16,16]"),
    ("run", "phantom", "--set", "data.kind=volumes"),
    ("run", "phantom", "--set", "resources.custom={ gpu = 1.0 }"),
    ("run", "phantom", "--name", "a b"),
    ("run",),
    ("run", "--data", "nowhere"),
    ("run", "phantom", "--storage", "study.db"),
    ("run", "phantom", "--storage", "sqlite:///:memory:"),
    ("run", "phantom", "--storage", "sqlite:///no/folder/study.db"),
    ("run", "phantom", "--storage", "sqlite:///text.db"),
    ("run", "phantom", "--storage", "oracel://host/db"),
    ("run", "phantom", "--set", "grid.ratio=[0.5, 0.501]"),
    ("prepare", "--data", "../data/volumes"),
    ("prepare", "--data", "../data/volumes", "--set", "data.kind=decathlon", "--set", "training.patch=[32,32,32]"),
    ("prepare", "--data", "../data/nnunet_2d"),
    ("prepare", "--data", "../data/nnunet_2d", "--set", "data.kind=nnunet_2d", "--set", "data.foreground=cap"),
    ("prepare", "decathlon", "--data", "../data/decathlon", "--set", "data.foreground=[7]"),
    ("prepare", "--data", "../data/folder", "--set", "data.empty_masks=error"),
    ("prepare", "--data", "../data/folder", "--set", "data.groups=nowhere.csv"),
    ("prepare", "--data", "../data/folder", "--set", "data.group_pattern=x"),
    ("status",),
    ("report", "--json", "--methods"),
    ("complexity", "phantom", "--set", "training.loss=dice"),
    ("calibrate", "phantom", "--set", "training.precision=fp8"),
    ("forecast", "missing.csv", "--column", "dsc", "--at", "1"),
    ("forecast", "../tables/two_variants.csv", "--column", "iou", "--at", "1"),
    ("forecast", "../tables/two_variants.csv", "--column", "dsc", "--at", "-1"),
    ("replay", "missing.csv"),
    ("replay", "../tables/two_variants.csv"),
    ("replay", "../surfaces/kvasir64_4x4.csv", "--seed", "9"),
    ("replay", "../surfaces/kvasir64_4x4.csv", "--gpus", "0"),
    ("replay", "../surfaces/kvasir64_4x4.csv", "--tolerance", "0.7"),
    ("replay", "../surfaces/kvasir64_4x4.csv", "--target-dsc", "85"),
    ("import", "../surfaces/kvasir64_4x4.csv", "--name", "x"),
    ("import", "../tables/kvasir64_4x4.csv"),
    ("import", "../tables/kvasir64_4x4.csv", "--name", "x", "--cases", "7"),
    ("import", "../data", "--name", "x"),
    ("database", "stop", "nowhere"),
)
BESIDE_A_STUDY: tuple[Command, ...] = (
    ("status", "three"),
    ("status", "--why", "ratio9-depth9-seed9"),
    ("report", "-o", "no/folder/report.html"),
    ("report", "-o", "."),
    ("report", "--format", "svg"),
    ("report", "--target-dsc", "85"),
    ("report", "--worth", "-1"),
    ("report", "--set", "grid.depth=[2]"),
    ("report", "--set", "prices.case=-1"),
    ("export", "--all"),
    ("export", "-o", "no/folder/surface.csv"),
    ("export-model", "ratio9-depth9-seed9"),
    ("retry", "--cell", "ratio0.5-depth2-seed0"),
    ("import", "../tables/kvasir64_4x4.csv", "--name", "losses"),
    ("run", "phantom", "--name", "losses", "--set", "training.size=16"),
    ("dashboard", "--name", "three"),
)


@dataclass(frozen=True)
class Shot:
    """Some commands in one folder, in this order.

    Attributes:
        name: Of the folder that what comes out is written into.
        commands: Arguments of each.
        study: Frozen study that the folder begins as a copy of; None: it begins with a few files to stumble over.
        still: Whether clocks stand still.
        before: SQL that is run on the copied database first.
        with_database: Whether all rows of the database are kept at the end.
        alone: How many of the first commands train, or measure.
        pages: Fetched at the end from the dashboard, by their paths.
        unheard: How many of the first commands are only kept with their exit codes, for they tell what they measured.
    """

    name: str
    commands: tuple[Command, ...]
    study: str | None = None
    still: bool = False
    before: tuple[str, ...] = ()
    with_database: bool = False
    alone: int = 0
    pages: tuple[str, ...] = ()
    unheard: int = 0


def all_shots(checkout: Checkout, frozen: Path) -> Iterator[Shot]:
    """Every shot, the cheap first."""
    yield from _help(checkout, frozen)
    yield Shot("bad_input", IN_AN_EMPTY_FOLDER)
    yield Shot("bad_input_beside_a_study", BESIDE_A_STUDY, "losses")
    studies = sorted(path.name for path in (frozen / "studies").iterdir())
    for study in studies:
        yield from _of_study(study, frozen)
    yield from _of_tables(sorted(path.name for path in (frozen / "tables").glob("*.csv")))
    yield from _of_surfaces(sorted(path.name for path in (frozen / "surfaces").glob("*.csv")))
    for name, arguments in DATA.items():
        yield Shot(f"prepare_{name}", (("prepare", *arguments, "--json"), ("prepare", *arguments)))
    for name, arguments in COMPLEXITIES.items():
        yield Shot(f"complexity_{name}", (("complexity", *arguments, "--json"), ("complexity", *arguments)))
    yield from _trained()


def _help(checkout: Checkout, frozen: Path) -> Iterator[Shot]:
    """The help of every command that the help names."""
    said = checkout.run(["--help"], frozen)
    names = re.findall(r"^    ([a-z][a-z-]*)(?:  |$)", said.out, re.MULTILINE)
    yield Shot("help", (("--help",), *((name, "--help") for name in names)))


def _of_study(study: str, frozen: Path) -> Iterator[Shot]:
    """Everything that is read from one study."""
    whys = tuple(("status", "--why", key) for key in telling_cells(frozen / "studies" / study / "dicecurve.db"))
    yield Shot(f"{study}_status", (("status",), ("status", "--json"), *whys, ("doctor",)), study)
    page = ("report", "--format", "csv,json")
    yield Shot(f"{study}_report", (page, ("report", "--json"), ("report", "--methods")), study)
    exports = (("export", "--all", "--format", "csv", "-o", "csv"), ("export", "--all", "-o", "parquet"))
    yield Shot(f"{study}_export", (("export",), ("export", "--cases"), *exports), study)
    if study in {"phantom", "imported_two_variants"}:
        asked = tuple(("report", *question, "-o", f"{i}.html") for i, question in enumerate(QUESTIONS))
        answered = tuple(("report", *question, "--json") for question in QUESTIONS)
        paragraphs = tuple(("report", *question, "--methods") for question in QUESTIONS[:1])
        yield Shot(f"{study}_questions", asked + answered + paragraphs, study)
    if study.startswith("frozen_"):
        yield Shot(f"{study}_mended", (("doctor", "--fix"), ("retry",), ("status",)), study, with_database=True)
    if study in OF_RUNS:
        back = ("import", "whole", "--name", "back"), ("export", "back", "--all", "--format", "csv", "-o", "again")
        yield Shot(f"{study}_back", (("export", "--all", "-o", "whole"), *back, ("report", "back")), study)
        best = telling_cells(frozen / "studies" / study / "dicecurve.db")[0]
        yield Shot(f"{study}_model", (("export-model", best, "-o", "model"),), study)
    if study == "phantom":
        again = (("run", "phantom"), ("status",))
        yield Shot("phantom_rerun", again, study, before=FORGET_PAGE, with_database=True, alone=1)
        yield Shot("phantom_watch", (("status", "--watch"),), study)
        yield Shot("phantom_forecast_table", (("forecast-table",),), study)
        yield Shot("phantom_dashboard", (), study, pages=("api/studies", "api/studies/1", "api/meta"))
    if study == "losses":
        yield Shot("losses_paper_tables", (("report", "--paper-tables", "--format", "csv,json"),), study)
        yield Shot("losses_forecast_table", (("forecast-table", "--json"),), study)


def telling_cells(database: Path) -> list[str]:
    """Names of cells, one of each state, and some of those that were stopped or skipped."""
    query = """select c.key, c.state, c.skip is not null, a.stop_reason is not null from dicecurve_cells c
               join dicecurve_attempts a on a.cell_id = c.id and a.number = c.attempt order by c.id"""
    with closing(sqlite3.connect(f"file:{database}?immutable=1", uri=True)) as connection:
        rows = connection.execute(query).fetchall()
    first: dict[Sequence[object], str] = {}
    for key, *kind in rows:
        first.setdefault(tuple(kind), key)
    return list(first.values())


def _of_tables(names: Sequence[str]) -> Iterator[Shot]:
    for name in names:
        x = () if name == "two_variants.csv" else ("--x", "epoch")
        asked = ("forecast", f"../tables/{name}", "--column", "dsc", *x, "--at", "400")
        yield Shot(f"forecast_{name.removesuffix('.csv')}", ((*asked, "--at", "900", "--json"), asked))
    table = "../tables/two_variants.csv"
    imported = (("import", table, "--name", "x", "--cases", "400"), ("status", "--json"))
    yield Shot("import_table", imported, with_database=True)


def _of_surfaces(names: Sequence[str]) -> Iterator[Shot]:
    for name in names:
        surface, stem = f"../surfaces/{name}", name.removesuffix(".csv")
        for policy in ("grid", "forecast"):
            asked = ("replay", surface, "--policy", policy)
            yield Shot(f"replay_{stem}_{policy}", ((*asked, "--json"), asked), still=True)
    surface = f"../surfaces/{names[-1]}"
    others = ("--gpus", "3", "--target-dsc", "0.6", "--tolerance", "0.03", "--d0", "0.1", "--held-out", "50")
    yield Shot("replay_other_options", (("replay", surface, *others, "--json"),), still=True)


def _trained() -> Iterator[Shot]:
    """Trainings with Ray: scores are the same each time, seconds are not."""
    rest = (("export",), ("export", "--cases"))
    pictures = ("run", "phantom", *TINY, "--set", "training.size=16", "--set", "data.phantom_cases=30")
    pictures = (*pictures, "--set", 'grid.loss=["bce","dice_ce"]', "--set", "training.augmentation=flips")
    yield Shot("trained_pictures", (pictures, *rest), with_database=True, alone=1, unheard=1)
    volumes = ("run", *DATA["volumes"], "--name", "volumes", *TINY)
    yield Shot("trained_volumes", (volumes, *rest), with_database=True, alone=1, unheard=1)
    small = ("--set", "training.size=16", "--set", "training.channels=4")
    yield Shot("calibrated", (("calibrate", "phantom", *small, *SMALL, "--seconds", "0.05", "--json"),), alone=1)
