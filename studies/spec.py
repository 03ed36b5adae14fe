"""The spec of a study: composed of what each room owns, read from TOML, checked before anything happens."""

from __future__ import annotations

import difflib
import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

from pydantic import BaseModel, Field, ValidationError, model_validator

from models.protocol import TrainingSpec, fits, smallest_side
from search.grid import GridSpec
from search.policy.decision_spec import PolicyName
from search.policy.stop_rule import StopSpec
from search.prices import PriceSpec
from search.resources import ResourceSpec
from storage.data.spec import DataSpec
from storage.errors import InputError
from storage.files.locations import FilesSpec
from storage.variants import axis_values

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from storage.records import StudyRecord

PRESETS = Path(__file__).parent / "presets"
IDENTITY = ("data", "grid", "training")


Tolerance = Annotated[float, Field(gt=0, lt=0.5)]
TargetDsc = Annotated[float, Field(gt=0, lt=1)]
Assurance = Annotated[float, Field(ge=0.5, lt=1)]


class SpecError(InputError):
    """A spec that cannot be used as it stands."""


class StudySpec(BaseModel, frozen=True, extra="forbid", allow_inf_nan=False):
    """One study: a dataset, a grid, a training protocol (its identity), and how it is run.

    Attributes:
        name: Name of the study in the database.
        policy: `grid` trains every cell to its full budget; `forecast` trains what the recommendation needs, stops what
            has reached its plateau or cannot matter, and confirms with a fresh seed.
        tolerance: The difference in DSC that does not matter.
        target_dsc: The DSC that is needed, or None: as good as the best within the tolerance.
        assurance: Probability of good enough from which on a configuration may be recommended, or None: 0.9 for a
            target, else 0.5.
        gpu_hours: The most that the study may spend in device hours (GPU hours; CPU hours where there is no GPU).
    """

    name: Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,99}$")]
    policy: PolicyName = "grid"
    tolerance: Tolerance = 0.01
    target_dsc: TargetDsc | None = None
    assurance: Assurance | None = None
    gpu_hours: Annotated[float, Field(gt=0)] | None = None
    data: DataSpec = DataSpec()
    grid: GridSpec
    training: TrainingSpec = TrainingSpec()
    stop: StopSpec = StopSpec()
    resources: ResourceSpec = ResourceSpec()
    prices: PriceSpec = PriceSpec()
    files: FilesSpec = FilesSpec()

    @model_validator(mode="after")
    def _depths_fit_the_architecture(self) -> StudySpec:
        for variant in self.variants:
            protocol = self.protocol(variant)
            only = protocol.only_depth
            wrong = next((depth for depth in self.grid.depth if only not in (None, depth)), None)
            if wrong is not None:
                raise ValueError(
                    f"{protocol.architecture!r} has depth {only} alone, got grid.depth = {wrong}; drop it"
                    f"{', or the architecture from grid.architecture' if self.grid.architecture else ''}"
                )
        return self

    @model_validator(mode="after")
    def _depths_fit_the_images(self) -> StudySpec:
        for depth in self.grid.depth:
            if fits(depth, self.training.sides):
                continue
            halved, smallest = 2 ** (depth - 1), smallest_side(depth)
            if self.training.patch is None:
                raise ValueError(
                    f"depth {depth} needs an image size of at least {smallest} that {halved} divides, got "
                    f"training.size = {self.training.size}; drop the depth or change the size"
                )
            raise ValueError(
                f"depth {depth} needs a patch whose sides {halved} divides, one of them at least {smallest}, got "
                f"training.patch = {list(self.training.patch)}; drop the depth or change the patch"
            )
        return self

    @model_validator(mode="after")
    def _patches_are_of_volumes(self) -> StudySpec:
        if self.data.dimensions != self.training.dimensions:
            kind = f"data of kind {self.data.kind!r}"
            if self.training.patch is None:
                raise ValueError(f"{kind} are volumes, which need training.patch, such as [64, 64, 64]; set it")
            raise ValueError(f"{kind} are pictures, which have no training.patch; drop it, or change data.kind")
        return self

    @property
    def variants(self) -> list[str]:
        """Of the protocol, the protocol's own first."""
        return self.grid.variants(self.training)

    def protocol(self, variant: str) -> TrainingSpec:
        """What a variant is trained by.

        Raises:
            ValueError: The rule that it breaks.
        """
        try:
            return self.training.varied(axis_values(variant))
        except ValueError as error:
            raise ValueError(f"{error} (for {variant} of the grid)") from None

    def identity(self) -> dict[str, Any]:
        """What results depend on, as JSON; the data path is not part of it, nor is an axis that is not used."""
        parts = self.model_dump(mode="json", include=set(IDENTITY))
        del parts["data"]["path"]
        parts["grid"] = {axis: values for axis, values in parts["grid"].items() if values}
        return parts

    def running(self) -> dict[str, Any]:
        """What may change at any start, as JSON."""
        parts = self.model_dump(mode="json", exclude={*IDENTITY, "name"})
        return parts | {"data_path": self.data.path}


