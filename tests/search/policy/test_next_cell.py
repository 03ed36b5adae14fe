"""Which cell next, which not at all, and what confirms the recommendation."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from search.policy.next_cell import MOST_CONFIRMATIONS, MOST_TRIES, agenda, free_cells
from storage.records import Cell, CellPlan, CellState
from storage.variants import configuration_of
from tests.helpers.drawn_surface import DEPTHS, RATIOS, decision_spec, done, plan, waiting

if TYPE_CHECKING:
    from random import Random

    from search.policy.surrogate import SeenCell

cells = st.builds(
    lambda cases, depth, seed, state, owner: cell(cases, depth, seed, state=state, owner=owner),
    st.integers(1, 700),
    st.integers(2, 8),
    st.integers(0, 3),
    st.sampled_from(CellState),
    st.sampled_from([None, "us", "them"]),
)


def cell(
    num_cases: int, depth: int = 3, seed: int = 0, *, state: CellState = CellState.WAITING, owner: str | None = None
) -> Cell:
    """A cell as it stands in the ledger."""
    plan = CellPlan(f"{num_cases}-{depth}-{seed}", num_cases / 700, depth, seed, num_cases, 1000)
    return Cell(plan, state, 1, 0, owner, 0, 0, 0)


def test_cells_are_taken_from_cheap_to_dear() -> None:
    """Few cases first, then shallow, then the first seed."""
    order = [cell(14), cell(14, seed=1), cell(14, depth=4), cell(70, depth=2), cell(700, depth=2)]
    assert free_cells(reversed(order)) == order


def test_a_test_goes_first() -> None:
    """A trained cell tells the most for the least."""
    waiting, trained = cell(14), cell(700, depth=6, state=CellState.TEST)
    assert free_cells([waiting, trained]) == [trained, waiting]


@given(st.lists(cells, max_size=20))
def test_only_free_cells_are_taken(found: list[Cell]) -> None:
    """Every cell that waits and that nobody holds is there once, and no other."""
    expected = [c for c in found if c.owner is None and c.state in {"waiting", "test"}]
    taken = free_cells(found)
    assert len(taken) == len(expected)
    assert all(c in expected for c in taken)


@given(st.lists(cells, max_size=20), st.randoms())
def test_the_order_does_not_depend_on_that_of_the_ledger(found: list[Cell], random: Random) -> None:
    """Two drivers agree on the next cell."""
    found = list({c.plan.key: c for c in found}.values())
    shuffled = found.copy()
    random.shuffle(shuffled)
    assert free_cells(shuffled) == free_cells(found)


def grid(*known: SeenCell) -> list[SeenCell]:
    """The whole grid, these cells of it as given and the others waiting."""
    found = {cell.plan.key: cell for cell in known}
    every = [plan(ratio, depth) for depth in DEPTHS for ratio in RATIOS]
    return [found.pop(each.key, waiting(each)) for each in every] + list(found.values())


def begun() -> list[SeenCell]:
    """A study whose cheapest cells are done."""
    return grid(*(done(plan(0.1, depth)) for depth in DEPTHS))


def all_done() -> list[SeenCell]:
    """A study that has trained everything."""
    return grid(*(done(plan(ratio, depth)) for depth in DEPTHS for ratio in RATIOS))


def test_the_order_is_by_worth_for_the_cost() -> None:
    """Each cell in the order promises at least as much a device second as the next one, and as the least rate."""
    found = agenda(begun(), decision_spec(worth=1e-3))
    assert len(found.order) > 3
    plans = {each.plan.key: each.plan for each in begun()}
    at = np.array([found.surrogate.find(plans[key]) for key in found.order])
    seconds = np.array([found.costs.seconds(plans[key]) for key in found.order])
    rate = found.ahead.worth(at) / (seconds / sum(found.costs.seconds(each) for each in plans.values()))
    assert (np.diff(rate) <= 1e-9).all()
    assert rate.min() >= 1e-3 * len(plans) ** 0.5


def test_what_is_not_in_the_order_is_skipped_with_a_forecast_and_a_reason() -> None:
    """Every waiting cell is in the order, as an added one is, or skipped; the forecast lies inside its interval."""
    found = agenda(begun(), decision_spec(worth=20))
    free = {cell.plan.key for cell in begun() if cell.state is CellState.WAITING}
    added = set() if found.added is None else {found.added.key}
    assert set(found.order) | set(found.skips) == free | added
    assert not set(found.order) & set(found.skips)
    assert found.order
    assert found.skips
    for skip in found.skips.values():
        assert skip.reason.startswith("skipped: ")
        assert f"[{skip.lower:.3f}, {skip.upper:.3f}]" in skip.reason
        assert skip.lower < skip.mean < skip.upper


def test_a_narrow_forecast_says_that_the_dsc_is_known() -> None:
    """The reason tells what is known within the tolerance from what does not matter."""
    wide = agenda([*all_done()[:-1], waiting(plan(1.0, 4))], decision_spec(tolerance=0.2))
    assert "its DSC is known within 0.2" in wide.skips[plan(1.0, 4).key].reason
    narrow = agenda(begun(), decision_spec(tolerance=0.001, worth=1e9))
    assert all("would hardly change the answer" in skip.reason for skip in narrow.skips.values())


def test_a_held_cell_is_not_bought_twice() -> None:
    """While a configuration is being trained, its further seeds and near neighbours are worth less, not more."""
    first = agenda(begun(), decision_spec(worth=1e-6))
    best = next(cell.plan for cell in begun() if cell.plan.key == first.order[0])
    running = replace(waiting(best), state=CellState.CLAIMED, held=True)
    second_seed = waiting(replace(best, key="again", seed=1))
    alone = agenda([*begun(), second_seed], decision_spec())
    with_it = agenda(grid(*(c for c in begun() if c.curve), running, second_seed), decision_spec())
    index = alone.surrogate.find(best)
    at = np.array([index])
    assert with_it.ahead.worth(at)[0] < 0.85 * alone.ahead.worth(at)[0]
    assert best.key not in with_it.order


def test_a_running_training_is_not_known_before_it_ends() -> None:
    """What is recommended, filled in, and asked of a training's own end counts what has ended alone."""
    running = [replace(waiting(plan(1.0, depth)), state=CellState.CLAIMED, held=True) for depth in DEPTHS]
    spec, ended = decision_spec(), [cell for cell in begun() if cell.curve]
    without, with_them = (agenda(grid(*ended, *more), spec) for more in ([], running))
    assert np.array_equal(with_them.surrogate.draws, without.surrogate.draws)
    at = with_them.surrogate.find(running[0].plan)
    assert with_them.ahead.draws[:, at].std() < 0.7 * with_them.surrogate.draws[:, at].std()


