"""Given what we know of one meeting: what is answered to each thing that is asked? The table is `decide`.

Read `situations.py` for what we know, `commands.py` for what may be asked, and `parties.py` for who belongs to which
kind. The table is printed into the service's README by `chassis.tables`.
"""

from datetime import timedelta
from typing import assert_never

from contracts.meeting import Party
from contracts.wording import about_health
from meeting_service.domain.commands import (
    AgreementTellsOfHealth,
    AmendMinutes,
    AnotherTimeStands,
    AnswerMeeting,
    ApproveMinutes,
    CallMeeting,
    CancelMeeting,
    CaseIsClosed,
    CommentMinutes,
    ConsentMissing,
    HoldMeeting,
    MeetingCommand,
    MeetingHasBegun,
    MeetingIsCancelled,
    MeetingIsHeld,
    MeetingKnownOtherwise,
    MeetingNotBegun,
    MeetingNotCalled,
    MeetingNotHeld,
    MeetingUnknown,
    MinutesAlreadyApproved,
    MinutesNotApproved,
    MoveMeeting,
    NoticeTooShort,
    NotInvited,
    NotTheCaller,
    NotYoursToCall,
    ProposeMeeting,
    PurposeTellsOfHealth,
    TextTellsOfHealth,
    TooFewParties,
)
from meeting_service.domain.heard import lacks_consent
from meeting_service.domain.outcomes import (
    amended,
    answered,
    approved,
    called,
    cancelled,
    commented,
    held,
    moved,
    proposed,
    refs_of,
    same_agreements,
)
from meeting_service.domain.parties import SEATS, TOLD_OF_HEALTH, party_of
from meeting_service.domain.situations import (
    Called,
    Cancelled,
    Held,
    MeetingFact,
    Minuted,
    NotThere,
    Proposed,
    Situation,
)


def decide(command: MeetingCommand, situation: Situation) -> list[MeetingFact]:
    match command, situation:
        case ProposeMeeting(), NotThere() if case_is_closed(situation):
            raise CaseIsClosed
        case ProposeMeeting(), NotThere():
            return [proposed(command, situation)]
        case ProposeMeeting(), Proposed() if proposed_so(command, situation):
            return []  # it is proposed already
        case ProposeMeeting(), Proposed() | Called() | Held() | Minuted() | Cancelled():
            raise MeetingKnownOtherwise

        case CallMeeting(), NotThere() | Proposed() if case_is_closed(situation):
            raise CaseIsClosed
        case CallMeeting(), NotThere() | Proposed() if not_yours_to_call(command):
            raise NotYoursToCall
        case CallMeeting(), NotThere() | Proposed() if too_few(command):
            raise TooFewParties
        case CallMeeting(), NotThere() | Proposed() if short_notice(command):
            raise NoticeTooShort
        case CallMeeting(), NotThere() | Proposed() if somebody_needs_consent(command, situation):
            raise ConsentMissing
        case CallMeeting(), NotThere() | Proposed() if purpose_tells_of_health(command):
            raise PurposeTellsOfHealth
        case CallMeeting(), NotThere() | Proposed():
            return [called(command, situation)]
        case CallMeeting(), Called() if called_so(command, situation):
            return []  # it is called already
        case CallMeeting(), Called() | Held() | Minuted() | Cancelled():
            raise MeetingKnownOtherwise

        case (
            AnswerMeeting()
            | MoveMeeting()
            | HoldMeeting()
            | ApproveMinutes()
            | AmendMinutes()
            | CommentMinutes()
            | CancelMeeting(),
            NotThere(),
        ):
            raise MeetingUnknown
        case AnswerMeeting() | MoveMeeting() | HoldMeeting(), Proposed():
            raise MeetingNotCalled
        case AnswerMeeting() | MoveMeeting() | HoldMeeting(), Cancelled():
            raise MeetingIsCancelled

        case AnswerMeeting(), Called() | Held() | Minuted() if not_invited(command, situation):
            raise NotInvited
        case AnswerMeeting(), Called() if answers_another_time(command, situation):
            raise AnotherTimeStands
        case AnswerMeeting(), Called() if answered_so(command, situation):
            return []  # the same answer stands
        case AnswerMeeting(), Called() if has_begun(command, situation):
            raise MeetingHasBegun
        case AnswerMeeting(), Called() if has_no_consent_any_more(command, situation):
            raise ConsentMissing
        case AnswerMeeting(), Called():
            return [answered(command, situation.meeting)]
        case AnswerMeeting(), Held() | Minuted():
            raise MeetingHasBegun

        case (
            MoveMeeting() | HoldMeeting() | ApproveMinutes() | AmendMinutes(),
            Called() | Held() | Minuted(),
        ) if not_the_caller(command, situation):
            raise NotTheCaller

        case MoveMeeting(), Called() if arranged_so(command, situation):
            return []  # it stands so already
        case MoveMeeting(), Called() if short_notice(command):
            raise NoticeTooShort
        case MoveMeeting(), Called() if somebody_lacks_consent(command, situation):
            raise ConsentMissing
        case MoveMeeting(), Called():
            return [moved(command, situation)]
        case MoveMeeting(), Held() | Minuted():
            raise MeetingIsHeld

        case HoldMeeting(), Called() if not_begun(command, situation):
            raise MeetingNotBegun
        case HoldMeeting(), Called() if too_few_came(command, situation):
            raise TooFewParties
        case HoldMeeting(), Called() if somebody_present_lacks_consent(command, situation):
            raise ConsentMissing
        case HoldMeeting(), Called():
            return [held(command, situation.meeting)]
        case HoldMeeting(), Held() | Minuted() if held_so(command, situation):
            return []  # it is recorded already
        case HoldMeeting(), Held() | Minuted():
            raise MeetingIsHeld

        case ApproveMinutes(), Proposed() | Called() | Cancelled():
            raise MeetingNotHeld
        case ApproveMinutes(), Held() if text_tells_of_health(command, situation):
            raise TextTellsOfHealth
        case ApproveMinutes(), Held() if agreement_tells_of_health(command, situation):
            raise AgreementTellsOfHealth
        case ApproveMinutes(), Held():
            return [approved(command, situation)]
        case ApproveMinutes(), Minuted() if approved_so(command, situation):
            return []  # these very minutes are approved
        case ApproveMinutes(), Minuted():
            raise MinutesAlreadyApproved
        case AmendMinutes() | CommentMinutes(), Proposed() | Called() | Held() | Cancelled():
            raise MinutesNotApproved
        case AmendMinutes(), Minuted() if amended_so(command, situation):
            return []  # they say so already
        case AmendMinutes(), Minuted() if text_tells_of_health(command, situation):
            raise TextTellsOfHealth
        case AmendMinutes(), Minuted() if agreement_tells_of_health(command, situation):
            raise AgreementTellsOfHealth
        case AmendMinutes(), Minuted():
            return [amended(command, situation)]
        case CommentMinutes(), Minuted() if not_invited(command, situation):
            raise NotInvited
        case CommentMinutes(), Minuted() if has_no_consent_any_more(command, situation):
            raise ConsentMissing
        case CommentMinutes(), Minuted() if commented_so(command, situation):
            return []  # it stands there already
        case CommentMinutes(), Minuted() if text_tells_of_health(command, situation):
            raise TextTellsOfHealth
        case CommentMinutes(), Minuted():
            return [commented(command, situation)]

        case CancelMeeting(), Proposed() | Called() if not_the_caller(command, situation):
            raise NotTheCaller
        case CancelMeeting(), Proposed() | Called():
            return [cancelled(command, situation)]
        case CancelMeeting(), Held() | Minuted():
            raise MeetingIsHeld
        case CancelMeeting(), Cancelled():
            return []  # it is cancelled already
        case _:
            assert_never((command, situation))


