"""What is known of every configuration while a study runs, on validation scores alone: pure."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, replace
from functools import cached_property, lru_cache
from typing import TYPE_CHECKING

import numpy as np

from models.surface.posterior import SurfacePrior
from models.surface.run_noise import growth_factor
from models.surface.runs import SingleRuns, mean_runs
from models.threads import one_blas_thread
from search.analysis.good_enough import by_size
from search.curves.interpolation import Curves
from search.policy.acquisition import knowledge_gradient, opportunity_loss
from search.policy.stop_rule import remaining_gain
from storage.records import CellState
from storage.variants import configuration_of, variants_in

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.typing import NDArray

    from search.analysis.good_enough import EnoughRule
    from storage.records import CellPlan, Evaluation, PlateauForecast
    from storage.variants import ConfigurationKey

    Floats = NDArray[np.float64]
    Integers = NDArray[np.int64]

DRAWS = 400
POSITIONS = 40  # of each depth's curve; further numbers of cases are those next to them
FEWEST_DRAWS = 8  # that a condition must leave
ENDED = {CellState.DONE, CellState.TEST, CellState.PRUNED}
HOPELESS = 2  # flagged runs
FLAGGED = {CellState.NOT_LEARNED, CellState.COLLAPSED}


@dataclass(frozen=True)
class SeenCell:
    """A cell as a decision sees it: nothing of the test cases.

    Attributes:
        plan: What it is.
        state: Where it stands.
        held: Whether a driver works on it.
        curve: Its evaluations so far.
        forecast: Of its last evaluation, where its training was ended early.
    """

    plan: CellPlan
    state: CellState
    held: bool
    curve: tuple[Evaluation, ...]
    forecast: PlateauForecast | None


@dataclass(frozen=True, eq=False)
class Surrogate:
    """Joint draws of the DSC of J configurations, and what recommending each would lose.

    Attributes:
        configurations: J of them.
        prices: Shape (J,).
        size: Rank of each by size, which decides between equals, shape (J,).
        mean: Expected validation DSC, shape (J,).
        draws: S joint draws of it, shape (S, J).
        noise: Standard deviation between runs of each configuration in each draw, shape (S, J).
        loss: Of recommending each configuration in each draw, shape (S, J).
        rule: What is good enough.
    """

    configurations: tuple[ConfigurationKey, ...]
    prices: Floats
    size: Integers
    mean: Floats
    draws: Floats
    noise: Floats
    loss: Floats
    rule: EnoughRule

    def find(self, plan: CellPlan) -> int:
        """The configuration of a cell."""
        return self._places[configuration_of(plan)]

    @cached_property
    def _places(self) -> dict[ConfigurationKey, int]:
        return {configuration: i for i, configuration in enumerate(self.configurations)}

    def interval(self, index: int) -> tuple[float, float]:
        """5th and 95th percentile of the value that a new run of a configuration would measure."""
        luck = np.random.default_rng(0).standard_normal(len(self.noise))
        values = self.draws[:, index] + self.noise[:, index] * luck
        lower, upper = np.percentile(values, [5, 95])
        return float(lower), float(upper)

    def recommended(self) -> int:
        """The configuration that the answer's rule takes: the cheapest DSC among those likely to reach the floor."""
        return self._recommended

    @cached_property
    def single(self) -> NDArray[np.float32]:
        """The draws in single precision: every report of a running cell goes through all of them."""
        return self.draws.astype(np.float32)

    @cached_property
    def reached(self) -> NDArray[np.float32]:
        """1 where a draw of a configuration reaches the floor of that draw, else 0: shape (S, J)."""
        return np.asarray(self.draws >= self.rule.floors(self.draws), dtype=np.float32)

    @cached_property
    def _recommended(self) -> int:
        return _chosen(np.ones((1, len(self.draws))), self)[0]

    def recommended_if(self, index: int, dsc: Floats) -> list[int | None]:
        """The same, had a configuration measured each of E values, shape (E,); None where no draw comes near it."""
        noise = self.noise[:, index]
        log = -0.5 * ((dsc[:, None] - self.draws[:, index]) / noise) ** 2 - np.log(noise)
        weights = np.exp(log - log.max(axis=1, keepdims=True))
        likely = weights.sum(axis=1) ** 2 / (weights**2).sum(axis=1) >= FEWEST_DRAWS
        return [best if near else None for best, near in zip(_chosen(weights, self), likely, strict=True)]

    def worth(self, candidates: Integers) -> Floats:
        """Expected fall of the least expected loss by measuring each of K configurations once, shape (K,)."""
        return knowledge_gradient(self.draws, self.loss, candidates, self.noise, np.random.default_rng(0))


