from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
import rdflib
import yaml

from csto_kg import CstoKgError, KnowledgeGraph, shipped
from csto_kg.build import build, stale
from csto_kg.serialization import dump
from csto_kg.sheet import Sheet, read_register

SHEETS = sorted(shipped.SHEETS.glob("*.yaml"))
EACH = pytest.mark.parametrize("path", SHEETS, ids=[path.stem for path in SHEETS])

HEAD = '"@context": ../../ontology/context.jsonld\ngraph:\n'
SOURCE = """\
- {id: source/test, type: Source, label: {en: A test}, issuedNotBefore: 2022-05-01,
   issuedNotAfter: 2022-05-31}
- {id: citation/test-1, type: Citation, source: source/test}
"""


def sheet(tmp_path: Path, body: str) -> Path:
    path = tmp_path / "test.yaml"
    path.write_text(HEAD + SOURCE + body, "utf-8")
    return path


def built(tmp_path: Path, body: str) -> str:
    return dump(Sheet.read(sheet(tmp_path, body)).build(set()), "ntriples").decode()


def bounds(ntriples: str, node: str) -> dict[str, str]:
    return {
        line.split()[1].rpartition("#")[2].rstrip(">"): line.split()[2].split('"')[1]
        for line in ntriples.splitlines()
        if line.startswith(f"<https://w3id.org/csto-kg/id/{node}>") and "XMLSchema#date" in line
    }


def simple(graph: rdflib.Graph) -> set[tuple[rdflib.term.Node, ...]]:
    """The triples with plain literals for xsd:string, which rdflib keeps apart from them."""
    return {
        (s, p, rdflib.Literal(str(o)) if getattr(o, "datatype", None) == rdflib.XSD.string else o)
        for s, p, o in graph
    }


@EACH
def test_any_json_ld_tool_reads_a_sheet_as_the_build_does(path: Path) -> None:
    document = yaml.safe_load(path.read_text("utf-8"))
    context = json.loads((shipped.ONTOLOGY / "context.jsonld").read_text("utf-8"))
    document["@context"] = context["@context"]
    plain = rdflib.Graph().parse(data=json.dumps(document, default=str), format="json-ld")
    ours = rdflib.Graph().parse(data=dump(Sheet.read(path).triples(), "ntriples"), format="nt")
    file = rdflib.Graph().parse(path.parents[1] / f"{path.stem}.ttl")
    assert simple(plain) == simple(ours)
    assert simple(plain) <= simple(file)


@EACH
def test_the_turtle_file_is_what_the_sheet_builds(path: Path) -> None:
    target = path.parents[1] / f"{path.stem}.ttl"
    register = read_register(path.parent)
    assert target.read_bytes() == dump(Sheet.read(path).build(register), "turtle")
    assert b"_:" not in target.read_bytes()


@EACH
def test_every_node_of_a_file_has_a_type_and_no_link_is_dangling(
    path: Path, kg: KnowledgeGraph
) -> None:
    graph = rdflib.Graph().parse(path.parents[1] / f"{path.stem}.ttl")
    typed = set(graph.subjects(rdflib.RDF.type))
    assert set(graph.subjects()) == typed
    ids = "https://w3id.org/csto-kg/id/"
    known = typed | set(rdflib.Graph().parse(shipped.ONTOLOGY / "schemes.ttl").subjects())
    elsewhere = {
        node
        for node in set(graph.objects()) - known
        if isinstance(node, rdflib.URIRef) and node.startswith(ids)
    }
    # An event may be linked to another source's account of it, or of what came before.
    described = {str(node) for node in kg.dataset.subjects(rdflib.RDF.type)}
    assert {str(node) for node in elsewhere} <= described
    assert all("/event/" in node for node in elsewhere)


def test_a_build_is_the_same_under_any_hash_seed(tmp_path: Path) -> None:
    outputs = []
    for seed in ("0", "1", "4242"):
        folder = tmp_path / seed
        (folder / "sheets").mkdir(parents=True)
        for path in SHEETS:
            (folder / "sheets" / path.name).write_bytes(path.read_bytes())
        subprocess.run(
            [Path(sys.executable).parent / "csto-kg", "build", folder],
            env={"PYTHONHASHSEED": seed},
            check=True,
        )
        outputs.append({path.name: path.read_bytes() for path in folder.glob("*.ttl")})
    assert outputs[0] == outputs[1] == outputs[2]
    assert outputs[0] == {path.name: path.read_bytes() for path in shipped.DATA.glob("*.ttl")}


