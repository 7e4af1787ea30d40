"""Calls in threads: results in order, errors where they belong, and no thread for a single call."""

import threading
import time
from functools import partial

import pytest

from losscli.data.threads import in_order


def _slow(number):
    time.sleep(0.002 * (5 - number % 5))
    return number


@pytest.mark.parametrize("workers", [1, 3])
def test_results_are_in_the_order_of_the_calls(workers):
    assert list(in_order((partial(_slow, i) for i in range(20)), workers)) == list(range(20))


@pytest.mark.parametrize("calls", [0, 1])
def test_a_single_call_needs_no_thread(calls):
    assert list(in_order([threading.get_ident] * calls, 4)) == [threading.get_ident()] * calls


def test_few_calls_are_made_ahead_of_their_use():
    made = []

    def calls():
        for i in range(20):
            made.append(i)
            yield partial(time.sleep, 0.01)

    found = in_order(calls(), 2)
    next(found)
    assert len(made) <= 4
    found.close()


def test_an_error_is_raised_after_the_results_before_it():
    found = in_order([lambda: 1, lambda: 2, lambda: 1 / 0, lambda: 3], 2)
    assert [next(found), next(found)] == [1, 2]
    with pytest.raises(ZeroDivisionError):
        next(found)
