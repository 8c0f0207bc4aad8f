"""Work on threads ahead of whoever takes the results, in order and without piling up."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Generator, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from queue import SimpleQueue
from typing import Any, TypeVar

A = TypeVar("A")
B = TypeVar("B")
END: Any = object()


def read_ahead(items: Iterable[A], count: int = 2) -> Generator[A, None, None]:
    """The items, of which a thread makes up to `count` before they are asked for. Raises what making them raises."""
    # A thread of its own, no executor: one of those stops working once it is garbage, as it may be when this is closed.
    made: SimpleQueue[tuple[Any, BaseException | None]] = SimpleQueue()
    places, is_closed = threading.Semaphore(count), threading.Event()

    def make() -> None:
        iterator = iter(items)
        try:
            while places.acquire() and not is_closed.is_set():
                made.put((next(iterator, END), None))
        except BaseException as error:
            made.put((END, error))
        finally:
            # On the thread that began it: a database, for one, is closed only by the thread that opened it.
            getattr(iterator, "close", int)()

    maker = threading.Thread(target=make, name="read_ahead", daemon=True)
    maker.start()
    try:
        while True:
            item, error = made.get()
            if error is not None:
                raise error
            if item is END:
                return
            yield item
            places.release()
    finally:
        is_closed.set()
        places.release()
        maker.join()


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