def fit_surrogate(
    cells: Sequence[SeenCell],
    plans: Sequence[CellPlan],
    prices: Floats,
    *,
    num_train: int,
    rule: EnoughRule,
    seed: int = 0,
    coming: Sequence[CellPlan] = (),
) -> Surrogate:
    """What the cells that have ended say of the configurations of the plans.

    Args:
        cells: All cells of the study.
        plans: One plan for each of J configurations.
        prices: Of the configurations, shape (J,).
        num_train: Training cases at hand, N.
        rule: What is good enough.
        seed: Of the draws.
        coming: Trainings that are taken to end as expected: as much is known as if they had.
    """
    mean, draws, noise = np.empty(len(plans)), np.empty((DRAWS, len(plans))), np.empty((DRAWS, len(plans)))
    for variant in variants_in(plans):
        own = [i for i, plan in enumerate(plans) if plan.variant == variant]
        seen = [cell for cell in cells if cell.plan.variant == variant]
        expected = [plan for plan in coming if plan.variant == variant]
        believed = _believed(seen, expected, [plans[i] for i in own], num_train, _rng(seed, variant))
        mean[own], draws[:, own], noise[:, own] = believed
    hopeless = _hopeless(cells, plans)
    draws[:, hopeless], mean[hopeless] = 0.0, 0.0
    return Surrogate(
        configurations=tuple(configuration_of(plan) for plan in plans),
        prices=prices,
        size=_size_ranks(plans),
        mean=mean,
        draws=draws,
        noise=noise,
        loss=opportunity_loss(draws, prices, rule),
        rule=rule,
    )


def _size_ranks(plans: Sequence[CellPlan]) -> Integers:
    """Rank of each configuration by its size: fewer cases, then fewer parameters."""
    order = sorted(range(len(plans)), key=lambda i: by_size(plans[i]))
    return np.argsort(np.array(order, dtype=np.int64))


def _rng(seed: int, variant: str) -> Callable[[], np.random.Generator]:
    """Makes the generator of a variant's draws: those of two have nothing in common."""
    return lambda: np.random.default_rng([seed, *variant.encode()])


def _believed(
    cells: Sequence[SeenCell],
    coming: Sequence[CellPlan],
    plans: Sequence[CellPlan],
    num_train: int,
    rng: Callable[[], np.random.Generator],
) -> tuple[Floats, Floats, Floats]:
    """Mean (J,), draws (S, J) and noise between runs (S, J) of the configurations of one variant, from its cells."""
    depth, num_cases = (np.array([getattr(plan, name) for plan in plans]) for name in ("depth", "num_cases"))
    layout = _layout(tuple(zip(depth.tolist(), num_cases.tolist(), strict=True)), num_train)
    runs = _runs(cells, layout)
    posterior = layout.prior.posterior(mean_runs(runs, num_train), DRAWS, rng())
    if coming:
        runs = _with_expected(runs, coming, layout, posterior.mean)
        posterior = layout.prior.posterior(mean_runs(runs, num_train), DRAWS, rng())
    mean = layout.values(posterior.mean[None, :], depth, num_cases)[0]
    growth = growth_factor(np.log(num_cases / num_train), posterior.growth[:, None])
    return mean, layout.values(posterior.draws, depth, num_cases), posterior.noise[:, None] * growth


@dataclass(frozen=True, eq=False)
class _Layout:
    """The positions at which curves of one variant are known: the same numbers of cases at every depth."""

    prior: SurfacePrior
    depths: Integers
    num_cases: Floats

    def place(self, plan: CellPlan) -> int:
        """The position next to a cell."""
        nearest = int(np.abs(np.log(self.num_cases / plan.num_cases)).argmin())
        return int(np.searchsorted(self.depths, plan.depth)) * len(self.num_cases) + nearest

    def values(self, known: Floats, depth: Integers, num_cases: Integers) -> Floats:
        """Values at configurations, from those at the positions of shape (R, P): shape (R, J)."""
        if len(self.num_cases) == 1:
            return np.asarray(known[:, np.searchsorted(self.depths, depth)])
        values = np.empty((len(known), len(depth)))
        for index, own_depth in enumerate(self.depths):
            own = depth == own_depth
            part = known[:, index * len(self.num_cases) : (index + 1) * len(self.num_cases)]
            values[:, own] = Curves(self.num_cases, part).at(num_cases[own].astype(np.float64))
        return values


