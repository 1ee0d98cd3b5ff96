"""Given what we know of an employment: what is answered to each thing that is asked? The table is `decide`.

Read `situations.py` for what we know and `commands.py` for what may be asked. The table is printed into the service's
README by `chassis.tables`.
"""

from dataclasses import replace
from typing import assert_never

from chassis.decider import Aggregate, Decider
from contracts.plan import Channel, EmployerPlanRequested, EmploymentKind, PlanEvent
from plan_service.domain.activities import end_of, progress_of
from plan_service.domain.commands import (
    ActivityAlreadyCompleted,
    ActivityNotPlanned,
    AssessPlan,
    CaseEnded,
    Command,
    CompleteActivity,
    EmploymentUnknown,
    FollowCase,
    LearnOfEmployment,
    MissActivity,
    NeverRequested,
    NoEmployerToAsk,
    NothingToAssess,
    NothingToRevise,
    NothingToScore,
    NotTheNewestVersion,
    PlanAlreadyReceived,
    PlanAlreadySubmitted,
    PlanMissing,
    PlanUnknown,
    RecordActivitiesMissed,
    RecordActivitiesNotTold,
    RecordFileRejected,
    RecordPlanNotReceived,
    RegisteredDifferently,
    RegisterEmployment,
    RequestPlan,
    RevisePlan,
    StartActivity,
    SubmitPlan,
)
from plan_service.domain.outcomes import (
    all_missed,
    all_not_told,
    completed,
    expected_anew,
    file_rejected,
    missed,
    not_received,
    registered,
    requested,
    revised,
    started,
    submitted,
)
from plan_service.domain.plan import Contents, HandedIn, Plan, assessment, same_file, says_the_same
from plan_service.domain.situations import (
    Asked,
    Assessed,
    Employment,
    Exempted,
    FileUnreadable,
    NotAsked,
    NotReceived,
    NotRegistered,
    PlanAtHand,
    Registered,
    Situation,
    Unassessed,
    evolve,
    plans,
)


def decide(command: Command, situation: Situation) -> list[PlanEvent]:
    match command, situation:
        case RegisterEmployment() | LearnOfEmployment(), NotRegistered():
            return [registered(command)]
        case RegisterEmployment(), Registered() if registered_otherwise(command, situation.employment):
            raise RegisteredDifferently
        case RegisterEmployment(), Registered():
            return []  # the first registration stands
        case LearnOfEmployment(), Registered():
            return []  # the first registration stands
        case FollowCase(), NotRegistered():
            return []  # the self-employed have no employer that owes a plan
        case FollowCase(), Registered() if is_expected_so(command, situation.employment):
            return []  # it is expected to last that long already
        case FollowCase(), Registered():
            return [expected_anew(command, situation.employment)]
        case (
            RequestPlan() | RecordFileRejected() | SubmitPlan() | RevisePlan() | AssessPlan() | RecordPlanNotReceived(),
            NotRegistered(),
        ):
            raise EmploymentUnknown
        case StartActivity() | CompleteActivity() | MissActivity(), NotRegistered():
            raise EmploymentUnknown
        case RecordActivitiesMissed() | RecordActivitiesNotTold(), NotRegistered():
            raise EmploymentUnknown

        case RequestPlan(), Registered() if self_employed(situation.employment):
            raise NoEmployerToAsk
        case RequestPlan(), Registered() if case_has_ended(command):
            raise CaseEnded
        case RequestPlan(), Unassessed() | Assessed() if from_the_employer(situation.plan):
            raise PlanAlreadyReceived
        case RequestPlan(), Asked():
            return []  # the open request stands
        case RequestPlan(), NotAsked() | NotReceived() | FileUnreadable() | Unassessed() | Assessed() | Exempted():
            return [requested(command, situation.employment)]

        case RecordFileRejected(), Registered() if sent_by_another(command):
            return []  # it says nothing of what the employer has handed in
        case RecordFileRejected(), Registered() if rejected_before(command, situation.employment):
            return []  # the same file again
        case RecordFileRejected(), Registered():
            return [file_rejected(command, situation.employment)]

        case SubmitPlan(), NotAsked() | Asked() | NotReceived() | FileUnreadable():
            return [submitted(command, situation)]
        case SubmitPlan(), PlanAtHand() if says_something_new(command, situation):
            raise PlanAlreadySubmitted
        case SubmitPlan(), PlanAtHand():
            return []  # it is here already

        case RevisePlan(), NotAsked() | Asked() | NotReceived() | FileUnreadable():
            raise NothingToRevise
        case RevisePlan(), PlanAtHand() if about_another_plan(command, situation.plan):
            raise PlanUnknown
        case RevisePlan(), PlanAtHand() if changes_nothing(command, situation.plan):
            return []  # it is here already
        case RevisePlan(), PlanAtHand():
            return [revised(command, situation)]

        case AssessPlan(), NotAsked() | Asked() | NotReceived() | FileUnreadable():
            raise NothingToAssess
        case AssessPlan(), PlanAtHand() if about_another_plan(command, situation.plan):
            raise PlanUnknown
        case AssessPlan(), PlanAtHand() if about_another_version(command, situation.plan):
            raise NotTheNewestVersion
        case AssessPlan(), Exempted():
            raise NothingToScore
        case AssessPlan(), Unassessed():
            return [assessment(situation.plan.newest)]
        case AssessPlan(), Assessed():
            return []  # the same version gives the same points

        case RecordPlanNotReceived(), Registered() if never_asked(situation.employment):
            raise NeverRequested
        case RecordPlanNotReceived(), Asked() if past_its_due_day(command, situation.request):
            return [not_received(command, situation.request)]
        case RecordPlanNotReceived(), Registered():
            return []  # something came first, it is recorded already, or the open request is a later one

        case (
            StartActivity() | CompleteActivity() | MissActivity(),
            NotAsked() | Asked() | NotReceived() | FileUnreadable(),
        ):
            raise PlanMissing
        case StartActivity() | CompleteActivity() | MissActivity(), PlanAtHand() if about_another_plan(
            command, situation.plan
        ):
            raise PlanUnknown
        case StartActivity() | CompleteActivity() | MissActivity(), PlanAtHand() if not_planned(
            command, situation.plan
        ):
            raise ActivityNotPlanned
        case StartActivity(), PlanAtHand() if has_begun(command, situation.plan):
            return []  # it has begun already
        case CompleteActivity(), PlanAtHand() if is_done(command, situation.plan):
            return []  # it is done already
        case StartActivity() | MissActivity(), PlanAtHand() if is_done(command, situation.plan):
            raise ActivityAlreadyCompleted
        case MissActivity(), PlanAtHand() if missed_for_this(command, situation.plan):
            return []  # it has been said already
        case StartActivity(), PlanAtHand():
            return [started(command, situation.employment)]
        case CompleteActivity(), PlanAtHand():
            return [completed(command, situation.employment)]
        case MissActivity(), PlanAtHand():
            return [missed(command, situation.employment)]
        case RecordActivitiesMissed(), PlanAtHand():
            return [*all_missed(command, situation)]
        case RecordActivitiesNotTold(), PlanAtHand():
            return [*all_not_told(command, situation)]
        case (
            RecordActivitiesMissed() | RecordActivitiesNotTold(),
            NotAsked() | Asked() | NotReceived() | FileUnreadable(),
        ):
            return []  # the plan was set aside meanwhile
        case _:
            assert_never((command, situation))


