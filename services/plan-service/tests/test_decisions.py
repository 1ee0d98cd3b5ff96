"""What is answered to each thing that may be asked about an employer's plan."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest

from chassis.decider import MissingPredecessor
from chassis.testing import scenarios
from contracts.plan import (
    ActivityKind,
    Channel,
    EmployerPlanNotReceived,
    EmployerPlanRequested,
    EmploymentKind,
    EmploymentRegistered,
    Exemption,
    ExpectedDaysChanged,
    FileFault,
    Initiative,
    PlanEvent,
    PlanFileRejected,
    PlanRevised,
    PlanSubmitted,
    Quality,
    Shortcoming,
)
from plan_service.domain.commands import (
    AssessPlan,
    DueNotAhead,
    EmploymentUnknown,
    FollowCase,
    LearnOfEmployment,
    NeverRequested,
    NoEmployerToAsk,
    NothingToAssess,
    NothingToRevise,
    NothingToScore,
    NotTheNewestVersion,
    PlanAlreadyReceived,
    PlanAlreadySubmitted,
    PlanUnknown,
    RecordFileRejected,
    RecordPlanNotReceived,
    RegisteredDifferently,
    RegisterEmployment,
    RequestPlan,
    RevisePlan,
    SickLeaveInFuture,
    SubmitPlan,
)
from plan_service.domain.employment import decider
from plan_service.domain.plan import (
    Activity,
    ActivityEndsBeforeStart,
    ActivityUnknown,
    Contents,
    Document,
    DrawnUpInFuture,
    assessment,
)
from plan_service.domain.situations import Asked, Exempted, FileUnreadable, NotReceived, Registered, Unassessed

given = scenarios(decider)

DAY_1 = date(2026, 3, 2)
DAY_31 = DAY_1 + timedelta(days=30)
NOON = datetime(2026, 4, 1, 10, 0, tzinfo=UTC)
EMPLOYMENT, UPLOAD, SOMETHING_ELSE = UUID(int=1), UUID(int=2), UUID(int=99)
FILE = Document(document_ref=UUID(int=3), sha256="ab" * 32, bytes=1234)
OTHER_FILE = Document(document_ref=UUID(int=4), sha256="cd" * 32, bytes=4321)

REGISTERED = EmploymentRegistered(
    employment_id=EMPLOYMENT,
    case_id=UUID(int=5),
    person_ref=UUID(int=6),
    org_nr="5560360793",
    employment_kind=EmploymentKind.ORDINARY,
    workplace="Lagret i Norr",
    spell_start=DAY_1,
    expected_days=90,
)
HALF_TIME = Activity(
    kind=ActivityKind.PART_TIME,
    description="Halvtid i packningen",
    responsible="Arbetsledare",
    start=DAY_31,
    end=DAY_31 + timedelta(days=28),
    follow_up=DAY_31 + timedelta(days=14),
    target_pct=50,
)
PLAN = Contents(
    channel=Channel.PORTAL,
    drawn_up_on=DAY_31,
    employee_consulted=True,
    not_consulted_reason=None,
    exemption=Exemption.NONE,
    activities=(HALF_TIME,),
    return_date=DAY_31 + timedelta(days=60),
    document=FILE,
)
BETTER = replace(PLAN, return_date=DAY_31 + timedelta(days=30), document=OTHER_FILE)
HEALTH_EXCLUDES = replace(PLAN, exemption=Exemption.HEALTH_EXCLUDES, activities=(), document=None)


def submit(contents: Contents = PLAN) -> SubmitPlan:
    return SubmitPlan(contents=contents, at=NOON, today=DAY_31)


def revise(contents: Contents = BETTER, **changes: Any) -> RevisePlan:
    return replace(
        RevisePlan(plan_id=THE_PLAN, contents=contents, changes=("Nytt mål",), at=NOON, today=DAY_31), **changes
    )


def after(*commands: Any) -> list[PlanEvent]:
    """The facts that follow when these are asked, one after the other, about a registered employment."""
    facts: list[PlanEvent] = [REGISTERED]
    for command in commands:
        facts += decider.decide(command, decider.fold(facts))
    return facts


def plan_id(facts: list[PlanEvent]) -> UUID:
    return next(f.plan_id for f in reversed(facts) if isinstance(f, PlanSubmitted))


def request_id(facts: list[PlanEvent]) -> UUID:
    return next(f.request_id for f in reversed(facts) if isinstance(f, EmployerPlanRequested))


REQUEST = RequestPlan(due=None, today=DAY_31)
BROKEN_FILE = RecordFileRejected(upload_id=UPLOAD, reason=FileFault.ENCRYPTED, sha256="ef" * 32, by_employer=True)
REQUESTED = after(REQUEST)
THE_REQUEST = request_id(REQUESTED)
SUBMITTED = after(submit())
THE_PLAN = plan_id(SUBMITTED)
ASSESS = AssessPlan(plan_id=THE_PLAN, version=1)
SILENCE = RecordPlanNotReceived(ran_out_on=DAY_31 + timedelta(days=29), reminders=2)


# --- registering ---


def test_an_employment_is_registered() -> None:
    given().when(RegisterEmployment(registration=REGISTERED, today=DAY_31)).then(REGISTERED)


def test_an_employment_of_a_case_is_learnt_of_once_and_a_registration_stands() -> None:
    learn = LearnOfEmployment(registration=replace(REGISTERED, workplace="", expected_days=14), today=DAY_31)
    given().when(learn).then(learn.registration)
    given(REGISTERED).when(learn).nothing_happens()
    given(learn.registration).when(learn).nothing_happens()


def test_an_employment_follows_for_how_long_its_case_is_expected_to_last() -> None:
    follow = FollowCase(expected_days=180)
    given(*after()).when(follow).then(
        ExpectedDaysChanged(
            employment_id=EMPLOYMENT,
            case_id=REGISTERED.case_id,
            org_nr=REGISTERED.org_nr,
            employment_kind=EmploymentKind.ORDINARY,
            spell_start=DAY_1,
            expected_days=180,
        )
    )
    given(*after()).when(FollowCase(expected_days=90)).nothing_happens()
    given(*after(follow)).when(follow).nothing_happens()
    given(*after(follow)).when(RegisterEmployment(registration=REGISTERED, today=DAY_31)).nothing_happens()


@pytest.mark.parametrize("before", [(), (REQUEST,), (BROKEN_FILE,), (submit(),), (submit(), ASSESS)])
def test_following_the_case_leaves_the_plan_where_it_is(before: tuple[Any, ...]) -> None:
    was, now = (decider.fold(after(*before, *more)) for more in ((), (FollowCase(expected_days=180),)))
    assert isinstance(was, Registered)
    assert isinstance(now, Registered)
    assert now.employment.expected_days == 180
    assert replace(now, employment=replace(now.employment, expected=None)) == was


def test_nobody_owes_a_plan_where_no_employer_was_told_of() -> None:
    given().when(FollowCase(expected_days=180)).nothing_happens()


def test_what_a_case_does_not_tell_is_no_difference() -> None:
    learnt = replace(REGISTERED, workplace="")
    given(learnt).when(RegisterEmployment(registration=REGISTERED, today=DAY_31)).nothing_happens()


def test_registering_twice_alike_changes_nothing() -> None:
    given(REGISTERED).when(RegisterEmployment(registration=REGISTERED, today=DAY_31)).nothing_happens()


@pytest.mark.parametrize("change", [{"org_nr": "5560009010"}, {"workplace": "Kontoret"}, {"expected_days": 91}])
def test_registering_again_with_other_particulars_is_refused(change: dict[str, Any]) -> None:
    other = RegisterEmployment(registration=replace(REGISTERED, **change), today=DAY_31)
    given(REGISTERED).when(other).refused(RegisteredDifferently)


def test_a_sick_leave_may_start_today_but_not_tomorrow() -> None:
    given().when(RegisterEmployment(registration=REGISTERED, today=DAY_1)).then(REGISTERED)
    given().when(RegisterEmployment(registration=REGISTERED, today=DAY_1 - timedelta(days=1))).refused(
        SickLeaveInFuture
    )


@pytest.mark.parametrize("command", [REQUEST, BROKEN_FILE, submit(), revise(), ASSESS, SILENCE])
def test_nothing_can_be_done_with_an_unregistered_employment(command: Any) -> None:
    given().when(command).refused(EmploymentUnknown)


# --- requesting ---


def test_a_request_gives_the_employer_fourteen_days() -> None:
    (requested,) = given(REGISTERED).when(REQUEST).facts()
    assert requested == EmployerPlanRequested(
        request_id=THE_REQUEST, employment_id=EMPLOYMENT, org_nr="5560360793", due=DAY_31 + timedelta(days=14)
    )


def test_fk_may_set_another_day_that_lies_ahead() -> None:
    tomorrow = DAY_31 + timedelta(days=1)
    (requested,) = given(REGISTERED).when(RequestPlan(due=tomorrow, today=DAY_31)).facts()
    assert isinstance(requested, EmployerPlanRequested)
    assert requested.due == tomorrow
    given(REGISTERED).when(RequestPlan(due=DAY_31, today=DAY_31)).refused(DueNotAhead)


def test_asking_again_while_waiting_changes_nothing() -> None:
    given(*REQUESTED).when(RequestPlan(due=DAY_31 + timedelta(days=40), today=DAY_31)).nothing_happens()


def test_an_employer_that_stayed_silent_may_be_asked_again() -> None:
    facts = after(REQUEST, SILENCE, REQUEST)
    assert request_id(facts) != THE_REQUEST
    assert isinstance(decider.fold(facts), Asked)


def test_a_plan_that_has_come_is_not_asked_for() -> None:
    given(*SUBMITTED).when(REQUEST).refused(PlanAlreadyReceived)
    given(*after(submit(), ASSESS)).when(REQUEST).refused(PlanAlreadyReceived)


def test_a_plan_from_the_insured_may_be_doubted_and_the_employer_asked() -> None:
    facts = after(submit(replace(PLAN, channel=Channel.INSURED)), REQUEST)
    assert isinstance(decider.fold(facts), Asked)


def test_an_exemption_may_be_doubted_and_the_plan_asked_for() -> None:
    assert isinstance(decider.fold(after(submit(HEALTH_EXCLUDES), REQUEST)), Asked)


def test_an_unreadable_file_may_be_followed_by_a_new_request() -> None:
    assert isinstance(decider.fold(after(BROKEN_FILE, REQUEST)), Asked)


def test_nobody_is_asked_when_the_person_is_self_employed() -> None:
    given(replace(REGISTERED, employment_kind=EmploymentKind.SELF)).when(REQUEST).refused(NoEmployerToAsk)


# --- handing in ---


def test_a_plan_carries_what_it_says_and_the_day_it_came() -> None:
    (plan,) = given(REGISTERED).when(submit()).facts()
    assert isinstance(plan, PlanSubmitted)
    assert (plan.version, plan.initiative, plan.spell_day) == (1, Initiative.OWN, 31)
    assert (plan.sha256, plan.bytes, plan.org_nr) == (FILE.sha256, 1234, "5560360793")
    assert [(a.kind, a.responsible) for a in plan.activities] == [(ActivityKind.PART_TIME, "Arbetsledare")]


def test_the_spell_day_counts_from_one_across_a_leap_day() -> None:
    start = date(2028, 2, 28)
    (plan,) = (
        given(replace(REGISTERED, spell_start=start))
        .when(SubmitPlan(contents=replace(PLAN, drawn_up_on=start), at=NOON, today=date(2028, 3, 1)))
        .facts()
    )
    assert isinstance(plan, PlanSubmitted)
    assert plan.spell_day == 3


def test_a_plan_handed_in_after_a_request_is_a_requested_one() -> None:
    (plan,) = given(*REQUESTED).when(submit()).facts()
    assert isinstance(plan, PlanSubmitted)
    assert plan.initiative is Initiative.REQUESTED


def test_what_the_insured_brings_is_never_the_answer_to_a_request_to_the_employer() -> None:
    (plan,) = given(*REQUESTED).when(submit(replace(PLAN, channel=Channel.INSURED))).facts()
    assert isinstance(plan, PlanSubmitted)
    assert plan.initiative is Initiative.OWN


def test_the_same_file_again_changes_nothing_even_with_other_words() -> None:
    given(*SUBMITTED).when(submit()).nothing_happens()
    given(*SUBMITTED).when(submit(replace(BETTER, document=FILE))).nothing_happens()


def test_the_same_oral_plan_again_changes_nothing() -> None:
    oral = submit(replace(PLAN, channel=Channel.PHONE, document=None))
    given(*after(oral)).when(oral).nothing_happens()


def test_a_different_plan_is_refused_while_one_is_at_hand() -> None:
    given(*SUBMITTED).when(submit(BETTER)).refused(PlanAlreadySubmitted)


def test_a_file_of_an_older_version_again_changes_nothing() -> None:
    given(*after(submit(), revise())).when(submit()).nothing_happens()


def test_the_employer_may_answer_a_request_with_the_file_the_insured_brought() -> None:
    facts = after(submit(replace(PLAN, channel=Channel.INSURED)), REQUEST)
    (plan,) = given(*facts).when(submit()).facts()
    assert isinstance(plan, PlanSubmitted)
    assert plan.plan_id != plan_id(facts)


@pytest.mark.parametrize("late", [[REQUEST, SILENCE], [BROKEN_FILE], [REQUEST, BROKEN_FILE]])
def test_a_plan_is_welcome_late_or_after_a_broken_file(late: list[Any]) -> None:
    assert isinstance(decider.fold(after(*late, submit())), Unassessed)


def test_a_plan_cannot_be_drawn_up_tomorrow() -> None:
    given(REGISTERED).when(submit(replace(PLAN, drawn_up_on=DAY_31 + timedelta(days=1)))).refused(DrawnUpInFuture)


def test_an_activity_may_end_the_day_it_starts_but_not_before() -> None:
    one_day, backwards = replace(HALF_TIME, end=DAY_31), replace(HALF_TIME, end=DAY_31 - timedelta(days=1))
    assert given(REGISTERED).when(submit(replace(PLAN, activities=(one_day,)))).facts()
    given(REGISTERED).when(submit(replace(PLAN, activities=(backwards,)))).refused(ActivityEndsBeforeStart)


# --- files that cannot be taken in ---


def test_a_broken_file_counts_as_received() -> None:
    facts = after(REQUEST, BROKEN_FILE)
    assert isinstance(facts[-1], PlanFileRejected)
    assert isinstance(decider.fold(facts), FileUnreadable)


def test_the_same_broken_file_again_changes_nothing_until_fk_asks_anew() -> None:
    given(*after(REQUEST, BROKEN_FILE)).when(BROKEN_FILE).nothing_happens()
    assert isinstance(decider.fold(after(REQUEST, BROKEN_FILE, REQUEST, BROKEN_FILE)), FileUnreadable)


def test_a_broken_file_that_fk_uploads_leaves_the_employer_asked() -> None:
    given(*REQUESTED).when(replace(BROKEN_FILE, by_employer=False)).nothing_happens()


def test_a_broken_file_leaves_a_plan_that_is_at_hand_where_it_is() -> None:
    assert isinstance(decider.fold(after(submit(), BROKEN_FILE)), Unassessed)


# --- revising ---


def test_a_revision_is_the_next_version_and_waits_for_assessment() -> None:
    facts = after(submit(), ASSESS, revise())
    revised = facts[-1]
    assert isinstance(revised, PlanRevised)
    assert (revised.plan_id, revised.version, revised.changes) == (THE_PLAN, 2, ("Nytt mål",))
    assert isinstance(decider.fold(facts), Unassessed)


def test_a_revision_with_the_same_file_but_other_words_is_a_new_version() -> None:
    assert len(given(*SUBMITTED).when(revise(replace(BETTER, document=FILE))).facts()) == 1


def test_a_revision_that_says_the_same_changes_nothing() -> None:
    given(*SUBMITTED).when(revise(PLAN)).nothing_happens()


def test_an_activity_keeps_its_id_through_a_revision_and_a_new_one_gets_its_own() -> None:
    first = SUBMITTED[-1]
    assert isinstance(first, PlanSubmitted)
    kept = replace(HALF_TIME, activity_id=first.activities[0].activity_id, target_pct=75)
    (revised,) = given(*SUBMITTED).when(revise(replace(PLAN, activities=(kept, HALF_TIME)))).facts()
    assert isinstance(revised, PlanRevised)
    old, new = (a.activity_id for a in revised.activities)
    assert old == first.activities[0].activity_id != new


def test_a_revision_cannot_name_an_activity_that_is_not_there_or_one_twice() -> None:
    stranger = replace(HALF_TIME, activity_id=SOMETHING_ELSE)
    given(*SUBMITTED).when(revise(replace(PLAN, activities=(stranger,)))).refused(ActivityUnknown)
    first = SUBMITTED[-1]
    assert isinstance(first, PlanSubmitted)
    twin = replace(HALF_TIME, activity_id=first.activities[0].activity_id)
    given(*SUBMITTED).when(revise(replace(PLAN, activities=(twin, twin)))).refused(ActivityUnknown)


def test_only_the_plan_at_hand_is_revised() -> None:
    given(*SUBMITTED).when(revise(plan_id=SOMETHING_ELSE)).refused(PlanUnknown)
    given(*REQUESTED).when(revise()).refused(NothingToRevise)


# --- assessing ---


def test_a_plan_that_says_everything_is_good() -> None:
    (assessed,) = given(*SUBMITTED).when(ASSESS).facts()
    assert assessed == assessment(SUBMITTED[-1])  # type: ignore[arg-type]
    assert (assessed.score, assessed.quality, assessed.shortcomings) == (6, Quality.GOOD, ())  # type: ignore[union-attr]


@pytest.mark.parametrize(
    ("change", "lacking"),
    [
        ({"activities": (replace(HALF_TIME, responsible=None),)}, Shortcoming.NO_RESPONSIBLE),
        ({"activities": (replace(HALF_TIME, responsible="  "),)}, Shortcoming.NO_RESPONSIBLE),
        ({"activities": (HALF_TIME, replace(HALF_TIME, responsible=None))}, Shortcoming.NO_RESPONSIBLE),
        ({"activities": (replace(HALF_TIME, start=None),)}, Shortcoming.NO_START_END),
        ({"activities": (replace(HALF_TIME, end=None),)}, Shortcoming.NO_START_END),
        ({"activities": (replace(HALF_TIME, follow_up=None),)}, Shortcoming.NO_FOLLOW_UP),
        ({"employee_consulted": False}, Shortcoming.EMPLOYEE_NOT_CONSULTED),
        ({"employee_consulted": False, "not_consulted_reason": " "}, Shortcoming.EMPLOYEE_NOT_CONSULTED),
        (
            {"return_date": None, "activities": (replace(HALF_TIME, target_pct=None),)},
            Shortcoming.NO_RETURN_TARGET,
        ),
        ({"return_date": None, "activities": (replace(HALF_TIME, target_pct=0),)}, Shortcoming.NO_RETURN_TARGET),
    ],
)
def test_one_thing_left_out_costs_one_point_and_is_named(change: dict[str, Any], lacking: Shortcoming) -> None:
    judged = judge(replace(PLAN, **change))
    assert (judged.score, judged.quality, judged.shortcomings) == (5, Quality.GOOD, (lacking,))


def test_a_reason_for_not_consulting_earns_the_point() -> None:
    assert judge(replace(PLAN, employee_consulted=False, not_consulted_reason="Ville inte")).score == 6


def test_a_target_percentage_is_a_return_target() -> None:
    assert judge(replace(PLAN, return_date=None)).score == 6


def test_a_plan_without_activities_is_poor_whatever_else_it_says() -> None:
    judged = judge(replace(PLAN, activities=()))
    assert (judged.score, judged.quality, judged.has_activities) == (2, Quality.POOR, False)
    assert Shortcoming.NO_ACTIVITY in judged.shortcomings


@pytest.mark.parametrize(("score", "quality"), [(4, Quality.PARTLY), (3, Quality.PARTLY), (2, Quality.POOR)])
def test_quality_follows_the_points(score: int, quality: Quality) -> None:
    left_out = [{"responsible": None}, {"follow_up": None}, {"end": None}, {"target_pct": None}]
    bare = HALF_TIME
    for change in left_out[: 6 - score]:
        bare = replace(bare, **change)
    judged = judge(replace(PLAN, activities=(bare,), return_date=None))
    assert (judged.score, judged.quality) == (score, quality)


def test_a_lawful_exemption_is_not_scored() -> None:
    facts = after(submit(HEALTH_EXCLUDES))
    assert isinstance(decider.fold(facts), Exempted)
    given(*facts).when(AssessPlan(plan_id=plan_id(facts), version=1)).refused(NothingToScore)


def test_an_exemption_given_next_to_activities_does_not_hinder_scoring() -> None:
    assert judge(replace(PLAN, exemption=Exemption.FULL_RETURN_UNAIDED)).score == 6


def test_an_exempted_plan_that_is_revised_with_activities_is_scored() -> None:
    facts = after(submit(HEALTH_EXCLUDES), revise(BETTER))
    assert given(*facts).when(AssessPlan(plan_id=plan_id(facts), version=2)).facts()


def test_assessing_the_same_version_again_changes_nothing() -> None:
    given(*after(submit(), ASSESS)).when(ASSESS).nothing_happens()


def test_only_the_newest_version_is_assessed() -> None:
    given(*after(submit(), revise())).when(ASSESS).refused(NotTheNewestVersion)
    given(*SUBMITTED).when(AssessPlan(plan_id=THE_PLAN, version=2)).refused(NotTheNewestVersion)
    given(*SUBMITTED).when(AssessPlan(plan_id=SOMETHING_ELSE, version=1)).refused(PlanUnknown)


def test_an_assessment_before_a_plan_lacks_its_predecessor() -> None:
    given(REGISTERED).when(ASSESS).refused(NothingToAssess)
    given(*REQUESTED).when(ASSESS).refused(MissingPredecessor)


def judge(contents: Contents) -> Any:
    facts = after(submit(contents))
    (assessed,) = given(*facts).when(AssessPlan(plan_id=plan_id(facts), version=1)).facts()
    return assessed


# --- silence ---


def test_a_requested_plan_that_has_not_come_is_recorded_as_not_received() -> None:
    given(*REQUESTED).when(SILENCE).then(
        EmployerPlanNotReceived(
            request_id=THE_REQUEST,
            employment_id=EMPLOYMENT,
            org_nr="5560360793",
            reminders=2,
            last_due=DAY_31 + timedelta(days=29),
        )
    )
    assert isinstance(decider.fold(after(REQUEST, SILENCE)), NotReceived)


@pytest.mark.parametrize("came", [[submit()], [BROKEN_FILE], [submit(), ASSESS], [submit(HEALTH_EXCLUDES)], [SILENCE]])
def test_silence_is_not_recorded_when_something_came_first(came: list[Any]) -> None:
    given(*after(REQUEST, *came)).when(SILENCE).nothing_happens()


def test_the_end_of_an_earlier_request_says_nothing_about_the_open_one() -> None:
    later = RequestPlan(due=None, today=SILENCE.ran_out_on)
    given(*after(REQUEST, BROKEN_FILE, later)).when(SILENCE).nothing_happens()


def test_nobody_is_called_silent_on_the_last_day_itself() -> None:
    given(*REQUESTED).when(replace(SILENCE, ran_out_on=DAY_31 + timedelta(days=14))).nothing_happens()


def test_silence_before_any_request_waits_for_one() -> None:
    given(REGISTERED).when(SILENCE).refused(NeverRequested)
    assert issubclass(NeverRequested, MissingPredecessor)
