"""What has case-service told of the case, its consents and its referrals, and what does a meeting rest on?

Notes are kept in the same stream as the case's meetings, so a consent that ends and a meeting that is called under it
come one after the other, never past each other. A note says how things stand; an older one changes nothing.
"""

from collections.abc import Mapping, Set
from datetime import date, datetime
from uuid import UUID

from chassis.decider import but, record
from contracts.case import Covered, Scope
from contracts.meeting import CaseNoted, ConsentNoted, MeetingKind, Party, ReferralNoted, ReferralStanding
from meeting_service.domain.parties import MEETING_HOLDS, SCOPES, org_of, party_of, person_of, scope_for


@record
class Grounds:
    """How things stand around the meetings. Keys are the ids of consents and of referrals; `bygone` are consents as
    they were before they were given anew."""

    case: CaseNoted | None = None
    consents: Mapping[UUID, ConsentNoted]
    bygone: tuple[ConsentNoted, ...] = ()
    referrals: Mapping[UUID, ReferralNoted]

    @property
    def noted(self) -> CaseNoted:
        assert self.case is not None
        return self.case

    def consent(
        self, scope: Scope, counterparty: str, today: date, covering: Set[Covered] = frozenset()
    ) -> ConsentNoted | None:
        """The consent of that scope towards that party, if it holds today and covers these data classes."""
        there = (c for c in self.consents.values() if c.standing and _is_such(c, scope, counterparty, today))
        return next((c for c in there if covering <= set(c.data_classes)), None)

    def held_consent(
        self, scope: Scope, counterparty: str, day: date, moment: datetime, covering: Set[Covered]
    ) -> bool:
        """Did such a consent hold at a moment that has passed, whatever has become of it since?"""
        known = (*self.consents.values(), *self.bygone)
        return any(
            _is_such(c, scope, counterparty, day) and _had_not_ended(c, moment) and covering <= set(c.data_classes)
            for c in known
        )


NOTHING = Grounds(consents={}, referrals={})


def _is_such(c: ConsentNoted, scope: Scope, counterparty: str, day: date) -> bool:
    return c.scope is scope and c.counterparty == counterparty and c.valid_from <= day <= c.valid_to


def _had_not_ended(c: ConsentNoted, moment: datetime) -> bool:
    return c.standing or (c.ended_at is not None and moment < c.ended_at)


def learnt(grounds: Grounds, fact: CaseNoted | ConsentNoted | ReferralNoted) -> Grounds:
    match fact:
        case CaseNoted():
            return but(grounds, case=fact)
        case ConsentNoted():
            was = grounds.consents.get(fact.consent_id)
            before = () if was is None or was.giving == fact.giving else (was,)
            bygone = tuple(_ended_with(b, fact) for b in (*grounds.bygone, *before))
            return but(grounds, consents={**grounds.consents, fact.consent_id: fact}, bygone=bygone)
        case ReferralNoted():
            return but(grounds, referrals={**grounds.referrals, fact.referral_id: fact})


def _ended_with(bygone: ConsentNoted, fact: ConsentNoted) -> ConsentNoted:
    """What was given anew to last longer ends when that does."""
    if bygone.consent_id != fact.consent_id or fact.standing or not bygone.standing:
        return bygone
    return but(bygone, standing=False, ended_at=fact.ended_at)


def consent_of(grounds: Grounds, kind: MeetingKind, ref: str, today: date) -> ConsentNoted | None:
    """The consent under which a party sits at a meeting of this kind today; None also for who needs none."""
    scope = scope_for(kind, party_of(ref))
    return None if scope is None else grounds.consent(scope, org_of(ref), today, MEETING_HOLDS)


def lacks_consent(grounds: Grounds, kind: MeetingKind, ref: str, today: date) -> bool:
    """Does a party need a consent for this, and there is none today that covers what a meeting tells?"""
    return scope_for(kind, party_of(ref)) is not None and consent_of(grounds, kind, ref, today) is None


