"""What is drawn many at a time is as random as what is drawn one by one."""

import os

from chassis.chance import Chance


def test_nothing_is_drawn_twice() -> None:
    draw = Chance(12, many=16)
    drawn = [draw() for _ in range(10_000)]
    assert {len(d) for d in drawn} == {12}
    assert len(set(drawn)) == 10_000


def test_a_forked_child_draws_for_itself() -> None:
    draw = Chance(12)
    draw()
    reading, writing = os.pipe()
    if (child := os.fork()) == 0:
        os.write(writing, b"".join(draw() for _ in range(300)))
        os._exit(0)
    os.close(writing)
    with os.fdopen(reading, "rb") as said:
        theirs = said.read()
    os.waitpid(child, 0)
    ours = {draw() for _ in range(300)}
    assert len(theirs) == 12 * 300
    assert ours.isdisjoint(theirs[n : n + 12] for n in range(0, len(theirs), 12))