@dataclass(frozen=True)
class RecordedSpec:
    """The spec of a study as its database holds it; each value is checked when it is asked for.

    What an earlier version did not record has its default; a study that was imported from a table has no training.

    Attributes:
        identity: As `StudySpec.identity` wrote it.
        running: As `StudySpec.running` wrote it.
    """

    identity: Mapping[str, Any]
    running: Mapping[str, Any]

    @property
    def training(self) -> TrainingSpec | None:
        """The protocol, None where nothing was trained."""
        return TrainingSpec.model_validate(self.identity["training"]) if "training" in self.identity else None

    @property
    def data(self) -> DataSpec:
        """The dataset of a study that was run."""
        return DataSpec.model_validate(self.identity["data"])

    @property
    def data_kind(self) -> str | None:
        """What the dataset is, or that the study was imported; None where neither was recorded."""
        kind: str | None = self.identity.get("data", {}).get("kind")
        return kind

    @property
    def files(self) -> FilesSpec:
        """Where its files lie."""
        return FilesSpec.model_validate(self.running.get("files", {}))

    @property
    def policy(self) -> str | None:
        """How cells were chosen, None where it was not recorded."""
        return self.running.get("policy")

    @property
    def prices(self) -> PriceSpec:
        """Of hours and cases."""
        return PriceSpec.model_validate(self.running["prices"])

    @property
    def tolerance(self) -> float:
        """The difference in DSC that does not matter."""
        return float(self.running["tolerance"])

    @property
    def target_dsc(self) -> float | None:
        """The DSC that is needed, None where none was set."""
        target: float | None = self.running["target_dsc"]
        return target

    @property
    def assurance(self) -> float | None:
        """Probability of good enough that was asked for, None where none was."""
        assurance: float | None = self.running.get("assurance")
        return assurance


def recorded_spec(study: StudyRecord) -> RecordedSpec:
    """The spec of a recorded study."""
    return RecordedSpec(study.identity, study.running)


SECTIONS = tuple(
    name
    for name, field in StudySpec.model_fields.items()
    if isinstance(field.annotation, type) and issubclass(field.annotation, BaseModel)
)
KEY_LENGTH = 2  # section and name


@dataclass(frozen=True)
class Option:
    """A value that an option of the command line sets."""

    name: str
    value: Any


def preset_names() -> list[str]:
    """Names of the built-in specs."""
    return sorted(path.stem for path in PRESETS.glob("*.toml"))


def load_spec(source: str, overrides: Sequence[str] = (), options: Mapping[str, Option] | None = None) -> StudySpec:
    """Read a preset or a TOML file, apply overrides, and check the whole.

    Args:
        source: Name of a preset, or path of a TOML file.
        overrides: Texts such as "grid.ratio=[0.1,1.0]".
        options: Values by key that options of their own set, such as --name.

    Raises:
        SpecError: The first rule that does not hold, with value, remedy and place.
    """
    path = _find(source)
    try:
        values = tomllib.loads(path.read_text())
    except (OSError, UnicodeDecodeError) as error:
        raise SpecError(f"cannot read the spec {source}: {error}") from None
    except tomllib.TOMLDecodeError as error:
        raise SpecError(f"{path.name} is not valid TOML: {error}") from None
    places = {key: f"--set {key}" for key in [override(values, text) for text in overrides]}
    for key, option in (options or {}).items():
        _set(values, key, option.value)
        places[key] = option.name
    return parse_spec(values, source=path.name, places=places)


