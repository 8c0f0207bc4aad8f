"""Work handed from one thread to the next."""

import threading

from endo_depth_ros.nodes.hand_over import HandOver

DEADLINE_S = 10.0


def test_items_come_in_order_and_none_is_lost_or_waits_behind_another():
    over, taken, most_waiting = HandOver(), [], []

    def give():
        for item in range(200):
            over.wait_until_empty()
            over.put(item)
            most_waiting.append(len(over._items))
        over.close()

    giver = threading.Thread(target=give)
    giver.start()
    while (item := over.take()) is not None:
        taken.append(item)
    giver.join(DEADLINE_S)
    assert taken == list(range(200))
    assert max(most_waiting) <= 1


def test_what_was_put_before_the_end_is_still_taken():
    over = HandOver()
    over.put("last")
    over.close()
    assert over.take() == "last"
    assert over.take() is None


def test_who_waits_for_an_item_is_released_at_the_end():
    over, taken = HandOver(), []
    taker = threading.Thread(target=lambda: taken.append(over.take()))
    taker.start()
    over.close()
    taker.join(DEADLINE_S)
    assert taken == [None]


def test_who_begins_is_told_that_nobody_finishes_any_more():
    over = HandOver()
    over.put("stays")
    told = []
    giver = threading.Thread(target=lambda: told.append(over.wait_until_empty()))
    giver.start()
    over.close()
    giver.join(DEADLINE_S)
    assert told == [False]
