"""Does a text seem to tell about somebody's health? The writer is warned; the text is taken all the same."""

from collections.abc import Mapping

from contracts.wording import about_health

WARNING = (
    "Texten kan handla om hälsa. Skriv vad som ska göras i arbetet, inte diagnos eller behandling. / "
    "The text may be about health. Write what is to be done at work, not diagnosis or treatment."
)


def fields_about_health(texts: Mapping[str, str | None]) -> list[str]:
    """The names of the fields whose text seems to be about health."""
    return [field for field, text in texts.items() if text and about_health(text)]
