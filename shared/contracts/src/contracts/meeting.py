"""What can have happened to a meeting about a case, and to a joint assessment. Each event is declared here, once."""

from datetime import datetime
from enum import StrEnum
from typing import Annotated, Any

from chassis.classes import Coded, DataClass
from chassis.decider import record
from chassis.facts import Fact, Facts
from contracts.case import Covered, Scope
from contracts.values import Code, Count, Day, Moment, OrgId, OrgNr, Ref, Sha256

P, D, W, M2, L = DataClass.P, DataClass.D, DataClass.W, DataClass.M2, DataClass.L

PartyRef = Annotated[str, P, Coded(r"(person|fk|employer|care|af|mun|finsam|ohs|union):[A-Za-z0-9-]{1,64}")]
"""A party to a meeting: what it is, and its organisation number, or the `personRef` of the insured person. For example
`employer:5560360793`, `fk:2021005521`, `person:0195a1c2-...`."""

When = Annotated[datetime, D]
"""When a meeting begins, RFC 3339 UTC."""


class Party(StrEnum):
    """What a participant is: an organisation's kind, or the insured person."""

    PERSON = "PERSON"
    FK = "FK"
    EMPLOYER = "EMPLOYER"
    CARE = "CARE"
    AF = "AF"
    MUN = "MUN"
    FINSAM = "FINSAM"
    OHS = "OHS"
    UNION = "UNION"


class MeetingKind(StrEnum):
    """STATUS is avstämningsmöte: the person, FK and at least one party more."""

    STATUS = "STATUS"
    CONTACT = "CONTACT"
    JOINT_ASSESSMENT = "JOINT_ASSESSMENT"
    TRANSITION = "TRANSITION"
    CLOSING = "CLOSING"
    FOLLOW_UP = "FOLLOW_UP"
    SGI0_FIRST = "SGI0_FIRST"
    WORKPLACE_CARE = "WORKPLACE_CARE"


class MeetingForm(StrEnum):
    DIGITAL = "DIGITAL"
    PHONE = "PHONE"
    ON_SITE = "ON_SITE"
    HYBRID = "HYBRID"


class Answer(StrEnum):
    YES = "YES"
    NO = "NO"
    NEW_TIME = "NEW_TIME"


class MoveReason(StrEnum):
    NEW_TIME_ASKED = "NEW_TIME_ASKED"
    PARTY_PREVENTED = "PARTY_PREVENTED"
    ILLNESS = "ILLNESS"
    CALLER_PREVENTED = "CALLER_PREVENTED"
    OTHER = "OTHER"


class CancelReason(StrEnum):
    """COOPERATION_ENDED says that a party no longer takes part, and never why."""

    NO_LONGER_NEEDED = "NO_LONGER_NEEDED"
    PARTY_DECLINED = "PARTY_DECLINED"
    COOPERATION_ENDED = "COOPERATION_ENDED"
    ILLNESS = "ILLNESS"
    CASE_CLOSED = "CASE_CLOSED"
    OTHER = "OTHER"


class AmendReason(StrEnum):
    WRONG = "WRONG"
    INCOMPLETE = "INCOMPLETE"
    AGREEMENT_CHANGED = "AGREEMENT_CHANGED"
    PARTY_DISAGREED = "PARTY_DISAGREED"


class Conclusion(StrEnum):
    """What a joint assessment came to (row 27 of the policies)."""

    AF_ACTIVITY = "AF_ACTIVITY"
    FINSAM = "FINSAM"
    OTHER_ACTOR = "OTHER_ACTOR"
    NOT_YET = "NOT_YET"


class Stance(StrEnum):
    AGREES = "AGREES"
    DISAGREES = "DISAGREES"
    ADDS = "ADDS"


class ReferralStanding(StrEnum):
    SENT = "SENT"
    ACCEPTED = "ACCEPTED"
    DECLINED = "DECLINED"


