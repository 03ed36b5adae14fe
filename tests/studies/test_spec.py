"""The spec: what is accepted, and what is told about the rest."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from storage.errors import InputError
from studies.spec import SpecError, load_spec, parse_spec, preset_names, recorded_spec
from tests.helpers.reported_study import study_record

if TYPE_CHECKING:
    from pathlib import Path

SPEC = """
name = "ours"
tolerance = 0.02

[data]
path = "/data"

[grid]
ratio = [0.1, 1.0]
depth = [3]

[training]
size = 64
"""


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """A spec of one's own."""
    path = tmp_path / "ours.toml"
    path.write_text(SPEC)
    return path


def values(**changes: Any) -> dict[str, Any]:
    """A valid spec with changes at the top level."""
    return {"name": "ours", "grid": {"ratio": [0.1, 1.0], "depth": [3]}, "training": {"size": 64}} | changes


def message(found: dict[str, Any]) -> str:
    """What is told about values that cannot be used."""
    with pytest.raises(SpecError) as caught:
        parse_spec(found, source="ours.toml")
    return str(caught.value)


def test_presets_load() -> None:
    """Every built-in spec is valid, named as its file, and the first one is for a folder of one's own."""
    assert set(preset_names()) >= {"folder", "kvasir-seg", "phantom"}
    for name in preset_names():
        assert load_spec(name).name == name


def test_the_paper_s_preset_is_the_paper_s_grid() -> None:
    """200 configurations, 700/100/200 cases, every one trained."""
    spec = load_spec("kvasir-seg")
    assert len(spec.grid.ratio) * len(spec.grid.depth) == 200
    assert (spec.data.split, spec.training.size, spec.policy) == ((0.7, 0.1, 0.2), 256, "grid")


@pytest.mark.parametrize("name", ["kvasir-seg", "phantom"])
def test_a_folder_of_a_preset_s_name_does_not_hide_it(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """`dicecurve run kvasir-seg --data kvasir-seg` works where the dataset was unpacked."""
    (tmp_path / name).mkdir()
    monkeypatch.chdir(tmp_path)
    assert load_spec(name).name == name


def test_a_file_is_read(file: Path) -> None:
    """Values come from the file, the rest from the defaults."""
    spec = load_spec(str(file))
    assert (spec.name, spec.tolerance, spec.grid.ratio, spec.training.size) == ("ours", 0.02, (0.1, 1.0), 64)
    assert (spec.policy, spec.target_dsc, spec.training.batch) == ("grid", None, 16)


# What is refused


@pytest.mark.parametrize(
    ("source", "told"),
    [
        (
            "kvasir-sge",
            "no preset 'kvasir-sge', did you mean 'kvasir-seg'?; presets: brats2020, decathlon, folder, kvasir-seg, ",
        ),
        ("zzz", "presets: brats2020, decathlon, folder, kvasir-seg, phantom"),
        ("missing.toml", "no spec at missing.toml"),
    ],
)
def test_an_unknown_spec_is_refused(source: str, told: str) -> None:
    """The nearest preset is suggested, and all are listed."""
    with pytest.raises(SpecError, match=r"no (preset|spec)") as caught:
        load_spec(source)
    assert told in str(caught.value)


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (b"name = ours", "broken.toml is not valid TOML"),
        (b"[grid\nratio = 1", "broken.toml is not valid TOML"),
        (b"\xff\xfe\x00n", "cannot read the spec"),
        (b"", "name is missing in broken.toml"),
    ],
)
def test_a_broken_file_is_refused(content: bytes, told: str, tmp_path: Path) -> None:
    """The message names the file, and where TOML broke off."""
    path = tmp_path / "broken.toml"
    path.write_bytes(content)
    with pytest.raises(SpecError) as caught:
        load_spec(str(path))
    assert told in str(caught.value)


@pytest.mark.parametrize(
    ("found", "told"),
    [
        (values(tolerence=0.1), "unknown key 'tolerence', did you mean 'tolerance'? in ours.toml"),
        (values(trainning={}), "unknown key 'trainning', did you mean 'training'? in ours.toml"),
        (values(training={"sise": 64}), "unknown key 'training.sise', did you mean 'size'? in [training] of ours.toml"),
        (values(grid={"ratio": [1.0], "depths": [3], "depth": [3]}), "did you mean 'depth'? in [grid] of ours.toml"),
        (values(prices={"gpu_huor": 1}), "did you mean 'gpu_hour'? in [prices] of ours.toml"),
        (
            values(stop={"xyz": 1}),
            "unknown key 'stop.xyz' (known: risk, tolerance_share, first_evaluation, forecaster)",
        ),
        # A section that is needed and misspelt: the misspelling is what a person must see.
        ({k: v for k, v in values(gird={}).items() if k != "grid"}, "unknown key 'gird', did you mean 'grid'?"),
        ({k: v for k, v in values(nmae="x").items() if k != "name"}, "unknown key 'nmae', did you mean 'name'?"),
        (values(grid={"ratios": [1.0], "depth": [3]}), "unknown key 'grid.ratios', did you mean 'ratio'?"),
    ],
)
def test_a_misspelt_key_suggests_the_nearest(found: dict[str, Any], told: str) -> None:
    """At the top and in a section; where nothing is near, the known keys are listed."""
    assert told in message(found)


