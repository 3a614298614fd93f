"""Contradictions: what the rules of OWL 2 RL whose conclusion is false find in a closure.

They are the rows of tables 4 to 7 of OWL 2 Profiles, section 4.3
(https://www.w3.org/TR/owl2-profiles/), each a SPARQL pattern. Left out are those about literals
(prp-npa2, dt-not-type), which entail nothing here. Unique names are one rule more.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from pyoxigraph import DefaultGraph, NamedNode, Quad, QuerySolutions, Store

from csto_kg.terms import value
from csto_kg.vocabulary import ID, OWL, PREFIXES, RDF, compact

_TYPE = NamedNode(f"{RDF}type")
_FUNCTIONAL = NamedNode(f"{OWL}FunctionalProperty")
_SAME = NamedNode(f"{OWL}sameAs")


@dataclass(frozen=True, slots=True)
class Contradiction:
    """Why the closure is inconsistent, in words, the node in which it shows, and others in it."""

    node: str
    reason: str
    others: tuple[str, ...] = ()


def contradictions(closure: Store, asserted: Store) -> list[Contradiction]:
    """Return what is false in the default graph of a closure.

    The closure is that of the default graph of ``asserted``, in which are looked up the statements
    that make two identifiers one. The same contradictions come in the same order every time.
    """
    found = {
        Contradiction(node, words.format_map(names), tuple(nodes))
        for pattern, words in _RULES
        for node, nodes, names in _solutions(closure, pattern)
    }
    in_order = sorted(found, key=lambda each: (each.node, each.reason))
    same = closure.quads_for_pattern(None, _SAME, None, DefaultGraph())
    return in_order + merged(((value(q.subject), value(q.object)) for q in same), asserted)


def merged(same: Iterable[tuple[str, str]], asserted: Store) -> list[Contradiction]:
    """Return which identifiers are one thing with another, and the statements that make them so.

    ``same`` are all pairs that the closure has as ``owl:sameAs``.
    """
    found = []
    for one, other in sorted({(min(pair), max(pair)) for pair in same}):
        if one != other and one.startswith(ID) and other.startswith(ID):
            first, second = (_values(asserted, name) for name in (one, other))
            functional = [
                (subject, predicate)
                for subject, predicate in sorted(first & second)
                if Quad(NamedNode(predicate), _TYPE, _FUNCTIONAL) in asserted
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


def _solutions(closure: Store, pattern: str) -> Iterator[tuple[str, list[str], dict[str, str]]]:
    solutions = closure.query(f"SELECT * WHERE {{ {pattern} }}", prefixes=PREFIXES)
    assert isinstance(solutions, QuerySolutions)
    names = [variable.value for variable in solutions.variables]
    for solution in solutions:
        terms = {name: value(solution[name]) for name in names}
        others = [terms["target"]] if "target" in terms else []
        yield terms["node"], others, {name: compact(term) for name, term in terms.items()}


def _values(store: Store, iri: str) -> set[tuple[str, str]]:
    quads = store.quads_for_pattern(None, None, NamedNode(iri), DefaultGraph())
    return {(value(quad.subject), value(quad.predicate)) for quad in quads}


def _two_of(kind: str, members: str = "owl:members") -> str:
    """Match two members of a list, in its order, that an axiom of a kind says something of."""
    return (
        f"?axiom a owl:{kind} ; {members}/rdf:rest* ?rest . "
        "?rest rdf:first ?one ; rdf:rest/rdf:rest*/rdf:first ?other . "
    )


_BOTH = "{node} is a {one} and a {other}, which have nothing in common"
_JOINED = "{node} has {target} as {one} and as {other}, which never join the same two"
_DIFFERENT = "{node} and {target} are the same and different"
# Rule, and what it says: ?node is where it shows, ?target another node that it shows in.
_RULES = (
    # cls-nothing2, cls-com, cax-dw, cax-adc
    ("?node a owl:Nothing", "{node} is a owl:Nothing, which nothing is"),
    ("?one owl:complementOf ?other . ?node a ?one , ?other", _BOTH),
    ("?one owl:disjointWith ?other . ?node a ?one , ?other", _BOTH),
    (f"{_two_of('AllDisjointClasses')} ?node a ?one , ?other", _BOTH),
    # prp-irp, prp-asyp, prp-pdw, prp-adp, prp-npa1
    ("?one a owl:IrreflexiveProperty . ?node ?one ?node",
     "{node} has itself as {one}, which nothing has"),
    ("?one a owl:AsymmetricProperty . ?node ?one ?target . ?target ?one ?node",
     "{node} and {target} have each other as {one}, which goes one way"),
    ("?one owl:propertyDisjointWith ?other . ?node ?one ?target ; ?other ?target", _JOINED),
    (f"{_two_of('AllDisjointProperties')} ?node ?one ?target ; ?other ?target", _JOINED),
    ("?axiom owl:sourceIndividual ?node ; owl:assertionProperty ?one ; "
     "owl:targetIndividual ?target . ?node ?one ?target",
     "{node} has {target} as {one}, and it is said that it has not"),
    # eq-diff1, eq-diff2 and eq-diff3; what is the same as itself need not be said
    ("?node owl:differentFrom ?target . ?node owl:sameAs ?target", _DIFFERENT),
    ("?node owl:differentFrom ?node . BIND(?node AS ?target)", _DIFFERENT),
    (_two_of("AllDifferent", "(owl:members|owl:distinctMembers)")
     .replace("?one", "?node").replace("?other", "?target")
     + "FILTER(?node = ?target || EXISTS { ?node owl:sameAs ?target })",
     _DIFFERENT),
    # cls-maxc1, cls-maxqc1 and cls-maxqc2
    ("?axiom owl:maxCardinality ?most ; owl:onProperty ?one . ?node a ?axiom ; ?one ?target . "
     "FILTER(?most = 0)",
     "{node} has {target} as {one}, and it may have none"),
    ("?axiom owl:maxQualifiedCardinality ?most ; owl:onProperty ?one ; owl:onClass ?other . "
     "?node a ?axiom ; ?one ?target . "
     "FILTER(?most = 0 && (?other = owl:Thing || EXISTS { ?target a ?other }))",
     "{node} has {target} as {one}, and it may have none that is a {other}"),
)  # fmt: skip
