"""Shapes are tried on facts that must fail; and a graph of one's own adds shapes to ours."""

from __future__ import annotations

from pathlib import Path

import pyshacl.constraints.core.cardinality_constraints as cardinality
import pytest

from csto_kg import CstoKgError, shipped
from csto_kg.home import Home
from csto_kg.shapes import Shapes

from .conftest import ROOT, Run

SHEET = ROOT / "tests" / "second" / "invented-report-en.yaml"

TONE = """\
@prefix : <https://example.org/shapes#> .
@prefix csto: <https://w3id.org/csto-kg/ontology#> .
@prefix rdfs: <http://www.w3.org/2000/01/rdf-schema#> .
@prefix sh: <http://www.w3.org/ns/shacl#> .

:CalmLabel a sh:NodeShape ;
    sh:targetClass csto:Source ;
    sh:property [
        sh:path rdfs:label ;
        sh:pattern "^[^!]*$" ;
        sh:message "Sources do not shout here. Take the exclamation mark out."@en ] .
"""
LOUD = """\
@prefix csto: <https://w3id.org/csto-kg/ontology#> .
@prefix source: <https://w3id.org/csto-kg/id/source/> .
@prefix rdfs: <http://www.w3.org/2000/01/rdf-schema#> .

source:loud a csto:Source ; rdfs:label "Read this!"@en .
"""


@pytest.fixture
def home(tmp_path: Path) -> Home:
    return Home.init(tmp_path / "ours")


def write(folder: Path, shapes: str, canary: str | None = LOUD) -> None:
    (folder / "ours.ttl").write_text(shapes, "utf-8")
    if canary is not None:
        (folder / "CalmLabel").mkdir()
        (folder / "CalmLabel" / "invalid.ttl").write_text(canary, "utf-8")


def test_every_shape_reports_its_canary() -> None:
    Shapes.of(None).try_canaries()


def test_a_validator_that_passes_over_a_constraint_is_found_out(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(cardinality.MinCountConstraintComponent, "evaluate", lambda *_: (True, []))
    with pytest.raises(
        CstoKgError, match=r"passes over .*CitationSource.* more: .* nothing is judged"
    ):
        Shapes.of(None).try_canaries()


def test_nothing_is_judged_by_shapes_that_were_deactivated(tmp_path: Path) -> None:
    text = (shipped.ONTOLOGY / "shapes.ttl").read_text("utf-8")
    path = tmp_path / "shapes.ttl"
    off = "shape:Membership a sh:NodeShape ;"
    assert off in text
    path.write_text(text.replace(off, f"{off} sh:deactivated true ;"), "utf-8")
    with pytest.raises(CstoKgError, match=r"passes over .*Membership"):
        Shapes([path], [shipped.EXAMPLES]).try_canaries()


def test_shapes_of_ones_own_judge_submissions_too(csto: Run, home: Home, tmp_path: Path) -> None:
    write(home.shapes, TONE)
    loud = tmp_path / "loud.yaml"
    text = SHEET.read_text("utf-8")
    assert '{en: "Invented' in text
    loud.write_text(text.replace('{en: "Invented', '{en: "Hear! Invented'), "utf-8")
    store = ("--store", str(home.folder))

    assert csto("submit", str(SHEET), *store).returncode == 0
    refused = csto("submit", str(loud), *store, "--yes")
    assert refused.returncode == 1, refused.stderr
    assert "Violation CalmLabel" in refused.stderr
    assert "Take the exclamation mark out" in refused.stderr
    assert csto("validate", str(loud)).returncode == 0


def test_the_record_tells_versions_of_the_shapes_apart(home: Home) -> None:
    before = Shapes.of(home).sha256
    write(home.shapes, TONE)
    assert before == Shapes.of(None).sha256 != Shapes.of(home).sha256


@pytest.mark.parametrize(
    ("shapes", "canary", "reason"),
    [
        (TONE, None, "no canary for CalmLabel: add CalmLabel/invalid.ttl"),
        (TONE, LOUD.replace("!", ""), "passes over CalmLabel"),
        (TONE.replace('"^[^!]*$"', "["), LOUD, "ours.ttl:10:22: not valid turtle"),
        (
            TONE + "<https://w3id.org/csto-kg/shapes#Membership> sh:deactivated true .",
            LOUD,
            "speaks of .*Membership, which is ours",
        ),
        (TONE.replace("sh:pattern", "sh:js"), LOUD, "js is not supported"),
    ],
)
def test_shapes_of_ones_own_that_would_not_hold_are_refused(
    csto: Run, home: Home, shapes: str, canary: str | None, reason: str
) -> None:
    write(home.shapes, shapes, canary)
    refused = csto("submit", str(SHEET), "--store", str(home.folder), "--yes")
    assert refused.returncode == 2
    assert "Traceback" not in refused.stderr
    with pytest.raises(CstoKgError, match=reason):
        Shapes.of(home).try_canaries()
    assert csto("submissions", "list", "--store", str(home.folder)).stdout.count("\n") <= 1


def test_what_a_submission_breaks_in_the_graph_is_reported(
    csto: Run, home: Home, tmp_path: Path
) -> None:
    """A second spell that overlaps the first makes both wrong, not the new one alone."""
    store = ("--store", str(home.folder))
    assert csto("submit", str(SHEET), *store, "--yes").returncode == 0
    second = tmp_path / "second.ttl"
    second.write_text(
        "@prefix csto: <https://w3id.org/csto-kg/ontology#> .\n"
        "@prefix prov: <http://www.w3.org/ns/prov#> .\n"
        "@prefix xsd: <http://www.w3.org/2001/XMLSchema#> .\n"
        "<https://w3id.org/csto-kg/id/membership/inv-again> a csto:Membership ;\n"
        "  csto:member <https://w3id.org/csto-kg/id/state/armenia> ; csto:spellNumber 2 ;\n"
        "  csto:alliance <https://w3id.org/csto-kg/id/alliance/csto> ;\n"
        '  csto:beginsNotBefore "2010-01-01"^^xsd:date ;\n'
        '  csto:beginsNotAfter "2010-01-01"^^xsd:date ;\n'
        '  csto:endsNotBefore "2030-01-01"^^xsd:date ;\n'
        "  prov:wasDerivedFrom <https://w3id.org/csto-kg/id/citation/inven-members> .\n"
    )
    refused = csto("submit", str(second), *store)
    assert refused.returncode == 1, refused.stderr
    nodes = [line.strip() for line in refused.stderr.splitlines() if "membership:" in line]
    assert any("membership:inv-again" in line for line in nodes), refused.stderr
    assert any("membership:inven-armenia" in line for line in nodes), refused.stderr
