"""How sensitive a field is, and which strings are safe to show. From these follow encryption, publication and access.

P pseudonymous ids and status; I identity and contact; D dates, days, percent; W work and plan; M1 diagnosis and
treatment; M2 function and activity limits; L entitlement and decisions; E money. Source: the domain's data classes
(OSL 28:1, GDPR 5.1 c).
"""

from dataclasses import dataclass
from enum import Enum


class DataClass(Enum):
    """The eight classes. A field without one does not build."""

    P = "pseudonymous"
    I = "identity"  # noqa: E741 - the domain's own letter
    D = "dates"
    W = "work"
    M1 = "diagnosis"
    M2 = "function"
    L = "entitlement"
    E = "money"


SEALED_CLASSES = frozenset({DataClass.I, DataClass.M1, DataClass.M2})


@dataclass(frozen=True)
class Coded:
    """Marks a string that can only hold a code, never prose: it must match `pattern` from end to end.

    A string without this mark is free text, and free text is sealed whatever its class: people write names and
    diagnoses into any box.
    """

    pattern: str
