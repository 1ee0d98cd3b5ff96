"""What was just heard is taken from memory only where nothing is missing."""

from typing import Any

from chassis.recent import Recent


def rows(first: int, last: int) -> list[tuple[Any, ...]]:
    return [(n, "s", 1, "A", 1, b"", b"", None) for n in range(first, last + 1)]


def positions(recent: Recent, after: int, limit: int = 100) -> list[int]:
    return [r[0] for r in recent.after(after, limit)]


def test_what_was_heard_since_is_given_in_order() -> None:
    recent = Recent()
    recent.add(rows(5, 7))
    recent.add(rows(8, 9))
    assert positions(recent, 4) == [5, 6, 7, 8, 9]
    assert positions(recent, 6, 2) == [7, 8]
    assert positions(recent, 9) == []


def test_who_is_further_behind_has_to_ask_the_database() -> None:
    recent = Recent()
    assert positions(recent, 0) == []
    recent.add(rows(5, 7))
    assert positions(recent, 3) == []


def test_who_has_all_that_was_written_here_need_not_look() -> None:
    recent = Recent()
    assert not recent.ends_at(0)
    assert (recent.begin, recent.end) == (0, 0)
    recent.add(rows(5, 7))
    assert recent.ends_at(7)
    assert (recent.begin, recent.end) == (5, 7)
    assert not recent.ends_at(6)


def test_after_a_gap_only_what_follows_it_is_known() -> None:
    recent = Recent()
    recent.add(rows(1, 3))
    recent.add(rows(6, 8))
    assert positions(recent, 0) == []
    assert positions(recent, 5) == [6, 7, 8]


def test_what_is_long_past_is_forgotten_without_a_gap() -> None:
    recent = Recent(most=4)
    for n in range(1, 41):
        recent.add(rows(n, n))
        assert positions(recent, n - 1) == [n]
        assert positions(recent, max(0, n - 4)) == list(range(max(1, n - 3), n + 1))
    assert positions(recent, 0) == []


def test_nothing_is_known_after_it_was_told_to_forget() -> None:
    recent = Recent()
    recent.add(rows(1, 3))
    recent.forget()
    assert positions(recent, 0) == []
