"""Spells of membership: rows that touch are one, and a code that states had in turn divides one."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import date, timedelta

from csto_kg.bounds import Bounds
from csto_kg.mapping import Era

_DAY = timedelta(days=1)

_Bound = date | None


@dataclass(frozen=True, slots=True)
class Row:
    """What a row of a table says of a begin and an end, and how the row is cited."""

    line: int
    bounds: Bounds
    citation: str
    locator: str

    @property
    def dated(self) -> bool:
        """Whether something is known of its begin and of its end."""
        bounds = self.bounds
        begins = bounds.begins_not_before or bounds.begins_not_after
        return bool(begins and (bounds.ends_not_before or bounds.ends_not_after))


@dataclass(slots=True)
class Spell:
    """An unbroken time of a member in an alliance, with the rows that it rests on."""

    alliance: str
    eras: tuple[Era, ...]
    rows: list[Row]
    bounds: Bounds
    #: Whether the rows leave open that it was interrupted between two of them.
    assumed: bool = False

    def continued_by(self, row: Row) -> bool:
        """Tell whether a row that begins no earlier shows no gap after the spell."""
        first, last = row.bounds.begins_not_before, self.bounds.ends_not_after
        return not (first and last and first > last + _DAY)

    def take(self, row: Row) -> None:
        """Take a further phase in: the spell begins with the first and ends with the last."""
        one, two = self.bounds, row.bounds
        first, last = two.begins_not_after, one.ends_not_before
        if not (first and last and first <= last + _DAY):
            self.assumed = True
        self.rows.append(row)
        self.bounds = Bounds(
            _if_both(min, one.begins_not_before, two.begins_not_before),
            min(filter(None, (one.begins_not_after, two.begins_not_after)), default=None),
            max(filter(None, (one.ends_not_before, two.ends_not_before)), default=None),
            _if_both(max, one.ends_not_after, two.ends_not_after),
        )


@dataclass(frozen=True, slots=True)
class Membership:
    """The part of a spell in which the code of the member meant one state."""

    state: str
    spell: Spell
    bounds: Bounds
    rows: list[Row]
    #: Whether it begins, and ends, with the succession of states and not with the spell.
    succeeds: bool
    succeeded: bool


def merged(alliance: str, eras: tuple[Era, ...], rows: Iterable[Row]) -> list[Spell]:
    """Merge rows of one member in one alliance that touch or overlap; a gap makes another spell.

    A row of which the begin or the end is wholly unknown is a spell of its own.
    """
    spells: list[Spell] = []
    latest: Spell | None = None
    for row in sorted(rows, key=_order):
        if latest is not None and row.dated and latest.continued_by(row):
            latest.take(row)
            continue
        spells.append(Spell(alliance, eras, [row], row.bounds))
        if row.dated:
            latest = spells[-1]
    return spells


def undecided(spell: Spell) -> str | None:
    """Say so when the dates do not tell in which state's time the spell begins or ends."""
    bounds = spell.bounds
    for era in spell.eras[:-1]:
        assert era.until is not None
        for first, last in (
            (bounds.begins_not_before, bounds.begins_not_after),
            (bounds.ends_not_before, bounds.ends_not_after),
        ):
            if not ((last and last <= era.until) or (first and first > era.until)):
                return (
                    f"its code means another state after {era.until} than before, and its dates "
                    "do not tell in whose time it begins or ends"
                )
    return None


def parts(spell: Spell) -> Iterator[Membership]:
    """Divide a spell at the days on which states succeeded one another."""
    since: _Bound = None
    for era in spell.eras:
        until, bounds = era.until, spell.bounds
        if _touches(bounds, since, until):
            succeeds = since is not None and _before(bounds.begins_not_after, since)
            succeeded = until is not None and _before(until, bounds.ends_not_before)
            if succeeds:
                bounds = replace(bounds, begins_not_before=since, begins_not_after=since)
            if succeeded:
                bounds = replace(bounds, ends_not_before=until, ends_not_after=until)
            rows = [row for row in spell.rows if _touches(row.bounds, since, until)]
            yield Membership(era.state, spell, bounds, rows, succeeds, succeeded)
        since = until + _DAY if until else None


def edtf(first: date | None, last: date | None) -> str | None:
    """Write what is known of a date in EDTF; ``None`` when nothing is."""
    if first is None and last is None:
        return None
    if first and last:
        if first == last:
            return first.isoformat()
        if first.year == last.year and first.day == 1 and (last + _DAY).day == 1:
            if first.month == last.month:
                return first.isoformat()[:7]
            if (first.month, last.month) == (1, 12):
                return first.isoformat()[:4]
    return f"[{first or ''}..{last or ''}]"


def _order(row: Row) -> tuple[date, date, int]:
    """Sort by the first day on which a row can begin; one without goes by when it ends."""
    bounds = row.bounds
    if bounds.begins_not_before is None and bounds.begins_not_after is None:
        end = bounds.ends_not_before or bounds.ends_not_after or date.min
        return end, end, row.line
    return bounds.begins_not_before or date.min, bounds.begins_not_after or date.max, row.line


def _touches(bounds: Bounds, since: _Bound, until: _Bound) -> bool:
    """Tell whether an interval may have days from ``since`` to ``until``."""
    return not (_before(until, bounds.begins_not_before) or _before(bounds.ends_not_after, since))


def _before(one: _Bound, two: _Bound) -> bool:
    return one is not None and two is not None and one < two


def _if_both(choose: Callable[[date, date], date], one: _Bound, two: _Bound) -> _Bound:
    return choose(one, two) if one and two else None
