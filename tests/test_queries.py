"""Every saved query: its declarations, and its example's result in two engines."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest
import rdflib
from hypothesis import given, settings
from hypothesis import strategies as st
from pyoxigraph import DefaultGraph
from rdflib.plugins.sparql import prepareQuery

import csto_kg
from csto_kg import Bounds, KnowledgeGraph, Standing, shipped
from csto_kg.catalogue import Catalogue, SavedQuery
from csto_kg.sparql import tokens
from csto_kg.terms import to_rdflib
from csto_kg.vocabulary import compact

CATALOGUE = Catalogue(shipped.QUERIES)
QUERIES = pytest.mark.parametrize("saved", CATALOGUE.values(), ids=list(CATALOGUE))


def example(saved: SavedQuery) -> dict[str, Any]:
    declared = saved.header["example"]
    assert isinstance(declared, dict)
    return declared


def day_of(term: object) -> date | None:
    return date.fromisoformat(str(term)) if term else None


def shown(term: object) -> str:
    if term is None:
        return ""
    return compact(str(term)) if isinstance(term, rdflib.URIRef) else str(term)


@pytest.fixture(scope="module")
def memory(kg: KnowledgeGraph) -> rdflib.Graph:
    """The merged graph in rdflib's own store, for its own evaluator."""
    graph = rdflib.Graph()
    for quad in kg.store.quads_for_pattern(None, None, None, DefaultGraph()):
        graph.add((to_rdflib(quad.subject), to_rdflib(quad.predicate), to_rdflib(quad.object)))
    return graph


@QUERIES
def test_it_declares_all_that_people_and_programs_need(saved: SavedQuery) -> None:
    assert saved.header["summary"]
    titles = saved.header["title"]
    assert isinstance(titles, dict)
    assert {"en", "ar", "ru"} <= titles.keys()
    assert all(titles.values())
    assert saved.description
    assert saved.tags
    assert all(parameter.description for parameter in saved.parameters.values())
    assert all(saved.columns.values())
    options = {"source", "format", "output", "store", "inferred", "reasoner"}
    assert not saved.parameters.keys() & options


@QUERIES
def test_it_is_plain_sparql_with_a_total_order(saved: SavedQuery) -> None:
    prepareQuery(saved.text)
    words = [token[0].upper() for token in tokens(saved.text) if token["word"]]
    assert "ORDER" in words
    assert not {"GRAPH", "SERVICE", "FROM"} & set(words)


@QUERIES
def test_its_example_gives_the_result_worked_out_by_hand(
    saved: SavedQuery, kg: KnowledgeGraph
) -> None:
    call = example(saved)
    rows = kg.run(saved.name, sources=call.get("sources", []), **dict(call.get("parameters", {})))
    assert list(rows.columns) == list(saved.columns)
    assert [[shown(term) for term in row] for row in rows] == call["result"]


@QUERIES
def test_its_example_gives_the_same_result_in_rdflib(
    saved: SavedQuery, kg: KnowledgeGraph, memory: rdflib.Graph
) -> None:
    call = example(saved)
    graph = memory
    if sources := call.get("sources"):
        graph = rdflib.Graph()
        view = kg.view([str(source) for source in sources])
        for quad in view.store.quads_for_pattern(None, None, None, DefaultGraph()):
            graph.add((to_rdflib(quad.subject), to_rdflib(quad.predicate), to_rdflib(quad.object)))
    text = saved.bind(dict(call.get("parameters", {})), kg.resolve)
    assert [[shown(term) for term in row] for row in graph.query(text)] == call["result"]  # type: ignore[union-attr]


@QUERIES
def test_the_order_is_total(saved: SavedQuery, kg: KnowledgeGraph) -> None:
    """Rows that the order does not tell apart are the same rows."""
    call = example(saved)
    text = saved.bind(dict(call.get("parameters", {})), kg.resolve)
    key = text[text.rindex("ORDER BY") :].removeprefix("ORDER BY").split()
    named = {word.strip("()").removeprefix("STR(").lstrip("?") for word in key if "?" in word}
    rows = kg.sparql(text)
    seen: dict[tuple[str, ...], tuple[str, ...]] = {}
    for row in rows.solutions:
        cells = dict(zip(rows.columns, map(str, row), strict=True))
        place = tuple(cell for column, cell in cells.items() if column in named)
        assert seen.setdefault(place, tuple(cells.values())) == tuple(cells.values())


def test_the_catalogue_has_what_it_promises() -> None:
    assert len(CATALOGUE) >= 29
    with pytest.raises(csto_kg.CstoKgError, match="did you mean members-on"):
        CATALOGUE["member-on"]


@settings(deadline=None, max_examples=60)
@given(day=st.dates(date(1985, 1, 1), date(2030, 1, 1)), continuous=st.booleans())
def test_members_on_agrees_with_the_definition(
    kg: KnowledgeGraph, day: date, continuous: bool
) -> None:
    """The query and the four bounds in Python decide alike for every membership and day."""
    rows = kg.run("members-on", alliance="csto", date=day, continuity=continuous)
    answered = {str(row.membership): str(row.status) for row in rows}
    everything = kg.sparql(
        """SELECT ?m ?bnb ?bna ?enb ?ena ?sighted WHERE { ?m csto:alliance alliance:csto
        OPTIONAL { ?m csto:beginsNotBefore ?bnb } OPTIONAL { ?m csto:beginsNotAfter ?bna }
        OPTIONAL { ?m csto:endsNotBefore ?enb } OPTIONAL { ?m csto:endsNotAfter ?ena }
        OPTIONAL { ?m csto:continuityAssumed ?sighted } }"""
    )
    assert len(everything) > 20
    for row in everything:
        bounds = Bounds(*(day_of(term) for term in row[1:5]))
        sure = continuous or str(row.sighted) != "true"
        standing = bounds.on(day, continuous=sure)
        assert answered.get(str(row.m), "excluded") == standing.value


@settings(deadline=None, max_examples=40)
@given(day=st.dates(date(1990, 1, 1), date(2026, 1, 1)))
def test_reconciled_members_agree_with_intersection(kg: KnowledgeGraph, day: date) -> None:
    rows = kg.run("reconciled-members-on", alliance="csto", date=day)
    answered = {(str(row.state), int(row.spell)): str(row.status) for row in rows}
    everything = kg.sparql(
        """SELECT ?state ?spell ?bnb ?bna ?enb ?ena WHERE {
        ?m csto:alliance alliance:csto ; csto:member ?state ; csto:spellNumber ?spell
        OPTIONAL { ?m csto:beginsNotBefore ?bnb } OPTIONAL { ?m csto:beginsNotAfter ?bna }
        OPTIONAL { ?m csto:endsNotBefore ?enb } OPTIONAL { ?m csto:endsNotAfter ?ena } }"""
    )
    reconciled: dict[tuple[str, int], Bounds] = {}
    for row in everything:
        spell = (str(row.state), int(row.spell))
        bounds = Bounds(*(day_of(term) for term in row[2:6]))
        reconciled[spell] = reconciled.get(spell, Bounds()).intersect(bounds)
    for spell, bounds in reconciled.items():
        within = bool(
            bounds.begins_not_after
            and bounds.ends_not_before
            and bounds.begins_not_after <= day <= bounds.ends_not_before
        )
        outside = bounds.on(day) is Standing.EXCLUDED
        expected = (
            ("conflict" if outside else "certain") if within else (None if outside else "possible")
        )
        assert answered.get(spell) == expected
