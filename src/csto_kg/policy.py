"""Policy: what a submission of facts may say at all, and of whose nodes.

It adds nodes of its own source. It changes no terms, no nodes that are there, and nothing of what
another source says; a triple that the graph has already may be repeated, and changes nothing.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from pyoxigraph import DefaultGraph, NamedNode, Quad, Triple

from csto_kg.facts import Facts
from csto_kg.plaintext import shown
from csto_kg.report import Finding
from csto_kg.terms import value
from csto_kg.vocabulary import (
    CSTO,
    ID,
    OA,
    OWL,
    PREFIXES,
    PROV,
    RDF,
    RDFS,
    SHAPES,
    SKOS,
    compact,
    slug_key,
)

if TYPE_CHECKING:
    from csto_kg.endpoint import Engine
    from csto_kg.graph import KnowledgeGraph

SH = "http://www.w3.org/ns/shacl#"
VANN = "http://purl.org/vocab/vann/"

#: Properties that lead to evidence, or to what is derived, and the kind of node that they lead to.
_REACHING = {
    f"{PROV}wasDerivedFrom": "citation",
    f"{OA}hasSource": "source",
    f"{OA}hasSelector": "selector",
    f"{CSTO}derived": "",
}
#: Kinds of what is spoken about: a relation between these is said by a ``csto:Fact``.
ENTITIES = frozenset(
    ("state", "polity", "grouping", "alliance", "treaty", "organization", "person", "collective",
     "place")
)  # fmt: skip
#: Kinds of nodes that belong to one source, and bear its key in front of their slugs.
OWNED = frozenset(
    ("membership", "lifespan", "event", "role", "fact", "statement", "proposition", "appellation",
     "citation", "selector")
)  # fmt: skip

_TYPE = f"{RDF}type"
_DERIVED_FROM, _HAS_SOURCE = f"{PROV}wasDerivedFrom", f"{OA}hasSource"
_HEADERS = (f"{OWL}imports", f"{OWL}versionIRI", f"{OWL}versionInfo", f"{OWL}priorVersion",
            f"{SH}declare", f"{SH}prefix", f"{SH}namespace")  # fmt: skip
_EQUIVALENCES = (f"{OWL}sameAs", f"{OWL}equivalentClass", f"{OWL}equivalentProperty",
                 f"{OWL}differentFrom", "https://schema.org/sameAs",
                 f"{SKOS}exactMatch", f"{SKOS}closeMatch", f"{PROV}alternateOf")  # fmt: skip
#: Of these, the ones that may lead out of the project: to Wikidata, say.
_MATCHES = (f"{SKOS}exactMatch", f"{SKOS}closeMatch")
_AXIOMS = tuple(
    [f"{RDFS}{name}" for name in ("subClassOf", "subPropertyOf", "domain", "range", "isDefinedBy")]
    + [f"{SKOS}{name}" for name in ("inScheme", "topConceptOf", "hasTopConcept", "broader",
                                    "narrower")]
)  # fmt: skip
_META_CLASSES = (f"{RDFS}Class", f"{RDFS}Datatype", f"{RDF}Property", f"{SKOS}Concept",
                 f"{SKOS}ConceptScheme")  # fmt: skip
_INFERRED = tuple(
    CSTO + name for name in ("everBelongedTo", "everIncluded", "hasMembership", "hasSignatory")
)

_Words = tuple[str, str]


def check(facts: Facts, graph: KnowledgeGraph) -> Iterator[Finding]:
    """Find what a submission may not do: codes Y01 to Y07, see :mod:`csto_kg.codes`."""
    yield from _prefixes(facts)
    standing = _Standing(facts, graph)
    for triple in facts.places:
        if Quad(*triple) in graph.store:
            continue
        found = (
            _header(triple)
            or _equivalence(triple)
            or _definition(triple, standing)
            or _inferred(triple, standing)
            or _existing(triple, standing)
            or _others(triple, standing)
            or _uncited(triple, standing)
        )
        if found:
            code, *words = found
            yield facts.finding(code, triple, *words)
    for node in sorted(facts.subjects):
        if key := _foreign_key(node, standing):
            yield facts.finding("Y05", node, *key)


class _Standing:
    """What a document's nodes and triples are to the graph that it is offered to."""

    def __init__(self, facts: Facts, graph: KnowledgeGraph) -> None:
        self.store = store = graph.store
        self.described = {
            subject
            for subject in facts.subjects
            if any(True for _ in store.quads_for_pattern(NamedNode(subject), None, None, _MERGED))
        }
        self.concept_kinds = {
            scheme.rpartition("/")[2] for scheme in _subjects(store, f"{SKOS}ConceptScheme")
        } | {"scheme"}
        self.recorded = {
            value(quad.subject)
            for quad in store.quads_for_pattern(
                None, NamedNode(f"{RDFS}domain"), NamedNode(f"{CSTO}Submission"), _MERGED
            )
        } | {f"{CSTO}Submission"}
        self.owners = graph.keys
        self.cited = _cited(facts)
        self.asserted = {
            value(triple.subject)
            for triple in facts.places
            if triple.predicate.value == _DERIVED_FROM
        }

    def in_graph(self, node: str) -> bool:
        quads = self.store.quads_for_pattern(NamedNode(node), None, None, _MERGED)
        return any(True for _ in quads)


