"""What does each party see of a meeting, and what may it do next? A field that a party may not see is absent."""

from datetime import date, datetime
from typing import Annotated, Any
from uuid import UUID

from pydantic import AwareDatetime, Field

from chassis.envelope import Actor
from chassis.http import Body
from contracts.meeting import MeetingProposed, PartyCommented
from meeting_service.api.relation import HANDLER, MINUTES_COMMENTERS, party, subject
from meeting_service.domain.assessment import Assessed
from meeting_service.domain.situations import Called, Cancelled, Held, Meeting, Minuted, Proposed, Situation
from meeting_service.views.invitations import InvitationRow
from meeting_service.views.meetings import MeetingRow, Status


class Link(Body):
    """An address and the method to call it with."""

    href: str
    method: str = "GET"


Links = Annotated[dict[str, Link], Field(alias="_links", description="What this caller may do now")]


class MeetingSummary(Body):
    """A meeting in a list. `marked`: somebody takes no part any more, so it has to be moved or cancelled."""

    meeting_id: UUID
    kind: str
    status: str
    caller: str
    starts_at: AwareDatetime | None
    minutes: int | None
    form: str | None
    marked: bool
    minutes_version: int
    agreements: int
    reason: str | None
    links: Links


class MeetingPage(Body):
    items: list[MeetingSummary]
    next: str | None = Field(description="Send as `after` for the next page; null: there is none")


class InvitationShown(Body):
    """A party's invitation. `answer` is the one to the time that stands, which `arrangement` counts."""

    meeting_id: UUID
    case_id: UUID
    kind: str
    caller: str
    required: bool
    arrangement: int
    starts_at: AwareDatetime
    minutes: int
    form: str
    answer: str | None
    open: bool
    links: Links


class InvitationPage(Body):
    items: list[InvitationShown]
    next: str | None


class ParticipantShown(Body):
    """`takesPart` is false once the party's part in the meeting has ended; why is not said."""

    ref: str
    role: str
    required: bool
    answer: str | None
    takes_part: bool


class MeetingShown(Body):
    """A meeting. What it does not have yet is absent."""

    meeting_id: UUID
    case_id: UUID
    kind: str
    status: str
    caller: str
    purpose: str
    wished_by: date | None = None
    situation_code: str | None = None
    arrangement: int | None = None
    starts_at: AwareDatetime | None = None
    minutes: int | None = None
    form: str | None = None
    link_ref: UUID | None = None
    participants: list[ParticipantShown] | None = None
    present: list[str] | None = None
    absent: list[str] | None = None
    held_at: AwareDatetime | None = None
    minutes_ref: UUID | None = None
    minutes_version: int | None = None
    reason: str | None = None
    links: Links


class AgreementShown(Body):
    agreement_id: UUID
    who: str
    what: str
    by: date


class CommentShown(Body):
    by: str
    stance: str
    text: str


class MinutesShown(Body):
    minutes_ref: UUID
    version: int
    sha256: str
    text: str
    agreements: list[AgreementShown]
    comments: list[CommentShown]


class AssessmentShown(Body):
    assessment_id: UUID
    referral_id: UUID
    meeting_id: UUID | None
    conclusion: str
    function_view: str
    work_view: str
    held_at: AwareDatetime
    comments: list[CommentShown]


class AssessmentList(Body):
    items: list[AssessmentShown]


# --- lists ---


def _at(case_id: UUID, meeting_id: UUID) -> str:
    return f"/v1/cases/{case_id}/meetings/{meeting_id}"


def summary(row: MeetingRow) -> MeetingSummary:
    return MeetingSummary(
        meeting_id=row.meeting_id,
        kind=row.kind,
        status=row.status,
        caller=row.caller,
        starts_at=row.starts_at,
        minutes=row.minutes,
        form=row.form,
        marked=row.marked and row.status == Status.CALLED,
        minutes_version=row.minutes_version,
        agreements=row.agreements,
        reason=row.reason,
        links={"self": Link(href=_at(row.case_id, row.meeting_id))},
    )


def invitation(row: InvitationRow) -> InvitationShown:
    here = _at(row.case_id, row.meeting_id)
    answering = {"answer": Link(href=f"{here}/answers", method="POST")} if row.open else {}
    return InvitationShown(
        meeting_id=row.meeting_id,
        case_id=row.case_id,
        kind=row.kind,
        caller=row.caller,
        required=row.required,
        arrangement=row.arrangement,
        starts_at=row.starts_at,
        minutes=row.minutes,
        form=row.form,
        answer=row.answer,
        open=row.open,
        links={"self": Link(href=here), **answering},
    )


# --- one meeting ---


