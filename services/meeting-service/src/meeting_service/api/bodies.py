"""What is sent in and what is answered: the bodies of the meetings' addresses, with examples."""

from datetime import UTC
from typing import Any
from uuid import UUID

from pydantic import ConfigDict, Field, model_validator

from chassis.days import Day, When, local_day
from chassis.http import Body
from contracts.meeting import (
    AmendReason,
    Answer,
    CancelReason,
    Conclusion,
    MeetingForm,
    MeetingKind,
    MoveReason,
    Party,
    Stance,
)
from meeting_service.api.fields import Arranged, Line, Minutes, MinutesText, OrgNrIn, Prose, SituationIn, Yes
from meeting_service.domain.commands import Arrangement, Invited, Promise
from meeting_service.domain.parties import AF_ORG, FK_ORG, ref_of

KNOWN = {Party.FK: FK_ORG, Party.AF: AF_ORG, Party.PERSON: ""}
"""Parties that need not say which organisation they are."""


def example(**fields: Any) -> ConfigDict:
    return ConfigDict(json_schema_extra={"examples": [fields]})


class PartyIn(Body):
    """A party: what it is, and its organisation number. The insured person, FK and AF have none to give."""

    role: Party
    org_id: OrgNrIn | None = None

    @model_validator(mode="after")
    def _named(self) -> "PartyIn":
        if (self.org_id is None) != (self.role in KNOWN):
            raise ValueError("Give orgId for an employer, a region and so on, and for no others.")
        return self

    @property
    def organisation(self) -> str:
        return self.org_id or KNOWN[self.role]

    def ref(self, person: str) -> str:
        """The party as facts name it; `person` is the insured person's."""
        return person if self.role is Party.PERSON else ref_of(self.role, self.organisation)


class InvitedIn(PartyIn):
    """Somebody to invite."""

    required: Yes = Field(True, description="Without them the meeting makes no sense")

    def as_given(self) -> Invited:
        return Invited(role=self.role, org_id=self.organisation, required=self.required)


class ArrangementIn(Body):
    """When and how."""

    starts_at: When
    minutes: Minutes = 60
    form: MeetingForm = MeetingForm.DIGITAL
    link_ref: UUID | None = Field(None, description="Where the link is kept; never the link itself")
    short_notice_agreed: Yes = Field(False, description="The parties have agreed to meet sooner than is usual")

    def arranged(self, notice_days: int) -> Arrangement:
        return Arrangement(
            starts_at=self.starts_at.astimezone(UTC),
            starts_on=local_day(self.starts_at),
            minutes=self.minutes,
            form=self.form,
            link_ref=self.link_ref,
            short_notice_agreed=self.short_notice_agreed,
            notice_days=notice_days,
        )


class NewProposal(Body):
    """A party wishes a meeting."""

    model_config = example(kind="STATUS", purpose="Vad som hindrar återgång på deltid.", wishedBy="2026-05-15")

    kind: MeetingKind
    purpose: Prose
    wished_by: Day


class NewMeeting(ArrangementIn):
    """A meeting that the parties are invited to. Who calls it is invited without being named."""

    model_config = example(
        kind="STATUS",
        startsAt="2026-04-20T08:00:00Z",
        minutes=60,
        form="DIGITAL",
        participants=[
            {"role": "PERSON"},
            {"role": "EMPLOYER", "orgId": "5560360793"},
            {"role": "CARE", "orgId": "2320000017", "required": False},
        ],
        purpose="Steg tillbaka i arbete.",
    )

    kind: MeetingKind
    situation_code: SituationIn | None = None
    participants: tuple[InvitedIn, ...] = Field(min_length=1, max_length=20)
    purpose: Prose
    proposal_id: UUID | None = Field(None, description="The proposal it follows: it keeps that meetingId")


class NewAnswer(Body):
    """The answer to one time of the meeting: whoever answers has read when it is."""

    model_config = example(answer="YES", arrangement=1)

    answer: Answer
    arrangement: Arranged


class NewTime(ArrangementIn):
    """Another time or form. Everybody is asked anew."""

    model_config = example(startsAt="2026-04-27T08:00:00Z", minutes=60, form="PHONE", reason="NEW_TIME_ASKED")

    reason: MoveReason


class NewHolding(Body):
    """That the meeting was held, when, and who of the invited was there."""

    model_config = example(form="DIGITAL", present=[{"role": "PERSON"}, {"role": "FK"}, {"role": "AF"}])

    form: MeetingForm
    present: tuple[PartyIn, ...] = Field(max_length=20)
    held_at: When | None = Field(None, description="When it began; left out: at the time for which it was called")


class PromiseIn(Body):
    """Who does what by when."""

    agreement_id: UUID | None = Field(None, description="When minutes are amended: the agreement that stands")
    who: PartyIn
    what: Line
    by: Day


AGREEMENT = {"who": {"role": "PERSON"}, "what": "Ringer vårdcentralen om remiss.", "by": "2026-05-08"}


class NewMinutes(Body):
    """What was said and agreed."""

    model_config = example(text="Alla vill pröva halvtid från juni.", agreements=[AGREEMENT])

    text: MinutesText
    agreements: tuple[PromiseIn, ...] = Field((), max_length=50)

    def promises(self, person: str) -> tuple[Promise, ...]:
        return tuple(
            Promise(agreement_id=a.agreement_id, who=a.who.ref(person), what=a.what, by=a.by) for a in self.agreements
        )


class NewAmendment(NewMinutes):
    """The minutes as they ought to read, whole. Agreements that are left out no longer stand."""

    model_config = example(text="Alla vill pröva halvtid från juli.", agreements=[AGREEMENT], reason="WRONG")

    reason: AmendReason


class NewComment(Body):
    """What a party thinks of it. The insured person's dissent stands beside it for ever."""

    model_config = example(stance="DISAGREES", text="Jag sade att jag vill börja på en fjärdedel.")

    stance: Stance
    text: Prose


class NewCancellation(Body):
    model_config = example(reason="NO_LONGER_NEEDED")

    reason: CancelReason


class NewAssessment(Body):
    """What FK and Arbetsförmedlingen came to together."""

    model_config = example(
        referralId="0195a1c2-7b1e-7c1a-9d3e-2f6f8f1f7a14",
        conclusion="AF_ACTIVITY",
        functionView="Kan sitta två timmar i taget.",
        workView="Arbetsträning på lager, halvtid.",
    )

    referral_id: UUID
    meeting_id: UUID | None = Field(None, description="The meeting it was held at")
    conclusion: Conclusion
    function_view: Prose
    work_view: Prose


# --- answers ---


class MeetingTaken(Body):
    meeting_id: UUID


class MinutesTaken(Body):
    meeting_id: UUID
    minutes_ref: UUID


class AssessmentTaken(Body):
    assessment_id: UUID