_MERGED = DefaultGraph()

_Found = tuple[str, str, str]


def _prefixes(facts: Facts) -> Iterator[Finding]:
    for prefix in facts.prefixes:
        ours = PREFIXES.get(prefix.name)
        if ours is None or ours == prefix.namespace:
            continue
        name, bound = shown(prefix.name), shown(prefix.namespace)
        yield Finding(
            "Violation",
            "Y02",
            "",
            {
                "en": f"the prefix {name}: stands for {ours} here, not for {bound}: "
                "correct it, or choose another name",
                "ar": f"السابقة {name}: تعني هنا {ours} لا {bound}: صحّحها أو اختر اسمًا آخر",
            },
            value=bound,
            line=prefix.line,
        )


def _header(triple: Triple) -> _Found | None:
    predicate, target = triple.predicate.value, value(triple.object)
    if not (
        predicate in _HEADERS
        or predicate.startswith(VANN)
        or (predicate == _TYPE and target == f"{OWL}Ontology")
        or value(triple.subject) in (CSTO.removesuffix("#"), SHAPES.removesuffix("#"))
    ):
        return None
    name = shown(compact(predicate))
    return (
        "Y02",
        f"{name}: a submission is no ontology, imports nothing and declares no prefixes in its "
        "facts: remove it",
        f"{name}: ليس الإسهام أنطولوجيا ولا يستورد شيئًا ولا يعلن سوابق في وقائعه: احذفه",
    )


def _equivalence(triple: Triple) -> _Found | None:
    predicate, target = triple.predicate.value, value(triple.object)
    if predicate not in _EQUIVALENCES or (
        predicate in _MATCHES and not target.startswith((ID, CSTO, SHAPES))
    ):
        return None
    name, node = shown(compact(predicate)), shown(compact(target))
    return (
        "Y03",
        f"{name} {node}: one thing has one identifier here: use that one and remove this; for "
        "Wikidata write skos:exactMatch on a new entity",
        f"{name} {node}: لكل شيء معرّف واحد هنا: استعمله واحذف هذا، ولعناصر ويكي بيانات "
        "اكتب skos:exactMatch",
    )


def _definition(triple: Triple, standing: _Standing) -> _Found | None:
    subject, predicate, target = (value(term) for term in triple)
    if not (
        subject.startswith((CSTO, SHAPES))
        or _kind(subject) in standing.concept_kinds
        or (subject in standing.described and not subject.startswith(ID))
        or predicate in _AXIOMS
        or predicate.startswith((OWL, SH))
        or (predicate == _TYPE and (target in _META_CLASSES or target.startswith((OWL, SH))))
    ):
        return None
    name = shown(compact(subject))
    return (
        "Y01",
        f"{name}: a submission uses classes, properties, concepts and shapes and defines none: "
        "remove it, and propose the term to the maintainers",
        f"{name}: يستعمل الإسهام الأصناف والخصائص والمفاهيم والأشكال ولا يعرّفها: احذفه "
        "واقترح المصطلح على المشرفين",
    )


def _inferred(triple: Triple, standing: _Standing) -> _Found | None:
    subject, predicate, target = (value(term) for term in triple)
    name = shown(compact(predicate))
    if predicate in _INFERRED:
        return (
            "Y06",
            f"{name} is inferred, never written: describe a csto:Membership, or a csto:Fact with "
            "csto:signatoryOf, and remove it",
            f"تُستنتج {name} ولا تُكتب: صِف عضوية csto:Membership أو واقعة csto:Fact "
            "بـ csto:signatoryOf واحذفها",
        )
    if _kind(subject) == "submission" or {predicate, target} & standing.recorded:
        return (
            "Y06",
            f"{name}: what is on record about submissions is written when they are accepted: "
            "remove it",
            f"{name}: سجل الإسهامات يُكتب عند قبولها: احذفه",
        )
    return None


