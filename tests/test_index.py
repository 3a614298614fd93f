"""A graph of one's own that is in a store: the journal is the truth, and the store follows it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from pyoxigraph import NamedNode

import csto_kg
from csto_kg import CstoKgError, KnowledgeGraph
from csto_kg.disk import load
from csto_kg.endpoint import MANIFEST, Endpoint
from csto_kg.exchange import packing, pull, push
from csto_kg.gate import submit
from csto_kg.home import Home
from csto_kg.place import sources
from csto_kg.submissions import Submissions

from .conftest import ROOT, Run, quads
from .servers import Endpoint as Server

SHEET = ROOT / "tests" / "second" / "invented-report-en.yaml"
ALLIANCE, DAY = "csto", "2023-03-25"


@pytest.fixture(params=["disk", "oxigraph", "virtuoso", "jena"])
def place(
    request: pytest.FixtureRequest,
    kg: KnowledgeGraph,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> Iterator[str]:
    """Each kind of store in turn, with the shipped graph in it."""
    if request.param == "disk":
        load(tmp_path / "index", sources())
        yield str(tmp_path / "index")
        return
    server = request.getfixturevalue(request.param)
    assert isinstance(server, Server)
    monkeypatch.setenv("CSTO_KG_UPDATE", server.update)
    monkeypatch.setenv("CSTO_KG_GRAPH_STORE", server.graph_store)
    if server.credentials:
        monkeypatch.setenv("CSTO_KG_USER", server.credentials[0])
        monkeypatch.setenv("CSTO_KG_PASSWORD", server.credentials[1])
    with packing(kg) as packed:
        push(packed, Endpoint.of(server.query))
        yield server.query
        push(packed, Endpoint.of(server.query))


def rows(graph: KnowledgeGraph) -> str:

    return graph.run("members-on", alliance=ALLIANCE, date=DAY).text("csv")


def test_a_submission_is_accepted_and_withdrawn(
    csto: Run, kg: KnowledgeGraph, place: str, tmp_path: Path
) -> None:
    home, memory = tmp_path / "ours", tmp_path / "memory"
    assert csto("init", str(home), "--on", place).returncode == 0
    assert csto("init", str(memory)).returncode == 0
    for folder in (memory, home):
        done = csto("submit", str(SHEET), "--yes", "--by", "Desk", "--store", str(folder))
        assert (done.returncode, "accepted as submission 1" in done.stderr) == (0, True), done
    there, here = csto_kg.open(home), csto_kg.open(memory)
    assert rows(there) == rows(here) != rows(kg)
    assert rows(csto_kg.open(place)) == rows(here)
    facts = {quad for quad in quads(there) if "/submission/" in str(quad.graph_name)}
    assert facts == {quad for quad in quads(here) if "/submission/" in str(quad.graph_name)}
    assert len(facts) > 50
    twice = csto("submit", str(SHEET), "--yes", "--by", "Desk", "--store", str(home))
    assert (twice.returncode, "says all of this already" in twice.stderr) == (2, True)
    assert csto("verify", "--store", str(home)).returncode == 0
    if "://" in place:
        pull(Endpoint.of(place), tmp_path / "pulled.nq")
        assert rows(csto_kg.open(tmp_path / "pulled.nq")) == rows(here)
    gone = csto("submissions", "withdraw", "1", "--reason", "test", "--store", str(home))
    assert gone.returncode == 0, gone.stderr
    assert rows(csto_kg.open(home)) == rows(kg)
    of_sources = {quad for quad in quads(csto_kg.open(home)) if "submission" not in str(quad)}
    assert of_sources == quads(kg)
    merged = "SELECT (COUNT(*) AS ?n) { ?s ?p ?o }"
    [row] = csto_kg.open(home).sparql(merged)
    [before] = kg.sparql(merged)
    # What stays is the record: six facts of the submission, and three of its withdrawal.
    assert int(row.n) == int(before.n) + 9


def test_a_store_that_failed_is_noticed_and_catches_up(
    csto: Run, kg: KnowledgeGraph, place: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    home = tmp_path / "ours"
    assert csto("init", str(home), "--on", place).returncode == 0

    def fails(_: Home) -> int:
        raise CstoKgError("the disk is full")

    with monkeypatch.context() as patch:
        patch.setattr("csto_kg.submissions.catch_up", fails)
        with pytest.raises(CstoKgError, match=r"disk is full: the journal in .* has all"):
            submit(SHEET, Home(home), by="Desk", accept=True)
    assert [found.number for found in Submissions(home).listed()] == [1]
    asked = csto("query", "run", "sources", "--store", str(home))
    assert (asked.returncode, asked.stdout) == (2, "")
    assert f"lacks 1 of the submissions in {home}" in asked.stderr
    caught = csto("submissions", "index", "--store", str(home))
    assert (caught.returncode, caught.stderr) == (0, "1 entries taken in\n")
    assert rows(csto_kg.open(home)) != rows(kg)
    again = csto("submissions", "index", "--store", str(home))
    assert (again.returncode, again.stderr) == (0, "0 entries taken in\n")


@pytest.mark.parametrize("place", ["oxigraph"], indirect=True)
def test_the_manifest_keeps_up(
    csto: Run, place: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def killed(*_: object) -> None:
        raise KeyboardInterrupt

    home, graph = tmp_path / "ours", "/submission/000001> .\n"
    assert csto("init", str(home), "--on", place).returncode == 0
    with monkeypatch.context() as patch:
        patch.setattr("csto_kg.index.restate", killed)
        with pytest.raises(KeyboardInterrupt):
            submit(SHEET, Home(home), by="Desk", accept=True)
    assert csto("submissions", "index", "--store", str(home)).returncode == 0
    pulled = csto("pull", place, "-o", str(tmp_path / "one.nq"))
    assert pulled.returncode == 0, pulled.stderr
    assert graph in (tmp_path / "one.nq").read_text("utf-8")
    gone = csto("submissions", "withdraw", "1", "--reason", "retracted", "--store", str(home))
    assert gone.returncode == 0, gone.stderr
    pulled = csto("pull", place, "-o", str(tmp_path / "two.nq"))
    assert pulled.returncode == 0, pulled.stderr
    assert graph not in (tmp_path / "two.nq").read_text("utf-8")


def test_a_store_without_a_manifest_is_not_written_to(
    csto: Run,
    kg: KnowledgeGraph,
    oxigraph: Server,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("CSTO_KG_UPDATE", oxigraph.update)
    monkeypatch.setenv("CSTO_KG_GRAPH_STORE", oxigraph.graph_store)
    name = NamedNode("urn:filled:by:others")
    there = Endpoint(oxigraph.query, oxigraph.update, oxigraph.graph_store)
    there.drop(MANIFEST)
    with packing(kg) as packed:
        there.put(name, packed[-1].body)
    before = there.count(name)
    asked, home = f"{oxigraph.query}?default-graph-uri={name.value}", tmp_path / "ours"
    assert rows(csto_kg.open(asked)) == rows(kg)
    assert csto("init", str(home), "--on", asked).returncode == 0
    done = csto("submit", str(SHEET), "--yes", "--by", "Desk", "--store", str(home))
    assert (done.returncode, "no merged graph to write to" in done.stderr) == (2, True), done.stderr
    assert (there.count(name), there.count(MANIFEST)) == (before, 0)
    there.drop(name)
    with packing(kg) as packed:
        push(packed, there)


def test_a_store_has_one_journal(csto: Run, place: str, tmp_path: Path) -> None:
    for name in ("ours", "others"):
        assert csto("init", str(tmp_path / name), "--on", place).returncode == 0
    done = csto("submit", str(SHEET), "--yes", "--by", "Desk", "--store", str(tmp_path / "ours"))
    assert done.returncode == 0, done.stderr
    asked = csto("query", "run", "sources", "--store", str(tmp_path / "others"))
    assert asked.returncode == 2
    assert "has submissions that are not in" in asked.stderr


def test_without_a_journal_nothing_is_submitted(csto: Run, tmp_path: Path) -> None:
    url = "http://127.0.0.1:9/query"
    said = csto("submit", str(SHEET), "--store", url)
    assert said.returncode == 2
    assert f"make one with `csto-kg init DIR --on {url}`" in said.stderr
    said = csto("init", str(tmp_path / "ours"), "--on", str(tmp_path / "nowhere"))
    assert (said.returncode, "not a store on disk" in said.stderr) == (2, True)
    assert not (tmp_path / "ours").exists()
