"""The stores that other tests rely on: each starts, answers, and gives back what was put in."""

from __future__ import annotations

import json
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from urllib.parse import urlencode

import pytest
from pyoxigraph import Literal, NamedNode, RdfFormat, Triple, parse, serialize

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


def send(
    endpoint: Endpoint, method: str, url: str, body: bytes | None = None, **headers: str
) -> str:
    opener = urllib.request.build_opener()
    if endpoint.credentials:
        passwords = urllib.request.HTTPPasswordMgrWithDefaultRealm()
        passwords.add_password(None, url, *endpoint.credentials)
        opener.add_handler(urllib.request.HTTPBasicAuthHandler(passwords))
        opener.add_handler(urllib.request.HTTPDigestAuthHandler(passwords))
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    request = urllib.request.Request(url, body, named, method=method)
    with opener.open(request, timeout=60) as response:
        answer: str = response.read().decode()
        return answer


def text(triples: set[Triple]) -> str:
    data = serialize(triples, format=RdfFormat.TURTLE)
    assert data is not None
    return data.decode()


def put(endpoint: Endpoint, graph: str, triples: set[Triple]) -> None:
    # Virtuoso wants to see at once that it is Turtle, whatever the Content-Type says; but it
    # misreads escapes in prefixed names.
    body = f"@prefix example: <urn:example:> .\n{text(triples)}".encode()
    url = f"{endpoint.graph_store}?{urlencode({'graph': graph})}"
    send(endpoint, "PUT", url, body, Content_Type="text/turtle")


def get(endpoint: Endpoint, graph: str) -> set[Triple]:
    url = f"{endpoint.graph_store}?{urlencode({'graph': graph})}"
    answer = send(endpoint, "GET", url, Accept="application/n-triples")
    return {
        Triple(quad.subject, quad.predicate, quad.object)
        for quad in parse(answer, format=RdfFormat.N_TRIPLES)
    }


def ask(endpoint: Endpoint, query: str) -> list[list[str]]:
    body = urlencode({"query": query}).encode()
    answer = send(endpoint, "POST", endpoint.query, body, Accept="application/sparql-results+json")
    document = json.loads(answer)
    return [
        [binding[name]["value"] for name in document["head"]["vars"]]
        for binding in document["results"]["bindings"]
    ]


def update(endpoint: Endpoint, request: str) -> None:
    send(endpoint, "POST", endpoint.update, urlencode({"update": request}).encode())


@contextmanager
def holding(endpoint: Endpoint, graph: str, triples: set[Triple]) -> Iterator[None]:
    put(endpoint, graph, triples)
    try:
        yield
    finally:
        update(endpoint, f"DROP SILENT GRAPH <{graph}>")


def test_a_store_answers(endpoint: Endpoint) -> None:
    assert ask(endpoint, "SELECT (1 AS ?one) {}") == [["1"]]


def test_a_graph_goes_in_and_comes_out(endpoint: Endpoint) -> None:
    with holding(endpoint, GRAPH, TRIPLES):
        assert get(endpoint, GRAPH) == TRIPLES
        put(endpoint, GRAPH, set())
        assert ask(endpoint, f"SELECT (COUNT(*) AS ?n) {{ GRAPH <{GRAPH}> {{ ?s ?p ?o }} }}") == [
            ["0"]
        ]


def test_a_store_takes_updates(endpoint: Endpoint) -> None:
    with holding(endpoint, GRAPH, set()):
        update(endpoint, f'INSERT DATA {{ GRAPH <{GRAPH}> {{ <urn:a> <urn:b> "ё"@ru }} }}')
        assert ask(endpoint, f"SELECT ?o {{ GRAPH <{GRAPH}> {{ ?s ?p ?o }} }}") == [["ё"]]
    assert ask(endpoint, f"SELECT ?o {{ GRAPH <{GRAPH}> {{ ?s ?p ?o }} }}") == []


def test_only_those_may_write_who_have_the_password(endpoint: Endpoint) -> None:
    if endpoint.credentials is None:
        pytest.skip("this store is open to all who reach it")
    stranger = Endpoint("stranger", endpoint.query, endpoint.update, endpoint.graph_store)
    with pytest.raises(urllib.error.HTTPError, match="401"):
        put(stranger, GRAPH, TRIPLES)
    with pytest.raises(urllib.error.HTTPError, match="401"):
        update(stranger, f"CLEAR GRAPH <{GRAPH}>")


def test_one_store_asks_another(oxigraph: Endpoint, second_oxigraph: Endpoint) -> None:
    here = {Triple(NamedNode("urn:a"), NamedNode("urn:here"), Literal("ж"))}
    there = {Triple(NamedNode("urn:a"), NamedNode("urn:there"), Literal("ع"))}
    with holding(oxigraph, GRAPH, here), holding(second_oxigraph, GRAPH, there):
        rows = ask(
            oxigraph,
            f"""SELECT ?x ?y WHERE {{
              GRAPH <{GRAPH}> {{ ?a <urn:here> ?x }}
              SERVICE <{second_oxigraph.query}> {{ GRAPH <{GRAPH}> {{ ?a <urn:there> ?y }} }}
            }}""",
        )
    assert rows == [["ж", "ع"]]


def test_both_replicas_answer_behind_one_address(replicas: Replicas) -> None:
    which = "SELECT ?o { GRAPH <urn:name> { ?s ?p ?o } }"
    for server in replicas.servers:
        name = Triple(NamedNode("urn:a"), NamedNode("urn:b"), Literal(server.name))
        put(server, "urn:name", {name})
    answered = {ask(replicas.front, which)[0][0] for _ in range(6)}
    assert answered == {server.name for server in replicas.servers}


def test_nobody_writes_through_the_front(replicas: Replicas) -> None:
    with pytest.raises(urllib.error.HTTPError, match="403"):
        update(replicas.front, "CLEAR ALL")
    with pytest.raises(urllib.error.HTTPError, match="403"):
        put(replicas.front, GRAPH, TRIPLES)
