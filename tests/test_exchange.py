"""The graph in other people's stores: put there, asked there, and taken back, in each of them."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from pyoxigraph import Literal, NamedNode, Quad, RdfFormat, Store, Triple, parse

import csto_kg
from csto_kg import CstoKgError, KnowledgeGraph
from csto_kg.endpoint import MANIFEST, MERGED, Endpoint
from csto_kg.exchange import Parcel, packing, pull, push
from csto_kg.home import saved_queries
from csto_kg.serialization import SUFFIXES

from .conftest import ROOT, Run, quads
from .servers import Endpoint as Server
from .servers import run_virtuoso

SHEET = ROOT / "tests" / "second" / "invented-report-en.yaml"
OTHERS = NamedNode("urn:somebody:else")
THEIRS = {Triple(NamedNode("urn:a"), NamedNode("urn:b"), Literal("c"))}


def at(server: Server, **addresses: str | None) -> Endpoint:
    written = {"update": server.update, "graph_store": server.graph_store, **addresses}
    return Endpoint(server.query, **written, credentials=server.credentials)


@pytest.fixture(scope="session")
def packed(kg: KnowledgeGraph) -> Iterator[list[Parcel]]:
    with packing(kg) as parcels:
        yield parcels


def put(server: Server, graph: NamedNode, triples: set[Triple], folder: Path) -> None:
    at(server).put(graph, Parcel.of(graph, triples, folder / "body.ttl").body)


@pytest.fixture(scope="session")
def filled(
    endpoint: Server, packed: list[Parcel], tmp_path_factory: pytest.TempPathFactory
) -> Server:
    """Each of the stores with the shipped graph in it, and something of somebody else's."""
    put(endpoint, OTHERS, THEIRS, tmp_path_factory.mktemp("theirs"))
    push(packed, at(endpoint))
    return endpoint


@pytest.fixture
def remote(filled: Server) -> KnowledgeGraph:
    return csto_kg.open(filled.query)


@pytest.mark.parametrize("name", [*saved_queries()])
def test_a_saved_query_gives_the_same_rows_everywhere(
    kg: KnowledgeGraph, remote: KnowledgeGraph, name: str
) -> None:
    example = kg.queries[name].header.get("example") or {}
    assert isinstance(example, dict)
    given, sources = example.get("parameters") or {}, example.get("sources") or []
    here = kg.run(name, sources=sources, **given)
    assert remote.run(name, sources=sources, **given).text("csv") == here.text("csv")
    assert len(here)


@pytest.mark.parametrize("name", ["graph.nq", "graph.ttl"])
def test_what_is_pulled_is_what_was_pushed(
    kg: KnowledgeGraph, filled: Server, tmp_path: Path, name: str
) -> None:
    assert pull(at(filled), tmp_path / name) == len(quads(kg))
    assert (tmp_path / name).read_bytes() == kg.export(None, SUFFIXES[Path(name).suffix])
    assert at(filled).graph(OTHERS) == THEIRS


def test_search_describe_sparql_and_export_are_the_same(
    kg: KnowledgeGraph, remote: KnowledgeGraph
) -> None:
    asked = (
        "SELECT ?g (COUNT(*) AS ?n) { GRAPH ?g { ?m a csto:Membership } } GROUP BY ?g ORDER BY ?g"
    )
    made = (
        "CONSTRUCT { ?m csto:member ?s } WHERE { ?m csto:member ?s ; csto:alliance alliance:csto }"
    )
    assert remote.search("أرمينيا").text("csv") == kg.search("أرمينيا").text("csv")
    assert remote.describe("armenia").text("csv") == kg.describe("armenia").text("csv")
    assert remote.sparql(asked).text("csv") == kg.sparql(asked).text("csv")
    assert remote.sparql(made).text("turtle") == kg.sparql(made).text("turtle")
    for kind in ("State", "Person"):
        ask = f"ASK {{ state:armenia a csto:{kind} }}"
        assert remote.sparql(ask).text("csv") == kg.sparql(ask).text("csv")
    assert remote.export(None, "nquads") == kg.export(None, "nquads")
    assert remote.export(None, "turtle", entity="alliance:csto") == kg.export(
        None, "turtle", entity="alliance:csto"
    )
    with pytest.raises(CstoKgError, match="no State is called"):
        remote.resolve("nowhere", "csto:State")


