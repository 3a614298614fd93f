from __future__ import annotations

import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
import rdflib

import csto_kg
from csto_kg import CstoKgError, KnowledgeGraph
from csto_kg.vocabulary import ID

from .conftest import Run, quads

ARTICLE = "skynewsarabia-2022-csto-summit"


def test_the_merged_graph_counts_what_two_sources_say_once(kg: KnowledgeGraph) -> None:
    query = "SELECT (COUNT(*) AS ?n) { state:armenia rdfs:label ?label }"
    [row] = kg.sparql(query)
    assert int(row.n) == 3
    [row] = kg.sparql("SELECT (COUNT(?g) AS ?n) { GRAPH ?g { state:armenia a csto:State } }")
    assert int(row.n) > 3


def test_the_dataset_is_the_same_store_in_rdflib(kg: KnowledgeGraph) -> None:
    assert (rdflib.URIRef(f"{ID}state/armenia"), rdflib.RDF.type, None) in kg.dataset


def test_a_view_holds_what_its_sources_say_and_nothing_else(kg: KnowledgeGraph) -> None:
    view = kg.view([ARTICLE, "vindobona"])
    sources = {str(row.s) for row in view.sparql("SELECT DISTINCT ?s { ?c oa:hasSource ?s }")}
    assert sources == {f"{ID}source/{ARTICLE}", f"{ID}source/vindobona"}
    assert len(quads(kg.view())) == len(quads(kg))


def test_sources_that_share_a_graph_cannot_be_told_apart(
    tmp_path: Path, kg: KnowledgeGraph
) -> None:
    kg.export(path := tmp_path / "flat.ttl")
    flat = csto_kg.open(path)
    with pytest.raises(CstoKgError, match=r"holds .* too: choose it as well"):
        flat.view([ARTICLE])
    kg.export(path := tmp_path / "named.nq")
    named = csto_kg.open(path)
    assert len(quads(named.view([ARTICLE]))) == len(quads(kg.view([ARTICLE])))


def test_a_folder_of_files_is_a_graph(tmp_path: Path, kg: KnowledgeGraph) -> None:
    kg.export(tmp_path / "a.nt", sources=[ARTICLE])
    kg.export(tmp_path / "b.jsonld", sources=["vindobona"])
    (tmp_path / "notes.txt").write_text("not data")
    both = csto_kg.open(tmp_path)
    assert len(both.run("sources")) == 2


@pytest.mark.parametrize(
    ("name", "text", "reason"),
    [
        ("bad.ttl", "<a> <b> .", r"bad\.ttl:1:\d+: not valid turtle"),
        ("bad.nt", "<http://a/> <http://b/> nothing .", r"bad\.nt:1:\d+: not valid ntriples"),
        ("bad.jsonld", "{", r"bad\.jsonld:.*not valid jsonld"),
        ("bad.rdf", "<rdf", r"bad\.rdf.*not valid rdfxml"),
        ("bad.csv", "a,b", r"unknown ending"),
    ],
)
def test_a_file_that_cannot_be_read_is_named(
    tmp_path: Path, name: str, text: str, reason: str
) -> None:
    (tmp_path / name).write_text(text)
    with pytest.raises(CstoKgError, match=reason):
        csto_kg.open(tmp_path / name)


def test_an_empty_folder_is_no_graph(tmp_path: Path) -> None:
    with pytest.raises(CstoKgError, match="no RDF files"):
        csto_kg.open(tmp_path)


def test_a_query_reads_no_file_and_no_address(kg: KnowledgeGraph, tmp_path: Path) -> None:
    secret = tmp_path / "secret.ttl"
    secret.write_text("<urn:secret> <urn:is> <urn:here> .")
    assert len(kg.sparql(f"SELECT * FROM <file://{secret}> {{ ?s ?p ?o }}")) == 0
    with pytest.raises(CstoKgError, match="SERVICE"):
        kg.sparql("SELECT * { SERVICE <http://127.0.0.1:9/> { ?s ?p ?o } }")


