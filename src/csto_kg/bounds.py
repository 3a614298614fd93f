"""Four bounds, not two dates: what a source's dating of an interval really says.

The bounds are those of CIDOC CRM (P82a, P81a, P81b, P82b), all days inclusive. Authors write
Extended Date/Time Format (ISO 8601-2:2019, https://www.loc.gov/standards/datetime/); the subset
that has exact bounds is read here and the rest is refused. The EDTF libraries for Python are not
used because they turn open and unknown ends into dates (``edtf``) or each other (``undate``).
"""

from __future__ import annotations

import re
from calendar import monthrange
from dataclasses import dataclass
from datetime import date
from enum import StrEnum


class Standing(StrEnum):
    """How a day stands to an interval that is known by its bounds."""

    CERTAIN = "certain"
    POSSIBLE = "possible"
    EXCLUDED = "excluded"


@dataclass(frozen=True, slots=True)
class Bounds:
    """The earliest and latest days on which an interval can have begun and ended.

    A bound that is ``None`` is not known; it is never "for ever".
    """

    begins_not_before: date | None = None
    begins_not_after: date | None = None
    ends_not_before: date | None = None
    ends_not_after: date | None = None

    def on(self, day: date, *, continuous: bool = True) -> Standing:
        """Tell whether ``day`` is certainly, possibly or not in the interval.

        With ``continuous=False`` nothing is certain: use it for a membership that is known from a
        first and a last sighting only (``csto:continuityAssumed``) when continuity is not assumed.
        """
        if (self.begins_not_before and day < self.begins_not_before) or (
            self.ends_not_after and day > self.ends_not_after
        ):
            return Standing.EXCLUDED
        if (
            continuous
            and self.begins_not_after
            and self.ends_not_before
            and self.begins_not_after <= day <= self.ends_not_before
        ):
            return Standing.CERTAIN
        return Standing.POSSIBLE

    def intersect(self, other: Bounds) -> Bounds:
        """Return the tightest bounds that both allow; the result may be a :meth:`conflict`."""
        return Bounds(
            _latest(self.begins_not_before, other.begins_not_before),
            _earliest(self.begins_not_after, other.begins_not_after),
            _latest(self.ends_not_before, other.ends_not_before),
            _earliest(self.ends_not_after, other.ends_not_after),
        )

    @property
    def conflict(self) -> bool:
        """Whether no interval satisfies the bounds."""
        return (
            _after(self.begins_not_before, self.begins_not_after)
            or _after(self.ends_not_before, self.ends_not_after)
            or _after(self.begins_not_before, self.ends_not_after)
        )


def parse_edtf(text: str) -> Bounds:
    """Read an EDTF date or interval as the bounds of an interval.

    ``1992-05-15``, ``1992-05``, ``1992``, ``199X``: it lies within that day, month, year, decade.
    ``[..1999-04]``, ``[1999-04..]``, ``[1992-05-16..2022-05]``: it lies within that range.
    ``A/B``: it begins within A and ends within B; ``..`` or nothing for B leaves the end unknown.

    Raises ``ValueError`` for everything else, saying what to write instead.
    """
    begin, slash, end = text.partition("/")
    first, last = parse_edtf_date(begin) if begin not in ("", "..") or not slash else (None, None)
    if not slash:
        return Bounds(first, last, first, last)
    ends = (None, None) if end in ("", "..") else parse_edtf_date(end)
    return _ordered(Bounds(first, last, *ends), text)


def parse_edtf_date(text: str) -> tuple[date | None, date | None]:
    """Read one EDTF date as its first and its last possible day; see :func:`parse_edtf`."""
    if text.startswith("[") and text.endswith("]"):
        start, dots, stop = text[1:-1].partition("..")
        if not dots or not (start or stop):
            raise ValueError(
                f"“{text}” is not a range: write [1992..], [..1999-04] or [1992..1999]"
            )
        first = _span(start)[0] if start else None
        last = _span(stop)[1] if stop else None
        if first and last and first > last:
            raise ValueError(f"“{text}” begins after it ends")
        return first, last
    return _span(text)


_DATE = re.compile(r"(\d{4})(?:-(\d\d)(?:-(\d\d))?)?", re.ASCII)
_DECADE = re.compile(r"(\d{3})X|(\d{2})XX", re.ASCII)


def _span(text: str) -> tuple[date, date]:
    if match := _DATE.fullmatch(text):
        year, month, day = (int(part) if part else None for part in match.groups())
        assert year is not None
        try:
            if month is None:
                return date(year, 1, 1), date(year, 12, 31)
            if day is None:
                return date(year, month, 1), date(year, month, monthrange(year, month)[1])
            return date(year, month, day), date(year, month, day)
        except ValueError as error:
            raise ValueError(f"“{text}” is not a day of the calendar ({error})") from None
    if match := _DECADE.fullmatch(text):
        digits = match[1] or match[2]
        return _span(digits.ljust(4, "0"))[0], _span(digits.ljust(4, "9"))[1]
    if "~" in text or "?" in text or "%" in text:
        raise ValueError(
            f"“{text}” is approximate and has no bounds: write the range, [1991..1993]"
        )
    raise ValueError(
        f"“{text}” is not one of the EDTF forms read here: 1992-05-15, 1992-05, 1992, 199X, "
        "[..1999-04], [1992-05-16..], [1992..1999], or two of them as an interval A/B"
    )


def _ordered(bounds: Bounds, text: str) -> Bounds:
    if bounds.conflict:
        raise ValueError(f"“{text}” ends before it begins")
    return bounds


def _latest(one: date | None, two: date | None) -> date | None:
    return max(one, two) if one and two else one or two


def _earliest(one: date | None, two: date | None) -> date | None:
    return min(one, two) if one and two else one or two


def _after(one: date | None, two: date | None) -> bool:
    return bool(one and two and one > two)
