from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pyoxigraph as ox
import pytest
import rdflib
from rdflib.compare import isomorphic

import csto_kg
from csto_kg import CstoKgError, KnowledgeGraph, shipped, vocabulary
from csto_kg.serialization import FORMATS, SUFFIXES, dump, replace
from csto_kg.terms import to_rdflib

from .conftest import Run, quads

ARTICLE = "skynewsarabia-2022-csto-summit"
RDFLIB = {"turtle": "turtle", "ntriples": "nt", "nquads": "nquads", "trig": "trig",
          "jsonld": "json-ld", "rdfxml": "xml"}  # fmt: skip
RAPPER = {"turtle": "turtle", "ntriples": "ntriples", "nquads": "nquads", "trig": "trig",
          "rdfxml": "rdfxml"}  # fmt: skip
EACH_FORMAT = pytest.mark.parametrize("name", FORMATS)


@pytest.fixture(scope="module")
def expected(kg: KnowledgeGraph) -> rdflib.Graph:
    graph = rdflib.Graph()
    for quad in quads(kg.view([ARTICLE])):
        graph.add((to_rdflib(quad.subject), to_rdflib(quad.predicate), to_rdflib(quad.object)))
    assert len(graph) > 3000
    return graph


def merged(triples: object) -> rdflib.Graph:
    """Triples of any shape as one rdflib graph, strings plain."""
    graph = rdflib.Graph()
    for subject, predicate, value, *_ in triples:  # type: ignore[attr-defined]
        if isinstance(value, rdflib.Literal) and value.datatype == rdflib.XSD.string:
            graph.add((subject, predicate, rdflib.Literal(str(value))))
        else:
            graph.add((subject, predicate, value))
    return graph


@EACH_FORMAT
def test_it_loads_in_rdflib_to_the_same_graph(
    kg: KnowledgeGraph, expected: rdflib.Graph, name: str
) -> None:
    data = kg.export(format_name=name, sources=[ARTICLE])
    loaded = rdflib.Dataset()
    loaded.parse(data=data, format=RDFLIB[name])
    assert isomorphic(merged(loaded.quads()), expected)


@EACH_FORMAT
def test_it_loads_in_oxigraph_to_the_same_graph(
    kg: KnowledgeGraph, expected: rdflib.Graph, name: str
) -> None:
    data = kg.export(format_name=name, sources=[ARTICLE])
    quads = ox.parse(data, format=FORMATS[name])
    terms = [tuple(map(to_rdflib, (q.subject, q.predicate, q.object))) for q in quads]
    assert isomorphic(merged(terms), expected)


@pytest.mark.skipif(not shutil.which("rapper"), reason="raptor2-utils is not installed")
@pytest.mark.parametrize("name", RAPPER)
def test_it_loads_in_rapper_to_the_same_graph(
    kg: KnowledgeGraph, expected: rdflib.Graph, name: str, tmp_path: Path
) -> None:
    kg.export(path := tmp_path / "export", name, sources=[ARTICLE])
    out = subprocess.run(
        ["rapper", "-q", "-i", RAPPER[name], "-o", "ntriples", path],
        capture_output=True,
        check=True,
    ).stdout
    loaded = rdflib.Graph().parse(data=out, format="nt")
    assert isomorphic(merged(loaded), expected)


@EACH_FORMAT
def test_it_is_the_same_bytes_under_any_hash_seed(csto: Run, name: str) -> None:
    outputs = {
        csto("export", "--format", name, env={"PYTHONHASHSEED": seed}).stdout
        for seed in ("1", "2", "3")
    }
    assert len(outputs) == 1
    assert len(outputs.pop()) > 100_000


def test_the_shipped_file_and_its_export_are_the_same_bytes(kg: KnowledgeGraph) -> None:
    assert (
        kg.export(format_name="turtle", sources=[ARTICLE])
        == (shipped.DATA / "triples.ttl").read_bytes()
    )


def test_quads_keep_each_source_in_its_graph(kg: KnowledgeGraph) -> None:
    quads = list(ox.parse(kg.export(format_name="nquads"), format=ox.RdfFormat.N_QUADS))
    graphs = {quad.graph_name.value.rpartition("/")[2] for quad in quads}
    assert graphs == {path.stem for path in shipped.DATA.glob("*.ttl")}


def test_an_entity_comes_with_its_surroundings(kg: KnowledgeGraph) -> None:
    data = kg.export(format_name="turtle", entity="polity:abkhazia").decode()
    assert "statement:sna-p6-abkhazia a csto:Statement" in data
    assert "proposition:sna-p6-abkhazia-joins a csto:Proposition" in data
    assert "csto:spanSha256" in data
    assert "source:skynewsarabia-2022-csto-summit a csto:Source" in data
    assert "membership:" not in data
    linked = {triple.object for triple in kg.surroundings("polity:abkhazia").triples}
    described = {triple.subject for triple in kg.surroundings("polity:abkhazia").triples}
    ours = {
        node
        for node in linked
        if isinstance(node, ox.NamedNode) and node.value.startswith(vocabulary.ID)
    }
    assert ours <= described


def test_inferred_triples_are_exported_only_when_asked_for(kg: KnowledgeGraph) -> None:
    assert b"everBelongedTo" not in kg.export(format_name="ntriples", sources=[ARTICLE])
    data = kg.export(format_name="ntriples", sources=[ARTICLE], inferred=True)
    assert data.count(b"everBelongedTo") == 9


def test_a_file_that_cannot_be_written_stays_as_it_was(tmp_path: Path) -> None:
    with pytest.raises(CstoKgError, match=r"nowhere/out\.ttl: cannot be written: No such file"):
        replace(tmp_path / "nowhere" / "out.ttl", b"")
    target = tmp_path / "taken"
    target.mkdir()
    with pytest.raises(CstoKgError, match="taken: cannot be written"):
        replace(target, b"new")
    assert [path.name for path in tmp_path.iterdir()] == ["taken"]


def test_line_ends_in_literals_do_not_upset_the_layout() -> None:
    literal = ox.Literal('one\ntwo .\r\n@prefix x: <y> .\u2028"three" ;')
    subject = ox.NamedNode(f"{vocabulary.ID}state/x")
    triple = ox.Triple(subject, ox.NamedNode(f"{vocabulary.CSTO}gist"), literal)
    for name in FORMATS:
        given = [ox.Quad(*triple)] if name in ("nquads", "trig") else [triple]
        [quad] = ox.parse(dump(given, name), format=FORMATS[name])
        assert ox.Triple(quad.subject, quad.predicate, quad.object) == triple


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_what_is_exported_can_be_opened(kg: KnowledgeGraph, tmp_path: Path, suffix: str) -> None:
    kg.export(path := tmp_path / f"graph{suffix}", sources=[ARTICLE])
    again = csto_kg.open(path)
    assert len(again.run("members-on", alliance="csto", date="2000-01-01")) == 9
