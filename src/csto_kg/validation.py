"""Facts against the shapes, by pyshacl, and against the ontology's axioms, by owlrl.

Lexical forms are looked at before (``forms``): pyshacl compares what it can parse, and passes over
or misjudges what it cannot.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from functools import cache
from typing import TYPE_CHECKING, Any

from pyoxigraph import DefaultGraph, Literal, NamedNode, Quad, RdfFormat, Store, Triple, parse

from csto_kg import shipped
from csto_kg.closure import contradictions
from csto_kg.report import Finding
from csto_kg.terms import Term, unremarked, value
from csto_kg.vocabulary import CSTO, OWL, RDF, RDFS, SHAPES

if TYPE_CHECKING:
    import rdflib

    from csto_kg.facts import Facts
    from csto_kg.fragment import Reach
    from csto_kg.graph import KnowledgeGraph

_TYPE = NamedNode(f"{RDF}type")
_OF_USES = (NamedNode(f"{RDFS}domain"), NamedNode(f"{RDFS}range"))
_DECLARATIONS = tuple(
    NamedNode(OWL + kind)
    for kind in ("Class", "ObjectProperty", "DatatypeProperty", "AnnotationProperty", "Ontology")
)
_ANNOTATIONS = (
    f"{RDFS}isDefinedBy",
    f"{RDFS}seeAlso",
    "https://schema.org/domainIncludes",
    "https://schema.org/rangeIncludes",
)


def warm() -> None:
    """Read the shapes and import the engines, so that the first judgement does not wait."""
    import owlrl  # noqa: F401

    _reach()


def check(facts: Facts, graph: KnowledgeGraph) -> Iterator[Finding]:
    """Judge new facts by the shapes, and find contradictions with the ontology (O01).

    Every finding is about a node that the facts describe, at its line where it has one.
    """
    with unremarked():
        results = _reach().validate(facts.triples, graph.store)
    for finding in _findings(results, facts.triples):
        place = facts.place(finding.focus_node, finding.path, finding.value)
        line, column = (place.line, place.column) if place else (None, None)
        yield replace(finding, line=line, column=column)
    for found in contradictions(_touched(facts, graph)):
        nodes = (found.node, *found.others)
        node = next((one for one in nodes if one in facts.subjects), found.node)
        place = facts.place(node)
        line, column = (place.line, place.column) if place else (None, None)
        english = f"{found.reason}: one of these statements is wrong: take it out"
        arabic = f"تناقض مع الأنطولوجيا ({found.reason}): احذف القول الخاطئ"
        messages = {"en": english, "ar": arabic}
        yield Finding("Violation", "O01", node, messages, line=line, column=column)


def _touched(facts: Facts, graph: KnowledgeGraph) -> Store:
    """The axioms, the new facts, and what the graph says of the nodes that they mention.

    A domain or a range says something only of a property that is used, here or by inference.
    """
    touched = Store()
    used = _inferable().union(*facts.triples)
    touched.extend(
        Quad(axiom.subject, axiom.predicate, axiom.object)
        for axiom in _axioms()
        if axiom.predicate not in _OF_USES or axiom.subject in used
    )
    touched.extend(Quad(*triple) for triple in facts.triples)
    for node in {term for triple in facts.triples for term in (triple.subject, triple.object)}:
        if isinstance(node, NamedNode):
            quads = graph.store.quads_for_pattern(node, _TYPE, None, DefaultGraph())
            touched.extend(Quad(quad.subject, quad.predicate, quad.object) for quad in quads)
    return touched


@cache
def _axioms() -> list[Triple]:
    quads = parse((shipped.ONTOLOGY / "csto.ttl").read_bytes(), format=RdfFormat.TURTLE)
    return [
        Triple(quad.subject, quad.predicate, quad.object) for quad in quads if _can_contradict(quad)
    ]


@cache
def _inferable() -> frozenset[Term]:
    """The properties that other axioms than domains and ranges are about, and other terms."""
    return frozenset(
        term
        for axiom in _axioms()
        if axiom.predicate not in (*_OF_USES, _TYPE)
        for term in (axiom.subject, axiom.object)
    )


def _can_contradict(quad: Quad) -> bool:
    """Leave out what is said to people, and classes of others, which are disjoint with nothing.

    Declarations too: of each, much follows that is true of everything, and takes half the time.
    """
    if quad.object in _DECLARATIONS:
        return False
    if quad.predicate.value.endswith(("subClassOf", "subPropertyOf")):
        return value(quad.object).startswith(CSTO)
    return not isinstance(quad.object, Literal) and quad.predicate.value not in _ANNOTATIONS


@cache
def _shapes() -> rdflib.Graph:
    import rdflib

    return rdflib.Graph().parse(shipped.ONTOLOGY / "shapes.ttl")


@cache
def _reach() -> Reach:
    from csto_kg.fragment import Reach

    return Reach(_shapes())


def _findings(results: rdflib.Graph, triples: set[Triple]) -> list[Finding]:
    from rdflib import SH, BNode
    from rdflib import Literal as RdflibLiteral

    shapes = _shapes()
    labels = _labels(triples)

    def one(result: Any, predicate: Any) -> str | None:
        found = results.value(result, predicate)
        return None if found is None or isinstance(found, BNode) else str(found)

    described = {value(triple.subject) for triple in triples}
    found = {}
    # A shape has several constraints, and a value that breaks two of them is one finding.
    # Only what the report lists: the details of a nested shape are results as well.
    for result in results.objects(None, SH.result):
        if one(result, SH.focusNode) not in described:
            continue
        shape = results.value(result, SH.sourceShape)
        # Of a SPARQL constraint's messages pyshacl loses the language, so they are the shape's.
        constraint = shapes.value(shape, SH.sparql)
        messages = {
            str(message.language): str(message)
            for bearer in (shape, constraint)
            if bearer is not None
            for message in shapes.objects(bearer, SH.message)
            if isinstance(message, RdflibLiteral)
        }
        node = one(result, SH.focusNode) or ""
        finding = Finding(
            (one(result, SH.resultSeverity) or "").removeprefix(str(SH)),
            str(shape).removeprefix(SHAPES),
            node,
            messages,
            labels.get(node, ""),
            one(result, SH.resultPath),
            one(result, SH.value),
        )
        found[node, finding.check, finding.path or "", finding.value or ""] = finding
    return [found[key] for key in sorted(found)]


def _labels(triples: set[Triple]) -> dict[str, str]:
    return {
        value(triple.subject): triple.object.value
        for triple in triples
        if triple.predicate.value.endswith("#label")
        and isinstance(triple.object, Literal)
        and triple.object.language == "en"
    }
