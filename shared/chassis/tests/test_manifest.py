"""A manifest is shared by everything that runs from it, so it keeps nothing in mind itself."""

from typing import Any

from chassis.service import per_runtime


class Running:
    """Stands in for a runtime: only its identity matters here."""


def test_what_a_worker_keeps_in_mind_is_its_own_runtimes_alone() -> None:
    of: Any = per_runtime(list)
    one, other = Running(), Running()
    of(one).append("taken")
    assert (of(one), of(other)) == (["taken"], [])
