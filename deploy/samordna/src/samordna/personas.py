"""Who can be played in the local stack? Made-up people at organisations that are real only where they are authorities.

Organisation numbers of employers, the region, the municipality and the samordningsförbund are invented but valid
(Luhn). A user reference is a pseudonym."""

from dataclasses import replace
from uuid import NAMESPACE_URL, UUID, uuid5

from chassis.servers.issuer import Persona

FK, AF, AV = "2021005521", "2021002114", "2021004763"
EMPLOYER_A, EMPLOYER_B = "5560000167", "5560000175"
REGION, MUNICIPALITY, FINSAM = "2320000017", "2120000019", "2220000018"


def _persona(name: str, org_type: str, org_id: str, role: str, about: str) -> tuple[str, Persona]:
    user = str(uuid5(NAMESPACE_URL, f"samordna:{name}"))
    return name, Persona(user_ref=user, org_type=org_type, org_id=org_id, role=role, about=about)


PERSONAS = dict(
    [
        _persona("fk-handler", "FK", FK, "fk.handler", "Handläggare på Försäkringskassan / FK handler"),
        _persona("fk-manager", "FK", FK, "fk.unit_manager", "Enhetschef på Försäkringskassan / FK unit manager"),
        _persona("fk-specialist", "FK", FK, "fk.specialist", "Specialist på Försäkringskassan / FK specialist"),
        _persona(
            "fk-lead", "FK", FK, "fk.collab_lead", "Samverkansansvarig på Försäkringskassan / FK collaboration lead"
        ),
        _persona("hr-a", "EMPLOYER", EMPLOYER_A, "emp.hr", "HR hos arbetsgivare A / HR at employer A"),
        _persona("hr-b", "EMPLOYER", EMPLOYER_B, "emp.hr", "HR hos arbetsgivare B / HR at employer B"),
        _persona(
            "care-coordinator", "CARE", REGION, "care.coordinator", "Rehabkoordinator i vården / care coordinator"
        ),
        _persona("af-officer", "AF", AF, "af.officer", "Arbetsförmedlare / officer at the employment service"),
        _persona("mun-officer", "MUN", MUNICIPALITY, "mun.officer", "Socialsekreterare i kommunen / social worker"),
        _persona(
            "finsam-officer", "FINSAM", FINSAM, "finsam.officer", "Samordningsförbundets kansli / office of the Finsam"
        ),
        _persona("insured", "PERSON", "person", "person", "Den försäkrade / the insured person"),
        _persona(
            "av-inspector", "AV", AV, "av.inspector", "Inspektör på Arbetsmiljöverket / work environment inspector"
        ),
        _persona("operator", "OPS", "samordna", "ops.operator", "Drift / operator of this stack"),
    ]
)
"""Everybody the desk gives tokens to, by short name."""


def insured(person_ref: UUID) -> Persona:
    """The insured person of a case. Who that is, is known only once case-service has minted the reference."""
    return replace(PERSONAS["insured"], user_ref=str(person_ref))
