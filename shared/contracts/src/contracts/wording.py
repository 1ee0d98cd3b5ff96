"""Does a text seem to tell about somebody's health? A word list that every service looks by.

A handful of words and the form of an ICD-10 code. It is a nudge, not a filter: what is missed is sealed like all text.
What follows is each service's own: the writer is warned, or what an employer would read is refused.
"""

import re

_ICD_10 = re.compile(r"\b[A-TV-Z]\d{2}(?:\.\d{1,2}[A-Z]?)?\b")
_WORDS = re.compile(
    r"diagnos|depression|deprimerad|ångest|utmattning|utbränd|psykisk|missbruk|alkohol|cancer|tumör|stroke|infarkt|"
    r"diabetes|epilepsi|migrän|artros|reumat|diskbråck|graviditet|läkemedel|medicinering|cellgift|strålbehandling|"
    r"\boperation|\bopererad|sjukskriven för|läkarintyg",
    re.IGNORECASE,
)


def about_health(text: str) -> bool:
    return bool(_ICD_10.search(text) or _WORDS.search(text))