def test_what_the_confirmation_will_tell_is_not_bought_before() -> None:
    """A further seed of the recommendation is worth less where one will come anyway, taken to end as expected."""
    found = agenda(begun(), decision_spec())
    at = np.array([found.surrogate.recommended()])
    assert found.ahead.worth(at)[0] < 0.7 * found.surrogate.worth(at)[0]
    assert abs(found.ahead.mean[at] - found.surrogate.mean[at])[0] < found.surrogate.rule.tolerance


def test_one_seed_of_a_configuration_is_ordered_at_a_time() -> None:
    """What the first seed tells decides whether the second is worth its cost."""
    seeds = [waiting(plan(ratio, depth, seed)) for seed in (0, 1) for depth in DEPTHS for ratio in RATIOS]
    found = agenda(seeds, decision_spec(worth=1e-9))
    ordered = [cell.plan for cell in seeds if cell.plan.key in found.order]
    assert len({(each.depth, each.num_cases) for each in ordered}) == len(ordered)
    assert {each.seed for each in ordered} == {0}


def flagged(cell: CellPlan, state: CellState = CellState.NOT_LEARNED) -> SeenCell:
    """A run that did not learn, or collapsed."""
    return replace(done(cell, end=0.0), state=state)


@pytest.mark.parametrize("state", [CellState.NOT_LEARNED, CellState.COLLAPSED])
def test_a_flagged_run_is_repeated_once(state: CellState) -> None:
    """Its configuration, if it matters, gets one more seed; when that is flagged too, none."""
    known = [done(plan(ratio, depth)) for depth in (2, 3) for ratio in RATIOS]
    known += [done(plan(ratio, 4)) for ratio in RATIOS if ratio != 0.5]
    lost = flagged(plan(0.5, 4), state)
    found = agenda(grid(*known, lost), decision_spec(worth=1e-6))
    assert found.added is not None
    assert (found.added.role, found.added.seed, found.added.num_cases) == ("repeat", 1, 200)
    again = agenda(grid(*known, lost, flagged(found.added, state)), decision_spec(worth=1e-6))
    assert again.added is None or again.added.role == "confirm"


