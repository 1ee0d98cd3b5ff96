"""What is answered about a tip to Arbetsmiljöverket, what shows a ground for one, and which texts name a person."""

from datetime import date
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given as drawn
from hypothesis import settings
from hypothesis import strategies as st

from chassis.decider import Refused
from chassis.testing import scenarios
from contracts.plan import (
    PLAN,
    SupervisionTipAcknowledged,
    SupervisionTipOutcome,
    SupervisionTipSent,
    TipEvent,
    TipGround,
    TipKind,
    TipOutcome,
    TipProposed,
)
from plan_service.domain.anonymity import names_a_person, names_in
from plan_service.domain.tip import (
    AcknowledgeTip,
    ConcludeTip,
    GroundFellAway,
    GroundNotShown,
    ProposeTip,
    SendTip,
    TipAlreadySent,
    TipConcluded,
    TipContainsAPerson,
    TipNotAcknowledged,
    TipNotSent,
    TipTellsOfHealth,
    TipUnknown,
    decider,
)

given = scenarios(decider)

TIP, ORG = UUID(int=7), "5560009010"
TODAY = date(2026, 5, 20)
NO_PLAN = frozenset({TipGround.NO_PLAN})
FACTS = "Arbetsgivaren har inte lämnat in den plan för återgång i arbete som begärdes den 1 april 2026."
PROPOSE = ProposeTip(tip_id=TIP, org_nr=ORG, grounds=(TipGround.NO_PLAN,), shown=NO_PLAN)
PROPOSED = TipProposed(tip_id=TIP, org_nr=ORG, grounds=(TipGround.NO_PLAN,))


def send(**other: Any) -> SendTip:
    said: dict[str, Any] = {
        "kind": TipKind.TIP,
        "workplace": "Lagret i Norrköping",
        "case_count": 1,
        "facts": FACTS,
        "shown": NO_PLAN,
        "known_names": (),
        "about_health": False,
    }
    return SendTip(**said | other)


SENT = SupervisionTipSent(
    tip_id=TIP,
    kind=TipKind.TIP,
    org_nr=ORG,
    workplace="Lagret i Norrköping",
    grounds=(TipGround.NO_PLAN,),
    case_count=1,
    facts=FACTS,
)
ACKNOWLEDGED = SupervisionTipAcknowledged(tip_id=TIP, org_nr=ORG, at=TODAY)
CONCLUDED = SupervisionTipOutcome(tip_id=TIP, org_nr=ORG, outcome=TipOutcome.INSPECTION, at=TODAY)
CONCLUDE = ConcludeTip(outcome=TipOutcome.INSPECTION, today=TODAY)


def test_a_tip_goes_from_proposal_to_outcome() -> None:
    given().when(PROPOSE).then(PROPOSED)
    given(PROPOSED).when(send()).then(SENT)
    given(PROPOSED, SENT).when(AcknowledgeTip(today=TODAY)).then(ACKNOWLEDGED)
    given(PROPOSED, SENT, ACKNOWLEDGED).when(CONCLUDE).then(CONCLUDED)


def test_a_ground_must_be_shown() -> None:
    for shown in (frozenset[TipGround](), frozenset({TipGround.POOR})):
        given().when(ProposeTip(tip_id=TIP, org_nr=ORG, grounds=(TipGround.NO_PLAN,), shown=shown)).refused(
            GroundNotShown
        )


def test_what_fell_away_meanwhile_is_not_sent() -> None:
    given(PROPOSED).when(send(shown=frozenset())).refused(GroundFellAway)


def test_a_tip_about_health_is_not_sent() -> None:
    given(PROPOSED).when(send(about_health=True)).refused(TipTellsOfHealth)


def test_what_was_sent_cannot_be_worded_anew() -> None:
    given(PROPOSED, SENT).when(send(facts="Något annat.")).refused(TipAlreadySent)
    given(PROPOSED, SENT).when(send()).then()


def test_one_step_comes_after_the_other() -> None:
    given().when(send()).refused(TipUnknown)
    given().when(AcknowledgeTip(today=TODAY)).refused(TipUnknown)
    given(PROPOSED).when(AcknowledgeTip(today=TODAY)).refused(TipNotSent)
    given(PROPOSED).when(CONCLUDE).refused(TipNotSent)
    given(PROPOSED, SENT).when(CONCLUDE).refused(TipNotAcknowledged)
    other = ConcludeTip(outcome=TipOutcome.NO_ACTION, today=TODAY)
    given(PROPOSED, SENT, ACKNOWLEDGED, CONCLUDED).when(other).refused(TipConcluded)


@pytest.mark.parametrize("declared", [d for d in PLAN if "Tip" in d.name], ids=lambda d: d.name)
def test_a_tip_has_no_field_that_leads_to_a_person(declared: Any) -> None:
    assert not declared.fact.linked
    assert not {f.name for f in declared.shape.fields} & {"case_id", "person_ref", "employment_id", "plan_id"}