@lru_cache(maxsize=64)
def _layout(configurations: tuple[tuple[int, int], ...], num_train: int) -> _Layout:
    depths = np.unique([depth for depth, _ in configurations])
    distinct = np.unique([float(n) for _, n in configurations])
    wanted = np.geomspace(distinct[0], distinct[-1], min(POSITIONS, len(distinct)))
    positions = np.unique([distinct[np.abs(np.log(distinct / n)).argmin()] for n in wanted])
    prior = SurfacePrior(
        np.repeat(depths.astype(np.float64), len(positions)), np.tile(positions, len(depths)), num_train
    )
    return _Layout(prior, depths, positions)


def _runs(cells: Sequence[SeenCell], layout: _Layout) -> SingleRuns:
    """What ended trainings measured, with the forecast gain of those that were stopped."""
    ended = [cell for cell in cells if cell.state in ENDED and cell.curve and not _was_left(cell)]
    ended.sort(key=lambda cell: cell.plan.key)  # two drivers decide alike, to the last bit
    dsc, sigma = np.array([_expected(cell) for cell in ended]).reshape(-1, 2).T
    return _single_runs([cell.plan for cell in ended], dsc, sigma, layout)


def _single_runs(plans: Sequence[CellPlan], dsc: Floats, sigma: Floats, layout: _Layout) -> SingleRuns:
    return SingleRuns(
        place=np.array([layout.place(plan) for plan in plans], dtype=np.int64),
        depth=np.array([plan.depth for plan in plans], dtype=np.int64),
        num_cases=np.array([float(plan.num_cases) for plan in plans]),
        seed=np.array([plan.seed for plan in plans], dtype=np.int64),
        dsc=dsc,
        sigma=sigma,
    )


def _hopeless(cells: Sequence[SeenCell], plans: Sequence[CellPlan]) -> list[int]:
    """Configurations of which two runs or more were flagged, and none has learned: they are never recommended."""
    flagged = Counter(configuration_of(cell.plan) for cell in cells if cell.state in FLAGGED)
    learned = {configuration_of(cell.plan) for cell in cells if cell.state in ENDED and cell.curve}
    lost = {which for which, times in flagged.items() if times >= HOPELESS and which not in learned}
    return [i for i, plan in enumerate(plans) if configuration_of(plan) in lost]


def _was_left(cell: SeenCell) -> bool:
    """Whether it was closed as skipped after an interruption: its curve breaks off anywhere."""
    return cell.state is CellState.PRUNED and cell.forecast is None


def _expected(cell: SeenCell) -> tuple[float, float]:
    """Best validation DSC after the full budget, and its standard deviation beyond the noise between runs."""
    best = max(point.val_dsc for point in cell.curve)
    if cell.forecast is None:
        return best, 0.0
    return best + remaining_gain(cell.curve, cell.forecast.mean), cell.forecast.sigma


def _with_expected(runs: SingleRuns, coming: Sequence[CellPlan], layout: _Layout, mean: Floats) -> SingleRuns:
    """The same, had some trainings ended as expected."""
    more = _single_runs(coming, np.zeros(len(coming)), np.zeros(len(coming)), layout)
    more = replace(more, dsc=mean[more.place])
    return SingleRuns(**{name: np.concatenate([values, getattr(more, name)]) for name, values in vars(runs).items()})


def _chosen(weights: Floats, surrogate: Surrogate) -> list[int]:
    """What to recommend under E weightings of the draws, of shape (E, S).

    As the answer chooses: the cheapest DSC among the eligible; the likeliest where none is.
    """
    shares = (weights / weights.sum(axis=1, keepdims=True)).astype(np.float32)
    with one_blas_thread():
        means = (shares @ surrogate.single).astype(np.float64)
        chances = shares @ surrogate.reached
    return [
        surrogate.rule.first(mean, surrogate.prices, chance, surrogate.size)
        for mean, chance in zip(means, chances.astype(np.float64), strict=True)
    ]