@pytest.mark.parametrize(
    ("found", "told"),
    [
        ({"name": "ours"}, "grid is missing in ours.toml"),
        (values(grid={"depth": [3]}), "grid.ratio is missing in [grid] of ours.toml"),
        (values(grid={"ratio": [0.0], "depth": [3]}), "ratio must be in (0, 1], got 0 in [grid] of ours.toml"),
        (values(grid={"ratio": [1.5], "depth": [3]}), "ratio must be in (0, 1], got 1.5 in [grid] of ours.toml"),
        (values(grid={"ratio": [0.1, 0.1], "depth": [3]}), "got 0.1 twice in [grid] of ours.toml"),
        (values(grid={"ratio": [0.1], "depth": [9]}), "depth must be 2..8, got 9 in [grid] of ours.toml"),
        (values(grid={"ratio": [0.1], "depth": [1]}), "depth must be 2..8, got 1 in [grid] of ours.toml"),
        (values(grid={"ratio": [0.1], "depth": [3, 7]}), "depth 7 needs an image size of at least 128 that 64 divides"),
        (
            values(training={"architecture": "swin_unetr", "channels": 24}),
            "'swin_unetr' has depth 6 alone, got grid.depth = 3; drop it in ours.toml",
        ),
        (
            values(training={"architecture": "segresnet", "channels": 20}),
            "channels of 'segresnet' must be a multiple of 8, got 20; take 16 in [training] of ours.toml",
        ),
        (values(training={"size": 50}), "at least 8 that 4 divides, got training.size = 50"),
        (
            values(training={"patch": [16, 16, 16]}),
            "data of kind 'folder' are pictures, which have no training.patch; drop it, or change data.kind",
        ),
        (
            values(data={"kind": "brats"}),
            "data of kind 'brats' are volumes, which need training.patch, such as [64, 64, 64]; set it in ours.toml",
        ),
        (values(data={"kind": "volumes", "foreground": "liver"}), "give labels, such as [1, 2]"),
        (values(data={"spacing": [1, 1, 1]}), "spacing is for volumes, and kind 'folder' has pictures"),
        (
            values(training={"patch": [16, 50, 16]}),
            "depth 3 needs a patch whose sides 4 divides, one of them at least 8, got training.patch = [16, 50, 16]",
        ),
        (values(training={"size": "big"}), "training.size: input should be a valid integer"),
        (values(training={"budget": 5}), "at least one step per evaluation (30), got 5 in [training] of ours.toml"),
        (values(training=3), "training: "),
        (values(tolerance=0), "tolerance: input should be greater than 0, got 0 in ours.toml"),
        (values(tolerance="x"), "tolerance: input should be a valid number"),
        (values(policy="best"), "policy: input should be 'grid' or 'forecast', got 'best' in ours.toml"),
        (values(target_dsc=80), "target_dsc: input should be less than 1, got 80 in ours.toml"),
        (values(gpu_hours=float("inf")), "gpu_hours"),
        (values(name="../up"), "name: "),
        (values(name=""), "name: "),
        (values(data={"split": [0.7, 0.3]}), "data.split"),
        (values(data={"split": [0.7, 0.2, 0.2]}), "split must add up to 1, got 1.1 in [data] of ours.toml"),
        (values(data={"together": ["a", "b"]}), "data.together: input should be a valid tuple"),
        (values(prices={"case": -5}), "input should be greater than or equal to 0, got -5 in [prices] of ours.toml"),
        (values(resources={"cpus_per_trial": 0}), "resources.cpus_per_trial: input should be"),
        (values(files={"keep": "some"}), "files.keep: input should be 'best', 'none' or 'all', got 'some' in [files]"),
    ],
)  # fmt: skip
def test_a_wrong_value_is_told_with_its_place(found: dict[str, Any], told: str) -> None:
    """The rule, the value and the section stand in one message."""
    assert told in message(found)


