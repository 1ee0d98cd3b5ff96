"""What may be asked about a meeting, and for which reasons is it refused?"""

from datetime import date, datetime
from uuid import UUID

from chassis.decider import Invalid, MissingPredecessor, Refused, Unknown, record
from contracts.meeting import AmendReason, Answer, CancelReason, MeetingForm, MeetingKind, MoveReason, Party, Stance

# --- commands: `by` is the party that asks, `today` the Swedish date, `at` the moment in UTC ---


@record
class Invited:
    """Somebody to invite. `org_id` is not looked at for the insured person."""

    role: Party
    org_id: str
    required: bool


@record
class Arrangement:
    """When and how. `starts_on` is the Swedish date of `starts_at`; `notice_days` is how far ahead it has to be, unless
    `short_notice_agreed`."""

    starts_at: datetime
    starts_on: date
    minutes: int
    form: MeetingForm
    link_ref: UUID | None
    short_notice_agreed: bool
    notice_days: int


@record
class Promise:
    """Who does what by when. `agreement_id` names an agreement of the minutes before."""

    agreement_id: UUID | None = None
    who: str
    what: str
    by: date


@record
class ProposeMeeting:
    """propose a meeting"""

    meeting_id: UUID
    by: str
    kind: MeetingKind
    purpose: str
    wished_by: date
    today: date


@record
class CallMeeting:
    """call a meeting"""

    meeting_id: UUID
    by: str
    kind: MeetingKind
    situation_code: str | None
    arrangement: Arrangement
    invited: tuple[Invited, ...]
    purpose: str
    today: date
    at: datetime


@record
class AnswerMeeting:
    """answer an invitation

    `arrangement` is the time that is answered, as the meeting counts them."""

    meeting_id: UUID
    by: str
    arrangement: int
    answer: Answer
    today: date
    at: datetime


@record
class MoveMeeting:
    """move the meeting"""

    meeting_id: UUID
    by: str
    arrangement: Arrangement
    reason: MoveReason
    today: date
    at: datetime


@record
class HoldMeeting:
    """record that the meeting was held"""

    meeting_id: UUID
    by: str
    form: MeetingForm
    present: tuple[str, ...]
    today: date
    at: datetime


@record
class ApproveMinutes:
    """approve the minutes"""

    meeting_id: UUID
    by: str
    text: str
    sha256: str
    agreements: tuple[Promise, ...]
    today: date


@record
class AmendMinutes:
    """amend the minutes"""

    meeting_id: UUID
    by: str
    reason: AmendReason
    text: str
    sha256: str
    agreements: tuple[Promise, ...]
    today: date


@record
class CommentMinutes:
    """say what one thinks of the minutes"""

    meeting_id: UUID
    by: str
    stance: Stance
    text: str
    today: date


@record
class CancelMeeting:
    """cancel the meeting"""

    meeting_id: UUID
    by: str
    reason: CancelReason
    at: datetime


MeetingCommand = (
    ProposeMeeting
    | CallMeeting
    | AnswerMeeting
    | MoveMeeting
    | HoldMeeting
    | ApproveMinutes
    | AmendMinutes
    | CommentMinutes
    | CancelMeeting
)

# --- refusals ---


class CaseUnknown(Unknown):
    reason = "There is no such case here, or not for you."
    do = "Check the id."


class MeetingUnknown(Unknown):
    reason = "There is no such meeting here, or not for you."
    do = "Check the id, or list the meetings of the case."


class CaseIsClosed(Refused):
    reason = "The case is closed."
    do = "Open it again first when the sick leave goes on."


class ConsentMissing(Refused):
    reason = "The person has not consented to a party's part in this, or no longer does."
    do = "Ask the person for a consent of that scope towards that party, or go on without it."


class TooFewParties(Refused):
    reason = "A meeting of this kind needs more parties; a status meeting the person, FK and at least one more."
    do = "Invite those who belong to it, or choose another kind."


class NotYoursToCall(Refused):
    reason = "A meeting of this kind is called by another party."
    do = "Propose it instead."


class NotTheCaller(Refused):
    reason = "Only the party that called the meeting may do this."
    do = "Ask the caller."


class NotInvited(Refused):
    reason = "You are not invited to this meeting."
    do = "Ask the caller to invite you."


class AnotherTimeStands(Refused):
    reason = "The meeting does not stand at the time that was answered: it has been moved, or was never arranged so."
    do = "Read the meeting, and answer the arrangement that stands."


class NoticeTooShort(Refused):
    reason = "A meeting is called in good time, unless the parties have agreed to meet sooner."
    do = "Choose a later day, or say that the parties agree."


class MeetingKnownOtherwise(Refused):
    reason = "There is a meeting with this id, with other particulars."
    do = "Move it, or call another."


class MeetingNotCalled(Refused):
    reason = "The meeting has been proposed, not called."
    do = "Wait until it is called."


class MeetingNotBegun(Refused):
    reason = "The meeting has not begun."
    do = "Record it when it has been held."


class MeetingHasBegun(Refused):
    reason = "The meeting's time has come."
    do = "Speak with the caller."


class MeetingIsHeld(Refused):
    reason = "The meeting has been held."
    do = "Call another when you need to meet again."


class MeetingNotHeld(MissingPredecessor):
    reason = "The meeting has not been held."
    do = "Record first that it was held, and who was there."


class MeetingIsCancelled(Refused):
    reason = "The meeting has been cancelled."
    do = "Call another when you need to meet."


class MinutesNotApproved(MissingPredecessor):
    reason = "There are no approved minutes."
    do = "Approve them first."


class MinutesAlreadyApproved(Refused):
    reason = "Other minutes have been approved."
    do = "Amend them, and say why."


class ParticipantTwice(Invalid):
    field = "participants"
    reason = "The same party stands there twice."
    do = "Give each party once."


class StartHasPassed(Invalid):
    field = "startsAt"
    reason = "A meeting cannot begin at a time that has passed."
    do = "Give a time that lies ahead."


class WishedByPassed(Invalid):
    field = "wishedBy"
    reason = "The day by which a meeting is wished must not have passed."
    do = "Give today or a later day."


class PurposeTellsOfHealth(Invalid):
    field = "purpose"
    reason = "The purpose seems to tell of somebody's health, and a party is invited that is never told of that."
    do = "Say what the meeting is about in the work, without diagnosis or treatment."


class TextTellsOfHealth(Invalid):
    field = "text"
    reason = "The text seems to tell of somebody's health, and a party reads it that is never told of that."
    do = "Say what was said and agreed about the work, without diagnosis or treatment."


class AgreementTellsOfHealth(Invalid):
    field = "agreements"
    reason = "An agreement seems to tell of somebody's health, and a party reads it that is never told of that."
    do = "Say what is to be done, without diagnosis or treatment."


class StrangerPresent(Invalid):
    field = "present"
    reason = "Nobody was there, or somebody who was not invited."
    do = "Name those of the invited who were there."


class AgreementOfStranger(Invalid):
    field = "agreements"
    reason = "Somebody who was not invited cannot have promised anything."
    do = "Let a participant answer for it."


class AgreementPassed(Invalid):
    field = "agreements"
    reason = "The day by which something is to be done must not have passed."
    do = "Give today or a later day."


class AgreementUnknown(Invalid):
    field = "agreements"
    reason = "The minutes before hold no such agreement, or it stands there twice."
    do = "Take agreementId from the minutes, or leave it out for a new one."
