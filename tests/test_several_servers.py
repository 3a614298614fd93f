"""One address for several servers: the same rows as from one graph, or known not to be."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
from pyoxigraph import Literal, NamedNode, Triple

import csto_kg
from csto_kg import KnowledgeGraph
from csto_kg.endpoint import MERGED
from csto_kg.home import saved_queries

from .conftest import ROOT, Run
from .federation import by_query, by_sentence
from .servers import Endpoint, Replicas, run_front, run_oxigraph, unused
from .test_servers import put, select

QUERIES = [*saved_queries()]
#: What compares sources, or counts over them: a store that has some of the sources cannot tell.
COMPARING = {"conflicts", "counts-by-class", "only-one-source", "reconciled-members-on"}


@pytest.fixture(scope="module")
def front(replicas: Replicas, csto: Run, tmp_path_factory: pytest.TempPathFactory) -> Endpoint:
    """The address before two servers, each of which was filled from one export."""
    folder = tmp_path_factory.mktemp("export")
    assert csto("export", "-o", str(folder / "all.nq")).returncode == 0
    for server in replicas.servers:
        filled = csto("push", server.query, "--graph-store", server.graph_store,
                      "--store", str(folder / "all.nq"))  # fmt: skip
        assert filled.returncode == 0, filled.stderr
        pulled = folder / f"{server.name}.nq"
        assert csto("pull", server.query, "-o", str(pulled)).returncode == 0
        assert pulled.read_bytes() == (folder / "all.nq").read_bytes()
    return replicas.front


@pytest.mark.parametrize("name", QUERIES)
def test_replicas_give_the_rows_of_one_graph(
    kg: KnowledgeGraph, front: Endpoint, name: str
) -> None:
    """Twice, for the servers take turns."""
    for given in asked(kg, name):
        expected = kg.run(name, **given).text("csv")
        for _ in range(2):
            assert csto_kg.open(front.query).run(name, **given).text("csv") == expected


def test_the_front_cannot_be_pushed_to(csto: Run, front: Endpoint) -> None:
    refused = csto("push", front.query, "--graph-store", front.graph_store)
    assert (refused.returncode, "403" in refused.stderr) == (2, True)


def test_a_server_that_is_down_is_passed_over(oxigraph: Endpoint, tmp_path: Path) -> None:
    name = Triple(NamedNode("urn:a"), NamedNode("urn:b"), Literal("up"))
    put(oxigraph, "urn:up", {name})
    with run_front(tmp_path, oxigraph, unused()) as front:
        for _ in range(4):
            assert select(front, "SELECT ?o { ?s ?p ?o }", "urn:up") == [[Literal("up")]]


@dataclass(frozen=True)
class Federation:
    """Two stores with some of the sources each, and an empty one that asks them."""

    asking: Endpoint
    services: tuple[str, ...]


@pytest.fixture(scope="module")
def federation(csto: Run, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Federation]:
    folder = tmp_path_factory.mktemp("federation")
    shared = ROOT / "data" / "entities.ttl"
    files = sorted({*(ROOT / "data").glob("*.ttl")} - {shared})
    with ExitStack() as stack:
        services = []
        for number in range(2):
            half = folder / f"half-{number}"
            half.mkdir()
            for file in (shared, *files[number::2]):
                shutil.copy(file, half)
            server = stack.enter_context(run_oxigraph(_new(folder / f"server-{number}")))
            filled = csto("push", server.query, "--graph-store", server.graph_store,
                          "--store", str(half))  # fmt: skip
            assert filled.returncode == 0, filled.stderr
            services.append(f"{server.query}?default-graph-uri={quote(MERGED.value, safe='')}")
        asking = stack.enter_context(run_oxigraph(_new(folder / "asking")))
        yield Federation(asking, tuple(services))


def _new(folder: Path) -> Path:
    folder.mkdir()
    return folder


def asked(kg: KnowledgeGraph, name: str) -> list[dict[str, Any]]:
    """Return what the example of a saved query is given, and what of it must be given."""
    saved = kg.queries[name]
    example = saved.header["example"]
    assert isinstance(example, dict)
    given = example.get("parameters", {})
    needed = {key: value for key, value in given.items() if saved.parameters[key].required}
    return [given] if needed == given else [given, needed]


def texts(kg: KnowledgeGraph, name: str) -> list[str]:
    return [kg.queries[name].bind(given, kg.resolve) for given in asked(kg, name)]


def test_each_half_lacks_something(kg: KnowledgeGraph, federation: Federation) -> None:
    query = "SELECT ?m { ?m a <https://w3id.org/csto-kg/ontology#Membership> }"
    for url in federation.services:
        some = Endpoint("half", url, "", "")
        assert 0 < len(select(some, query)) < len(kg.sparql(query))


@pytest.mark.parametrize("name", QUERIES)
def test_stores_are_asked_the_whole_query(
    kg: KnowledgeGraph, federation: Federation, name: str
) -> None:
    """The same rows, but for the queries that compare sources."""
    same = [
        select(federation.asking, by_query(kg.queries[name], text, federation.services))
        == [list(row) for row in kg.sparql(text).solutions]
        for text in texts(kg, name)
    ]
    assert all(same) == (name not in COMPARING)


@pytest.mark.parametrize("name", QUERIES)
def test_stores_are_asked_sentence_by_sentence(
    kg: KnowledgeGraph, federation: Federation, name: str
) -> None:
    """The same rows, whatever the query."""
    for text in texts(kg, name):
        expected = [list(row) for row in kg.sparql(text).solutions]
        assert select(federation.asking, by_sentence(text, federation.services)) == expected
