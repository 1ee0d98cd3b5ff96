"""What is sent in and what is answered: the bodies of the plan's addresses, with examples."""

from collections.abc import Iterable, Mapping
from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import ConfigDict, Field

from chassis.days import Day
from chassis.http import Body
from contracts.plan import (
    ActivityKind,
    Channel,
    EmploymentKind,
    Exemption,
    Quality,
    Shortcoming,
    TipGround,
    TipKind,
    TipOutcome,
)
from plan_service.api.fields import Line, OrgNrIn, Prose, Yes
from plan_service.api.wording import WARNING
from plan_service.domain.plan import Activity, Contents, Document


def example(**fields: Any) -> ConfigDict:
    return ConfigDict(json_schema_extra={"examples": [fields]})


class NewEmployment(Body):
    """An employment that a sick-leave case concerns."""

    model_config = example(
        caseId="0195a1c2-7b1e-7c1a-9d3e-2f6f8f1f7a10",
        personRef="0195a1c2-7b1e-7c1a-9d3e-2f6f8f1f7a11",
        orgNr="5560360793",
        employmentKind="ORDINARY",
        workplace="Lagret i Norrköping",
        spellStart="2026-03-02",
        expectedDays=90,
    )

    case_id: UUID
    person_ref: UUID = Field(description="Pseudonymous reference of the insured person, minted by FK")
    org_nr: OrgNrIn = Field(description="The employer's organisation number; a sole trader's is not taken")
    employment_kind: EmploymentKind
    workplace: Line
    spell_start: Day = Field(description="First sick day")
    expected_days: Annotated[int, Field(strict=True, ge=1, le=3650)] = Field(
        description="How many days the incapacity may be assumed to last"
    )


class NewRequest(Body):
    """FK asks the employer for its plan (SFB 110:31)."""

    model_config = example(due="2026-04-15")

    due: Day | None = Field(None, description="Last day to hand it in; 14 days from today when left out")


class ActivityIn(Body):
    """One activity of a plan."""

    activity_id: UUID | None = Field(None, description="In a new version: the activity's id in the version before")
    kind: ActivityKind
    description: Prose
    responsible: Line | None = Field(None, description="Who sees to it: a function or a name")
    start: Day | None = None
    end: Day | None = None
    follow_up: Day | None = None
    target_pct: Annotated[Literal[0, 25, 50, 75, 100] | None, Field(description="Degree of work aimed at, %")] = None

    def as_given(self) -> Activity:
        return Activity(**{name: getattr(self, name) for name in type(self).model_fields})


ACTIVITY = {
    "kind": "PART_TIME",
    "description": "Arbetet trappas upp i steg, passen läggs mellan 9 och 15.",
    "responsible": "Arbetsledare, utleverans",
    "start": "2026-04-13",
    "end": "2026-05-31",
    "followUp": "2026-04-24",
    "targetPct": 50,
}
PLAN: dict[str, Any] = {
    "channel": "PORTAL",
    "drawnUpOn": "2026-03-27",
    "employeeConsulted": True,
    "activities": [ACTIVITY],
    "returnDate": "2026-06-01",
    "documentRef": "0195a1c2-7b1e-7c1a-9d3e-2f6f8f1f7a12",
}


class NewPlan(Body):
    """What a plan says (SFB 30:6). There is no compulsory form: a file, a form, or a telephone call."""

    model_config = example(**PLAN)

    channel: Channel = Field(description="Employers: PORTAL, API, FORM_FK7459. FK: PHONE, MEETING, INSURED")
    drawn_up_on: Day
    employee_consulted: Yes
    not_consulted_reason: Prose | None = None
    exemption: Exemption = Field(
        Exemption.NONE, description="Lawful ground for having no activities, where there is one"
    )
    activities: tuple[ActivityIn, ...] = Field((), max_length=50)
    return_date: Day | None = None
    document_ref: UUID | None = Field(None, description="The file, uploaded before")

    def contents(self, document: Document | None) -> Contents:
        return Contents(
            channel=self.channel,
            drawn_up_on=self.drawn_up_on,
            employee_consulted=self.employee_consulted,
            not_consulted_reason=self.not_consulted_reason,
            exemption=self.exemption,
            activities=tuple(a.as_given() for a in self.activities),
            return_date=self.return_date,
            document=document,
        )

    def texts(self) -> Mapping[str, str | None]:
        """Everything in it that somebody wrote, by the name of its field."""
        told: dict[str, str | None] = {"notConsultedReason": self.not_consulted_reason}
        for n, a in enumerate(self.activities):
            told |= {f"activities.{n}.description": a.description, f"activities.{n}.responsible": a.responsible}
        return told