def parse_spec(values: Mapping[str, Any], *, source: str, places: Mapping[str, str] | None = None) -> StudySpec:
    """Check values against the schema.

    Args:
        values: As TOML gives them.
        source: Where they come from, for messages.
        places: Where single keys come from, such as "training.size": "--set training.size".

    Raises:
        SpecError: The first rule that does not hold, with value, remedy and place.
    """
    try:
        return StudySpec.model_validate(values)
    except ValidationError as error:
        errors = error.errors()
        misspelt = (each for each in errors if each["type"] == "extra_forbidden")  # it explains what else is missing
        raise SpecError(explain(next(misspelt, errors[0]), source, places or {})) from None


def _find(source: str) -> Path:
    path = Path(source).expanduser()
    if path.is_file():
        return path
    if path.suffix == ".toml":
        raise SpecError(f"no spec at {source}")
    if source in preset_names():
        return PRESETS / f"{source}.toml"
    raise SpecError(f"no preset {source!r}{_suggest(source, preset_names())}; presets: {', '.join(preset_names())}")


def override(values: dict[str, Any], text: str) -> str:
    """Set what a text such as "grid.ratio=[0.1,1.0]" says; returns its key.

    Raises:
        SpecError: The text is no such thing.
    """
    key, equals, literal = (part.strip() for part in text.partition("="))
    if not equals or not all(key.split(".")):
        raise SpecError(f"--set takes KEY=VALUE, such as training.size=64, got {text!r}")
    _set(values, key, _literal(literal))
    return key


def _set(values: dict[str, Any], key: str, value: Any) -> None:
    *sections, name = key.split(".")
    for section in sections:
        values = values.setdefault(section, {})
        if not isinstance(values, dict):
            raise SpecError(f"{section} is a value, not a section, in --set {key}={value}")
    values[name] = value


def _literal(text: str) -> Any:
    try:
        return tomllib.loads(f"value = {text}")["value"]
    except tomllib.TOMLDecodeError:
        return text  # a bare word, such as policy=grid


def explain(error: Any, source: str, places: Mapping[str, str]) -> str:
    """One of pydantic's errors as the rule, the value and the place, for a person."""
    loc = [str(part) for part in error["loc"] if isinstance(part, str)]
    key = ".".join(loc)
    place = places.get(key) or _place(loc, source)
    if error["type"] == "extra_forbidden":
        return f"unknown key {key!r}{_suggest(loc[-1], _known_keys(loc[:-1]))} in {place}"
    if error["type"] == "missing":
        return f"{key} is missing in {_place(loc[:-1], source)}"
    if error["type"] == "value_error":
        rule = str(error["ctx"]["error"])
        if not loc:
            place = next((where for name, where in places.items() if name in rule), source)
        return f"{rule} in {place}" if len(loc) < KEY_LENGTH or loc[-1] in rule else f"{loc[-1]}: {rule} in {place}"
    return f"{key}: {error['msg'][0].lower()}{error['msg'][1:]}, got {error['input']!r} in {place}"


def _place(loc: Sequence[str], source: str) -> str:
    section = loc[0] if loc and loc[0] in SECTIONS else None
    return f"[{section}] of {source}" if section else source


def _known_keys(sections: Sequence[str]) -> list[str]:
    model: Any = StudySpec
    for section in sections:
        model = model.model_fields[section].annotation
    return list(model.model_fields)


def _suggest(word: str, known: Sequence[str]) -> str:
    close = difflib.get_close_matches(word, known, n=1)
    return f", did you mean {close[0]!r}?" if close else f" (known: {', '.join(known)})"