def test_where_runs_have_collapsed_the_next_one_is_dear() -> None:
    """What no flagged run is near of is ordered at its worth for its cost; what one is near of must be worth more."""
    lost = [flagged(plan(0.5, 4, seed), CellState.COLLAPSED) for seed in (0, 1)]
    seen = grid(*(done(plan(0.1, depth)) for depth in DEPTHS), *lost)
    every = agenda(seen, decision_spec())
    plans = {each.plan.key: each.plan for each in seen if each.state is CellState.WAITING}
    at = np.array([every.surrogate.find(each) for each in plans.values()])
    grid_seconds = sum(every.costs.seconds(each.plan) for each in seen if each.plan.role == "grid")
    seconds = np.array([every.costs.seconds(each) for each in plans.values()])
    rates = dict(zip(plans, every.ahead.worth(at) * grid_seconds / seconds / len(seen) ** 0.5, strict=True))
    near, far = plan(0.25, 4).key, plan(1.0, 3).key
    assert min(rates[near], rates[far]) > 0
    assert near not in agenda(seen, decision_spec(worth=0.9 * rates[near])).order
    assert near in agenda(seen, decision_spec(worth=0.4 * rates[near])).order
    assert far in agenda(seen, decision_spec(worth=0.9 * rates[far])).order


def test_a_study_that_knows_all_confirms_its_recommendation() -> None:
    """Nothing is ordered or skipped; a seed that no cell has had is added for the recommended configuration."""
    found = agenda(all_done(), decision_spec())
    assert found.added is not None
    assert (found.order, found.skips) == ((found.added.key,), {})
    assert (found.added.role, found.added.seed) == ("confirm", 1)
    index = found.surrogate.recommended()
    assert configuration_of(found.added) == found.surrogate.configurations[index]


def test_a_confirmed_study_is_at_its_end() -> None:
    """Nothing is left to do."""
    first = agenda(all_done(), decision_spec())
    assert first.added is not None
    found = agenda([*all_done(), done(first.added)], decision_spec())
    assert (found.order, found.added) == ((), None)


def test_nothing_is_confirmed_before_the_last_test() -> None:
    """A trained cell that waits for its test may turn out to be flagged."""
    last = replace(done(plan(1.0, 2)), state=CellState.TEST)
    found = agenda(grid(*(cell for cell in all_done() if cell.plan != last.plan), last), decision_spec())
    assert (found.order, found.added) == ((last.plan.key,), None)


def test_nothing_is_confirmed_while_something_runs() -> None:
    """The running cell may change what is recommended."""
    running = replace(waiting(plan(1.0, 2)), state=CellState.CLAIMED, held=True)
    found = agenda(grid(*(cell for cell in all_done() if cell.plan != running.plan), running), decision_spec())
    assert (found.order, found.added) == ((), None)


def test_while_a_confirmation_waits_nothing_else_is_trained() -> None:
    """It goes first, and what was skipped before it stays skipped."""
    before = agenda(begun(), decision_spec(worth=1e9))
    assert before.added is not None
    found = agenda([*begun(), waiting(before.added)], decision_spec(worth=1e9))
    assert found.order == (before.added.key,)
    assert found.skips.keys() == before.skips.keys()


