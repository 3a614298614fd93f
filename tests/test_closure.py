from __future__ import annotations

import pytest
from pyoxigraph import NamedNode, Quad, Store

from csto_kg import CstoKgError, KnowledgeGraph
from csto_kg.closure import contradictions, infer
from csto_kg.terms import value
from csto_kg.vocabulary import CSTO, ID, RDF, compact

ORG = "http://www.w3.org/ns/org#"


def node(name: str) -> NamedNode:
    prefix, _, local = name.partition(":")
    namespace = {"csto": CSTO, "rdf": RDF}.get(prefix, f"{ID}{prefix}/")
    return NamedNode(namespace + local)


def with_facts(kg: KnowledgeGraph, *facts: str) -> Store:
    """The vocabulary and a few facts, so that a closure takes a moment and not seconds."""
    store = Store()
    vocabulary = kg.store.quads_for_pattern(
        None, None, None, NamedNode("https://w3id.org/csto-kg/ontology")
    )
    store.extend(Quad(quad.subject, quad.predicate, quad.object) for quad in vocabulary)
    store.extend(Quad(*map(node, fact.split())) for fact in facts)
    return store


MEMBERSHIP = (
    "membership:m rdf:type csto:Membership",
    "membership:m csto:member state:armenia",
    "membership:m csto:alliance alliance:csto",
    "state:armenia rdf:type csto:State",
    "alliance:csto rdf:type csto:Alliance",
)


def test_what_is_shipped_is_consistent(kg: KnowledgeGraph) -> None:
    assert isinstance(kg.store, Store)
    assert contradictions(kg.store) == []


def test_a_state_with_a_membership_ever_belonged(kg: KnowledgeGraph) -> None:
    found = {
        tuple(compact(str(part.value)) for part in triple)
        for triple in infer(with_facts(kg, *MEMBERSHIP)).triples
    }
    assert ("state:armenia", "csto:everBelongedTo", "alliance:csto") in found
    assert ("state:armenia", "csto:hasMembership", "membership:m") in found
    assert ("alliance:csto", "csto:everIncluded", "state:armenia") in found
    assert ("membership:m", f"{ORG}member", "state:armenia") in found
    assert ("state:armenia", "rdf:type", "csto:Actor") in found


def test_order_and_identity_of_events_are_transitive(kg: KnowledgeGraph) -> None:
    store = with_facts(
        kg,
        "event:a csto:precedes event:b",
        "event:b csto:precedes event:c",
        "event:a csto:sameOccurrenceAs event:x",
    )
    found = {tuple(compact(str(part.value)) for part in triple) for triple in infer(store).triples}
    assert ("event:a", "csto:precedes", "event:c") in found
    assert ("event:c", "csto:follows", "event:a") in found
    assert ("event:x", "csto:sameOccurrenceAs", "event:a") in found


def test_no_timeless_membership_and_no_noise(kg: KnowledgeGraph) -> None:
    triples = infer(with_facts(kg, *MEMBERSHIP)).triples
    assert triples
    for triple in triples:
        assert value(triple.subject).startswith(ID)
        assert triple.subject != triple.object
        assert triple.predicate.value not in (f"{ORG}memberOf", "https://schema.org/memberOf")
        assert not str(getattr(triple.object, "value", "")).endswith(("owl#Thing", "#Resource"))


def test_a_person_that_is_a_state_is_found_and_explained(kg: KnowledgeGraph) -> None:
    store = with_facts(kg, "person:p rdf:type csto:Person", "person:p rdf:type csto:State")
    [found] = contradictions(store)
    assert found.node == f"{ID}person/p"
    assert "csto:Person" in found.reason
    assert "csto:State" in found.reason
    with pytest.raises(CstoKgError, match="contradicts itself"):
        infer(store)


def test_a_membership_with_two_members_is_found_and_explained(kg: KnowledgeGraph) -> None:
    store = with_facts(kg, *MEMBERSHIP, "membership:m csto:member state:georgia")
    [found] = contradictions(store)
    assert "state:armenia and state:georgia would be one and the same" in found.reason
    assert "membership:m has both as csto:member" in found.reason


def test_inferred_triples_are_there_when_asked_for(kg: KnowledgeGraph) -> None:
    query = "SELECT ?alliance { state:georgia csto:everBelongedTo ?alliance }"
    assert len(kg.sparql(query)) == 0
    rows = kg.sparql(query, inferred=True, sources=["skynewsarabia-2022-csto-summit"])
    assert [str(row.alliance) for row in rows] == [f"{ID}alliance/csto"]
