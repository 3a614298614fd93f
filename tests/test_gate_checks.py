"""What the gate refuses before shapes: limits, forms, vocabulary, policy, each by its code."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from csto_kg import CstoKgError, KnowledgeGraph, forms, policy, usage
from csto_kg.codes import explain
from csto_kg.facts import Unreadable, read

HEAD = """\
@prefix csto: <https://w3id.org/csto-kg/ontology#> .
@prefix state: <https://w3id.org/csto-kg/id/state/> .
@prefix alliance: <https://w3id.org/csto-kg/id/alliance/> .
@prefix membership: <https://w3id.org/csto-kg/id/membership/> .
@prefix xsd: <http://www.w3.org/2001/XMLSchema#> .
@prefix rdfs: <http://www.w3.org/2000/01/rdf-schema#> .
@prefix owl: <http://www.w3.org/2002/07/owl#> .
@prefix modality: <https://w3id.org/csto-kg/id/modality/> .
@prefix statement: <https://w3id.org/csto-kg/id/statement/> .
"""
LINE = HEAD.count("\n") + 1


def found(kg: KnowledgeGraph, name: str, data: bytes) -> list[tuple[str, int | None]]:
    facts = read(Path(name), data)
    checks = (*forms.check(facts, kg), *usage.check(facts, kg), *policy.check(facts, kg))
    for finding in checks:
        assert {"en", "ar"} <= finding.messages.keys()
        assert explain(finding.check)
    return [(finding.check, finding.line) for finding in checks]


@pytest.mark.parametrize(
    ("name", "data", "code"),
    [
        ("x.ttl", b"<a> <b>", "P01"),
        ("x.nt", b"nothing\n", "P01"),
        ("x.rdf", b"<rdf", "P01"),
        ("x.jsonld", b"{", "P01"),
        ("x.yaml", b"{", "P01"),
        ("x.ttl", b"\xff\xfe", "P01"),
        ("x.ttl", b"#" * 1_000_001, "P02"),
        ("x.nt", b"".join(b"<a:%d> <a:p> <a:o> .\n" % n for n in range(5_001)), "P02"),
        ("x.ttl", b"<a:s> <a:p> " + b"(" * 65 + b")" * 65 + b" .", "P02"),
        ("x.jsonld", b"[" * 65 + b"]" * 65, "P02"),
        ("x.ttl", b"PK\x03\x04", "P03"),
        ("x.ttl", b"\x1f\x8b\x08", "P03"),
        ("x.jsonld", b'{"@context": "http://127.0.0.1:9/", "@id": "a:a"}', "P04"),
        (
            "x.rdf",
            b'<?xml version="1.0"?><!DOCTYPE r [<!ENTITY x SYSTEM "/etc/passwd">]><r/>',
            "P04",
        ),
        ("x.ttl", b'<a:s> <a:p> "' + b"x" * 10_001 + b'" .', "P05"),
        ("x.ttl", b"<a:s> <a:p> [] .", "P06"),
        ("x.ttl", b"# nothing\n", "P07"),
    ],
)
def test_what_cannot_be_taken_in(name: str, data: bytes, code: str) -> None:
    with pytest.raises(Unreadable) as error:
        read(Path(name), data)
    assert error.value.code == code
    assert explain(code)


@pytest.mark.parametrize(
    ("statement", "code"),
    [
        ('membership:x a csto:Membership ; csto:beginsNotBefore "2022-02-30"^^xsd:date .', "L01"),
        ('state:x a csto:State ; rdfs:label "abc\u202edef"@en .', "L02"),
        ('state:x a csto:State ; rdfs:label "cafe\u0301"@en .', "L03"),
        ('state:x a csto:State ; rdfs:label "Россия"@ar .', "L04"),
        ("<https://w3id.org/csto-kg/id/state/arm\u0435nia> a csto:State .", "L05"),
        ("membership:x a csto:Membershp .", "V01"),
        ("membership:x a csto:Membership ; csto:membr state:armenia .", "V02"),
        ("statement:x a csto:Statement ; csto:modality modality:claimd .", "V03"),
        ("membership:x csto:member state:armenia .", "V04"),
        ("csto:Novelty a owl:Class .", "Y01"),
        ("<https://w3id.org/csto-kg/id/submission/000009> a csto:Submission .", "Y06"),
        ("state:x a csto:State ; owl:sameAs state:armenia .", "Y03"),
        ("state:armenia a csto:Polity .", "Y04"),
        ("state:x a csto:State ; csto:everBelongedTo alliance:csto .", "Y06"),
    ],
)
def test_what_is_refused_and_where(kg: KnowledgeGraph, statement: str, code: str) -> None:
    assert (code, LINE) in found(kg, "x.ttl", (HEAD + statement).encode())


@pytest.mark.parametrize("language", ["en", "ar"])
def test_a_good_sheet_has_no_finding(kg: KnowledgeGraph, language: str) -> None:
    path = Path(__file__).parent / "second" / f"invented-report-{language}.yaml"
    assert found(kg, path.name, path.read_bytes()) == []


@given(
    st.binary(max_size=300), st.sampled_from([".ttl", ".nt", ".trig", ".jsonld", ".rdf", ".yaml"])
)
def test_rubbish_is_refused_in_words(data: bytes, suffix: str) -> None:
    try:
        read(Path(f"x{suffix}"), data)
    except (Unreadable, CstoKgError) as error:
        assert str(error)


def test_an_unknown_code_is_refused_with_those_that_are_near() -> None:
    with pytest.raises(CstoKgError, match="MembershipMember"):
        explain("MembershipMembr")
