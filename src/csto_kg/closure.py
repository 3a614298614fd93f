"""The OWL 2 RL closure of the ontology and what sources say.

A reasoner computes it (OWL 2 Profiles, section 4.3, https://www.w3.org/TR/owl2-profiles/): owlrl,
or `reasonable <https://github.com/gtfierro/reasonable>`_ completed by the rules that it lacks. Here
its input is cut down to what can entail anything, and its output to what anybody would ask for.
"""

from __future__ import annotations

import re
import warnings
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any, get_args
from typing import Literal as OneOf

from pyoxigraph import (
    BlankNode,
    DefaultGraph,
    Literal,
    NamedNode,
    Quad,
    QuerySolutions,
    QueryTriples,
    Store,
    Triple,
)

from csto_kg import contradiction
from csto_kg.contradiction import Contradiction
from csto_kg.errors import CstoKgError, CstoKgWarning
from csto_kg.terms import from_rdflib, to_rdflib, value
from csto_kg.vocabulary import ID, OWL, PREFIXES, RDF, RDFS, compact

if TYPE_CHECKING:
    import rdflib

#: What computes a closure.
Reasoner = OneOf["owlrl", "reasonable"]

#: Triples without literals up to which owlrl is chosen, the reference. It was measured to need
#: nearly a second for each of the first thousands of them, which people wait for once or twice,
#: and then ever more; the ontology alone has more than one thousand.
MOST_FOR_OWLRL = 2_000

_IRI = re.compile(r"https?://[^\s<>]+")
_TYPE = NamedNode(f"{RDF}type")
_THING = f"{OWL}Thing"
# About the language of the ontology and not about alliances.
_OF_THE_LANGUAGE = (OWL, *(f"{RDFS}{name}" for name in (
    "member", "subClassOf", "subPropertyOf", "domain", "range")))  # fmt: skip
# Literals that are part of axioms.
_CARDINALITIES = (f"{OWL}maxCardinality", f"{OWL}maxQualifiedCardinality")


@dataclass(frozen=True, slots=True)
class Inference:
    """What follows from a graph and is not in it, in order, and what computed it."""

    triples: list[Triple]
    reasoner: Reasoner


def infer(store: Store, reasoner: Reasoner | None = None) -> Inference:
    """Infer what follows from the store's default graph, as a reasoner has it or the fitting one.

    Only triples about entities of the graph are returned: no axioms, no triples that hold of
    everything. Both reasoners give the same. Raises :class:`CstoKgError` when the graph contradicts
    itself, when the reasoner is not installed, and when it lacks rules for axioms of the graph.
    """
    structure = _structure(store)
    chosen = _checked(reasoner, structure) if reasoner is not None else _fitting(structure)
    closure = (_by_owlrl if chosen == "owlrl" else _by_reasonable)(structure)
    if found := contradiction.contradictions(closure, store):
        reasons = "; ".join(each.reason for each in found)
        raise CstoKgError(f"nothing is inferred from a graph that contradicts itself: {reasons}")
    asserted = set(structure)
    new = (quad.triple for quad in closure if _is_of_interest(quad))
    return Inference(sorted((t for t in new if t not in asserted), key=str), chosen)


def contradictions(store: Store) -> list[Contradiction]:
    """Return what makes the store's default graph inconsistent under the ontology, by owlrl.

    Identifiers are unique names: two of them that the axioms make one are a contradiction too.
    """
    import rdflib

    graph, messages = _owlrl(_structure(store))
    same = ((str(one), str(other)) for one, other in graph.subject_objects(rdflib.OWL.sameAs))
    return [_from_message(message) for message in messages] + contradiction.merged(same, store)


def _structure(store: Store) -> list[Triple]:
    """List what can entail something: no literals, which are four triples in five."""
    return [
        quad.triple
        for quad in store.quads_for_pattern(None, None, None, DefaultGraph())
        if isinstance(quad.object, NamedNode | BlankNode)
        or (isinstance(quad.object, Literal) and quad.predicate.value in _CARDINALITIES)
    ]


def _is_of_interest(quad: Quad) -> bool:
    subject, target = value(quad.subject), value(quad.object)
    return (
        isinstance(quad.object, NamedNode)
        and subject.startswith(ID)
        and subject != target
        and not quad.predicate.value.startswith(_OF_THE_LANGUAGE)
        and not (quad.predicate == _TYPE and target.startswith((OWL, RDFS)))
    )


