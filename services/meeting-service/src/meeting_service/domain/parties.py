"""Who may sit at which meeting, and under which consent? A rule of the house stands here as data.

A status meeting is the person, FK and at least one party more [W11]. The consents are those of the domain's scopes, one
per outside party. Health care that plans with an employer without FK does so as a measure of its own (lag 2019:1297).
"""

from collections.abc import Mapping
from uuid import UUID

from chassis.decider import record
from contracts.case import Covered, Scope
from contracts.meeting import MeetingKind, Party

FK_ORG, AF_ORG = "2021005521", "2021002114"
"""Försäkringskassan's and Arbetsförmedlingen's organisation numbers."""

NOTICE_DAYS = 14
"""How many days ahead a meeting is called, unless the parties agree to meet sooner [A, row 21]."""


@record
class Seats:
    """Who has to be invited to a meeting of one kind, how many at least, and who may call it."""

    needed: frozenset[Party]
    least: int
    callers: frozenset[Party] = frozenset({Party.FK})


_BOTH = frozenset({Party.PERSON, Party.FK})
_WITH_AF = frozenset({Party.PERSON, Party.FK, Party.AF})

SEATS: Mapping[MeetingKind, Seats] = {
    MeetingKind.STATUS: Seats(needed=_BOTH, least=3),
    MeetingKind.CONTACT: Seats(needed=_BOTH, least=2),
    MeetingKind.JOINT_ASSESSMENT: Seats(needed=_WITH_AF, least=3),
    MeetingKind.TRANSITION: Seats(needed=_WITH_AF, least=3),
    MeetingKind.CLOSING: Seats(needed=_BOTH, least=2),
    MeetingKind.FOLLOW_UP: Seats(needed=_BOTH, least=2),
    MeetingKind.SGI0_FIRST: Seats(needed=_BOTH, least=2),
    MeetingKind.WORKPLACE_CARE: Seats(
        needed=frozenset({Party.PERSON, Party.CARE, Party.EMPLOYER}),
        least=3,
        callers=frozenset({Party.CARE, Party.EMPLOYER}),
    ),
}

SCOPES: Mapping[Party, Scope] = {
    Party.EMPLOYER: Scope.EMP,
    Party.CARE: Scope.CARE,
    Party.AF: Scope.AF,
    Party.MUN: Scope.MUN,
    Party.FINSAM: Scope.FINSAM,
    Party.OHS: Scope.OHS,
    Party.UNION: Scope.UNION,
}
"""The consent that an outside party needs. The insured person and FK need none."""


MEETING_HOLDS = frozenset({Covered.D, Covered.W})
"""The data classes of what a party to a meeting is told: its time, its purpose, what was said and agreed."""

ASSESSMENT_HOLDS = frozenset({Covered.W, Covered.M2, Covered.L})
"""Those of a joint assessment: work, function, and what it came to."""


TOLD_OF_HEALTH = frozenset({Party.PERSON, Party.FK, Party.CARE})
"""Who may read of diagnosis and treatment (class M1). Everybody else never does, an employer least of all."""


def scope_for(kind: MeetingKind, party: Party) -> Scope | None:
    """The scope of the consent under which a party sits at a meeting of this kind; None where none is needed."""
    if kind is MeetingKind.WORKPLACE_CARE and party is Party.CARE:
        return Scope.KOORD_MEASURE
    return SCOPES.get(party)


def ref_of(party: Party, org_id: str) -> str:
    """A party as facts name it."""
    return f"{party.value.lower()}:{org_id}"


def person_of(person_ref: UUID) -> str:
    return ref_of(Party.PERSON, str(person_ref))


def party_of(ref: str) -> Party:
    return Party(ref.partition(":")[0].upper())


def org_of(ref: str) -> str:
    return ref.partition(":")[2]
