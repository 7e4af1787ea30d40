"""Properties that are computed once for each object, by threads that do not wait for each other."""

from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

from losscli.numeric.cached import cached_property


class Counted:
    """Counts how often its property is computed."""

    def __init__(self) -> None:
        self.computed = 0

    @cached_property
    def value(self) -> int:
        """A value."""
        self.computed += 1
        return 7


def test_it_is_computed_once_for_each_object():
    first, second = Counted(), Counted()
    assert [first.value, first.value, second.value] == [7, 7, 7]
    assert (first.computed, second.computed) == (1, 1)


def test_the_class_has_its_documentation():
    assert Counted.value.__doc__ == "A value."


def test_threads_compute_those_of_several_objects_at_the_same_time():
    both = Barrier(2, timeout=5)

    class Meeting:
        @cached_property
        def value(self) -> int:
            return both.wait()  # until the other thread computes too

    with ThreadPoolExecutor(2) as pool:
        found = pool.map(lambda meeting: meeting.value, [Meeting(), Meeting()])
        assert sorted(found) == [0, 1]