def _checked(reasoner: Reasoner, structure: list[Triple]) -> Reasoner:
    if reasoner not in get_args(Reasoner):
        names = " or ".join(get_args(Reasoner))
        raise CstoKgError(f"unknown reasoner “{reasoner}”: it is {names}")
    if reasoner == "reasonable":
        if not find_spec("reasonable"):
            raise CstoKgError(f"the reasoner reasonable is not installed: {_INSTALL}")
        if terms := _beyond_reasonable(structure):
            raise CstoKgError(
                f"the reasoner reasonable has no rules for {terms}, which the graph uses: "
                "take owlrl"
            )
    return reasoner


def _fitting(structure: list[Triple]) -> Reasoner:
    if len(structure) <= MOST_FOR_OWLRL:
        return "owlrl"
    if terms := _beyond_reasonable(structure):
        hint = f"no faster reasoner has rules for {terms}, which the graph uses"
    elif not find_spec("reasonable"):
        hint = f"for a faster reasoner, {_INSTALL}"
    else:
        return "reasonable"
    warnings.warn(
        f"owlrl infers from {len(structure)} triples, which takes a while: {hint}",
        CstoKgWarning,
        stacklevel=2,
    )
    return "owlrl"


# -- owlrl ------------------------------------------------------------------------


def _by_owlrl(structure: list[Triple]) -> Store:
    from rdflib import Literal as RdflibLiteral
    from rdflib import URIRef

    closure = Store()
    # It infers triples that are not RDF on the way.
    closure.bulk_extend(
        Quad(*map(from_rdflib, triple))  # type: ignore[arg-type]
        for triple in _owlrl(structure)[0]
        if isinstance(triple[1], URIRef) and not isinstance(triple[0], RdflibLiteral)
    )
    return closure


def _owlrl(structure: list[Triple]) -> tuple[rdflib.Graph, list[str]]:
    """Return a closure by owlrl, and what it says against it."""
    import rdflib
    from owlrl import OWLRL_Semantics

    graph = rdflib.Graph(store="SimpleMemory")
    for triple in structure:
        graph.add((to_rdflib(triple.subject), to_rdflib(triple.predicate),
                   to_rdflib(triple.object)))  # fmt: skip
    engine: Any = OWLRL_Semantics(graph, axioms=False, daxioms=False)
    engine.closure()
    return graph, engine.error_messages


def _from_message(message: str) -> Contradiction:
    """Shorten the IRIs of an engine's message; the node it speaks of comes last."""
    iris = _IRI.findall(message)
    return Contradiction(iris[-1] if iris else "", _IRI.sub(lambda iri: compact(iri[0]), message))


# -- reasonable -------------------------------------------------------------------

_INSTALL = "pip install 'csto-kg[reasonable]'"

# Terms of OWL for which reasonable has the rules of OWL 2 RL, or we do, or that have none.
_COVERED = frozenset(
    f"{OWL}{name}"
    for name in (
        *("Nothing", "Class", "NamedIndividual", "sameAs", "differentFrom", "AllDifferent"),
        *("distinctMembers", "members", "equivalentClass", "disjointWith", "AllDisjointClasses"),
        *("complementOf", "ObjectProperty", "DatatypeProperty", "AnnotationProperty"),
        *("equivalentProperty", "inverseOf", "propertyChainAxiom", "FunctionalProperty"),
        *("InverseFunctionalProperty", "SymmetricProperty", "AsymmetricProperty"),
        *("TransitiveProperty", "IrreflexiveProperty", "propertyDisjointWith"),
        *("AllDisjointProperties", "NegativePropertyAssertion", "sourceIndividual"),
        *("assertionProperty", "targetIndividual", "Ontology", "versionIRI", "imports"),
    )
)
# That something is a owl:Thing says nothing; what is said of it might.
_MAY_BE_THINGS = (_TYPE.value, *(f"{RDFS}{name}" for name in ("subClassOf", "domain", "range")))
_INVERSE = f"{OWL}inverseOf"
# What reasonable infers of these takes time that grows with the square of the graph (prp-fp), and
# of the second is not sound (prp-ifp): it knows them under other names, and the rules are ours.
_ALIASES = {
    f"{OWL}{name}": f"urn:csto-kg:{name}"
    for name in ("FunctionalProperty", "InverseFunctionalProperty")
}
_NAMES = {alias: name for name, alias in _ALIASES.items()}

