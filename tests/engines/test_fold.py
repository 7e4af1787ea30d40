"""Parts are merged as a binary counter, so that runs of a power of two of blocks give the same tree."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from losscli.engines.fold import Counter

RNG = np.random.default_rng(3)


def tree(leaves) -> object:
    counter = Counter(lambda a, b: (a, b))
    for leaf in leaves:
        counter.add(leaf)
    return counter.merged()


def test_equal_numbers_of_parts_merge_and_the_rest_from_the_right():
    assert tree([]) is None
    assert tree("a") == "a"
    assert tree("abcd") == (("a", "b"), ("c", "d"))
    assert tree("abcdefg") == ((("a", "b"), ("c", "d")), (("e", "f"), "g"))


@pytest.mark.parametrize("blocks", [2, 7, 64, 77])
def test_threads_that_put_parts_in_any_order_give_the_tree_of_one_run(blocks):
    counter = Counter(lambda a, b: (a, b))
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(counter.put, *[RNG.permutation(blocks).tolist()] * 2))
    assert counter.merged() == tree(range(blocks))


@pytest.mark.parametrize("size", [1, 2, 4, 8, 64])
@pytest.mark.parametrize("blocks", [1, 7, 64, 77, 128])
def test_runs_of_a_power_of_two_of_blocks_give_the_tree_of_one_run(size, blocks):
    runs = [tree(range(start, min(start + size, blocks))) for start in range(0, blocks, size)]
    assert tree(runs) == tree(range(blocks))
