"""Work on threads ahead of whoever takes the results, in order and without piling up."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any, TypeVar

A = TypeVar("A")
B = TypeVar("B")
END: Any = object()


def read_ahead(items: Iterable[A], count: int = 2) -> Iterator[A]:
    """The items, of which a thread makes up to `count` before they are asked for. Raises what making them raises."""
    iterator = iter(items)
    with ThreadPoolExecutor(1) as pool:
        coming = deque(pool.submit(next, iterator, END) for _ in range(count))
        try:
            while (item := coming.popleft().result()) is not END:
                coming.append(pool.submit(next, iterator, END))
                yield item
        finally:
            # On the thread that began it: a database, for one, is closed only by the thread that opened it.
            pool.submit(getattr(iterator, "close", int)).result()


def map_ahead(function: Callable[[A], B], items: Iterable[A], threads: int = 2) -> Iterator[B]:
    """What `function` makes of each item, in order, by threads; few are under way at a time: memory stays flat."""
    with ThreadPoolExecutor(threads) as pool:
        coming: deque[Future[B]] = deque()
        for item in items:
            coming.append(pool.submit(function, item))
            if len(coming) > 2 * threads:
                yield coming.popleft().result()
        while coming:
            yield coming.popleft().result()
