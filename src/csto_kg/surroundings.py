"""An entity and what surrounds it: all that an assertion about it rests on."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pyoxigraph import DefaultGraph, NamedNode, Triple

from csto_kg.vocabulary import ID, RDF, RDFS, SKOS

if TYPE_CHECKING:
    from csto_kg.endpoint import Engine

# Kinds of nodes that speak about others, and those that an assertion rests on.
_ASSERTED = frozenset(
    ("membership", "lifespan", "event", "role", "fact", "statement", "appellation", "proposition")
)
_EVIDENCE = frozenset(("citation", "selector", "source", "proposition", "derivation"))
_NAMING = frozenset((f"{RDF}type", f"{RDFS}label", f"{SKOS}altLabel"))


def surroundings(engine: Engine, centre: NamedNode) -> set[Triple]:
    """Return an entity's own triples and the assertions about it with all they rest on.

    An assertion's citations, selectors, propositions, derivations and sources come whole; of
    what else is mentioned, type and names.
    """
    whole = {centre} | {
        quad.subject
        for quad in engine.quads_for_pattern(None, None, centre, DefaultGraph())
        if isinstance(quad.subject, NamedNode) and _kind(quad.subject) in _ASSERTED
    }
    followed: set[NamedNode] = set()
    triples: set[Triple] = set()
    while whole - followed:
        node = (whole - followed).pop()
        followed.add(node)
        for triple in about(engine, node):
            triples.add(triple)
            if _kind(triple.object) in _EVIDENCE and isinstance(triple.object, NamedNode):
                whole.add(triple.object)
    mentioned = {triple.object for triple in triples} - followed
    return triples | {
        triple
        for node in mentioned
        if isinstance(node, NamedNode)
        for triple in about(engine, node)
        if triple.predicate.value in _NAMING
    }


def about(engine: Engine, node: NamedNode) -> list[Triple]:
    """Return the triples whose subject a node is."""
    quads = engine.quads_for_pattern(node, None, None, DefaultGraph())
    return [Triple(quad.subject, quad.predicate, quad.object) for quad in quads]


def _kind(node: object) -> str:
    iri = node.value if isinstance(node, NamedNode) else ""
    return iri.removeprefix(ID).partition("/")[0] if iri.startswith(ID) else ""