class NewVersion(NewPlan):
    """A plan that has been changed, whole, and what was changed."""

    model_config = example(**PLAN | {"returnDate": "2026-06-15", "changes": ["Ny sista dag för upptrappningen"]})

    changes: tuple[Prose, ...] = Field((), max_length=50)

    def texts(self) -> Mapping[str, str | None]:
        return {**super().texts(), **{f"changes.{n}": text for n, text in enumerate(self.changes)}}


class NewAssessment(Body):
    """FK judges a version; the points follow from what it says."""

    model_config = example(version=1)

    version: Annotated[int, Field(strict=True, ge=1)]


class Search(Body):
    """Whose employment, and where. The number stands in the body only: it is neither kept here nor repeated."""

    model_config = example(personId="196408233234", orgNr="5560360793")

    person_id: Annotated[str, Field(min_length=10, max_length=20)] = Field(
        description="Personal identity number or coordination number"
    )
    org_nr: OrgNrIn = Field(description="The employer's organisation number")


class Happened(Body):
    """On which day it happened; today when left out."""

    model_config = example(on="2026-04-13")

    on: Day | None = None


class NewMiss(Body):
    """That an activity was not done, and why."""

    model_config = example(cause="EMPLOYER", on="2026-06-02")

    cause: Literal["EMPLOYER", "PERSON", "HEALTH", "OTHER"]
    on: Day | None = Field(None, description="The day it is told; today when left out")


class NewTip(Body):
    """What a tip about the employer would rest on."""

    model_config = example(employmentId="0195a1c2-7b1e-7c1a-9d3e-2f6f8f1f7a13", grounds=["NO_PLAN"])

    employment_id: UUID = Field(description="Where the grounds are seen. The tip itself keeps no trace of it")
    grounds: Annotated[tuple[TipGround, ...], Field(min_length=1, max_length=4)]


class NewSending(Body):
    """What Arbetsmiljöverket is told: about an employer and a workplace, never about a person."""

    model_config = example(
        employmentId="0195a1c2-7b1e-7c1a-9d3e-2f6f8f1f7a13",
        kind="TIP",
        workplace="Lagret i Norrköping",
        caseCount=1,
        facts="Arbetsgivaren har inte lämnat in den plan för återgång i arbete som begärts, trots två påminnelser.",
    )

    employment_id: UUID = Field(description="Where the grounds are seen once more. The tip keeps no trace of it")
    kind: TipKind
    workplace: Line
    case_count: Annotated[int, Field(strict=True, ge=1, le=10_000)] = Field(description="Cases that the tip rests on")
    facts: Annotated[str, Field(min_length=1, max_length=2000)] = Field(description="What was not done. No person")


class NewOutcome(Body):
    """What Arbetsmiljöverket did about a tip."""

    model_config = example(outcome="INSPECTION")

    outcome: TipOutcome


# --- answers ---


class Link(Body):
    """An address and the method to call it with. `match`: it needs If-Match with the ETag of what was read."""

    href: str
    method: str = "GET"
    match: bool = False


class Warned(Body):
    """Something the writer should look at again; it was taken all the same."""

    field: str
    text: str


def warned(fields: Iterable[str]) -> tuple[Warned, ...]:
    return tuple(Warned(field=field, text=WARNING) for field in fields)


class EmploymentTaken(Body):
    employment_id: UUID
    warnings: tuple[Warned, ...] = ()


class RequestMade(Body):
    request_id: UUID
    due: Day


class PlanTaken(Body):
    plan_id: UUID
    version: int
    warnings: tuple[Warned, ...] = ()


class Assessed(Body):
    plan_id: UUID
    version: int
    has_activities: bool
    score: Annotated[int, Field(description="0 to 6")]
    quality: Quality
    shortcomings: tuple[Shortcoming, ...]


class EmploymentFound(Body):
    """The employment, and where to go on from it."""

    employment_id: UUID
    links: Annotated[dict[str, Link], Field(alias="_links", description="What this caller may do now")]


class ActivityTold(Body):
    plan_id: UUID
    activity_id: UUID


class TipTaken(Body):
    tip_id: UUID


class DocumentTaken(Body):
    document_ref: UUID
    sha256: str
    bytes: int
    pages: int
