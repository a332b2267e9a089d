from fractions import Fraction

import pytest

from app.config.value_parsers import parse_rate


@pytest.mark.parametrize(
    ("text", "rate"),
    [
        ("25", Fraction(25)),
        ("12.5", Fraction(25, 2)),
        ("0.5", Fraction(1, 2)),
        ("1/3", Fraction(1, 3)),
        ("30000/1001", Fraction(30000, 1001)),
        ("29.97", Fraction(30000, 1001)),
        ("23.976", Fraction(24000, 1001)),
        ("23.98", Fraction(24000, 1001)),
        ("59.94", Fraction(60000, 1001)),
        ("59.94006", Fraction(60000, 1001)),
        ("29.9", Fraction(299, 10)),
        ("29.98", Fraction(2998, 100)),
    ],
)
def test_rates_are_exact(text, rate):
    assert parse_rate(text) == float(rate)
    assert Fraction(parse_rate(text)).limit_denominator(1001) == rate


@pytest.mark.parametrize("text", ["0", "-1", "1e3", "1/0", "x", "", "nan", "1001", "0.0001", "25/"])
def test_what_is_no_rate_is_refused_with_examples(text):
    with pytest.raises(ValueError, match=r"a rate from 0.001 to 1000: 25, 29.97 or 30000/1001"):
        parse_rate(text)