@record
class Participant:
    """Who is invited. `required`: without them the meeting makes no sense. `consent_id` is the consent under which an
    outside party takes part; the person, FK, and who needs none have no such."""

    ref: PartyRef
    role: Annotated[Party, P]
    required: Annotated[bool, P]
    consent_id: Ref | None


@record
class Agreement:
    """What somebody promised at the meeting: who does what by when. `agreement_id` stays when minutes are amended."""

    agreement_id: Ref
    who: PartyRef
    what: Annotated[str, W]
    by: Day


# --- a meeting ---


@record
class MeetingProposed:
    """A party wishes a meeting; whether it is called is for the caller to decide. Called, it keeps its id."""

    meeting_id: Ref
    case_id: Ref
    person_ref: Ref
    proposed_by: PartyRef
    kind: Annotated[MeetingKind, P]
    purpose: Annotated[str, W]
    wished_by: Day


@record
class MeetingCalled:
    """The parties are invited. `arrangement` is 1, and counts on each time the meeting is moved: an answer is to one
    arrangement. `short_notice`: the parties agreed to meet sooner than they must be called [A: 14 days]."""

    meeting_id: Ref
    case_id: Ref
    person_ref: Ref
    called_by: PartyRef
    kind: Annotated[MeetingKind, P]
    situation_code: Code | None
    arrangement: Count
    starts_at: When
    minutes: Count
    form: Annotated[MeetingForm, P]
    link_ref: Ref | None
    participants: tuple[Participant, ...]
    purpose: Annotated[str, W]
    short_notice: Annotated[bool, P]


@record
class MeetingAnswered:
    """`required` says whether the one who answered has to be there."""

    meeting_id: Ref
    case_id: Ref
    ref: PartyRef
    answer: Annotated[Answer, P]
    arrangement: Count
    required: Annotated[bool, P]


@record
class MeetingMoved:
    """Another time or form. Everybody is asked anew: answers to earlier arrangements no longer count."""

    meeting_id: Ref
    case_id: Ref
    called_by: PartyRef
    kind: Annotated[MeetingKind, P]
    arrangement: Count
    starts_at: When
    minutes: Count
    form: Annotated[MeetingForm, P]
    link_ref: Ref | None
    participants: tuple[Participant, ...]
    reason: Annotated[MoveReason, P]
    short_notice: Annotated[bool, P]


@record
class MeetingHeld:
    """`at` is when it took place, as its caller says, which may be long before that was recorded."""

    meeting_id: Ref
    case_id: Ref
    called_by: PartyRef
    kind: Annotated[MeetingKind, P]
    arrangement: Count
    form: Annotated[MeetingForm, P]
    present: tuple[PartyRef, ...]
    absent: tuple[PartyRef, ...]
    at: Moment


@record
class MeetingMinutesApproved:
    """What was said and agreed. `version` is 1; `sha256` is that of the minutes' text in UTF-8."""

    meeting_id: Ref
    case_id: Ref
    person_ref: Ref
    minutes_ref: Ref
    version: Count
    sha256: Sha256
    text: Annotated[str, W]
    agreements: tuple[Agreement, ...]


@record
class MeetingMinutesAmended:
    """A later version of the minutes, whole. `dropped` are agreements that no longer stand."""

    meeting_id: Ref
    case_id: Ref
    person_ref: Ref
    minutes_ref: Ref
    version: Count
    reason: Annotated[AmendReason, P]
    sha256: Sha256
    text: Annotated[str, W]
    agreements: tuple[Agreement, ...]
    dropped: tuple[Ref, ...]


@record
class MeetingCancelled:
    """`notice_hours` is how long before its time, 0 when that has passed or no time was set. `refs` are those who were
    invited."""

    meeting_id: Ref
    case_id: Ref
    kind: Annotated[MeetingKind, P]
    reason: Annotated[CancelReason, P]
    notice_hours: Annotated[int, D]
    refs: tuple[PartyRef, ...]


