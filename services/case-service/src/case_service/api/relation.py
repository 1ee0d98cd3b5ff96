"""Whose case is it? The one place where those who may see a case are told from everybody else.

FK sees every case, the insured person their own: a person's token names the personRef as its user. What a party may not
touch looks to it exactly like what does not exist.
"""

from typing import Annotated, Any
from uuid import UUID

from fastapi import Depends, Request

from case_service.domain.commands import CaseUnknown
from case_service.domain.consent import ConsentUnknown, Ended, Given, NeverGiven
from case_service.domain.referral import NotSent, ReferralUnknown, Sent
from case_service.domain.situations import NotOpened, Opened
from chassis.envelope import Actor
from chassis.http import allow

FK_ORG, AF_ORG = "2021005521", "2021002114"
"""Försäkringskassan's and Arbetsförmedlingen's organisation numbers."""

FK, PERSON, CARE, AF = "FK", "PERSON", "CARE", "AF"
HANDLER = "fk.handler"
AT_FK = (HANDLER, "fk.unit_manager", "fk.specialist", "fk.collab_lead")

Handler = Annotated[Actor, allow(HANDLER)]
Assigner = Annotated[Actor, allow(HANDLER, "fk.unit_manager")]
AtFk = Annotated[Actor, allow(*AT_FK)]
Employer = Annotated[Actor, allow("emp.hr", "emp.manager")]
Referrer = Annotated[Actor, allow(HANDLER, "emp.hr", "emp.manager")]
Coordinator = Annotated[Actor, allow("care.coordinator")]
Officer = Annotated[Actor, allow("af.officer")]
Reader = Annotated[Actor, allow(*AT_FK, "person")]
HealthReader = Annotated[Actor, allow(HANDLER, "fk.specialist", "person")]
"""Classes M1 and M2: who heads a unit or works with other parties does not need them."""
Consenter = Annotated[Actor, allow(HANDLER, "care.coordinator", "person")]
ReferralReader = Annotated[Actor, allow(*AT_FK, "af.officer", "person")]


def is_own(person_ref: UUID, who: Actor) -> bool:
    return who.user_ref == str(person_ref)


def of(situation: NotOpened | Opened, who: Actor) -> Opened:
    """The case, if there is one that this party may see. Raises CaseUnknown."""
    if isinstance(situation, NotOpened):
        raise CaseUnknown
    if who.org_type == PERSON and not is_own(situation.case.opened.person_ref, who):
        raise CaseUnknown
    return situation


def consent_of(situation: NeverGiven | Given | Ended, who: Actor) -> Given | Ended:
    """The consent, if this party may end it: FK any, the person their own, a care organisation what is about it."""
    if isinstance(situation, NeverGiven):
        raise ConsentUnknown
    if who.org_type == PERSON and not is_own(situation.given.person_ref, who):
        raise ConsentUnknown
    if who.org_type == CARE and situation.given.counterparty != who.org_id:
        raise ConsentUnknown
    return situation


def referral_of(situation: NotSent | Sent, who: Actor) -> Sent:
    """The referral, if there is one that this party may see: AF what was sent to it. Raises ReferralUnknown."""
    if isinstance(situation, NotSent):
        raise ReferralUnknown
    if who.org_type == AF and situation.sent.sent_to != who.org_id:
        raise ReferralUnknown
    if who.org_type == PERSON and not is_own(situation.sent.person_ref, who):
        raise ReferralUnknown
    return situation


def _runtime(request: Request) -> Any:
    return request.app.state.runtime


Here = Annotated[Any, Depends(_runtime)]
"""This service at work: its streams, its keys, its secrets."""
