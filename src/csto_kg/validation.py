"""Facts against the shapes, by pyshacl, and against the ontology's axioms, by owlrl.

Lexical forms are looked at before (``forms``): pyshacl compares what it can parse, and passes over
or misjudges what it cannot.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from functools import cache
from itertools import chain
from typing import TYPE_CHECKING, Any

from pyoxigraph import (
    BlankNode,
    DefaultGraph,
    Literal,
    NamedNode,
    Quad,
    RdfFormat,
    Store,
    Triple,
    parse,
)

from csto_kg import shipped
from csto_kg.closure import contradictions
from csto_kg.report import Finding
from csto_kg.shapes import Shapes
from csto_kg.terms import unremarked, value
from csto_kg.vocabulary import CSTO, OWL, RDF, RDFS

if TYPE_CHECKING:
    import rdflib

    from csto_kg.facts import Facts
    from csto_kg.graph import KnowledgeGraph

_TYPE = NamedNode(f"{RDF}type")
_LABEL = NamedNode(f"{RDFS}label")
_DOMAIN_AND_RANGE = (f"{RDFS}domain", f"{RDFS}range")
_DECLARATIONS = ("Class", "ObjectProperty", "DatatypeProperty", "AnnotationProperty", "Ontology")
_ANNOTATIONS = (
    f"{RDFS}isDefinedBy",
    f"{RDFS}seeAlso",
    "https://schema.org/domainIncludes",
    "https://schema.org/rangeIncludes",
)


def warm(graph: KnowledgeGraph) -> None:
    """Read the shapes, try their canaries and import the engines, which a judgement waits for.

    Raises :class:`CstoKgError` when a shape does not report its canary.
    """
    import owlrl  # noqa: F401

    _ = graph.keys
    Shapes.of(graph.home).try_canaries()


def check(facts: Facts, graph: KnowledgeGraph) -> Iterator[Finding]:
    """Judge new facts by the shapes, and find contradictions with the ontology (O01).

    Found are the faults of nodes that the facts describe, at their lines, and those that nodes of
    the graph would have with the facts and do not have without.
    """
    shapes = Shapes.of(graph.home)
    with unremarked():
        results = shapes.reach.validate(facts.triples, graph.store)
    faults = _findings(shapes, results, facts, graph)
    if known := {node for node in _focus_nodes(results) if any(_about(node, graph))}:
        with unremarked():
            results = shapes.reach.validate((), graph.store, known)
        before = _findings(shapes, results, facts, graph)
        faults = [fault for fault in faults if fault not in before]
    yield from faults
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
    """The axioms that matter, the new facts that they are about, and the kinds of their nodes."""
    used = {triple.predicate for triple in facts.triples}
    axioms = [axiom for axiom in _axioms() if axiom.subject in used or not _is_apart(axiom.subject)]
    spoken_of = {axiom.subject for axiom in axioms} | {_TYPE}
    said = [triple for triple in facts.triples if triple.predicate in spoken_of]
    touched = Store()
    touched.extend(Quad(*triple) for triple in (*axioms, *said))
    for node in {term for triple in said for term in (triple.subject, triple.object)}:
        if isinstance(node, NamedNode):
            quads = graph.store.quads_for_pattern(node, _TYPE, None, DefaultGraph())
            touched.extend(Quad(*quad.triple) for quad in quads)
    return touched


@cache
def _axioms() -> list[Triple]:
    quads = parse((shipped.ONTOLOGY / "csto.ttl").read_bytes(), format=RdfFormat.TURTLE)
    return [
        Triple(quad.subject, quad.predicate, quad.object) for quad in quads if _can_contradict(quad)
    ]


@cache
def _is_apart(name: NamedNode | BlankNode) -> bool:
    """Whether it is a property that no axiom joins with others: unused, it entails nothing."""
    said = [axiom for axiom in _axioms() if name in (axiom.subject, axiom.object)]
    is_property = any(axiom.predicate.value in _DOMAIN_AND_RANGE for axiom in said)
    return is_property and all(
        axiom.subject == name and axiom.predicate.value in (*_DOMAIN_AND_RANGE, _TYPE.value)
        for axiom in said
    )


def _can_contradict(quad: Quad) -> bool:
    """Leave out what is said to people, declarations, and classes of others.

    What owlrl infers from a declaration is that a term is itself; classes of others are disjoint
    with nothing.
    """
    if quad.predicate == _TYPE:
        return value(quad.object).removeprefix(OWL) not in _DECLARATIONS
    if quad.predicate.value in (*_DOMAIN_AND_RANGE, f"{RDFS}subClassOf", f"{RDFS}subPropertyOf"):
        return value(quad.object).startswith(CSTO)
    return not isinstance(quad.object, Literal) and quad.predicate.value not in _ANNOTATIONS


def _findings(
    shapes: Shapes, results: rdflib.Graph, facts: Facts, graph: KnowledgeGraph
) -> list[Finding]:
    from rdflib import SH, BNode
    from rdflib import Literal as RdflibLiteral

    def one(result: Any, predicate: Any) -> str | None:
        found = results.value(result, predicate)
        return None if found is None or isinstance(found, BNode) else str(found)

    labels = {node.value: _label(node, facts, graph) for node in _focus_nodes(results)}
    # A shape has several constraints, and a value that breaks two of them is one finding.
    found: dict[tuple[str, ...], Finding] = {}
    # Only what the report lists: the details of a nested shape are results as well.
    for result in results.objects(None, SH.result):
        shape = results.value(result, SH.sourceShape)
        # Of a SPARQL constraint's messages pyshacl loses the language, so they are the shape's.
        constraint = shapes.graph.value(shape, SH.sparql)
        messages = {
            str(message.language or "en"): str(message)
            for bearer in (shape, constraint)
            if bearer is not None
            for message in shapes.graph.objects(bearer, SH.message)
            if isinstance(message, RdflibLiteral)
        }
        node = one(result, SH.focusNode) or ""
        path, target = one(result, SH.resultPath), one(result, SH.value)
        place = facts.place(node, path, target) or facts.mention(node)
        code = shapes.code(shape)
        found[node, code, path or "", target or ""] = Finding(
            (one(result, SH.resultSeverity) or "").removeprefix(str(SH)),
            code,
            node,
            messages or {"en": one(result, SH.resultMessage) or ""},
            labels.get(node, ""),
            path,
            target,
            *(place or (None, None)),
        )
    return [found[key] for key in sorted(found)]


def _focus_nodes(results: rdflib.Graph) -> set[NamedNode]:
    from rdflib import SH, URIRef

    nodes = results.objects(None, SH.focusNode)
    return {NamedNode(str(node)) for node in nodes if isinstance(node, URIRef)}


def _about(node: NamedNode, graph: KnowledgeGraph) -> Iterable[Triple]:
    return (quad.triple for quad in graph.store.quads_for_pattern(node, None, None, DefaultGraph()))


def _label(node: NamedNode, facts: Facts, graph: KnowledgeGraph) -> str:
    """Return the English label of a node, in the facts or else in the graph."""
    names = (
        triple.object.value
        for triple in chain(facts.about(node.value), _about(node, graph))
        if triple.predicate == _LABEL
        and isinstance(triple.object, Literal)
        and triple.object.language == "en"
    )
    return next(names, "")