def test_a_repeated_value_is_told_with_its_axis() -> None:
    """In [grid] three lists could be meant."""
    assert "depth" in message(values(grid={"ratio": [0.1], "depth": [3, 3]}))


def test_a_spec_error_is_an_input_error() -> None:
    """The command line prints it and exits with 2."""
    assert issubclass(SpecError, InputError)


# --set


@pytest.mark.parametrize(
    ("override", "path", "value"),
    [
        ("training.size=32", ("training", "size"), 32),
        ("training.learning_rate=1e-2", ("training", "learning_rate"), 0.01),
        ("grid.ratio=[0.2, 0.4]", ("grid", "ratio"), (0.2, 0.4)),
        ("policy=forecast", ("policy",), "forecast"),
        ('policy="forecast"', ("policy",), "forecast"),
        ("name=other-1", ("name",), "other-1"),
        ("training.record_test_curve=true", ("training", "record_test_curve"), True),
        (" prices.currency = EUR ", ("prices", "currency"), "EUR"),
        ("data.path=/some/where", ("data", "path"), "/some/where"),
        ("data.path=/a=b", ("data", "path"), "/a=b"),
    ],
)
def test_set_changes_a_value(file: Path, override: str, path: tuple[str, ...], value: object) -> None:
    """A value is TOML, or a bare word; sections are made where they are missing."""
    found: Any = load_spec(str(file), [override])
    for name in path:
        found = getattr(found, name)
    assert found == value


def test_the_last_set_wins(file: Path) -> None:
    """As on any command line."""
    assert load_spec(str(file), ["tolerance=0.1", "tolerance=0.2"]).tolerance == 0.2


@pytest.mark.parametrize(
    ("override", "told"),
    [
        ("tolerance", "--set takes KEY=VALUE, such as training.size=64, got 'tolerance'"),
        ("=3", "--set takes KEY=VALUE"),
        ("", "--set takes KEY=VALUE"),
        ("name.x=3", "name is a value, not a section, in --set name.x=3"),
        ("training.size=big", "got 'big' in --set training.size"),
        ("training.sise=64", "unknown key 'training.sise', did you mean 'size'? in --set training.sise"),
        ("grid.ratio=[2.0]", "ratio must be in (0, 1], got 2 in --set grid.ratio"),
        ("grid.ratio=[0.1", "in --set grid.ratio"),
        ("grid.depth=3", "grid.depth: input should be a valid tuple, got 3 in --set grid.depth"),
        ("trainning.size=64", "unknown key 'trainning', did you mean 'training'?"),
        ("grid=3", "in --set grid"),
    ],
)  # fmt: skip
def test_a_wrong_set_is_told_as_such(file: Path, override: str, told: str) -> None:
    """The place is the option, not the file, whose value is fine."""
    with pytest.raises(SpecError) as caught:
        load_spec(str(file), [override])
    assert told in str(caught.value)


def test_a_wrong_value_of_the_file_is_told_as_such_beside_a_set(tmp_path: Path) -> None:
    """An override of another key does not take the blame."""
    path = tmp_path / "ours.toml"
    path.write_text(SPEC.replace("size = 64", 'size = "big"'))
    with pytest.raises(SpecError, match=r"in \[training\] of ours\.toml"):
        load_spec(str(path), ["training.batch=4"])


# Identity


@pytest.mark.parametrize(
    "override",
    [
        "data.path=/moved",
        "prices.case=9",
        "resources.cpus_per_trial=2",
        "policy=forecast",
        "tolerance=0.05",
        "target_dsc=0.8",
        "gpu_hours=10",
        "stop.risk=0.2",
        "files.keep=all",
        "name=other",
    ],
)
def test_identity_leaves_out_how_a_study_is_run(file: Path, override: str) -> None:
    """What may change at any start is no part of the identity; all but the name is in the running part."""
    before, after = load_spec(str(file)), load_spec(str(file), [override])
    assert after != before
    assert after.identity() == before.identity()
    assert (after.running() != before.running()) == (override != "name=other")


@pytest.mark.parametrize(
    "override",
    [
        "data.split_seed=1",
        "data.split=[0.6, 0.2, 0.2]",
        'data.together=[["a", "b"]]',
        "grid.ratio=[0.2]",
        "grid.seed=[0, 1]",
        "training.budget=60",
        "training.learning_rate=0.01",
        "training.threshold=0.4",
    ],
)
def test_identity_holds_what_results_depend_on(file: Path, override: str) -> None:
    """Data, grid and protocol are the identity, and not in the running part."""
    before, after = load_spec(str(file)), load_spec(str(file), [override])
    assert after.identity() != before.identity()
    assert after.running() == before.running()