def _existing(triple: Triple, standing: _Standing) -> _Found | None:
    subject, predicate, target = (value(term) for term in triple)
    if subject not in standing.described or (
        _is_relation(triple) and (subject, predicate, target) in standing.cited
    ):
        return None
    name, what = shown(compact(subject)), shown(compact(predicate))
    return (
        "Y04",
        f"{name} is in the graph already, and this {what} is new: repeat what it has or leave it "
        "out; what your source says of it goes into a node of your own",
        f"{name} موجود في الرسم البياني، و{what} هذه جديدة عليه: كرر ما له أو احذفها، "
        "واكتب ما يقوله مصدرك في عقدة خاصة بك",
    )


def _others(triple: Triple, standing: _Standing) -> _Found | None:
    """Find evidence or derivations that reach into what another source has in the graph."""
    predicate, target = triple.predicate.value, value(triple.object)
    kind = _REACHING.get(predicate)
    if kind is None or kind not in ("", _kind(target)) or not standing.in_graph(target):
        return None
    name, what = shown(compact(target)), shown(compact(predicate))
    return (
        "Y05",
        f"{what} {name}: that belongs to a source that is in the graph already: describe your own "
        "source, and cite that",
        f"{what} {name}: هذا لمصدر موجود في الرسم البياني: صِف مصدرك واستشهد به",
    )


def _foreign_key(node: str, standing: _Standing) -> _Words | None:
    if _kind(node) not in OWNED or node in standing.described:
        return None
    key = slug_key(node)
    if key not in standing.owners:
        return None
    name, owner = shown(compact(node)), shown(compact(standing.owners[key]))
    return (
        f"{name} begins with the key of {owner}, “{key}”: begin its slug with a key of your own "
        "source",
        f"يبدأ {name} بمفتاح المصدر {owner} وهو «{key}»: ابدأ الاسم بمفتاح مصدرك",
    )


def _uncited(triple: Triple, standing: _Standing) -> _Found | None:
    subject, predicate, target = (value(term) for term in triple)
    if not _is_relation(triple) or (subject, predicate, target) in standing.cited:
        return None
    said = shown(" ".join(map(compact, (subject, predicate, target))))
    return (
        "Y07",
        f"nothing says who says so: {said}: add a csto:Fact with this rdf:subject, rdf:predicate "
        "and rdf:object, and a citation",
        f"لا شيء يبيّن من قال ذلك: {said}: أضف واقعة csto:Fact بموضوعها ومحمولها ومفعولها مع إحالة",
    )


def _is_relation(triple: Triple) -> bool:
    """Tell whether a triple relates an entity, which no source owns, to another node."""
    return (
        triple.predicate.value.startswith(CSTO)
        and isinstance(triple.object, NamedNode)
        and _kind(value(triple.subject)) in ENTITIES
    )


def _cited(facts: Facts) -> set[tuple[str, str, str]]:
    """Return the triples that a ``csto:Fact`` of the document describes and cites."""
    parts: dict[str, dict[str, str]] = {}
    for triple in facts.places:
        if triple.predicate.value.startswith((RDF, PROV)):
            node = parts.setdefault(value(triple.subject), {})
            node.setdefault(triple.predicate.value, value(triple.object))
            if triple.predicate.value == _TYPE and value(triple.object) == f"{CSTO}Fact":
                node["fact"] = ""
    wanted = [f"{RDF}subject", f"{RDF}predicate", f"{RDF}object"]
    return {
        (node[wanted[0]], node[wanted[1]], node[wanted[2]])
        for node in parts.values()
        if {"fact", _DERIVED_FROM, *wanted} <= node.keys()
    }


def _subjects(store: Engine, kind: str) -> set[str]:
    quads = store.quads_for_pattern(None, NamedNode(_TYPE), NamedNode(kind), _MERGED)
    return {value(quad.subject) for quad in quads}


def _kind(node: str) -> str:
    return node.removeprefix(ID).partition("/")[0] if node.startswith(ID) else ""