decider: Decider[Command, Situation, PlanEvent] = Decider(initial=NotRegistered(), decide=decide, evolve=evolve)
employment = Aggregate("employment", decider)

# --- on what it depends ---


def registered_otherwise(command: RegisterEmployment, known: Employment) -> bool:
    """the particulars differ"""
    told = known.registration
    workplace = told.workplace or command.registration.workplace  # a case does not tell it
    return command.registration != replace(told, workplace=workplace)


def is_expected_so(command: FollowCase, known: Employment) -> bool:
    """as many days are expected already"""
    return command.expected_days == known.expected_days


def self_employed(known: Employment) -> bool:
    """the person is self-employed"""
    return known.registration.employment_kind is EmploymentKind.SELF


def from_the_employer(plan: Plan) -> bool:
    """the newest version did not come through the insured person"""
    return plan.newest.channel is not Channel.INSURED


def sent_by_another(command: RecordFileRejected) -> bool:
    """it was not the employer that sent it"""
    return not command.by_employer


def rejected_before(command: RecordFileRejected, known: Employment) -> bool:
    """the same file was refused on the same ground since the last request"""
    return (command.reason, command.sha256) in known.rejected


def says_something_new(command: SubmitPlan, situation: PlanAtHand) -> bool:
    """neither its file nor its words have been handed in for the employment before"""
    return copy_of(command.contents, situation) is None


def case_has_ended(command: RequestPlan) -> bool:
    """FK has closed the case"""
    return command.case_ended


def about_another_plan(
    command: RevisePlan | AssessPlan | StartActivity | CompleteActivity | MissActivity, plan: Plan
) -> bool:
    """it names another plan than the one at hand"""
    return command.plan_id != plan.newest.plan_id


def changes_nothing(command: RevisePlan, plan: Plan) -> bool:
    """the newest version says the same"""
    return says_the_same(command.contents, plan.newest)


def about_another_version(command: AssessPlan, plan: Plan) -> bool:
    """it names another version than the newest"""
    return command.version != plan.newest.version


def not_planned(command: StartActivity | CompleteActivity | MissActivity, plan: Plan) -> bool:
    """the newest version has no such activity"""
    return all(a.activity_id != command.activity_id for a in plan.newest.activities)


def has_begun(command: StartActivity, plan: Plan) -> bool:
    """it has been told that it began"""
    return progress_of(plan.told, command.activity_id).started is not None


def is_done(command: StartActivity | CompleteActivity | MissActivity, plan: Plan) -> bool:
    """it has been told that it is done"""
    return progress_of(plan.told, command.activity_id).completed is not None


def missed_for_this(command: MissActivity, plan: Plan) -> bool:
    """it has been told that it was not done by this last day, and for the same cause"""
    known = progress_of(plan.told, command.activity_id)
    return known.miss_stands(end_of(plan.newest.activities, command.activity_id)) and known.cause is command.cause


def never_asked(known: Employment) -> bool:
    """the plan was never requested"""
    return not known.requests


def past_its_due_day(command: RecordPlanNotReceived, request: EmployerPlanRequested) -> bool:
    """the time ran out after the open request's last day"""
    return command.ran_out_on > request.due


# --- what callers ask beforehand ---


def copy_of(contents: Contents, situation: PlanAtHand) -> HandedIn | None:
    """The version that already holds this file or says these words, whichever plan it belongs to."""
    versions = [v for plan in plans(situation) for v in plan.versions]
    return next((v for v in versions if same_file(contents, v) or says_the_same(contents, v)), None)
