"""What do we do about what case-service tells? We note it beside the case's meetings, where their rules look."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from chassis.react import Ask, Reaction
from chassis.view import Heard
from contracts.case import (
    CaseClosed,
    CaseOpened,
    CaseReopened,
    ConsentExpired,
    ConsentGiven,
    ConsentWithdrawn,
    EmployerSickNoticeReceived,
    ReferralAccepted,
    ReferralDeclined,
    ReferralToAF,
)
from contracts.meeting import ConsentNoted, ReferralStanding
from meeting_service.domain.heard import (
    Note,
    NoteCase,
    NoteCaseClosed,
    NoteCaseReopened,
    NoteConsent,
    NoteConsentEnded,
    NoteEmployer,
    NoteReferral,
)
from meeting_service.domain.meetings import meetings


def told(heard: Heard, now: datetime) -> Sequence[Ask]:
    """Each of these facts names its case; what it says becomes a note there."""
    note = _note(heard.fact)
    return () if note is None else (_ask(heard.fact.case_id, note),)


def _ask(case_id: UUID, note: Note) -> Ask:
    return Ask(aggregate=meetings, id=case_id, command=note, rule="note", case_id=case_id)


def _note(fact: Any) -> Note | None:
    match fact:
        case CaseOpened():
            employers = tuple(e.org_nr for e in fact.employments if e.org_nr is not None)
            return NoteCase(case_id=fact.case_id, person_ref=fact.person_ref, employers=employers)
        case EmployerSickNoticeReceived():
            org_nr = fact.employment.org_nr
            return None if org_nr is None else NoteEmployer(org_nr=org_nr)
        case CaseClosed():
            return NoteCaseClosed(at=fact.closed_at)
        case CaseReopened():
            return NoteCaseReopened()
        case ConsentGiven():
            return NoteConsent(consent=_standing(fact))
        case ConsentWithdrawn() | ConsentExpired():
            return NoteConsentEnded(consent_id=fact.consent_id, giving=fact.giving, at=fact.effective_at)
        case _:
            return _of_referral(fact)


def _standing(fact: ConsentGiven) -> ConsentNoted:
    return ConsentNoted(
        case_id=fact.case_id,
        consent_id=fact.consent_id,
        giving=fact.giving,
        scope=fact.scope,
        counterparty=fact.counterparty,
        data_classes=fact.data_classes,
        valid_from=fact.valid_from,
        valid_to=fact.valid_to,
        standing=True,
    )


def _of_referral(fact: ReferralToAF | ReferralAccepted | ReferralDeclined) -> NoteReferral:
    match fact:
        case ReferralToAF():
            sent_to, standing = fact.sent_to, ReferralStanding.SENT
        case ReferralAccepted():
            sent_to, standing = None, ReferralStanding.ACCEPTED
        case ReferralDeclined():
            sent_to, standing = None, ReferralStanding.DECLINED
    return NoteReferral(case_id=fact.case_id, referral_id=fact.referral_id, sent_to=sent_to, standing=standing)


HEARD = (
    CaseOpened,
    EmployerSickNoticeReceived,
    CaseClosed,
    CaseReopened,
    ConsentGiven,
    ConsentWithdrawn,
    ConsentExpired,
    ReferralToAF,
    ReferralAccepted,
    ReferralDeclined,
)

reactions: Mapping[tuple[str, str], Reaction] = {("case", kind.__name__): told for kind in HEARD}
