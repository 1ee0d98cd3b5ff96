"""Is an organisation's number told from everything else, and from a person's?"""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from stdnum import luhn

from contracts.numbers import CHECK_DIGIT, SOLE_TRADER, TEN_DIGITS, organisation_number

nines = st.from_regex(r"[0-9]{2}[2-9][0-9]{6}", fullmatch=True)


@given(nines)
def test_of_ten_last_digits_one_is_right(nine: str) -> None:
    right = nine + luhn.calc_check_digit(nine)
    for last in "0123456789":
        if nine + last == right:
            assert organisation_number(right) == right
        else:
            with pytest.raises(ValueError, match=CHECK_DIGIT):
                organisation_number(nine + last)


@given(nines)
def test_it_is_the_same_number_however_it_is_written(nine: str) -> None:
    number = nine + luhn.calc_check_digit(nine)
    for written in (f"{number[:6]}-{number[6:]}", f"16{number}", f"16{number[:6]}-{number[6:]}", f"{number} "):
        assert organisation_number(written) == number


@given(st.from_regex(r"(16|18|19|20)?[0-9]{2}[01][0-9]{7}", fullmatch=True))
def test_a_persons_number_is_none_and_is_not_repeated(number: str) -> None:
    with pytest.raises(ValueError, match="personal identity number") as told:
        organisation_number(number)
    assert str(told.value) == SOLE_TRADER


@pytest.mark.parametrize("text", ["", "55603607", "155560360793", "٥٥٦٠٣٦٠٧٩٣", "²²²²²²²²²²"])
def test_anything_else_is_none(text: str) -> None:
    with pytest.raises(ValueError, match=TEN_DIGITS):
        organisation_number(text)