def meeting(found: Situation, who: Actor, now: datetime) -> MeetingShown:
    about = subject(found)
    assert about is not None, "a meeting that is not there is not shown"
    if isinstance(about, MeetingProposed):
        return _proposed(about, found, who, now)
    match found:
        case Cancelled():
            return _called(about, found, Status.CANCELLED, who, now, reason=found.cancelled.reason)
        case Held() | Minuted():
            more = dict[str, Any](present=found.held.present, absent=found.held.absent, held_at=found.held.at)
            if isinstance(found, Minuted):
                more |= {"minutes_ref": found.minutes.minutes_ref, "minutes_version": found.minutes.version}
            return _called(about, found, Status.HELD, who, now, **more)
        case _:
            return _called(about, found, Status.CALLED, who, now)


def _proposed(was: MeetingProposed, found: Situation, who: Actor, now: datetime) -> MeetingShown:
    return MeetingShown(
        meeting_id=was.meeting_id,
        case_id=was.case_id,
        kind=was.kind,
        status=Status.PROPOSED if isinstance(found, Proposed) else Status.CANCELLED,
        caller=was.proposed_by,
        purpose=was.purpose,
        wished_by=was.wished_by,
        links=_links(found, was.case_id, was.meeting_id, was.proposed_by, who, now),
    )


def _called(m: Meeting, found: Situation, status: Status, who: Actor, now: datetime, **more: Any) -> MeetingShown:
    was, standing = m.called, m.standing
    return MeetingShown(
        meeting_id=was.meeting_id,
        case_id=was.case_id,
        kind=was.kind,
        status=status,
        caller=was.called_by,
        purpose=was.purpose,
        situation_code=was.situation_code,
        arrangement=standing.arrangement,
        starts_at=standing.starts_at,
        minutes=standing.minutes,
        form=standing.form,
        link_ref=standing.link_ref,
        participants=[
            ParticipantShown(
                ref=p.ref,
                role=p.role,
                required=p.required,
                answer=m.answers[p.ref].answer if p.ref in m.answers else None,
                takes_part=p.ref not in m.ended,
            )
            for p in standing.participants
        ],
        links=_links(found, was.case_id, was.meeting_id, was.called_by, who, now, m),
        **more,
    )


def _links(
    found: Situation, case_id: UUID, meeting_id: UUID, caller: str, who: Actor, now: datetime, m: Meeting | None = None
) -> dict[str, Link]:
    here, me = _at(case_id, meeting_id), party(who)
    mine = caller == me and (who.role == HANDLER or not who.role.startswith("fk."))
    may = {
        "answer": f"{here}/answers" if m and m.participant(me) and now < m.standing.starts_at else None,
        "move": f"{here}/times" if mine else None,
        "hold": f"{here}/holding" if mine and m and now >= m.standing.starts_at else None,
        "cancel": f"{here}/cancellation" if mine or (who.role == HANDLER and isinstance(found, Proposed)) else None,
        "approveMinutes": f"{here}/minutes" if mine else None,
        "amendMinutes": f"{here}/minutes/amendments" if mine else None,
        "comment": f"{here}/minutes/comments" if m and m.participant(me) and who.role in MINUTES_COMMENTERS else None,
        "call": f"/v1/cases/{case_id}/meetings" if who.role == HANDLER else None,
    }
    wanted: tuple[str, ...] = ()
    match found:
        case Proposed():
            wanted = ("call", "cancel")
        case Called():
            wanted = ("answer", "move", "hold", "cancel")
        case Held():
            wanted = ("approveMinutes",)
        case Minuted():
            wanted = ("amendMinutes", "comment")
        case _:
            pass
    links = {"self": Link(href=here)} | {w: Link(href=to, method="POST") for w in wanted if (to := may[w])}
    return links | ({"minutes": Link(href=f"{here}/minutes")} if isinstance(found, Minuted) else {})


# --- minutes and assessments ---


def minutes(found: Minuted) -> MinutesShown:
    newest = found.minutes
    return MinutesShown(
        minutes_ref=newest.minutes_ref,
        version=newest.version,
        sha256=newest.sha256,
        text=newest.text,
        agreements=[
            AgreementShown(agreement_id=a.agreement_id, who=a.who, what=a.what, by=a.by) for a in newest.agreements
        ],
        comments=[_comment(c) for c in found.comments],
    )


def assessment(known: Assessed) -> AssessmentShown:
    was = known.assessment
    return AssessmentShown(
        assessment_id=was.assessment_id,
        referral_id=was.referral_id,
        meeting_id=was.meeting_id,
        conclusion=was.conclusion,
        function_view=was.function_view,
        work_view=was.work_view,
        held_at=was.held_at,
        comments=[_comment(c) for c in known.comments],
    )


def _comment(c: PartyCommented) -> CommentShown:
    return CommentShown(by=c.by, stance=c.stance, text=c.text)
