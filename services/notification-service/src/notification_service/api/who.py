"""Who may call which address?"""

FK = ("fk.handler", "fk.unit_manager", "fk.specialist", "fk.collab_lead")

EMPLOYER = ("emp.hr", "emp.manager")

PARTY = (
    *EMPLOYER, "care.coordinator", "af.officer", "mun.officer", "finsam.officer", "person", "ohs.provider", "union.rep",
)  # fmt: skip

OWNERS = (*PARTY, "av.inspector")
