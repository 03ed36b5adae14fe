"""A study that an answer is asked for, and what it says: plain values that any version of the code can read."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from tests.benchmarks.coverage.scenes.run_noise import RunNoise

    Floats = NDArray[np.float64]
    Integers = NDArray[np.int64]

REPLICATES = 1000
SECONDS = 3.6  # of a training at depth 3, per case


class Place(NamedTuple):
    """A configuration."""

    depth: int
    num_cases: int


@dataclass(frozen=True, eq=False)
class Run:
    """A training.

    Attributes:
        place: Its configuration.
        seed: Of the run.
        validation: DSC of each validation case, shape (V,).
        test: DSC of each test case, shape (T,).
        flag: Why it does not count; None where it learned.
        confirms: Whether it is the fresh seed that confirms a recommendation.
    """

    place: Place
    seed: int
    validation: Floats
    test: Floats
    flag: str | None = None
    confirms: bool = False


@dataclass(frozen=True, eq=False)
class Study:
    """Everything that an answer is asked with.

    Attributes:
        num_train: Training cases at hand, N.
        runs: Finished trainings.
        planned: Configurations that were not trained.
        validation_groups: Of each validation case, shape (V,); None: each is its own.
        test_groups: Of each test case, shape (T,); None: each is its own.
        target: DSC to reach, or None.
        tolerance: DSC that does not matter.
        case_price: Of one annotated case.
        hour_price: Of one GPU hour.
        noise: Of its runs, which only an oracle is told.
    """

    num_train: int
    runs: tuple[Run, ...]
    planned: tuple[Place, ...] = ()
    validation_groups: Integers | None = None
    test_groups: Integers | None = None
    target: float | None = None
    tolerance: float = 0.01
    case_price: float = 5.0
    hour_price: float = 2.0
    noise: RunNoise | None = None

    def seconds(self, place: Place) -> float:
        """GPU seconds of one training."""
        return SECONDS * place.num_cases * 2.0 ** (place.depth - 3)

    def price(self, place: Place) -> float:
        """Of a configuration: its training, and all cases."""
        held_out = len(self.runs[0].validation) + len(self.runs[0].test)
        return self.hour_price * self.seconds(place) / 3600 + self.case_price * (place.num_cases + held_out)

    def to_json(self) -> dict[str, Any]:
        """Plain values."""
        return {
            "num_train": self.num_train,
            "target": self.target,
            "tolerance": self.tolerance,
            "prices": {"case": self.case_price, "gpu_hour": self.hour_price},
            "replicates": REPLICATES,
            "validation_groups": _listed(self.validation_groups),
            "test_groups": _listed(self.test_groups),
            "runs": [self._run(run) for run in self.runs],
            "planned": [self._configuration(place) for place in self.planned],
        }

    def _run(self, run: Run) -> dict[str, Any]:
        return {
            **self._configuration(run.place),
            "seed": run.seed,
            "validation": run.validation.tolist(),
            "test": run.test.tolist(),
            "flag": run.flag,
            "confirms": run.confirms,
        }

    def _configuration(self, place: Place) -> dict[str, Any]:
        return {
            "depth": place.depth,
            "num_cases": place.num_cases,
            "ratio": round(place.num_cases / self.num_train, 6),
            "parameters": 1000 * 4**place.depth,
            "seconds": self.seconds(place),
        }


def _listed(groups: Integers | None) -> list[int] | None:
    return None if groups is None else groups.tolist()


class Bounds(NamedTuple):
    """Of a 90 % interval."""

    lower: float
    upper: float


class SaidRow(NamedTuple):
    """Of a configuration: intervals of its mean over runs and of one new run, and P of reaching the floor."""

    depth: int
    num_cases: int
    mean: Bounds
    run: Bounds
    chance: float | None
    eligible: bool


class SaidDepth(NamedTuple):
    """Of a depth: f(N), f(2N) - f(N), and whether its plateau is said to be reached."""

    depth: int
    at_all: Bounds
    doubling: float
    doubling_bounds: Bounds
    reached: bool


class SaidStep(NamedTuple):
    """A configuration of the front, and what it gains over the one before; None for the first."""

    depth: int
    num_cases: int
    gain: Bounds | None


@dataclass(frozen=True)
class Said:
    """What an answer says.

    Attributes:
        rows: Of every configuration that counts.
        depths: Of every depth that has a curve.
        front: By rising price.
        recommended: Configuration; None where nothing is.
    """

    rows: tuple[SaidRow, ...]
    depths: tuple[SaidDepth, ...]
    front: tuple[SaidStep, ...]
    recommended: Place | None

    @classmethod
    def from_json(cls, said: dict[str, Any]) -> Said:
        """From plain lists."""
        return cls(
            rows=tuple(SaidRow(d, n, Bounds(*mean), Bounds(*run), p, e) for d, n, mean, run, p, e in said["rows"]),
            depths=tuple(SaidDepth(d, Bounds(*f), g, Bounds(*b), r) for d, f, g, b, r in said["depths"]),
            front=tuple(SaidStep(d, n, None if g is None else Bounds(*g)) for d, n, g in said["front"]),
            recommended=None if said["recommended"] is None else Place(*said["recommended"]),
        )

    def to_json(self) -> dict[str, Any]:
        """As plain tuples, which JSON writes as lists."""
        return {
            "rows": self.rows,
            "depths": self.depths,
            "front": self.front,
            "recommended": self.recommended,
        }

    def row(self, place: Place) -> SaidRow | None:
        """Of a configuration; None where nothing is said of it."""
        return next((row for row in self.rows if (row.depth, row.num_cases) == place), None)
