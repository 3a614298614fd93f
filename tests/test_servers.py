"""The stores that other tests rely on: each starts, answers, and gives back what was put in."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import httpx
import pytest
from pyoxigraph import DefaultGraph, Literal, NamedNode, RdfFormat, Triple, parse, serialize

from csto_kg import KnowledgeGraph
from csto_kg.vocabulary import XSD
from tests.servers import Endpoint, Replicas

GRAPH = "urn:example:graph"
TRIPLES = {
    Triple(NamedNode("urn:example:a"), NamedNode("urn:example:p"), value)
    for value in (
        NamedNode("urn:example:ё?b=c&d"),
        Literal("Ёж «НАТО» روسيا 😀 e\u0301 \"'\\ \t\n"),
        Literal("روسيا", language="ar"),
        Literal("1992-05-15", datatype=NamedNode("http://www.w3.org/2001/XMLSchema#date")),
        Literal(7),
        Literal(True),
        Literal("long " * 40_000),
    )
}


@contextmanager
def client(endpoint: Endpoint) -> Iterator[httpx.Client]:
    schemes = {"basic": httpx.BasicAuth, "digest": httpx.DigestAuth}
    auth = (
        schemes[endpoint.authentication](*endpoint.credentials)
        if endpoint.authentication and endpoint.credentials
        else None
    )
    with httpx.Client(auth=auth, timeout=60) as session:
        # Digest needs a challenge: better now than in answer to a large body.
        session.get(endpoint.graph_store, params={"graph": "urn:example:none"})
        yield session


def text(triples: set[Triple]) -> str:
    data = serialize(triples, format=RdfFormat.TURTLE)
    assert data is not None
    return data.decode()


def put(endpoint: Endpoint, graph: str, triples: set[Triple]) -> None:
    # Virtuoso wants to see at once that it is Turtle, whatever the Content-Type says; but it
    # misreads escapes in prefixed names.
    body = f"@prefix example: <urn:example:> .\n{text(triples)}".encode()
    with client(endpoint) as session:
        session.put(
            endpoint.graph_store,
            params={"graph": graph},
            content=body,
            headers={"Content-Type": "text/turtle"},
        ).raise_for_status()


def get(endpoint: Endpoint, graph: str) -> set[Triple]:
    accepted = {"Accept": "application/n-triples"}
    with client(endpoint) as session:
        answer = session.get(endpoint.graph_store, params={"graph": graph}, headers=accepted)
    return {
        Triple(quad.subject, quad.predicate, quad.object)
        for quad in parse(answer.raise_for_status().content, format=RdfFormat.N_TRIPLES)
    }


def select(
    endpoint: Endpoint, query: str, graph: str | None = None
) -> list[list[NamedNode | Literal | None]]:
    form = {"query": query} | ({"default-graph-uri": graph} if graph else {})
    accepted = {"Accept": "application/sparql-results+json"}
    answer = httpx.post(endpoint.query, data=form, headers=accepted, timeout=60)
    document = answer.raise_for_status().json()
    names = document["head"]["vars"]
    return [[term(row.get(name)) for name in names] for row in document["results"]["bindings"]]


def term(binding: dict[str, str] | None) -> NamedNode | Literal | None:
    if binding is None:
        return None
    if binding["type"] == "uri":
        return NamedNode(binding["value"])
    if language := binding.get("xml:lang"):
        return Literal(binding["value"], language=language)
    datatype = binding.get("datatype", f"{XSD}string")
    # Virtuoso writes 1 and 0.
    spelt = {"1": "true", "0": "false"} if datatype == f"{XSD}boolean" else {}
    return Literal(spelt.get(binding["value"], binding["value"]), datatype=NamedNode(datatype))


def update(endpoint: Endpoint, request: str) -> None:
    with client(endpoint) as session:
        session.post(endpoint.update, data={"update": request}).raise_for_status()


@contextmanager
def holding(endpoint: Endpoint, graph: str, triples: set[Triple]) -> Iterator[None]:
    put(endpoint, graph, triples)
    try:
        yield
    finally:
        update(endpoint, f"DROP SILENT GRAPH <{graph}>")


def test_a_store_answers(endpoint: Endpoint) -> None:
    assert select(endpoint, "SELECT (1 AS ?one) {}") == [[Literal(1)]]


def test_a_graph_goes_in_and_comes_out(endpoint: Endpoint) -> None:
    with holding(endpoint, GRAPH, TRIPLES):
        assert get(endpoint, GRAPH) == TRIPLES
        put(endpoint, GRAPH, set())
        assert select(endpoint, "SELECT * { ?s ?p ?o }", GRAPH) == []


def test_a_store_takes_updates(endpoint: Endpoint) -> None:
    with holding(endpoint, GRAPH, set()):
        update(endpoint, f'INSERT DATA {{ GRAPH <{GRAPH}> {{ <urn:a> <urn:b> "ё"@ru }} }}')
        assert select(endpoint, "SELECT ?o { ?s ?p ?o }", GRAPH) == [[Literal("ё", language="ru")]]
    assert select(endpoint, "SELECT ?o { ?s ?p ?o }", GRAPH) == []


def test_only_those_may_write_who_have_the_password(endpoint: Endpoint) -> None:
    if endpoint.credentials is None:
        pytest.skip("this store is open to all who reach it")
    stranger = Endpoint("stranger", endpoint.query, endpoint.update, endpoint.graph_store)
    with pytest.raises(httpx.HTTPStatusError, match="401"):
        put(stranger, GRAPH, TRIPLES)
    with pytest.raises(httpx.HTTPStatusError, match="401"):
        update(stranger, f"CLEAR GRAPH <{GRAPH}>")


def test_saved_queries_give_the_same_rows_in_every_store(
    endpoint: Endpoint, kg: KnowledgeGraph
) -> None:
    merged = {
        Triple(quad.subject, quad.predicate, quad.object)
        for quad in kg.store.quads_for_pattern(None, None, None, DefaultGraph())
    }
    with holding(endpoint, GRAPH, merged):
        for saved in kg.queries.values():
            example = saved.header["example"]
            assert isinstance(example, dict)
            text = saved.bind(example.get("parameters", {}), kg.resolve)
            expected = [list(row) for row in kg.sparql(text).solutions]
            assert select(endpoint, text, GRAPH) == expected, saved.name


def test_one_store_asks_another(oxigraph: Endpoint, second_oxigraph: Endpoint) -> None:
    here = {Triple(NamedNode("urn:a"), NamedNode("urn:here"), Literal("ж"))}
    there = {Triple(NamedNode("urn:a"), NamedNode("urn:there"), Literal("ع"))}
    with holding(oxigraph, GRAPH, here), holding(second_oxigraph, GRAPH, there):
        rows = select(
            oxigraph,
            f"""SELECT ?x ?y WHERE {{
              GRAPH <{GRAPH}> {{ ?a <urn:here> ?x }}
              SERVICE <{second_oxigraph.query}> {{ GRAPH <{GRAPH}> {{ ?a <urn:there> ?y }} }}
            }}""",
        )
    assert rows == [[Literal("ж"), Literal("ع")]]


def test_both_replicas_answer_behind_one_address(replicas: Replicas) -> None:
    which = "SELECT ?o { GRAPH <urn:name> { ?s ?p ?o } }"
    for server in replicas.servers:
        name = Triple(NamedNode("urn:a"), NamedNode("urn:b"), Literal(server.name))
        put(server, "urn:name", {name})
    answered = {select(replicas.front, which)[0][0] for _ in range(6)}
    assert answered == {Literal(server.name) for server in replicas.servers}


def test_nobody_writes_through_the_front(replicas: Replicas) -> None:
    with pytest.raises(httpx.HTTPStatusError, match="403"):
        update(replicas.front, "CLEAR ALL")
    with pytest.raises(httpx.HTTPStatusError, match="403"):
        put(replicas.front, GRAPH, TRIPLES)
