"""What is answered to each thing that may be asked about a consent."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest

from case_service.domain.commands import CaseIsClosed
from case_service.domain.consent import (
    BlanketConsent,
    ConsentAlreadyGiven,
    ConsentEndsBeforeStart,
    ConsentTooLong,
    ConsentUnknown,
    EndWithCase,
    GiveConsent,
    RecordConsentExpired,
    RenewalLeavesGap,
    WithdrawalAhead,
    WithdrawalBackdated,
    WithdrawConsent,
    decider,
    holds,
)
from chassis.testing import scenarios
from contracts.case import (
    ConsentEvent,
    ConsentExpired,
    ConsentForm,
    ConsentGiven,
    ConsentWithdrawn,
    Covered,
    Purpose,
    Scope,
)

given = scenarios(decider)

TODAY = date(2026, 4, 1)
NOON = datetime(2026, 4, 1, 10, tzinfo=UTC)
GIVE = GiveConsent(
    consent_id=UUID(int=1),
    case_id=UUID(int=2),
    person_ref=UUID(int=3),
    scope=Scope.AF,
    counterparty="2021002114",
    purpose=Purpose.JOINT_ASSESSMENT,
    data_classes=(Covered.M2, Covered.D),
    valid_from=TODAY,
    valid_to=None,
    form=ConsentForm.ORAL,
    evidence_ref=UUID(int=4),
    opening=1,
    today=TODAY,
    at=NOON,
)
WITHDRAW = WithdrawConsent(effective_at=None, at=NOON)
END = EndWithCase(giving=1, at=NOON)
YEAR, MONTH = timedelta(days=365), timedelta(days=30)


def expire(day: date) -> RecordConsentExpired:
    return RecordConsentExpired(today=day, at=NOON)


def after(*commands: Any) -> list[ConsentEvent]:
    facts: list[ConsentEvent] = []
    for command in commands:
        facts += decider.decide(command, decider.fold(facts))
    return facts


def test_a_consent_lasts_a_year_and_says_what_it_covers() -> None:
    (made,) = given().when(GIVE).facts()
    assert isinstance(made, ConsentGiven)
    assert (made.valid_to, made.data_classes, made.giving) == (TODAY + YEAR, (Covered.D, Covered.M2), 1)


@pytest.mark.parametrize("covered", [(), tuple(Covered)])
def test_a_blanket_consent_is_none(covered: tuple[Covered, ...]) -> None:
    given().when(replace(GIVE, data_classes=covered)).refused(BlanketConsent)


@pytest.mark.parametrize("change", [{"valid_to": TODAY - timedelta(days=1)}, {"valid_from": TODAY - YEAR * 2}])
def test_a_consent_that_is_over_is_not_given(change: dict[str, Any]) -> None:
    given().when(replace(GIVE, **change)).refused(ConsentEndsBeforeStart)


@pytest.mark.parametrize(
    ("first", "last"),
    [
        (date(2026, 4, 1), date(2027, 4, 1)),
        (date(2027, 3, 31), date(2028, 3, 31)),
        (date(2028, 2, 29), date(2029, 2, 28)),
        (date(2026, 12, 31), date(2027, 12, 31)),
    ],
)
def test_a_consent_lasts_twelve_months_at_most(first: date, last: date) -> None:
    whole = replace(GIVE, valid_from=first, valid_to=last, today=first)
    (made,) = given().when(whole).facts()
    assert made == given().when(replace(whole, valid_to=None)).facts()[0]
    given().when(replace(whole, valid_to=last + timedelta(days=1))).refused(ConsentTooLong)


def test_nor_does_one_that_is_made_to_last_longer() -> None:
    in_march = TODAY + MONTH * 11
    again = replace(GIVE, valid_from=in_march, today=in_march, valid_to=in_march + YEAR + timedelta(days=1))
    given(*after(GIVE)).when(again).refused(ConsentTooLong)
    since_then = replace(GIVE, today=in_march, valid_to=TODAY + YEAR + timedelta(days=1))
    given(*after(GIVE)).when(since_then).refused(ConsentTooLong)


def test_a_consent_given_twice_alike_stands_and_otherwise_is_refused() -> None:
    given(*after(GIVE)).when(GIVE).nothing_happens()
    given(*after(GIVE)).when(replace(GIVE, purpose=Purpose.MEETING)).refused(ConsentAlreadyGiven)


def test_a_consent_in_force_is_given_anew_to_last_longer_and_both_givings_are_kept() -> None:
    in_march = replace(GIVE, valid_from=TODAY + MONTH * 11, today=TODAY + MONTH * 11, evidence_ref=UUID(int=5))
    history = after(GIVE, in_march)
    assert [type(f) for f in history] == [ConsentGiven, ConsentGiven]
    first, second = history
    assert isinstance(first, ConsentGiven)
    assert isinstance(second, ConsentGiven)
    assert (second.giving, second.consent_id) == (2, first.consent_id)
    assert (first.valid_to, second.valid_to) == (TODAY + YEAR, TODAY + MONTH * 11 + YEAR)
    assert holds(decider.fold(history), TODAY + YEAR + timedelta(days=1), 1) == second
    given(*history).when(in_march).nothing_happens()
    given(*history).when(expire(TODAY + YEAR + timedelta(days=1))).nothing_happens()


@pytest.mark.parametrize(
    "change",
    [
        {"purpose": Purpose.MEETING},
        {"data_classes": (Covered.D, Covered.M2, Covered.W)},
        {"data_classes": (Covered.D,)},
        {"valid_to": TODAY + YEAR - timedelta(days=1)},
    ],
)
def test_what_makes_a_consent_last_longer_changes_nothing_else(change: dict[str, Any]) -> None:
    longer = replace(GIVE, valid_from=TODAY + MONTH, today=TODAY + MONTH)
    given(*after(GIVE)).when(replace(longer, **change)).refused(ConsentAlreadyGiven)


def test_a_consent_made_to_last_longer_holds_all_the_time() -> None:
    later = replace(GIVE, valid_from=TODAY + timedelta(days=1))
    given(*after(GIVE)).when(later).refused(RenewalLeavesGap)
    ahead = replace(GIVE, valid_from=TODAY + MONTH, valid_to=TODAY + MONTH * 2)
    (second,) = given(*after(ahead)).when(replace(ahead, valid_to=TODAY + YEAR)).facts()
    assert isinstance(second, ConsentGiven)
    assert second.valid_from == TODAY + MONTH


def test_after_a_renewal_one_withdrawal_ends_it_all() -> None:
    history = after(GIVE, replace(GIVE, valid_from=TODAY + MONTH, today=TODAY + MONTH), WITHDRAW)
    assert isinstance(history[-1], ConsentWithdrawn)
    assert history[-1].giving == 2
    assert holds(decider.fold(history), TODAY, 1) is None


def test_a_consent_is_withdrawn_from_the_moment_it_is_recorded() -> None:
    (withdrawn,) = given(*after(GIVE)).when(WITHDRAW).facts()
    assert isinstance(withdrawn, ConsentWithdrawn)
    assert withdrawn.effective_at == NOON
    given(*after(GIVE, WITHDRAW)).when(WITHDRAW).nothing_happens()
    given().when(WITHDRAW).refused(ConsentUnknown)


def test_a_withdrawal_is_neither_backdated_nor_put_off() -> None:
    early, late = NOON - timedelta(seconds=1), NOON + timedelta(seconds=1)
    given(*after(GIVE)).when(WithdrawConsent(effective_at=early, at=NOON)).refused(WithdrawalBackdated)
    given(*after(GIVE)).when(WithdrawConsent(effective_at=late, at=NOON)).refused(WithdrawalAhead)


def test_a_consent_can_be_given_again_after_it_ended() -> None:
    again = after(GIVE, WITHDRAW, GIVE)[-1]
    assert isinstance(again, ConsentGiven)
    assert (again.giving, again.consent_id) == (2, GIVE.consent_id)


def test_a_consent_expires_after_its_last_day_and_not_on_it() -> None:
    given(*after(GIVE)).when(expire(TODAY + YEAR)).nothing_happens()
    (gone,) = given(*after(GIVE)).when(expire(TODAY + YEAR + timedelta(days=1))).facts()
    assert isinstance(gone, ConsentExpired)
    given(*after(GIVE, WITHDRAW)).when(expire(TODAY + YEAR * 2)).nothing_happens()
    given().when(expire(TODAY)).refused(ConsentUnknown)


def test_a_consent_ends_with_its_case() -> None:
    (gone,) = given(*after(GIVE)).when(END).facts()
    assert isinstance(gone, ConsentExpired)
    assert (gone.giving, gone.effective_at) == (1, NOON)
    given(*after(GIVE, WITHDRAW)).when(END).nothing_happens()
    given().when(END).refused(ConsentUnknown)


def test_a_consent_holds_for_the_opening_of_the_case_in_which_it_was_given() -> None:
    standing = decider.fold(after(GIVE))
    assert [holds(standing, TODAY, opening) is not None for opening in (None, 1, 2)] == [False, True, False]


def test_a_consent_that_is_given_again_in_a_case_opened_again_is_a_new_one() -> None:
    again = replace(GIVE, opening=2)
    ended, made = given(*after(GIVE)).when(again).facts()
    assert (type(ended), ended.giving) == (ConsentExpired, 1)
    assert isinstance(made, ConsentGiven)
    assert (made.giving, made.opening) == (2, 2)


def test_what_is_recorded_late_of_a_closing_does_not_end_what_was_given_since() -> None:
    given(*after(GIVE, replace(GIVE, opening=2))).when(END).nothing_happens()
    given(*after(GIVE, WITHDRAW, GIVE)).when(END).nothing_happens()


@pytest.mark.parametrize("before", [(), (GIVE,), (GIVE, WITHDRAW)])
def test_no_consent_is_given_in_a_closed_case(before: tuple[Any, ...]) -> None:
    given(*after(*before)).when(replace(GIVE, opening=None)).refused(CaseIsClosed)


def test_a_consent_given_anew_after_its_last_day_expires_first() -> None:
    later = replace(GIVE, valid_from=TODAY + YEAR * 2, today=TODAY + YEAR * 2)
    assert [type(f) for f in given(*after(GIVE)).when(later).facts()] == [ConsentExpired, ConsentGiven]


def test_a_consent_holds_from_its_first_day_to_its_last_and_not_once_withdrawn() -> None:
    standing = decider.fold(after(GIVE))
    days = [TODAY - timedelta(days=1), TODAY, TODAY + YEAR, TODAY + YEAR + timedelta(days=1)]
    assert [holds(standing, d, 1) is not None for d in days] == [False, True, True, False]
    assert holds(decider.fold(after(GIVE, WITHDRAW)), TODAY, 1) is None
    assert holds(decider.initial, TODAY, 1) is None
