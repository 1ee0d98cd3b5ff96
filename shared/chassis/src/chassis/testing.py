"""Given what happened, when this is asked, then these facts follow: how rules are tested."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Generic, TypeVar

from chassis.decider import Decider, Refused

C = TypeVar("C")
S = TypeVar("S")
F = TypeVar("F")


@dataclass(frozen=True)
class Scenario(Generic[C, S, F]):
    decider: Decider[C, S, F]
    history: tuple[F, ...]

    def when(self, command: C) -> "Asked[C, S, F]":
        return Asked(self, command)


@dataclass(frozen=True)
class Asked(Generic[C, S, F]):
    given: Scenario[C, S, F]
    command: C

    def facts(self) -> list[F]:
        d = self.given.decider
        return list(d.decide(self.command, d.fold(self.given.history)))

    def then(self, *facts: F) -> None:
        assert self.facts() == list(facts)

    def nothing_happens(self) -> None:
        assert self.facts() == []

    def refused(self, why: type[Refused]) -> None:
        try:
            facts = self.facts()
        except why:
            return
        raise AssertionError(f"expected {why.__name__}, got {facts}")


def scenarios(decider: Decider[C, S, F]) -> Callable[..., Scenario[C, S, F]]:
    """`given = scenarios(decider)`, then `given(fact, ...).when(command).then(fact, ...)`."""
    return lambda *history: Scenario(decider, history)