@record
class JointAssessmentHeld:
    """FK and Arbetsförmedlingen have assessed together what AF can do. `meeting_id` where it was held at a meeting."""

    assessment_id: Ref
    case_id: Ref
    person_ref: Ref
    referral_id: Ref
    meeting_id: Ref | None
    conclusion: Annotated[Conclusion, L]
    function_view: Annotated[str, M2]
    work_view: Annotated[str, W]
    held_at: Moment


@record
class PartyCommented:
    """What a party thinks of minutes or of an assessment (`about` is the minutesRef or the assessmentId). The insured
    person's dissent stands beside what it is about, for ever."""

    comment_id: Ref
    case_id: Ref
    person_ref: Ref
    meeting_id: Ref | None
    about: Ref
    by: PartyRef
    stance: Annotated[Stance, P]
    text: Annotated[str, W]


# --- what was heard of a case, kept beside its meetings; lives in the service ---


@record
class CaseNoted:
    """How a case stands, as case-service told it. `opened` is False once it is closed, at `closed_at`."""

    case_id: Ref
    person_ref: Ref
    employers: tuple[OrgNr, ...]
    opened: Annotated[bool, P]
    closed_at: Moment | None = None


@record
class ConsentNoted:
    """How one consent stands, as case-service told it. `ended_at` says when one that was given ended."""

    case_id: Ref
    consent_id: Ref
    giving: Count
    scope: Annotated[Scope, P]
    counterparty: OrgId
    data_classes: Annotated[tuple[Covered, ...], P]
    valid_from: Day
    valid_to: Day
    standing: Annotated[bool, P]
    ended_at: Moment | None = None


@record
class ReferralNoted:
    """How one referral stands, as case-service told it."""

    case_id: Ref
    referral_id: Ref
    sent_to: OrgId
    standing: Annotated[ReferralStanding, P]


@record
class ParticipationEnded:
    """The consent under which a party was to take part holds no more: it sees nothing further of this meeting, and the
    caller has to call anew or cancel."""

    meeting_id: Ref
    case_id: Ref
    ref: PartyRef
    consent_id: Ref


MeetingEvent = (
    MeetingProposed
    | MeetingCalled
    | MeetingAnswered
    | MeetingMoved
    | MeetingHeld
    | MeetingMinutesApproved
    | MeetingMinutesAmended
    | MeetingCancelled
    | JointAssessmentHeld
    | PartyCommented
    | CaseNoted
    | ConsentNoted
    | ReferralNoted
    | ParticipationEnded
)


def _closed_at_a_time_unknown(raw: dict[str, Any]) -> dict[str, Any]:
    """Version 1 did not say when."""
    return {**raw, "closedAt": None}


def _ended_at_a_time_unknown(raw: dict[str, Any]) -> dict[str, Any]:
    """Version 1 did not say when."""
    return {**raw, "endedAt": None}


MEETING = Facts(
    "meeting",
    [
        Fact("MeetingProposed", 1, MeetingProposed, person="person_ref"),
        Fact("MeetingCalled", 1, MeetingCalled, person="person_ref"),
        Fact("MeetingAnswered", 1, MeetingAnswered),
        Fact("MeetingMoved", 1, MeetingMoved),
        Fact("MeetingHeld", 1, MeetingHeld),
        Fact("MeetingMinutesApproved", 1, MeetingMinutesApproved, person="person_ref"),
        Fact("MeetingMinutesAmended", 1, MeetingMinutesAmended, person="person_ref"),
        Fact("MeetingCancelled", 1, MeetingCancelled),
        Fact("JointAssessmentHeld", 1, JointAssessmentHeld, person="person_ref"),
        Fact("PartyCommented", 1, PartyCommented, person="person_ref"),
        Fact("CaseNoted", 2, CaseNoted, published=False, upcasts={1: _closed_at_a_time_unknown}),
        Fact("ConsentNoted", 2, ConsentNoted, published=False, upcasts={1: _ended_at_a_time_unknown}),
        Fact("ReferralNoted", 1, ReferralNoted, published=False),
        Fact("ParticipationEnded", 1, ParticipationEnded, published=False),
    ],
)