# --- on what it depends ---


def case_is_closed(situation: Situation) -> bool:
    """the case is closed"""
    return not situation.grounds.noted.opened


def proposed_so(command: ProposeMeeting, known: Proposed) -> bool:
    """the same party proposed the same"""
    was = known.proposed
    return (was.proposed_by, was.kind, was.purpose, was.wished_by) == (
        command.by,
        command.kind,
        command.purpose,
        command.wished_by,
    )


def not_yours_to_call(command: CallMeeting) -> bool:
    """another party calls meetings of that kind"""
    return party_of(command.by) not in SEATS[command.kind].callers


def too_few(command: CallMeeting) -> bool:
    """somebody is missing who belongs to such a meeting, or there are too few (a status meeting: three)"""
    seats, roles = SEATS[command.kind], [i.role for i in command.invited]
    return not seats.needed <= set(roles) or len(roles) < seats.least


def short_notice(command: CallMeeting | MoveMeeting) -> bool:
    """it is sooner than meetings are called, and the parties have not agreed to that"""
    a = command.arrangement
    ahead = (a.starts_on - command.today) // timedelta(days=1)
    return ahead < a.notice_days and a.starts_at > command.at and not a.short_notice_agreed


def somebody_needs_consent(command: CallMeeting, situation: NotThere | Proposed) -> bool:
    """an outside party has no consent in force in its scope that covers what a meeting holds"""
    refs = refs_of(command.invited, situation.grounds)
    return any(lacks_consent(situation.grounds, command.kind, ref, command.today) for ref in refs)


def called_so(command: CallMeeting, known: Called) -> bool:
    """it was called with the same particulars"""
    was, a = known.meeting.called, command.arrangement
    guests = zip(refs_of(command.invited, known.grounds), (i.required for i in command.invited), strict=True)
    return (
        (was.called_by, was.kind, was.situation_code, was.purpose)
        == (command.by, command.kind, command.situation_code, command.purpose)
        and (was.starts_at, was.minutes, was.form, was.link_ref) == (a.starts_at, a.minutes, a.form, a.link_ref)
        and [(p.ref, p.required) for p in was.participants] == list(guests)
    )