def test_a_built_file_is_not_written_again(tmp_path: Path) -> None:
    (tmp_path / "sheets").mkdir()
    sheet(tmp_path / "sheets", "")
    assert [path.name for path in build(tmp_path)] == ["test.ttl"]
    assert build(tmp_path) == []
    (tmp_path / "test.ttl").write_text("")
    assert [path.name for path in stale(tmp_path)] == ["test.ttl"]
    (tmp_path / "orphan.ttl").write_text("")
    with pytest.raises(CstoKgError, match=r"orphan\.ttl: no sheet builds it"):
        stale(tmp_path)


def test_edtf_becomes_four_bounds_and_stays_readable(tmp_path: Path) -> None:
    text = built(tmp_path, "- {id: event/test, type: Event, when: 2002, cites: citation/test-1}\n")
    assert bounds(text, "event/test") == {
        "beginsNotBefore": "2002-01-01",
        "beginsNotAfter": "2002-12-31",
        "endsNotBefore": "2002-01-01",
        "endsNotAfter": "2002-12-31",
    }
    assert '"2002"^^<http://id.loc.gov/datatypes/edtf/EDTF>' in text


def test_present_when_issued_is_right_censored_and_marked_derived(tmp_path: Path) -> None:
    text = built(
        tmp_path, '- {id: membership/m, type: Membership, begins: 1992-05-15, ends: ".."}\n'
    )
    assert bounds(text, "membership/m") == {
        "beginsNotBefore": "1992-05-15",
        "beginsNotAfter": "1992-05-15",
        "endsNotBefore": "2022-05-01",
    }
    assert "derivation/test-ends-not-before-right-censoring" in text
    assert text.count("#derived>") == 1


def test_past_when_issued_ends_not_later_than_the_issue(tmp_path: Path) -> None:
    body = (
        '- {id: membership/m, type: Membership, begins: "[1992-05-16..]", pastWhenIssued: true}\n'
    )
    assert bounds(built(tmp_path, body), "membership/m") == {
        "beginsNotBefore": "1992-05-16",
        "beginsNotAfter": "2022-05-31",
        "endsNotAfter": "2022-05-31",
    }


def test_a_fact_is_asserted_and_a_proposition_is_not(tmp_path: Path) -> None:
    text = built(
        tmp_path,
        "- {id: fact/f, type: Fact, subject: state/a, predicate: appliedTo, object: alliance/b}\n"
        "- {id: proposition/p, type: Proposition, subject: state/c, predicate: joins, "
        "object: alliance/b}\n",
    )
    assert "id/state/a> <https://w3id.org/csto-kg/ontology#appliedTo>" in text
    assert "ontology#joins> <" not in text


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        (
            "- {id: membership/m, type: Membership, membr: state/a}",
            r"6:\d+: .*did you mean “member”",
        ),
        ("- {id: membership/m, type: Membershp}", r"6:\d+: .*did you mean “Membership”"),
        ("- {id: fact/f, type: Fact, predicate: jion}", r"6:\d+: .*“jion” is not a term"),
        ("- {id: Membership M, type: Membership}", r"6:\d+: .*not an identifier"),
        ("- {id: membership/m, member: Armenia}", r"6:\d+: .*“Armenia” is not an identifier"),
        ("- {type: Membership}", r"6:\d+: a node needs an id"),
        ("- {id: a/b, cites: {type: Citation}}", r"6:\d+: a nested node needs an id"),
        ("- {id: a/b, type: Event, type: Event}", r"6:\d+: “type” stands twice"),
        ("- &x {id: a/b, type: Event}\n- *x", r"anchors and aliases"),
        ("- {id: a/b, type: Event, when: 1992~}", r"6: a/b: .*approximate"),
        ('- {id: a/b, type: Event, when: "2022-02-30"}', r"6: a/b: .*not a day"),
        ("- {id: a/b, type: Event, begins: 1999, ends: 1992}", r"6: a/b: .*ends before it begins"),
        ("- {id: a/b", r"not valid YAML"),
        ("- {id: source/second, type: Source}", r"describes one Source, this one 2"),
    ],
)
def test_mistakes_are_named_with_file_and_line(tmp_path: Path, body: str, reason: str) -> None:
    path = sheet(tmp_path, body + "\n")
    with pytest.raises(CstoKgError, match=reason) as error:
        Sheet.read(path).build(set())
    assert str(error.value).startswith(str(path))


def test_right_censoring_needs_a_date_of_issue(tmp_path: Path) -> None:
    path = tmp_path / "test.yaml"
    path.write_text(
        HEAD + '- {id: source/test, type: Source}\n- {id: membership/m, ends: ".."}\n', "utf-8"
    )
    with pytest.raises(CstoKgError, match=r"4: membership/m: .*give issuedNotBefore"):
        Sheet.read(path).build(set())
