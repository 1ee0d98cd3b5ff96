"""Whatever a fact may hold comes back as it was, and others see it with blanks and nothing else."""

import json
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from chassis.codec import Codec
from chassis.facts import Declared, Facts, Shape
from chassis.testing_facts import records
from contracts.case import CASE
from contracts.notification import NOTIFICATION
from contracts.plan import PLAN

DECLARED = [(facts, d) for facts in (CASE, PLAN, NOTIFICATION) for d in facts]
each_fact = pytest.mark.parametrize(
    ("facts", "declared"), DECLARED, ids=lambda x: x.name if isinstance(x, Declared) else ""
)
quickly = settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.too_slow])


@each_fact
@given(data=st.data())
@quickly
def test_any_fact_comes_back_as_it_was(facts: Facts, declared: Declared, data: st.DataObject) -> None:
    fact = data.draw(records(declared.shape))
    e = Codec(facts).encode(fact)
    assert Codec(facts).decode(e.name, e.version, e.open, e.sealed) == fact
    assert (e.sealed is not None) is declared.shape.seals
    assert (e.subject is not None) is (declared.fact.person is not None)


@each_fact
@given(data=st.data())
@quickly
def test_what_others_see_is_open_and_the_rest_is_blank(facts: Facts, declared: Declared, data: st.DataObject) -> None:
    fact = data.draw(records(declared.shape))
    e = Codec(facts).encode(fact)
    seen = Codec(facts).decode(e.name, e.version, e.open)
    for open_to_all, was, now in leaves(declared.shape, fact, seen):
        assert now == was if open_to_all else now in ("", None, ())
    assert keys(json.loads(e.open)) <= open_names(declared.shape)


def leaves(shape: Shape, was: Any, now: Any) -> Iterator[tuple[bool, Any, Any]]:
    """Every leaf: whether it is open, what it held, what others see."""
    for f in shape.fields:
        a, b = getattr(was, f.name), getattr(now, f.name)
        if f.nested is None:
            yield not f.sealed, a, b
        elif f.many:
            for x, y in zip(a, b, strict=True):
                yield from leaves(f.nested, x, y)
        elif a is not None:
            yield from leaves(f.nested, a, b)
        else:
            assert b is None


def keys(value: Any) -> set[str]:
    """Every name that stands anywhere in a JSON value."""
    if isinstance(value, dict):
        return set(value) | {k for v in value.values() for k in keys(v)}
    return {k for v in value for k in keys(v)} if isinstance(value, list) else set()


def open_names(shape: Shape) -> set[str]:
    nested = {n for f in shape.fields if f.nested is not None for n in open_names(f.nested)}
    return nested | {f.json for f in shape.fields if not f.sealed}