def not_invited(command: AnswerMeeting | CommentMinutes, known: Called | Held | Minuted) -> bool:
    """the one who says so is not invited"""
    return known.meeting.participant(command.by) is None


def answers_another_time(command: AnswerMeeting, known: Called) -> bool:
    """it answers another time than the one that stands"""
    return command.arrangement != known.meeting.standing.arrangement


def answered_so(command: AnswerMeeting, known: Called) -> bool:
    """the same party gave the same answer to this arrangement"""
    last = known.meeting.answers.get(command.by)
    return last is not None and last.answer == command.answer


def has_begun(command: AnswerMeeting, known: Called) -> bool:
    """its time has come"""
    return command.at >= known.meeting.standing.starts_at


def has_no_consent_any_more(command: AnswerMeeting | CommentMinutes, known: Called | Minuted) -> bool:
    """the consent under which the party was to take part holds no more"""
    return _lost(command.by, command, known)


def not_the_caller(
    command: MoveMeeting | HoldMeeting | ApproveMinutes | AmendMinutes | CancelMeeting,
    known: Proposed | Called | Held | Minuted,
) -> bool:
    """another party called it"""
    if isinstance(known, Proposed):
        return command.by != known.proposed.proposed_by and party_of(command.by) is not Party.FK
    return command.by != known.meeting.called.called_by


def arranged_so(command: MoveMeeting, known: Called) -> bool:
    """it stands at that time and in that form, and nobody's part in it has ended"""
    a, was = command.arrangement, known.meeting.standing
    same = (was.starts_at, was.minutes, was.form, was.link_ref) == (a.starts_at, a.minutes, a.form, a.link_ref)
    return same and not known.meeting.ended


def somebody_lacks_consent(command: MoveMeeting, known: Called) -> bool:
    """an outside party has no consent in force any more"""
    return any(_lost(ref, command, known) for ref in known.meeting.refs)


def not_begun(command: HoldMeeting, known: Called) -> bool:
    """its time has not come"""
    return command.at < known.meeting.standing.starts_at


def too_few_came(command: HoldMeeting, known: Called) -> bool:
    """somebody was not there who belongs to such a meeting, or too few were"""
    seats = SEATS[known.meeting.called.kind]
    came = [p.role for p in known.meeting.standing.participants if p.ref in command.present]
    return bool(came) and (len(came) < seats.least or not seats.needed <= set(came))


def somebody_present_lacks_consent(command: HoldMeeting, known: Called) -> bool:
    """an outside party was there whose consent holds no more"""
    return any(_lost(ref, command, known) for ref in command.present if ref in known.meeting.refs)


def _lost(
    ref: str, command: AnswerMeeting | CommentMinutes | HoldMeeting | MoveMeeting, known: Called | Minuted
) -> bool:
    return lacks_consent(known.grounds, known.meeting.called.kind, ref, command.today)


def held_so(command: HoldMeeting, known: Held | Minuted) -> bool:
    """the same parties were there, in the same form"""
    return set(known.held.present) == set(command.present) and known.held.form == command.form


def approved_so(command: ApproveMinutes, known: Minuted) -> bool:
    """the same minutes were approved"""
    first = known.versions[0]
    return first.sha256 == command.sha256 and same_agreements(command.agreements, first)


def amended_so(command: AmendMinutes, known: Minuted) -> bool:
    """the newest minutes say the same"""
    return known.minutes.sha256 == command.sha256 and same_agreements(command.agreements, known.minutes)


def commented_so(command: CommentMinutes, known: Minuted) -> bool:
    """the same party said the same of them"""
    return (command.by, command.stance, command.text) in {(c.by, c.stance, c.text) for c in known.comments}


def purpose_tells_of_health(command: CallMeeting) -> bool:
    """its purpose seems to tell of health, and a party is invited that is never told of that"""
    return about_health(command.purpose) and not {i.role for i in command.invited} <= TOLD_OF_HEALTH


def text_tells_of_health(command: ApproveMinutes | AmendMinutes | CommentMinutes, known: Held | Minuted) -> bool:
    """its text seems to tell of health, and a party reads it that is never told of that"""
    return about_health(command.text) and _others_read(known)


def agreement_tells_of_health(command: ApproveMinutes | AmendMinutes, known: Held | Minuted) -> bool:
    """an agreement seems to tell of health, and a party reads it that is never told of that"""
    return any(about_health(p.what) for p in command.agreements) and _others_read(known)


def _others_read(known: Held | Minuted) -> bool:
    return not {p.role for p in known.meeting.standing.participants} <= TOLD_OF_HEALTH