# --- persons ---

PERSONS = [
    "19640823-3234",
    "640823-3234",
    "640823+3234",
    "6408233234",
    "64 08 23 32 34",
    "1964.08.23.3234",
    "640823–3234",
    "640823 – 3234",
    "640823\u200b3234",
    "６４０８２３３２３４",
    "٦٤٠٨٢٣٣٢٣٤",
    "640883-3234",
    "pnr640823-3234x",
    "anna.exempel@example.org",
    "anna.exempel (at) example.org",
    "anna snabel-a example.org",
    "070-123 45 67",
    "+46 70 123 45 67",
    "0046701234567",
    "(011) 12 34 56",
    "0195a1c2-7b1e-7c1a-9d3e-2f6f8f1f7a10",
    "0195A1C27B1E7C1A9D3E2F6F8F1F7A10",
    "Den anställda heter Exempelina",
    "medarbetaren Exempelina kom inte",
    "fru Exempelsson",
    "en anställd född 1964",
]
"""Invented; the number is one that Skatteverket gives out for tests."""


@pytest.mark.parametrize("person", PERSONS)
@pytest.mark.parametrize("frame", ["{}", "Det gäller {}, som väntar.", "({})", "Sagt: {}"])
def test_a_text_that_names_a_person_is_not_sent(person: str, frame: str) -> None:
    given(PROPOSED).when(send(facts=frame.format(person))).refused(TipContainsAPerson)
    given(PROPOSED).when(send(workplace=frame.format(person))).refused(TipContainsAPerson)


@pytest.mark.parametrize(
    "text",
    [
        FACTS,
        "Lagret i Norrköping",
        "Organisationsnummer 556000-9010, 5560009010.",
        "Mellan 2026-04-16 – 2026-05-01, 2026-04-16--2026-05-01.",
        "Begärd 2026-04-01, påmind 2026-04-16 och 2026-04-23.",
        "Två av tre aktiviteter med slutdag 31 maj 2026 har inte genomförts.",
        "SFB 30:6, 110:31; 14 dagar, 29 dagar, 100 procent.",
        "Ärendet gäller fler än 250 anställda på två arbetsställen.",
    ],
)
def test_a_text_about_an_employer_is_sent(text: str) -> None:
    assert not names_a_person(text, ())


def test_names_known_from_the_plan_are_found_in_any_case() -> None:
    known = names_in("Chef Exempla von Testsson, tel. hemma; Prov-Anna Provberg")
    assert known == ("Chef Exempla von Testsson", "Prov-Anna Provberg")
    for text in ("TESTSSON har inte hört av sig", "enligt testssons chef", "Provberg"):
        given(PROPOSED).when(send(facts=text, known_names=known)).refused(TipContainsAPerson)
    assert not names_a_person("Arbetsledaren har inte svarat.", names_in("Arbetsledare, utleverans"))


separators = st.sampled_from(["", "-", " ", "+", " - ", ".", "\u00a0", "–"])
numbers = st.dates(date(1900, 1, 1), date(2026, 1, 1))


@settings(max_examples=300, deadline=None)
@drawn(
    numbers, st.integers(0, 9999), separators, separators, st.booleans(), st.booleans(),
    st.text(alphabet="abc åäö,.", max_size=20),
)  # fmt: skip
def test_no_spelling_of_a_number_gets_through(
    born: date, end: int, inner: str, before_end: str, century: bool, coordination: bool, around: str
) -> None:
    day = born.day + 60 * coordination
    parts = [f"{born:%Y}" if century else f"{born:%y}", f"{born:%m}", f"{day:02}"]
    number = inner.join(parts) + before_end + f"{end:04}"
    assert names_a_person(f"{around} {number} {around}", ())


# --- laws ---

commands = st.sampled_from(
    [
        PROPOSE, send(), send(facts="Annat"), send(shown=frozenset()), AcknowledgeTip(today=TODAY), CONCLUDE,
        ConcludeTip(outcome=TipOutcome.NO_ACTION, today=TODAY),
    ]
)  # fmt: skip


@settings(max_examples=200, deadline=None)
@drawn(st.lists(commands, max_size=8), commands)
def test_an_accepted_command_asked_again_yields_no_new_facts(before: list[Any], last: Any) -> None:
    history: list[TipEvent] = []
    for command in before:
        history += asked(command, history) or []
    first = asked(last, history)
    if first is not None:
        assert asked(last, [*history, *first]) == []
    order = [TipProposed, SupervisionTipSent, SupervisionTipAcknowledged, SupervisionTipOutcome]
    assert [type(f) for f in history] == order[: len(history)]


def asked(command: Any, history: list[TipEvent]) -> list[TipEvent] | None:
    try:
        return list(decider.decide(command, decider.fold(history)))
    except Refused:
        return None
