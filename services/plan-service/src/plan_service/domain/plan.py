"""What does a plan say, does it say it rightly, and how good is it?

A plan has no compulsory form (SFB 30:6): it may be a file, a form or a telephone call. What FK judges is what it says.
"""

from datetime import date, timedelta
from uuid import UUID

from chassis.decider import Invalid, record
from contracts.plan import (
    ActivityKind,
    Channel,
    Exemption,
    PlanActivity,
    PlanAssessed,
    PlanRevised,
    PlanSubmitted,
    Quality,
    Shortcoming,
)
from plan_service.domain.activities import Told

HandedIn = PlanSubmitted | PlanRevised
"""One version of a plan, as it was handed in."""


@record
class Plan:
    """A plan with all its versions, oldest first, the judgements passed on them, and how far its activities came."""

    versions: tuple[HandedIn, ...]
    assessments: tuple[PlanAssessed, ...] = ()
    told: Told = ()

    @property
    def newest(self) -> HandedIn:
        return self.versions[-1]


# --- what is handed in ---


@record
class Activity:
    """An activity as the writer gives it. `activity_id` names one of the earlier version; None means a new one."""

    activity_id: UUID | None = None
    kind: ActivityKind
    description: str
    responsible: str | None
    start: date | None
    end: date | None
    follow_up: date | None
    target_pct: int | None


@record
class Document:
    """A file that has been checked and kept: its reference, SHA-256 in hex, and size in bytes."""

    document_ref: UUID
    sha256: str
    bytes: int


@record
class Contents:
    """What a plan says, whichever way it came."""

    channel: Channel
    drawn_up_on: date
    employee_consulted: bool
    not_consulted_reason: str | None
    exemption: Exemption
    activities: tuple[Activity, ...]
    return_date: date | None
    document: Document | None


class DrawnUpInFuture(Invalid):
    field = "drawnUpOn"
    reason = "A plan cannot have been drawn up on a day that has not come."
    do = "Give the day when the plan was written or agreed."


class ActivityEndsBeforeStart(Invalid):
    field = "activities"
    reason = "An activity ends before it starts."
    do = "Give an end on or after the start."


class ActivityUnknown(Invalid):
    field = "activities"
    reason = "An activityId does not belong to the version that is being revised, or stands there twice."
    do = "Take the ids from the newest version, and leave the id out for a new activity."


def check(contents: Contents, today: date) -> None:
    """Raises Invalid where what is given cannot be true. `today` is the Swedish date."""
    if contents.drawn_up_on > today:
        raise DrawnUpInFuture
    for a in contents.activities:
        if a.start is not None and a.end is not None and a.end < a.start:
            raise ActivityEndsBeforeStart


def check_activities(contents: Contents, before: HandedIn) -> None:
    """Raises ActivityUnknown where a revision names an activity that the version before it has not."""
    named = [a.activity_id for a in contents.activities if a.activity_id is not None]
    if len(named) != len(set(named)) or not set(named) <= {a.activity_id for a in before.activities}:
        raise ActivityUnknown


def says_the_same(contents: Contents, version: HandedIn) -> bool:
    """Does this repeat what the version says? An activity's id counts only where the writer gave one."""
    sha256 = contents.document.sha256 if contents.document else None
    return (
        sha256 == version.sha256
        and contents.channel == version.channel
        and contents.drawn_up_on == version.drawn_up_on
        and contents.employee_consulted == version.employee_consulted
        and contents.not_consulted_reason == version.not_consulted_reason
        and contents.exemption == version.exemption
        and contents.return_date == version.return_date
        and len(contents.activities) == len(version.activities)
        and all(_alike(given, held) for given, held in zip(contents.activities, version.activities, strict=True))
    )


def same_file(contents: Contents, version: HandedIn) -> bool:
    return contents.document is not None and contents.document.sha256 == version.sha256


def _alike(given: Activity, held: PlanActivity) -> bool:
    return given.activity_id in (None, held.activity_id) and _substance(given) == _substance(held)


def _substance(a: Activity | PlanActivity) -> tuple[object, ...]:
    return (a.kind, a.description, a.responsible, a.start, a.end, a.follow_up, a.target_pct)


def spell_day(spell_start: date, on: date) -> int:
    """The day of the sick-leave spell, counted from 1."""
    return (on - spell_start) // timedelta(days=1) + 1


# --- how good it is ---

GOOD_FROM, PARTLY_FROM = 5, 3
"""Points for GOOD (which also needs an activity) and for PARTLY; below that POOR. Ours to choose, not law."""


def exempt(version: HandedIn) -> bool:
    """Is a lawful ground for having no activities given, and none planned?

    The duty falls away when health plainly excludes a return, when the employee is back within 60 days, or comes back
    in full without help (SFB 30:6). Then there is nothing to score: points for activities that nobody owes would make
    a lawful answer look POOR, and two POOR ones lead to a tip. With activities the plan is scored like any other.
    """
    return version.exemption is not Exemption.NONE and not version.activities


def shortcomings(version: HandedIn) -> tuple[Shortcoming, ...]:
    """The points, of six, that a version did not earn. A plan without activities earns none of the first four."""
    planned = version.activities
    points = (
        (bool(planned), Shortcoming.NO_ACTIVITY),
        (bool(planned) and all(_said(a.responsible) for a in planned), Shortcoming.NO_RESPONSIBLE),
        (bool(planned) and all(a.start and a.end for a in planned), Shortcoming.NO_START_END),
        (bool(planned) and all(a.follow_up for a in planned), Shortcoming.NO_FOLLOW_UP),
        (version.employee_consulted or _said(version.not_consulted_reason), Shortcoming.EMPLOYEE_NOT_CONSULTED),
        (bool(version.return_date) or any(a.target_pct for a in planned), Shortcoming.NO_RETURN_TARGET),
    )
    return tuple(lacking for earned, lacking in points if not earned)


def assessment(version: HandedIn) -> PlanAssessed:
    """FK's judgement of a version: one point for each of six things it should say."""
    lacking = shortcomings(version)
    score = len(Shortcoming) - len(lacking)
    return PlanAssessed(
        plan_id=version.plan_id,
        version=version.version,
        employment_id=version.employment_id,
        has_activities=bool(version.activities),
        score=score,
        quality=_quality(score, bool(version.activities)),
        shortcomings=lacking,
    )


def _quality(score: int, has_activities: bool) -> Quality:
    if score >= GOOD_FROM and has_activities:
        return Quality.GOOD
    return Quality.PARTLY if score >= PARTLY_FROM else Quality.POOR


def _said(text: str | None) -> bool:
    return text is not None and bool(text.strip())
