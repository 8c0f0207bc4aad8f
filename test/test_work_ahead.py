"""Work ahead keeps order, stops a few items ahead, and tells what went wrong."""

import gc
import threading

import pytest

from endo_depth_ros.work_ahead import map_ahead, read_ahead


def test_items_come_in_order_whoever_is_done_first():
    first_may_end = threading.Event()

    def work(number):
        if number == 0:
            assert first_may_end.wait(10)
        elif number == 1:
            first_may_end.set()
        return number

    assert list(map_ahead(work, range(20))) == list(range(20))
    assert list(read_ahead(iter(range(20)))) == list(range(20))
    assert list(read_ahead([])) == list(map_ahead(work, [])) == []


def test_only_a_few_items_are_made_before_they_are_taken():
    made = []

    def numbers():
        for number in range(1000):
            made.append(number)
            yield number

    taken = map_ahead(lambda number: number, numbers(), threads=2)
    assert next(taken) == 0
    assert len(made) <= 6
    made.clear()
    taken = read_ahead(numbers(), 3)
    assert next(taken) == 0
    taken.close()
    assert len(made) <= 4


@pytest.mark.parametrize("ahead", [read_ahead, lambda items: map_ahead(lambda item: item, items)])
def test_what_making_an_item_raises_comes_when_its_turn_comes(ahead):
    def numbers():
        yield 1
        yield 2
        raise ValueError("the third is broken")

    taken = []
    with pytest.raises(ValueError, match="the third is broken"):
        taken.extend(ahead(numbers()))
    assert set(taken) <= {1, 2}


def test_what_a_thread_opened_it_closes_too():
    closed_by = []

    def numbers():
        opened_by = threading.get_ident()
        try:
            yield from range(100)
        finally:
            closed_by.append(threading.get_ident() == opened_by)

    taken = read_ahead(numbers())
    next(taken)
    taken.close()
    assert closed_by == [True]


def test_what_nobody_takes_any_more_ends_also_when_it_is_found_as_garbage():
    closed = threading.Event()

    def numbers():
        try:
            yield from range(100)
        finally:
            closed.set()

    class Cycle:
        pass

    cycle = Cycle()
    cycle.itself, cycle.taken = cycle, read_ahead(numbers())
    next(cycle.taken)
    del cycle
    gc.collect()
    assert closed.wait(10)