def varied(training: dict[str, Any] | None = None, **axes: Any) -> dict[str, Any]:
    """A valid spec with further axes."""
    grid = {"ratio": [0.1, 1.0], "depth": [3], **axes}
    return values(grid=grid, training={"size": 64} | (training or {}))


def test_axes_of_the_protocol_make_variants() -> None:
    """Every combination, each a protocol of its own; the study's own is the first."""
    spec = parse_spec(varied(loss=["bce", "dice_ce"], optimiser=["adam", "sgd"]), source="ours.toml")
    assert spec.variants == ["", "loss=dice_ce", "loss=dice_ce,optimiser=sgd", "optimiser=sgd"]
    assert spec.protocol("") is spec.training
    changed = spec.protocol("loss=dice_ce,optimiser=sgd")
    assert (changed.loss, changed.optimiser) == ("dice_ce", "sgd")
    assert changed.model_copy(update={"loss": "bce", "optimiser": "adam"}) == spec.training


OWN_LOSS = (
    "grid.loss must hold the protocol's own value, training.loss = 'bce', got ['dice_ce']; add it, or set "
    "training.loss = 'dice_ce' in ours.toml"
)
ONE_DEPTH = (
    "'swin_unetr' has depth 6 alone, got grid.depth = 3; drop it, or the architecture from grid.architecture in "
    "ours.toml"
)
CHANNELS = (
    "channels of 'segresnet' must be a multiple of 8, got 20; take 16 (for architecture=segresnet of the grid) "
    "in ours.toml"
)


@pytest.mark.parametrize(
    ("found", "told"),
    [
        (varied(loss=["dice_ce"]), OWN_LOSS),
        (varied(loss=["bce", "bce"]), "loss: each value may stand once, got 'bce' twice in [grid] of ours.toml"),
        (varied(architecture=["unet", "swin_unetr"], training={"channels": 24}), ONE_DEPTH),
        (varied(architecture=["unet", "segresnet"], training={"channels": 20}), CHANNELS),
    ],
)
def test_a_variant_that_cannot_be_is_refused(found: dict[str, Any], told: str) -> None:
    """Each is checked as a whole protocol; one message says what does not hold, with value and remedy."""
    assert message(found) == told


def test_an_unknown_value_of_an_axis_names_those_that_are_known() -> None:
    """With the place of the axis."""
    told = message(varied(optimiser=["adam", "adagrad"]))
    assert told.startswith("grid.optimiser: ")
    assert "'sgd'" in told
    assert told.endswith("got 'adagrad' in [grid] of ours.toml")


def test_a_rule_over_several_values_names_the_option_that_broke_it(file: Path) -> None:
    """`--set grid.loss`, not the file, which says nothing of it."""
    with pytest.raises(SpecError, match=r"add it, or set training.loss = 'dice_ce' in --set grid.loss$"):
        load_spec(str(file), ['grid.loss=["dice_ce"]'])


def test_an_axis_that_is_not_used_is_no_part_of_the_identity() -> None:
    """Studies that were begun before there were such axes stay the same studies."""
    assert set(parse_spec(values(), source="ours.toml").identity()["grid"]) == {"ratio", "depth", "seed"}
    assert parse_spec(varied(loss=["bce", "dice_ce"]), source="x").identity()["grid"]["loss"] == ["bce", "dice_ce"]


def test_a_recorded_spec_is_read_back() -> None:
    """Training, data, files, policy, prices, tolerance and target are those that the study was started with."""
    spec = parse_spec(values(target_dsc=0.8, files={"keep": "none"}, prices={"case": 12.0}), source="ours.toml")
    recorded = recorded_spec(study_record(identity=spec.identity(), running=spec.running()))
    assert recorded.training == spec.training
    assert recorded.data == spec.data.model_copy(update={"path": None})
    assert (recorded.data_kind, recorded.policy) == ("folder", "grid")
    assert (recorded.files, recorded.prices) == (spec.files, spec.prices)
    assert (recorded.tolerance, recorded.target_dsc) == (spec.tolerance, 0.8)


def test_what_an_earlier_version_did_not_record_has_its_default() -> None:
    """Fields of training and files; a study that was imported from a table has no training, and may have no data."""
    recorded = recorded_spec(study_record(identity={"training": {"budget": 90}}, running={}))
    assert recorded.training is not None
    assert (recorded.training.budget, recorded.training.architecture) == (90, "unet")
    assert (recorded.files.keep, recorded.policy, recorded.data_kind) == ("best", None, None)
    imported = recorded_spec(study_record(identity={"data": {"kind": "imported"}}))
    assert (imported.training, imported.data_kind) == (None, "imported")
