"""What has to happen next, as data: of what is a rule made?

A rule says on which event and under which conditions something has to be done, by when and by whom, what is done on the
way and what ends it. `loading.py` reads rules from a file, `planning.py` turns a rule and an event into a deadline with
concrete times.
"""

from collections.abc import Mapping
from datetime import date, time
from enum import StrEnum

from chassis.decider import record
from contracts.notification import ReminderChannel, StepKind
from notification_service.days import SendingHours

ROLES = frozenset(
    {
        "fk.handler",
        "fk.unit_manager",
        "fk.specialist",
        "fk.collab_lead",
        "emp.hr",
        "emp.manager",
        "care.coordinator",
        "af.officer",
        "mun.officer",
        "finsam.officer",
        "person",
        "av.inspector",
        "system",
    }
)
"""Who can own a deadline. What `system` owns is nobody's task: times that are kept for another service."""

PARTY = "party"
"""An owner that the event itself names in `owner_ref`; the rule file says which role answers for a party."""

OCCURRED = "occurred"
"""The anchor that every event has: when it happened."""


class Count(StrEnum):
    """How days are counted from the anchor."""

    DAYS = "days"
    WORKING_DAYS = "working_days"
    SPELL_DAY = "spell_day"


@record
class Due:
    """`number` days (or working days) after `anchor`, or day `number` of a spell that starts on `anchor`."""

    anchor: str
    count: Count
    number: int


@record
class Where:
    """A condition on a field of the event: at least so much, one of these codes, nothing there, or other than another
    field."""

    field: str
    at_least: int | None
    one_of: tuple[str, ...]
    absent: bool
    other_than: str


@record
class Ends:
    """An event that ends the deadline when the fields in `same` hold the same values in both events, and `where` holds
    for the event that ends it."""

    event: str
    same: tuple[str, ...]
    earlier: bool
    where: tuple[Where, ...]


@record
class Level:
    after: int
    to: str


@record
class Escalation:
    """Who is told when nothing happens: days after the due date."""

    id: str
    row: int
    source: str
    missed_after: int
    levels: tuple[Level, ...]


@record
class Duty:
    """What has to be done, by when, by whom, and what ends it. `owner_sees`: may its owner know of it?"""

    kind: str
    due: Due
    owner: str
    owner_ref: str
    owner_sees: bool
    escalation: Escalation | None
    met_by: tuple[Ends, ...]
    cancelled_by: tuple[Ends, ...]


@record
class RuleStep:
    """Something done on the way, `after_due` days after the due date (before it when negative).

    `until` is the last day, counted the same way, on which it is still worth doing for what was announced late.
    `ahead`: a message whose day is a holiday goes out before it rather than after it."""

    row: int
    source: str
    does: StepKind
    after_due: int
    until: int | None
    ahead: bool
    code: str
    channels: tuple[ReminderChannel, ...]
    duty: Duty | None
    says: str


@record
class Ending:
    """An event that ends every deadline of its case, and keeps others from being set until `undone_by` comes."""

    row: int
    source: str
    event: str
    undone_by: str


@record
class Tally:
    """The deadline is set from the `at_least`-th different `each` on, of those that have `same` in common."""

    same: tuple[str, ...]
    each: tuple[str, ...]
    at_least: int


@record
class Rule:
    """One row of the table. `about` names the fields that tell one deadline of this rule from another.

    `each` names a list in the event: the rule then sets one deadline for each of its items, and every field it names
    is looked for in the item first."""

    id: str
    row: int
    source: str
    says: str
    on: tuple[str, ...]
    each: str
    where: tuple[Where, ...]
    tally: Tally | None
    about: tuple[str, ...]
    duty: Duty
    steps: tuple[RuleStep, ...]


@record
class Rulebook:
    """One version of the rules, in force from `valid_from`. `parties`: which role answers for a party, by the kind of
    party. `apart`: events that carry no case, and the field whose id their deadlines are kept by."""

    file: str
    version: str
    valid_from: date
    work: time
    sending: SendingHours
    occurred: Mapping[str, str]
    parties: Mapping[str, str]
    apart: Mapping[str, str]
    escalations: tuple[Escalation, ...]
    endings: tuple[Ending, ...]
    rules: tuple[Rule, ...]