def test_there_are_at_most_two_confirmations() -> None:
    """A recommendation that moves with its confirmation is confirmed once more, and then left."""
    cells_now = all_done()
    for number in range(MOST_CONFIRMATIONS):
        found = agenda(cells_now, decision_spec())
        assert found.added is not None, number
        cells_now.append(replace(done(found.added), state=CellState.FAILED, curve=()))
    assert agenda(cells_now, decision_spec()).added is None


def test_a_confirmation_that_collapsed_confirms_nothing() -> None:
    """It is not one of the two: what is recommended then is tried again, up to five times in all."""
    cells_now = all_done()
    for number in range(MOST_TRIES):
        found = agenda(cells_now, decision_spec())
        assert found.added is not None, number
        cells_now.append(replace(done(found.added), state=CellState.COLLAPSED))
    assert agenda(cells_now, decision_spec()).added is None


def test_a_limit_keeps_room_for_the_confirmation() -> None:
    """What is ordered can be trained to its end, and one more full training of the recommended one besides."""
    free = agenda(begun(), decision_spec(worth=1e-9))
    plans = {each.plan.key: each.plan for each in begun()}
    all_seconds = sum(free.costs.seconds(plans[key]) for key in free.order)
    for share in (0.0, 0.2, 0.5, 0.9):
        left = share * all_seconds
        found = agenda(begun(), decision_spec(worth=1e-9), left)
        index = found.surrogate.recommended()
        reserve = found.costs.seconds(next(p for p in plans.values() if found.surrogate.find(p) == index))
        ordered = sum(found.costs.seconds(plans[key]) for key in found.order if key in plans)
        assert not ordered or ordered + reserve <= left
        assert found.added is None or reserve <= left
    assert agenda(begun(), decision_spec(worth=1e-9), 1e9).order == free.order


def test_running_trainings_count_against_the_limit() -> None:
    """Ten free GPUs cannot spend the same hours ten times."""
    first = agenda(begun(), decision_spec(worth=1e-9))
    plans = {each.plan.key: each.plan for each in begun()}
    key = max(first.order, key=lambda each: first.costs.seconds(plans[each]))
    reserve = max(first.costs.seconds(each) for each in plans.values())
    left = first.costs.seconds(plans[key]) + reserve
    running = replace(waiting(plans[key]), state=CellState.CLAIMED, held=True)
    now = grid(*(cell for cell in begun() if cell.curve), running)
    found = agenda(now, decision_spec(worth=1e-9), left)
    index = found.surrogate.recommended()
    room = left - found.costs.seconds(plans[key])
    room -= found.costs.seconds(next(p for p in plans.values() if found.surrogate.find(p) == index))
    assert sum(found.costs.seconds(plans[each]) for each in found.order) <= max(0.0, room)


def test_a_limit_in_hours_does_not_stop_what_has_not_begun() -> None:
    """Before any evaluation nobody knows what a step takes: the first cell is trained, and tells."""
    assert agenda(grid(), decision_spec(), 1.0).order


def test_a_test_goes_before_everything() -> None:
    """A trained cell that waits for its test is short, and its data are paid for."""
    trained = replace(done(plan(0.5, 3)), state=CellState.TEST)
    ended = [cell for cell in begun() if cell.curve]
    assert agenda(grid(*ended, trained), decision_spec(worth=1e-6)).order[0] == trained.plan.key


def test_a_training_that_was_left_says_nothing() -> None:
    """A cell interrupted early and then closed as skipped is not taken for one that measured little."""
    left = done(plan(1.0, 3))
    left = replace(left, state=CellState.PRUNED, curve=left.curve[:1])
    spec, ended = decision_spec(), [cell for cell in begun() if cell.curve]
    without, with_it = (agenda(grid(*known, *ended), spec) for known in ((), (left,)))
    assert with_it.surrogate.mean == pytest.approx(without.surrogate.mean, abs=1e-9)


@settings(max_examples=10)
@given(st.randoms())
def test_the_agenda_does_not_depend_on_the_order_of_cells(random: Random) -> None:
    """Two drivers decide alike."""
    shuffled = begun()
    random.shuffle(shuffled)
    first, second = agenda(begun(), decision_spec()), agenda(shuffled, decision_spec())
    assert first.order == second.order
    assert first.skips.keys() == second.skips.keys()