# prp-fp, prp-ifp; and prp-inv1 and prp-inv2, which reasonable has, for they feed prp-spo2: so that
# in most graphs all that it has to be told is known before it runs, and it runs once.
_RULES = (
    "CONSTRUCT { ?y owl:sameAs ?z } WHERE { ?p a owl:FunctionalProperty . ?x ?p ?y , ?z . "
    "FILTER(?y != ?z && NOT EXISTS { ?y owl:sameAs ?z }) }",
    "CONSTRUCT { ?x owl:sameAs ?y } WHERE { ?p a owl:InverseFunctionalProperty . ?x ?p ?z . "
    "?y ?p ?z . FILTER(?x != ?y && NOT EXISTS { ?x owl:sameAs ?y }) }",
    "CONSTRUCT { ?y ?q ?x } WHERE { ?p owl:inverseOf|^owl:inverseOf ?q . ?x ?p ?y . "
    "FILTER NOT EXISTS { ?y ?q ?x } }",
)
# prp-spo2, for one chain.
_CHAIN = "CONSTRUCT {{ ?x {p} ?y }} WHERE {{ ?x {path} ?y . FILTER NOT EXISTS {{ ?x {p} ?y }} }}"
_CHAINS = """
SELECT ?p ?chain ?step (COUNT(?before) AS ?place) WHERE {
  ?p owl:propertyChainAxiom ?chain . ?chain rdf:rest* ?before . ?before rdf:rest* ?here .
  ?here rdf:first ?step .
} GROUP BY ?p ?chain ?here ?step ORDER BY ?p ?chain ?place
"""


def _beyond_reasonable(structure: Iterable[Triple]) -> str:
    """Name the terms of OWL in a graph for which it takes owlrl."""
    used = set()
    for triple in structure:
        predicate, target = triple.predicate.value, value(triple.object)
        used.add(predicate)
        if target != _THING or predicate not in _MAY_BE_THINGS:
            used.add(target)
        if predicate != _TYPE.value:
            used.add(value(triple.subject))
        if predicate == _INVERSE and isinstance(triple.subject, BlankNode):
            used.add(f"{OWL}inverseOf a blank node")
    return ", ".join(sorted(compact(name) for name in used - _COVERED if name.startswith(OWL)))


def _by_reasonable(structure: list[Triple]) -> Store:
    import reasonable

    engine = reasonable.PyReasoner()
    closure = Store()
    closure.bulk_extend(Quad(*triple) for triple in structure)
    told: list[Triple] = structure
    added = _completed(closure)
    while told or added:
        engine.from_graph([tuple(map(_to_reasonable, triple)) for triple in (*told, *added)])
        closure.bulk_extend(
            Quad(*map(_from_reasonable, triple))  # type: ignore[arg-type]
            for triple in engine.reason()
            # It says this of everything.
            if str(triple[2]) != _THING or str(triple[1]) != _TYPE.value
        )
        told, added = [], _completed(closure)
    return closure


def _completed(closure: Store) -> list[Triple]:
    """Add to a closure what follows by our rules, and return it."""
    added: list[Triple] = []
    rules = (*_RULES, *_chain_rules(closure))
    while new := list({triple for rule in rules for triple in _constructed(closure, rule)}):
        closure.bulk_extend(Quad(*triple) for triple in new)
        added += new
    return added


def _chain_rules(closure: Store) -> list[str]:
    solutions = closure.query(_CHAINS, prefixes=PREFIXES)
    assert isinstance(solutions, QuerySolutions)
    paths: dict[tuple[str, str], list[str]] = {}
    for p, chain, step in ((str(each[name]) for name in ("p", "chain", "step"))
                           for each in solutions):  # fmt: skip
        paths.setdefault((p, chain), []).append(step)
    return [
        _CHAIN.format(p=p, path="/".join(path))
        for (p, _), path in paths.items()
        if all(term.startswith("<") for term in (p, *path))
    ]


def _constructed(closure: Store, rule: str) -> Iterator[Triple]:
    triples = closure.query(rule, prefixes=PREFIXES)
    assert isinstance(triples, QueryTriples)
    return triples


def _to_reasonable(term: NamedNode | BlankNode | Literal | Triple) -> object:
    # Any string is an IRI to it, and cheaper than rdflib's.
    return _ALIASES.get(term.value, term.value) if isinstance(term, NamedNode) else to_rdflib(term)


def _from_reasonable(term: Any) -> object:
    name = _NAMES.get(str(term))
    return NamedNode(name) if name else from_rdflib(term)