def lacked_consent(grounds: Grounds, kind: MeetingKind, ref: str, day: date, moment: datetime) -> bool:
    """As `lacks_consent`, of a moment that has passed: what has ended since was no hindrance then."""
    scope = scope_for(kind, party_of(ref))
    return scope is not None and not grounds.held_consent(scope, org_of(ref), day, moment, MEETING_HOLDS)


def is_related(grounds: Grounds, ref: str, today: date) -> bool:
    """Has this party anything to do with the case? FK and the person always, an employer in it, whoever the person has
    consented to."""
    party, org_id = party_of(ref), org_of(ref)
    if grounds.case is None:
        return False
    if party is Party.PERSON:
        return ref == person_of(grounds.case.person_ref)
    if party is Party.FK or (party is Party.EMPLOYER and org_id in grounds.case.employers):
        return True
    scopes = {SCOPES[party]} | ({Scope.KOORD_MEASURE, Scope.KOORD_TO_FK} if party is Party.CARE else set())
    return any(grounds.consent(scope, org_id, today) for scope in scopes)


# --- what is heard: each asks us to note how something stands ---


@record
class NoteCase:
    """A case was opened."""

    case_id: UUID
    person_ref: UUID
    employers: tuple[str, ...]


@record
class NoteEmployer:
    """An employer belongs to the case."""

    org_nr: str


@record
class NoteCaseClosed:
    """The case was closed: its meetings that lie ahead are cancelled (row 39)."""

    at: datetime


@record
class NoteCaseReopened:
    """The case was opened again."""


@record
class NoteConsent:
    """A consent was given."""

    consent: ConsentNoted


@record
class NoteConsentEnded:
    """A consent was withdrawn or expired: the meetings that rest on it are marked (row 17)."""

    consent_id: UUID
    giving: int
    at: datetime


@record
class NoteReferral:
    """A referral to Arbetsförmedlingen was sent, accepted or declined. `sent_to` comes with the sending."""

    case_id: UUID
    referral_id: UUID
    sent_to: str | None
    standing: ReferralStanding


Note = NoteCase | NoteEmployer | NoteCaseClosed | NoteCaseReopened | NoteConsent | NoteConsentEnded | NoteReferral


def case_noted(note: NoteCase, grounds: Grounds) -> list[CaseNoted]:
    known = grounds.case.employers if grounds.case else ()
    employers = (*known, *(e for e in dict.fromkeys(note.employers) if e not in known))
    told = CaseNoted(case_id=note.case_id, person_ref=note.person_ref, employers=employers, opened=True)
    return [told] if grounds.case is None else []


def employer_noted(note: NoteEmployer, grounds: Grounds) -> list[CaseNoted]:
    if grounds.case is None or note.org_nr in grounds.case.employers:
        return []
    return [but(grounds.case, employers=(*grounds.case.employers, note.org_nr))]


def opening_noted(closed_at: datetime | None, grounds: Grounds) -> list[CaseNoted]:
    """The case was closed at that time; None: it was opened again."""
    opened = closed_at is None
    if grounds.case is None or grounds.case.opened is opened:
        return []
    return [but(grounds.case, opened=opened, closed_at=closed_at)]


def consent_noted(note: NoteConsent, grounds: Grounds) -> list[ConsentNoted]:
    known = grounds.consents.get(note.consent.consent_id)
    return [] if known is not None and known.giving >= note.consent.giving else [note.consent]


def consent_end_noted(note: NoteConsentEnded, grounds: Grounds) -> list[ConsentNoted]:
    known = grounds.consents.get(note.consent_id)
    if known is None or not known.standing or known.giving > note.giving:
        return []
    return [but(known, standing=False, ended_at=note.at)]


def referral_noted(note: NoteReferral, grounds: Grounds) -> list[ReferralNoted]:
    known = grounds.referrals.get(note.referral_id)
    sent_to = known.sent_to if known else note.sent_to
    if sent_to is None or (known is not None and known.standing is not ReferralStanding.SENT):
        return []
    told = ReferralNoted(
        case_id=note.case_id, referral_id=note.referral_id, sent_to=sent_to, standing=note.standing
    )  # fmt: skip
    return [] if told == known else [told]
