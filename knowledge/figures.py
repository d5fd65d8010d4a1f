"""How figures are worded. Plain Python, so that not only pages can say them."""

from __future__ import annotations


def percent(fraction: object) -> str:
    """A fraction as a percentage; never 100 % for what is not whole, nor 0 % for what is not nothing.

    Empty where there is no number, as templates have it for a figure that was not measured.
    """
    if not isinstance(fraction, int | float):
        return ""
    rounded = round(fraction * 100)
    if 0 < fraction < 1:
        rounded = min(99, max(1, rounded))
    return f"{rounded} %"