def test_a_push_that_breaks_off_is_noticed_and_can_be_repeated(
    oxigraph: Server, packed: list[Parcel], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    put = Endpoint.put
    arrived: list[NamedNode] = []

    def failing(self: Endpoint, name: NamedNode, body: Path) -> None:
        if len(arrived) == 5:
            raise KeyboardInterrupt
        arrived.append(name)
        put(self, name, body)

    monkeypatch.setattr(Endpoint, "put", failing)
    with pytest.raises(KeyboardInterrupt):
        push(packed, at(oxigraph))
    monkeypatch.undo()
    broken = csto_kg.open(oxigraph.query)
    with pytest.raises(CstoKgError, match="broken off: push again"):
        broken.run("sources")
    with pytest.raises(CstoKgError, match="broken off: push again"):
        broken.export()
    with pytest.raises(CstoKgError, match="broken off: push again"):
        broken.search("csto")
    with pytest.raises(CstoKgError, match="not to its end"):
        pull(at(oxigraph), tmp_path / "graph.nq")
    assert not list(tmp_path.iterdir())
    push(packed, at(oxigraph))
    assert len(csto_kg.open(oxigraph.query).run("sources"))


def test_a_push_that_is_killed_is_noticed_and_can_be_repeated(
    csto: Run, filled: Server, tmp_path: Path
) -> None:
    told = dict(os.environ, CSTO_KG_GRAPH_STORE=filled.graph_store)
    if filled.credentials:
        told.update(CSTO_KG_USER=filled.credentials[0], CSTO_KG_PASSWORD=filled.credentials[1])
    command = [str(Path(sys.executable).parent / "csto-kg"), "push", filled.query]
    with subprocess.Popen(command, env=told, stderr=subprocess.PIPE, text=True) as pushing:
        assert pushing.stderr
        assert "triples" in pushing.stderr.readline()
        pushing.kill()
    asked = csto("query", "run", "sources", "--store", filled.query)
    assert (asked.returncode, asked.stdout) == (2, "")
    assert "broken off: push again" in asked.stderr
    taken = csto("pull", filled.query, "-o", str(tmp_path / "graph.nq"))
    assert (taken.returncode, "not to its end" in taken.stderr) == (2, True)
    assert csto("push", filled.query, env=told).returncode == 0
    assert csto("query", "run", "sources", "--store", filled.query).stdout == (
        csto("query", "run", "sources").stdout
    )


def test_a_graph_that_was_changed_is_named(
    oxigraph: Server, packed: list[Parcel], tmp_path: Path
) -> None:
    push(packed, at(oxigraph))
    graph = packed[3].graph
    at(oxigraph).extend(Quad(t.subject, t.predicate, t.object, graph) for t in THEIRS)
    with pytest.raises(CstoKgError, match=f"{graph.value}.* was changed since"):
        pull(at(oxigraph), tmp_path / "graph.nq")
    assert not list(tmp_path.iterdir())


def test_what_is_no_longer_pushed_is_removed_and_the_rest_is_left(
    oxigraph: Server, packed: list[Parcel], tmp_path: Path
) -> None:
    gone = NamedNode("https://w3id.org/csto-kg/id/graph/gone")
    put(oxigraph, OTHERS, THEIRS, tmp_path)
    push([*packed, Parcel.of(gone, THEIRS, tmp_path / "gone.ttl")], at(oxigraph))
    assert at(oxigraph).graph(gone) == THEIRS
    push(packed, at(oxigraph))
    assert at(oxigraph).graph(gone) == set()
    assert at(oxigraph).graph(OTHERS) == THEIRS


def test_updates_alone_will_do(endpoint: Server, packed: list[Parcel]) -> None:
    small = [parcel for parcel in packed if parcel.number < 500]
    assert len(small) > 5
    push(small, at(endpoint, graph_store=None))
    found = at(endpoint)
    assert set(found.named_graphs()) == {parcel.graph for parcel in small}
    push(packed, found)


def test_a_large_graph_replaces_what_was_there(
    endpoint: Server, packed: list[Parcel], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr("csto_kg.endpoint._LARGE", 0)
    put(endpoint, OTHERS, THEIRS, tmp_path)
    largest = max(packed, key=lambda parcel: parcel.number)
    at(endpoint).put(OTHERS, largest.body)
    assert Parcel.of(largest.graph, at(endpoint).triples(OTHERS), tmp_path / "x") == replace(
        largest, body=tmp_path / "x"
    )
    put(endpoint, OTHERS, THEIRS, tmp_path)
    assert at(endpoint).graph(OTHERS) == THEIRS


def test_a_graph_that_a_store_does_not_give_at_once_comes_in_parts(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    size = 1_100_000
    lines = (f"<urn:é{n}> <urn:b> <urn:c{n % 10}> .\n".encode() for n in range(size))
    triples = (quad.triple for quad in parse(b"".join(lines), format=RdfFormat.N_TRIPLES))
    sent = Parcel.of(OTHERS, triples, tmp_path / "sent.ttl")
    with run_virtuoso(tmp_path, rows=2 * size) as server:
        at(server).put(OTHERS, sent.body)
        with monkeypatch.context() as patch, pytest.raises(CstoKgError, match="max vector length"):
            patch.setattr("csto_kg.endpoint._PART", size)
            next(at(server).triples(OTHERS))
        come = Parcel.of(OTHERS, at(server).triples(OTHERS), tmp_path / "come.ttl")
    assert (come.number, come.sha256) == (size, sent.sha256)


def test_the_address_of_the_graph_store_may_have_parameters(
    oxigraph: Server, tmp_path: Path
) -> None:
    faster = at(oxigraph, graph_store=f"{oxigraph.graph_store}?no_transaction")
    faster.put(OTHERS, Parcel.of(OTHERS, THEIRS, tmp_path / "body.ttl").body)
    assert faster.graph(OTHERS) == THEIRS
    faster.drop(OTHERS)
    assert faster.graph(OTHERS) == set()


def test_a_triple_that_a_store_changes_is_noticed(oxigraph: Server, tmp_path: Path) -> None:
    integer = NamedNode("http://www.w3.org/2001/XMLSchema#int")
    odd = Triple(NamedNode("urn:a"), NamedNode("urn:b"), Literal("007", datatype=integer))
    with pytest.raises(CstoKgError, match=r'did not arrive as it was sent: 1 .* "007"'):
        push([Parcel.of(MERGED, {odd}, tmp_path / "odd.ttl")], at(oxigraph))
    at(oxigraph).drop(MANIFEST)


def test_from_the_shell(csto: Run, filled: Server, tmp_path: Path, packed: list[Parcel]) -> None:
    told = dict(os.environ, CSTO_KG_GRAPH_STORE=filled.graph_store)
    if filled.credentials:
        told.update(CSTO_KG_USER=filled.credentials[0], CSTO_KG_PASSWORD=filled.credentials[1])
    pushed = csto("push", filled.query, env=told)
    assert pushed.returncode == 0, pushed.stderr
    assert f"{len(packed)} graphs are there" in pushed.stderr
    members = ("query", "run", "members-on", "--alliance", "csto", "--date", "2000-01-01")
    ran = csto(*members, "--store", filled.query)
    assert (ran.returncode, ran.stdout) == (0, csto(*members).stdout)
    taken = csto("pull", filled.query, "-o", str(tmp_path / "graph.nq"))
    assert taken.returncode == 0, taken.stderr
    exported = csto("export", "-o", str(tmp_path / "here.nq"))
    assert exported.returncode == 0
    assert (tmp_path / "graph.nq").read_bytes() == (tmp_path / "here.nq").read_bytes()
    assert csto(*members, "--store", str(tmp_path / "graph.nq")).stdout == ran.stdout


def test_a_dry_run_sends_nothing(csto: Run, packed: list[Parcel]) -> None:
    nowhere = "http://127.0.0.1:9/query"
    dry = csto("push", nowhere, "--dry-run")
    assert (dry.returncode, len(dry.stderr.splitlines())) == (0, len(packed))
    unsaid = csto("push", nowhere)
    assert (unsaid.returncode, "say where to write" in unsaid.stderr) == (2, True)
    failed = csto("push", nowhere, "--graph-store", "http://127.0.0.1:9/store")
    assert failed.returncode == 2
    assert "cannot be reached" in failed.stderr
    assert "Traceback" not in failed.stderr


def test_the_requests_that_are_shown_do_the_same(
    csto: Run, oxigraph: Server, tmp_path: Path
) -> None:
    odd = "https://example.org/it's&a=1#one'; touch pwned; '"
    odd = odd.replace(" ", "%20")
    file = tmp_path / "one.nq"
    file.write_text(f"<urn:a> <urn:b> <urn:c> <{odd}> .\n<urn:a> <urn:b> <urn:c> <urn:g> .\n")
    for store in (f"{oxigraph.graph_store}?no_transaction", oxigraph.graph_store):
        to = ("--graph-store", store, "--store", str(file))
        shown = csto("push", oxigraph.query, "--show", *to)
        path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
        subprocess.run(
            ["sh", "-euc", shown.stdout], cwd=tmp_path, check=True, env={**os.environ, "PATH": path}
        )
        assert not (tmp_path / "pwned").exists()
        for name in (NamedNode(odd), NamedNode("urn:g")):
            assert len(at(oxigraph).graph(name)) == 1
            at(oxigraph).drop(name)
        assert len(at(oxigraph).graph(MERGED)) > 1000


def test_what_is_in_no_named_graph_is_not_lost(
    csto: Run, oxigraph: Server, packed: list[Parcel], tmp_path: Path
) -> None:
    push(packed, at(oxigraph))
    for name, text, reason in (
        ("alone", "", "all is in the default graph"),
        ("mixed", "\n<urn:d> <urn:b> <urn:c> <urn:g> .", "1 triples are in no named graph"),
        ("blank", "\n<urn:d> <urn:b> <urn:c> _:g .", "has a blank node for its name"),
    ):
        store = Store(str(tmp_path / name))
        store.load(f"<urn:a> <urn:b> <urn:c> . {text}".encode(), format=RdfFormat.N_QUADS)
        store.flush()
        del store
        own = ("--store", str(tmp_path / name))
        refused = csto("push", oxigraph.query, "--graph-store", oxigraph.graph_store, *own)
        assert (refused.returncode, reason in refused.stderr) == (2, True), refused.stderr
        assert rows_of(csto, oxigraph) == rows_of(csto)
        if name != "mixed":
            exported = csto("export", *own)
            assert (exported.returncode, exported.stdout) == (2, "")
            assert reason in exported.stderr


def rows_of(csto: Run, server: Server | None = None) -> str:
    asked = csto("query", "run", "sources", *(("--store", server.query) if server else ()))
    assert asked.returncode == 0, asked.stderr
    return asked.stdout


def test_a_query_that_names_its_graphs_is_about_them(
    kg: KnowledgeGraph, remote: KnowledgeGraph
) -> None:
    name = "https://w3id.org/csto-kg/id/graph/triples"
    for text in (
        f"SELECT (COUNT(*) AS ?n) FROM <{name}> {{ ?s ?p ?o }}",
        f"SELECT (COUNT(*) AS ?n) FROM NAMED <{name}> {{ GRAPH ?g {{ ?s ?p ?o }} }}",
    ):
        assert remote.sparql(text).solutions == kg.sparql(text).solutions


def test_a_submission_is_judged_against_a_remote_graph(csto: Run, oxigraph: Server) -> None:
    pushed = csto("push", oxigraph.query, "--graph-store", oxigraph.graph_store)
    assert pushed.returncode == 0, pushed.stderr
    good = csto("validate", str(SHEET), "--store", oxigraph.query)
    assert (good.returncode, good.stdout) == (0, f"{SHEET}: conforms\n"), good.stderr
    again = ROOT / "tests" / "shapes" / "MembershipSpellOverlap" / "invalid.ttl"
    for store in ((), ("--store", oxigraph.query)):
        bad = csto("validate", str(again), *store)
        assert bad.returncode == 1
        assert "MembershipSpellOverlap" in bad.stdout
