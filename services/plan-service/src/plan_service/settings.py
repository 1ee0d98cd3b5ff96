"""How is this service told where its malware scanner is? By an environment variable, as the chassis is."""

from pydantic import Field

from chassis.settings import Told


class PlanSettings(Told):
    """What only this service needs; every name begins with SAMORDNA_."""

    scanner_url: str = Field(
        default="",
        description="ClamAV daemon as clamd://host:port; empty for the built-in check, which knows only EICAR",
    )
    case_url: str = Field(
        default="",
        description="Where case-service answers, http://host:port; empty: employments are not found by number",
    )
