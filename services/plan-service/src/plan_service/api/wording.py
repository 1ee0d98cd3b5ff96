"""Does a text seem to tell about somebody's health? The writer is warned; the text is taken all the same.

A handful of words and the form of an ICD-10 code. It is a nudge, not a filter: what is missed is sealed like all text.
"""

import re
from collections.abc import Mapping

WARNING = (
    "Texten kan handla om hälsa. Skriv vad som ska göras i arbetet, inte diagnos eller behandling. / "
    "The text may be about health. Write what is to be done at work, not diagnosis or treatment."
)

_ICD_10 = re.compile(r"\b[A-TV-Z]\d{2}(?:\.\d{1,2}[A-Z]?)?\b")
_WORDS = re.compile(
    r"diagnos|depression|deprimerad|ångest|utmattning|utbränd|psykisk|missbruk|alkohol|cancer|tumör|stroke|infarkt|"
    r"diabetes|epilepsi|migrän|artros|reumat|diskbråck|graviditet|läkemedel|medicinering|cellgift|strålbehandling|"
    r"\boperation|\bopererad|sjukskriven för|läkarintyg",
    re.IGNORECASE,
)


def about_health(text: str) -> bool:
    return bool(_ICD_10.search(text) or _WORDS.search(text))


def fields_about_health(texts: Mapping[str, str | None]) -> list[str]:
    """The names of the fields whose text seems to be about health."""
    return [field for field, text in texts.items() if text and about_health(text)]
