"""The OWL 2 RL closure of the ontology and what sources say.

owlrl computes it (OWL 2 Profiles, section 4.3, https://www.w3.org/TR/owl2-profiles/); here its
input is cut down to what can entail anything, and its output to what anybody would ask for.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from pyoxigraph import BlankNode, DefaultGraph, NamedNode, Quad, Store, Triple

from csto_kg.errors import CstoKgError
from csto_kg.terms import to_rdflib, value
from csto_kg.vocabulary import ID, OWL, RDF, RDFS, compact

if TYPE_CHECKING:
    import rdflib

_IRI = re.compile(r"https?://[^\s<>]+")
_TYPE = NamedNode(f"{RDF}type")
_FUNCTIONAL = NamedNode(f"{OWL}FunctionalProperty")
_SAME = NamedNode(f"{OWL}sameAs")
# True of everything, or about the language of the ontology and not about alliances.
_NOISE_PREDICATES = (f"{OWL}sameAs", f"{OWL}differentFrom", f"{RDFS}member")
_NOISE_CLASSES = (f"{OWL}Thing", f"{RDFS}Resource", f"{OWL}Class", f"{RDFS}Class")


@dataclass(frozen=True, slots=True)
class Contradiction:
    """Why the closure is inconsistent, in words, the node in which it shows, and others in it."""

    node: str
    reason: str
    others: tuple[str, ...] = ()


def inferred(store: Store) -> list[Triple]:
    """Return what follows from the store's default graph and is not in it.

    Only triples about entities of the graph are returned: no axioms, no triples that hold of
    everything. Raises :class:`CstoKgError` when the graph contradicts itself.
    """
    triples, contradictions = _close(store)
    if contradictions:
        reasons = "; ".join(found.reason for found in contradictions)
        raise CstoKgError(f"nothing is inferred from a graph that contradicts itself: {reasons}")
    return triples


def contradictions(store: Store) -> list[Contradiction]:
    """Return what makes the store's default graph inconsistent under the ontology.

    Identifiers are unique names: two of them that the axioms make one are a contradiction too.
    """
    return _close(store)[1]


def _close(store: Store) -> tuple[list[Triple], list[Contradiction]]:
    import rdflib
    from owlrl import OWLRL_Semantics

    graph = _structure(store)
    asserted = set(graph)
    engine: Any = OWLRL_Semantics(graph, axioms=False, daxioms=False)
    engine.closure()
    new = [
        Triple(*(NamedNode(str(term)) for term in triple))
        for triple in graph
        if triple not in asserted and all(isinstance(term, rdflib.URIRef) for term in triple)
    ]
    messages = [_from_message(message) for message in engine.error_messages]
    return (
        sorted((triple for triple in new if _is_of_interest(triple)), key=str),
        messages + _merged(store, new),
    )


def _structure(store: Store) -> rdflib.Graph:
    """Copy what can entail something: no literals, which are four triples in five."""
    import rdflib

    graph = rdflib.Graph(store="SimpleMemory")
    for quad in store.quads_for_pattern(None, None, None, DefaultGraph()):
        if isinstance(quad.object, NamedNode | BlankNode):
            graph.add((to_rdflib(quad.subject), to_rdflib(quad.predicate), to_rdflib(quad.object)))
    return graph


def _is_of_interest(triple: Triple) -> bool:
    subject, target = value(triple.subject), value(triple.object)
    return (
        subject.startswith(ID)
        and subject != target
        and triple.predicate.value not in _NOISE_PREDICATES
        and not (triple.predicate.value == f"{RDF}type" and target in _NOISE_CLASSES)
    )


def _from_message(message: str) -> Contradiction:
    """Shorten the IRIs of an engine's message; the node it speaks of comes last."""
    iris = _IRI.findall(message)
    return Contradiction(iris[-1] if iris else "", _IRI.sub(lambda iri: compact(iri[0]), message))


def _merged(store: Store, new: list[Triple]) -> list[Contradiction]:
    """Find identifiers that the axioms make one thing, and the statements that do."""
    pairs = {
        tuple(sorted((value(triple.subject), value(triple.object))))
        for triple in new
        if triple.predicate == _SAME and isinstance(triple.object, NamedNode)
    }
    found = []
    for one, other in sorted(pairs):
        if one != other and one.startswith(ID) and other.startswith(ID):
            first, second = (_values(store, name) for name in (one, other))
            functional = [
                (subject, predicate)
                for subject, predicate in sorted(first & second)
                if Quad(NamedNode(predicate), _TYPE, _FUNCTIONAL) in store
            ]
            causes = [
                f"{compact(subject)} has both as {compact(predicate)}, which takes one"
                for subject, predicate in functional
            ]
            because = f": {'; '.join(causes)}" if causes else ""
            reason = f"{compact(one)} and {compact(other)} would be one and the same{because}"
            others = (*(subject for subject, _ in functional), other)
            found.append(Contradiction(one, reason, others))
    return found


def _values(store: Store, iri: str) -> set[tuple[str, str]]:
    quads = store.quads_for_pattern(None, None, NamedNode(iri), DefaultGraph())
    return {(value(quad.subject), value(quad.predicate)) for quad in quads}
