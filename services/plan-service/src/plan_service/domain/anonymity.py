"""Does a text name a person? Asked before FK tells Arbetsmiljöverket about an employer: a tip names nobody.

What can be told for certain is looked for: numbers of persons in any spelling, references of ours, e-mail addresses,
telephone numbers, words that introduce a name, and names known from the plan. No list of names is held against it: a
name that nothing points at is left to whoever writes and whoever checks.
"""

import re
import unicodedata
from collections.abc import Iterable, Iterator

_GAP = r"[\s.,:;/_+\-–—]{0,3}"
_PERSON_NUMBER = re.compile(
    rf"(?<!\d)(?:(?:18|19|20){_GAP})?\d{{2}}{_GAP}(?P<month>\d{{2}}){_GAP}(?P<day>\d{{2}}){_GAP}(?:\d{_GAP}){{3}}\d(?!\d)"
)
_DATE = re.compile(rf"(?<!\d)(?:19|20)\d\d-\d\d-\d\d(?!\d)(?!{_GAP}(?:\d{_GAP}){{3}}\d(?!\d|-\d\d-\d\d))")
"""A day, as deadlines are written, unless four digits follow that begin no other day."""
_REFERENCE = re.compile(r"[0-9a-f]{8}-?(?:[0-9a-f]{4}-?){3}[0-9a-f]{12}", re.IGNORECASE)
_MAIL = re.compile(r"\S+\s*(?:@|\(at\)|\[at\]|\(a\)|snabel-?a)\s*\S+", re.IGNORECASE)
_TELEPHONE = re.compile(
    rf"(?<!\d)(?:\+|00)\s?\d(?:{_GAP}\d){{7,14}}(?!\d)|(?<!\d)\(?0\d{{1,3}}\)?(?:{_GAP}\d){{5,9}}(?!\d)"
)
_INTRODUCED = re.compile(
    r"\b(?:(?i:heter|vid namn|namnet är|namn:|herr|fru|fröken|mr|mrs|ms|named|called|anställde|anställda|medarbetaren|"
    r"kollegan|employee))[\s:]+[A-ZÅÄÖÉ][a-zåäöéü]+"
)
_BORN = re.compile(r"\b(?:född|fött|födelsedatum|born)\b", re.IGNORECASE)
_NAME = re.compile(r"[A-ZÅÄÖÉ][\w'’-]*[a-zåäöéü](?:[ -]+(?:[a-zåäö]{2,3} )?[A-ZÅÄÖÉ][\w'’-]*[a-zåäöéü])+")


def names_a_person(text: str, known_names: Iterable[str]) -> bool:
    """`known_names` are as `names_in` gives them."""
    plain = _plain(text)
    undated = _DATE.sub(" | ", plain)
    return (
        any(sign.search(plain) for sign in (_REFERENCE, _MAIL, _INTRODUCED, _BORN))
        or _TELEPHONE.search(undated) is not None
        or any(_is_a_birthday(found) for found in _PERSON_NUMBER.finditer(undated))
        or _mentions(plain, known_names)
    )


def names_in(text: str) -> tuple[str, ...]:
    """The personal names that a text seems to hold: two or more words in a row with capital letters."""
    return tuple(_NAME.findall(_plain(text)))


def _is_a_birthday(found: re.Match[str]) -> bool:
    """A coordination number has 60 added to its day. An organisation number has no month there: it is at least 20.
    The check digit does not matter: a number with a slip of the pen still points at somebody."""
    month, day = int(found["month"]), int(found["day"])
    return 1 <= month <= 12 and (1 <= day <= 31 or 61 <= day <= 91)


def _mentions(text: str, known_names: Iterable[str]) -> bool:
    """A surname alone is enough, whatever its case and its genitive s."""
    words = set(_words(text))
    return any(not words.isdisjoint({last, f"{last}s"}) for last in map(_surname, known_names) if last)


def _surname(name: str) -> str:
    return next(reversed(list(_words(name))), "")


def _words(text: str) -> Iterator[str]:
    return (word.casefold() for word in re.findall(r"[^\W\d_]{2,}", text))


def _plain(text: str) -> str:
    """One spelling for what looks alike: full-width and other digits and letters, and nothing that is not seen."""
    folded = unicodedata.normalize("NFKC", text)
    seen = (c for c in folded if unicodedata.category(c) != "Cf")
    return "".join(str(unicodedata.digit(c)) if unicodedata.digit(c, None) is not None else c for c in seen)
