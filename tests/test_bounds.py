from __future__ import annotations

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from csto_kg import Bounds, Standing, parse_edtf
from csto_kg.bounds import parse_edtf_date

days = st.dates(date(1900, 1, 1), date(2030, 12, 31))


@st.composite
def intervals(draw: st.DrawFn) -> tuple[date, date]:
    one, two = sorted((draw(days), draw(days)))
    return one, two


@st.composite
def bounds_around(draw: st.DrawFn, interval: tuple[date, date]) -> Bounds:
    """Bounds that a truthful source may give for an interval: any of the four may be missing."""
    slack = st.integers(0, 4000).map(lambda number: timedelta(days=number))
    begin, end = interval

    def maybe(day: date) -> date | None:
        return draw(st.one_of(st.none(), st.just(day)))

    return Bounds(
        maybe(begin - draw(slack)),
        maybe(begin + draw(slack)),
        maybe(end - draw(slack)),
        maybe(end + draw(slack)),
    )


@given(st.data(), days)
def test_truth_lies_within_what_a_truthful_source_allows(data: st.DataObject, day: date) -> None:
    interval = data.draw(intervals())
    standing = data.draw(bounds_around(interval)).on(day)
    inside = interval[0] <= day <= interval[1]
    assert standing is not (Standing.EXCLUDED if inside else Standing.CERTAIN)


@given(st.data(), days)
def test_reconciling_truthful_sources_never_conflicts_and_only_sharpens(
    data: st.DataObject, day: date
) -> None:
    interval = data.draw(intervals())
    one, two = data.draw(bounds_around(interval)), data.draw(bounds_around(interval))
    both = one.intersect(two)
    assert not both.conflict
    for source in (one, two):
        if source.on(day) is not Standing.POSSIBLE:
            assert both.on(day) is source.on(day)


@given(st.data())
def test_intersection_is_commutative_associative_and_idempotent(data: st.DataObject) -> None:
    one, two, three = (data.draw(bounds_around(data.draw(intervals()))) for _ in range(3))
    assert one.intersect(two) == two.intersect(one)
    assert one.intersect(two).intersect(three) == one.intersect(two.intersect(three))
    assert one.intersect(one) == one
    assert one.intersect(Bounds()) == one


@given(st.data(), days)
def test_without_continuity_nothing_is_certain(data: st.DataObject, day: date) -> None:
    bounds = data.draw(bounds_around(data.draw(intervals())))
    assert bounds.on(day, continuous=False) is not Standing.CERTAIN
    assert (bounds.on(day, continuous=False) is Standing.EXCLUDED) == (
        bounds.on(day) is Standing.EXCLUDED
    )


def test_bounds_that_cannot_be_met_are_a_conflict() -> None:
    assert (
        Bounds(date(1994, 1, 3), date(1994, 1, 3))
        .intersect(Bounds(date(1993, 12, 31), date(1993, 12, 31)))
        .conflict
    )


@given(st.dates(date(1000, 1, 1), date(9999, 12, 31)))
def test_a_day_bounds_itself(day: date) -> None:
    assert parse_edtf(day.isoformat()) == Bounds(day, day, day, day)


@given(intervals())
def test_a_range_bounds_both_ways(interval: tuple[date, date]) -> None:
    first, last = interval
    assert parse_edtf_date(f"[{first}..{last}]") == interval
    assert parse_edtf_date(f"[..{last}]") == (None, last)
    assert parse_edtf_date(f"[{first}..]") == (first, None)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("1992-02", (date(1992, 2, 1), date(1992, 2, 29))),
        ("1999-02", (date(1999, 2, 1), date(1999, 2, 28))),
        ("1992", (date(1992, 1, 1), date(1992, 12, 31))),
        ("199X", (date(1990, 1, 1), date(1999, 12, 31))),
        ("19XX", (date(1900, 1, 1), date(1999, 12, 31))),
        ("[..1999-04]", (None, date(1999, 4, 30))),
        ("[1999-04..]", (date(1999, 4, 1), None)),
        ("[1992-05-16..2022-05]", (date(1992, 5, 16), date(2022, 5, 31))),
    ],
)
def test_dates_of_every_precision(text: str, expected: tuple[date | None, date | None]) -> None:
    assert parse_edtf_date(text) == expected


def test_open_and_unknown_ends_are_not_dates() -> None:
    begun = Bounds(date(1992, 5, 15), date(1992, 5, 15))
    assert parse_edtf("1992-05-15/..") == begun
    assert parse_edtf("1992-05-15/") == begun
    assert parse_edtf("../1992-05-15") == Bounds(
        ends_not_before=date(1992, 5, 15), ends_not_after=date(1992, 5, 15)
    )


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("2022-02-30", "not a day"),
        ("1992-13", "not a day"),
        ("1992~", "approximate"),
        ("1992?", "approximate"),
        ("1992-05-15T12:00", "not one of the EDTF forms"),
        ("2022-23", "not a day"),
        ("", "not one of the EDTF forms"),
        ("..", "not one of the EDTF forms"),
        ("[1992]", "not a range"),
        ("[..]", "not a range"),
        ("[1999..1992]", "begins after"),
        ("1999/1992", "ends before"),
        ("١٩٩٢", "not one of the EDTF forms"),
        ("1992-05-15\n", "not one of the EDTF forms"),
        ("Y19920", "not one of the EDTF forms"),
    ],
)
def test_what_has_no_bounds_is_refused_in_words(text: str, reason: str) -> None:
    with pytest.raises(ValueError, match=reason):
        parse_edtf(text)
