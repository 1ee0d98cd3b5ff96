"""What may be asked about an employment's plan, and for which reasons is it refused?"""

from datetime import date, datetime
from uuid import UUID

from chassis.decider import Invalid, MissingPredecessor, Refused, Unknown, record
from contracts.plan import EmploymentRegistered, FileFault, MissCause
from plan_service.domain.plan import Contents

REQUEST_DAYS = 14
"""Days an employer has to hand in a requested plan unless FK says otherwise. Our choice: SFB 110:31 has no number."""

# --- commands: `today` is the Swedish date, `at` the moment in UTC ---


@record
class RegisterEmployment:
    """register the employment"""

    registration: EmploymentRegistered
    today: date


@record
class LearnOfEmployment:
    """take in an employment that a case concerns"""

    registration: EmploymentRegistered
    today: date


@record
class FollowCase:
    """take in for how long the case is expected to last"""

    expected_days: int


@record
class RequestPlan:
    """ask the employer for the plan"""

    due: date | None
    today: date
    case_ended: bool = False


@record
class RecordFileRejected:
    """record that a file was refused

    `by_employer`: the employer sent it, and so has answered; not FK, which may have scanned something badly."""

    upload_id: UUID
    reason: FileFault
    sha256: str | None
    by_employer: bool


@record
class SubmitPlan:
    """hand in a plan"""

    contents: Contents
    at: datetime
    today: date


@record
class RevisePlan:
    """hand in a new version"""

    plan_id: UUID
    contents: Contents
    changes: tuple[str, ...]
    at: datetime
    today: date


@record
class AssessPlan:
    """assess a version"""

    plan_id: UUID
    version: int


@record
class RecordPlanNotReceived:
    """record that the time for a requested plan ran out"""

    ran_out_on: date
    reminders: int


@record
class StartActivity:
    """say that an activity has begun"""

    plan_id: UUID
    activity_id: UUID
    on: date
    today: date


@record
class CompleteActivity:
    """say that an activity is done"""

    plan_id: UUID
    activity_id: UUID
    on: date
    today: date


@record
class MissActivity:
    """say that an activity was not done"""

    plan_id: UUID
    activity_id: UUID
    on: date
    cause: MissCause
    today: date


@record
class RecordActivitiesMissed:
    """record that the time for an activity ran out"""

    ran_out_on: date


@record
class RecordActivitiesNotTold:
    """record that the time to say why an activity was not done ran out"""

    ran_out_on: date


Command = (
    RegisterEmployment
    | LearnOfEmployment
    | FollowCase
    | RequestPlan
    | RecordFileRejected
    | SubmitPlan
    | RevisePlan
    | AssessPlan
    | RecordPlanNotReceived
    | StartActivity
    | CompleteActivity
    | MissActivity
    | RecordActivitiesMissed
    | RecordActivitiesNotTold
)

# --- refusals ---


class EmploymentUnknown(Unknown):
    reason = "There is no such employment here."
    do = "Check the id. FK registers an employment before anything else can be done with it."


class RegisteredDifferently(Refused):
    reason = "The employment is registered with other particulars."
    do = "Read what is registered. Another employment needs an id of its own."


class SickLeaveInFuture(Invalid):
    field = "spellStart"
    reason = "A sick leave cannot have started on a day that has not come."
    do = "Give the first sick day."


class NoEmployerToAsk(Refused):
    reason = "The person is self-employed, so no employer owes a plan."
    do = "Plan the return with the person."


class CaseEnded(Refused):
    reason = "FK has closed the case, so no plan is asked for any more."
    do = "Where the sick leave goes on, open the case again first."


class DueNotAhead(Invalid):
    field = "due"
    reason = "The last day to hand in the plan must lie ahead."
    do = f"Give a later day, or leave it out: then it is {REQUEST_DAYS} days from today."


class PlanAlreadyReceived(Refused):
    reason = "The employer's plan has been received, so it is not asked for."
    do = "Assess it, or ask the employer for a new version."


class PlanAlreadySubmitted(Refused):
    reason = "Another plan has already been handed in for this employment."
    do = "Hand in what has changed as a new version of that plan."


class PlanUnknown(Unknown):
    reason = "This is not the plan at hand for the employment."
    do = "Take the plan's id from the employment."


class NothingToRevise(Refused):
    reason = "There is no plan at hand to revise."
    do = "Hand in a plan."


class NothingToAssess(MissingPredecessor):
    reason = "There is no plan at hand to assess."
    do = "Wait until a plan is handed in, or register one that was given orally."


class NotTheNewestVersion(Refused):
    reason = "This version of the plan is not the newest."
    do = "Read the newest version and assess that one."


class NothingToScore(Refused):
    reason = "A lawful ground for having no activities is given, so there is nothing to score."
    do = "Where the ground is doubtful, request the plan."


class NeverRequested(MissingPredecessor):
    reason = "The plan has never been requested for this employment."
    do = "Wait until the request is known here."


class PlanMissing(MissingPredecessor):
    reason = "There is no plan at hand, so there are no activities to tell of."
    do = "Hand in the plan first."


class ActivityNotPlanned(Unknown):
    reason = "The newest version of the plan has no such activity."
    do = "Take the activityId from the newest version."


class ActivityAlreadyCompleted(Refused):
    reason = "The activity has been reported as done."
    do = "Where more is to be done, hand in a new version of the plan with a new activity."


class DayNotCome(Invalid):
    field = "on"
    reason = "What has happened cannot have happened on a day that has not come."
    do = "Give the day on which it happened, today at the latest."
