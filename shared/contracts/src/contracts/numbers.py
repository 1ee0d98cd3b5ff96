"""Is this the number of an organisation? The rule behind `contracts.values.OrgNr`, the same at every edge.

It answers in words for people and never repeats what was given: it may be a person's number.
"""

TEN_DIGITS = "An organisation number has ten digits."
CHECK_DIGIT = "The check digit of the organisation number is wrong."
SOLE_TRADER = (
    "This looks like a personal identity number, such as sole traders have. It is not taken here: no person's number "
    "may travel with an event. The self-employed are known through the case, without a number."
)


def organisation_number(text: str) -> str:
    """Ten digits of a legal person's number. Raises ValueError, without the number, for anything else.

    The third digit is at least 2, the last one is a check digit; twelve digits with the prefix 16 are the same number
    (SKV M 2010:3). A lower third digit is the month of a birth date: a person's number."""
    digits = text.replace("-", "").replace(" ", "")
    if not (digits.isascii() and digits.isdigit()) or len(digits) not in (10, 12):
        raise ValueError(TEN_DIGITS)
    if len(digits) == 12 and not digits.startswith("16"):
        raise ValueError(SOLE_TRADER if digits[:2] in ("18", "19", "20") else TEN_DIGITS)
    digits = digits[-10:]
    if digits[2] < "2":
        raise ValueError(SOLE_TRADER)
    if _luhn(digits) != 0:
        raise ValueError(CHECK_DIGIT)
    return digits


def _luhn(digits: str) -> int:
    """0 where the last digit is the check digit of the others: every other one counts twice, digit by digit."""
    return sum(sum(divmod(int(d) * (2 - n % 2), 10)) for n, d in enumerate(digits)) % 10
