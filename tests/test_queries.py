"""Every saved query: its declarations, and its example's result in two engines."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import astuple
from datetime import date
from typing import Any, NamedTuple

import pytest
import rdflib
from hypothesis import given, settings
from hypothesis import strategies as st
from pyoxigraph import DefaultGraph, Literal, NamedNode, Quad, Store, Triple
from rdflib.plugins.sparql import prepareQuery

import csto_kg
from csto_kg import Bounds, KnowledgeGraph, Standing, shipped
from csto_kg.catalogue import Catalogue, SavedQuery
from csto_kg.results import Rows
from csto_kg.sparql import tokens
from csto_kg.terms import to_rdflib
from csto_kg.vocabulary import compact, expand

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


DAYS = [date(1999, 1, 1), date(1999, 6, 1), date(2000, 1, 1), date(2000, 1, 2), date(2001, 1, 1)]


class Said(NamedTuple):
    """A membership as one source has it."""

    state: str
    alliance: str
    source: str
    spell: int
    bounds: Bounds
    sighted: bool

    def on(self, day: date, continuous: bool) -> Standing:
        return self.bounds.on(day, continuous=continuous or not self.sighted)

    def triples(self, iri: str) -> Iterator[Triple]:
        membership, citation = NamedNode(iri), NamedNode(f"{iri}-citation")
        yield Triple(membership, term("rdf:type"), term("csto:Membership"))
        yield Triple(membership, term("csto:member"), term(self.state))
        yield Triple(membership, term("csto:alliance"), term(self.alliance))
        yield Triple(membership, term("csto:spellNumber"), Literal(self.spell))
        yield Triple(membership, term("prov:wasDerivedFrom"), citation)
        yield Triple(citation, term("oa:hasSource"), term(self.source))
        if self.sighted:
            yield Triple(membership, term("csto:continuityAssumed"), Literal(True))
        for name, day in zip(
            ("beginsNotBefore", "beginsNotAfter", "endsNotBefore", "endsNotAfter"),
            astuple(self.bounds),
            strict=True,
        ):
            if day:
                yield Triple(
                    membership,
                    term(f"csto:{name}"),
                    Literal(day.isoformat(), datatype=term("xsd:date")),
                )


def term(curie: str) -> NamedNode:
    return NamedNode(expand(curie) or curie)


SAID = st.lists(
    st.builds(
        Said,
        state=st.sampled_from(["state:a", "state:b", "state:c"]),
        alliance=st.sampled_from(["alliance:one", "alliance:two"]),
        source=st.sampled_from(["source:x", "source:y", "source:z"]),
        spell=st.sampled_from([1, 1, 2]),
        bounds=st.builds(Bounds, *([st.none() | st.sampled_from(DAYS)] * 4)),
        sighted=st.booleans(),
    ),
    max_size=12,
)


def told(said: list[Said]) -> tuple[KnowledgeGraph, dict[str, Said]]:
    """Make a graph of what is said, and tell which node says what."""
    nodes = {f"https://w3id.org/csto-kg/id/membership/{n}": one for n, one in enumerate(said)}
    store = Store()
    for curie, kind in (
        *((f"alliance:{name}", "csto:Alliance") for name in ("one", "two")),
        *((f"state:{name}", "csto:Actor") for name in "abc"),
        *((f"source:{name}", "csto:Source") for name in "xyz"),
    ):
        store.add(Quad(term(curie), term("rdf:type"), term(kind)))
    for iri, one in nodes.items():
        store.extend(Quad(*triple) for triple in one.triples(iri))
    return KnowledgeGraph(store, CATALOGUE), nodes


def cells(rows: Rows, *columns: str) -> list[tuple[str, ...]]:
    return sorted(tuple(shown(getattr(row, column)) for column in columns) for row in rows)


@settings(deadline=None, max_examples=60)
@given(said=SAID, day=st.sampled_from(DAYS), continuous=st.booleans())
def test_whatever_sources_say_queries_of_a_day_agree_with_the_bounds(
    said: list[Said], day: date, continuous: bool
) -> None:
    graph, nodes = told(said)
    on = {iri: one.on(day, continuous) for iri, one in nodes.items()}
    there = {iri: one for iri, one in nodes.items() if on[iri] is not Standing.EXCLUDED}

    rows = graph.run("members-on", alliance="alliance:one", date=day, continuity=continuous)
    assert cells(rows, "membership", "status") == sorted(
        (compact(iri), on[iri].value)
        for iri, one in there.items()
        if one.alliance == "alliance:one"
    )
    rows = graph.run("alliances-of", state="state:a", date=day, continuity=continuous)
    assert cells(rows, "membership", "status") == sorted(
        (compact(iri), on[iri].value) for iri, one in there.items() if one.state == "state:a"
    )
    both = {Standing.CERTAIN}
    rows = graph.run("allies-on", state="state:a", date=day, continuity=continuous)
    assert cells(rows, "ally", "alliance", "source", "status") == sorted(
        {
            (
                other.state,
                other.alliance,
                other.source,
                "certain" if {on[mine], on[theirs]} == both else "possible",
            )
            for mine, own in there.items()
            for theirs, other in there.items()
            if own.state == "state:a" != other.state
            and (own.alliance, own.source) == (other.alliance, other.source)
        }
    )
    expected = []
    for first in (date(1999, 1, 1), date(2000, 1, 1), date(2001, 1, 1)):
        for source in ("source:x", "source:y", "source:z"):
            standing: dict[str, set[Standing]] = {}
            for one in said:
                if (one.alliance, one.source) == ("alliance:one", source):
                    standing.setdefault(one.state, set()).add(one.on(first, continuous))
            sure = sum(Standing.CERTAIN in each for each in standing.values())
            some = sum(each != {Standing.EXCLUDED} for each in standing.values())
            if some:
                expected.append((first.isoformat(), source, str(sure), str(some - sure)))
    rows = graph.run(
        "size-over-time",
        alliance="alliance:one",
        since=DAYS[0],
        until=DAYS[-1],
        continuity=continuous,
    )
    assert cells(rows, "day", "source", "certain", "possible") == expected


@settings(deadline=None, max_examples=60)
@given(said=SAID)
def test_whatever_sources_say_those_who_differ_and_those_who_are_alone_are_found(
    said: list[Said],
) -> None:
    graph, nodes = told(said)
    pairs = [
        (compact(one), compact(two), nodes[one].bounds, nodes[two].bounds)
        for one in nodes
        for two in nodes
        if nodes[one][:2] == nodes[two][:2] and nodes[one].spell == nodes[two].spell
    ]
    expected = [
        (one, two, "beginning")
        for one, two, before, after in pairs
        if before.begins_not_after
        and after.begins_not_before
        and before.begins_not_after < after.begins_not_before
    ] + [
        (one, two, "end")
        for one, two, before, after in pairs
        if before.ends_not_after
        and after.ends_not_before
        and before.ends_not_after < after.ends_not_before
    ]
    found = cells(graph.run("conflicts"), "evidence1", "evidence2", "about")
    assert found == sorted(expected)
    witnesses: dict[tuple[str, str, int], set[str]] = {}
    for one in said:
        witnesses.setdefault((one.state, one.alliance, one.spell), set()).add(one.source)
    alone = [
        (compact(iri), one.source)
        for iri, one in nodes.items()
        if witnesses[one.state, one.alliance, one.spell] == {one.source}
    ]
    assert cells(graph.run("only-one-source"), "assertion", "source") == sorted(alone)
    assert cells(graph.run("only-one-source", by="source:x"), "assertion", "source") == sorted(
        each for each in alone if each[1] == "source:x"
    )
