"""How figures are worded. Plain Python, so that not only pages can say them."""

from __future__ import annotations

MINUTE = 60  # seconds, and minutes of an hour


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


def duration(seconds: object) -> str:
    """A number of seconds in words, as rough as people say it: 2.1 s, 45 s, 3 min, 1 h 20 min.

    Empty where there is no number.
    """
    if not isinstance(seconds, int | float):
        return ""
    if seconds < 10:
        return f"{seconds:.1f} s"
    if round(seconds) < MINUTE:
        return f"{seconds:.0f} s"
    if round(seconds / MINUTE) < MINUTE:
        return f"{seconds / MINUTE:.0f} min"
    hours, minutes = divmod(round(seconds / MINUTE), MINUTE)
    return f"{hours} h {minutes} min" if minutes else f"{hours} h"