def test_the_parameters_of_a_query_are_checked(kg: KnowledgeGraph) -> None:
    for call, reason in (
        ({}, "members-on needs --alliance"),
        ({"alliance": "csto", "date": "today"}, "“today” is not a day"),
        ({"alliance": "csto", "date": "2000-01-01", "dat": "x"}, "did you mean --date"),
        ({"alliance": "csto", "date": "2000-01-01", "language": "fr"}, "one of en, ar, ru"),
        ({"alliance": "state:armenia", "date": "2000-01-01"}, "is not a Alliance"),
    ):
        with pytest.raises(CstoKgError, match=reason):
            kg.run("members-on", **call)  # type: ignore[arg-type]


def test_named_graphs_are_read_once_however_many_ask() -> None:
    kg = csto_kg.open()
    text = "SELECT (COUNT(*) AS ?n) { GRAPH ?g { ?s ?p ?o } }"
    with ThreadPoolExecutor(8) as threads:
        counts = {rows.text("csv") for rows in threads.map(lambda _: kg.sparql(text), range(8))}
    assert counts == {csto_kg.open().sparql(text).text("csv")}


def test_a_file_that_is_gone_before_its_graph_is_read(tmp_path: Path) -> None:
    file = tmp_path / "facts.ttl"
    file.write_text("<urn:a> <urn:b> <urn:c> .")
    kg = csto_kg.open(file)
    file.unlink()
    for _ in range(2):
        with pytest.raises(CstoKgError, match=r"facts\.ttl: cannot be read"):
            kg.export()


def test_files_whose_graphs_would_be_one_are_refused(csto: Run, tmp_path: Path) -> None:
    for name in ("facts.ttl", "facts.nt", "merged.ttl", "with space.ttl"):
        (tmp_path / name).write_text("<urn:a> <urn:b> <urn:c> .")
    with pytest.raises(CstoKgError, match=r"facts\.ttl: its graph would be .*facts\.nt has"):
        csto_kg.open(tmp_path)
    with pytest.raises(CstoKgError, match=r"graph/merged>, which csto-kg keeps: rename it"):
        csto_kg.open(tmp_path / "merged.ttl")
    said = csto("export", "--store", str(tmp_path / "with space.ttl"), "--format", "nquads")
    assert said.stdout == (
        "<urn:a> <urn:b> <urn:c> <https://w3id.org/csto-kg/id/graph/with%20space> .\n"
    )


def test_blank_nodes_of_two_files_are_not_the_same(tmp_path: Path) -> None:
    for name, predicate in (("one", "p"), ("two", "q")):
        (tmp_path / f"{name}.nq").write_text(f"_:g <urn:{predicate}> <urn:x> <urn:{name}> .")
    assert csto_kg.open(tmp_path).sparql("ASK { ?g <urn:p> ?x ; <urn:q> ?x }").answer is False


@pytest.mark.parametrize("text", ["<urn:a> <http://ex/1> <urn:c> .", '<urn:a> <urn:b> "\\u0001" .'])
def test_what_rdf_xml_cannot_say_is_refused(text: str, tmp_path: Path) -> None:
    file = tmp_path / "odd.nt"
    file.write_text(text)
    with pytest.raises(CstoKgError, match="RDF/XML"):
        csto_kg.open(file).export(tmp_path / "odd.rdf")
    assert not (tmp_path / "odd.rdf").exists()


def test_what_is_no_plain_file_is_written_to_as_it_is(csto: Run, tmp_path: Path) -> None:
    target, link, pipe = tmp_path / "target.ttl", tmp_path / "link.ttl", tmp_path / "pipe.ttl"
    target.write_text("")
    link.symlink_to(target)
    assert csto("export", "-o", str(link)).returncode == 0
    assert link.is_symlink()
    os.mkfifo(pipe)
    with ThreadPoolExecutor(1) as threads:
        read = threads.submit(pipe.read_bytes)
        assert csto("export", "-o", str(pipe)).returncode == 0
        assert read.result() == target.read_bytes() != b""
    assert pipe.is_fifo()


@pytest.mark.parametrize("command", ["query run sources", "export", "search georgia"])
def test_no_room_for_the_answer_is_an_error_in_a_line(command: str) -> None:
    program = Path(sys.executable).with_name("csto-kg")
    with Path("/dev/full").open("wb") as full:
        done = subprocess.run(
            [program, *command.split()], stdout=full, stderr=subprocess.PIPE, check=False
        )
    assert (done.returncode, done.stderr.count(b"\n")) == (2, 1)
    assert b"No space left" in done.stderr
