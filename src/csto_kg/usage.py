"""Vocabulary: classes, properties and concepts that the ontology has, and those that it uses."""

from __future__ import annotations

import json
from collections.abc import Iterator
from difflib import get_close_matches
from functools import cache
from typing import TYPE_CHECKING

from pyoxigraph import DefaultGraph, Literal, NamedNode, Triple

from csto_kg import identifiers, shipped
from csto_kg.facts import Facts
from csto_kg.plaintext import shown
from csto_kg.report import Finding
from csto_kg.terms import value
from csto_kg.vocabulary import CSTO, ID, OWL, PREFIXES, RDF, RDFS, SKOS, XSD, compact, expand

if TYPE_CHECKING:
    from csto_kg.endpoint import Engine
    from csto_kg.graph import KnowledgeGraph

_TYPE = NamedNode(f"{RDF}type")
_CONCEPT = NamedNode(f"{SKOS}Concept")
_SCHEME = NamedNode(f"{SKOS}ConceptScheme")
_CLASS = NamedNode(f"{OWL}Class")
_PROPERTIES = tuple(
    NamedNode(f"{OWL}{kind}Property") for kind in ("Object", "Datatype", "Annotation")
)
#: Properties whose values are properties.
_OF_PROPERTIES = (f"{RDF}predicate", f"{CSTO}derivedProperty")
#: Datatypes of the forms that sheets and other tools write.
_DATATYPES = tuple(
    [f"{XSD}{name}" for name in ("string", "date", "integer", "boolean", "anyURI")]
    + [f"{RDF}langString", f"{RDF}dirLangString", PREFIXES["edtf"] + "EDTF"]
)

_Words = tuple[str, str]


def check(facts: Facts, graph: KnowledgeGraph) -> Iterator[Finding]:
    """Find unknown classes (V01), properties (V02) and concepts (V03) of this project's.

    Also subjects without a type (V04) and, as warnings, terms of other vocabularies that the
    ontology does not use (V05).
    """
    known = _Known(graph.store)
    reported: set[tuple[str, str]] = set()
    for triple in facts.places:
        for code, term, words, severity in _terms(triple, known):
            if (code, term) not in reported:
                reported.add((code, term))
                yield facts.finding(code, triple, *words, severity=severity)
    typed = {value(triple.subject) for triple in facts.places if triple.predicate == _TYPE}
    for subject in sorted(facts.subjects - typed):
        name = shown(compact(subject))
        yield facts.finding(
            "V04", subject, f"{name} has no type, and nothing would check it: add rdf:type, "
            "repeating the type that it has if it is known already",
            f"ليس لـ {name} نوع فلا يتحقق منه شيء: أضف rdf:type، وكرر نوعه إن كان معروفًا",
        )  # fmt: skip


class _Known:
    """The terms of the ontology that a graph holds, and those that it uses of others."""

    def __init__(self, store: Engine) -> None:
        self.classes = _instances(store, _CLASS)
        self.properties = {iri for kind in _PROPERTIES for iri in _instances(store, kind)}
        self.concepts = _instances(store, _CONCEPT)
        schemes = _instances(store, _SCHEME)
        self.kinds = {scheme.rpartition("/")[2] for scheme in schemes}
        self.used = _used_in_sheets() | self.classes | self.properties


def _terms(triple: Triple, known: _Known) -> Iterator[tuple[str, str, _Words, str]]:
    """Yield what is unknown in a triple: its code, the term, the words and the severity."""
    predicate, target = triple.predicate.value, triple.object
    if predicate.startswith(CSTO):
        yield from _unknown("V02", predicate, known.properties)
    elif predicate not in known.used:
        yield _unused(predicate)
    if isinstance(target, Literal):
        if target.datatype.value not in _DATATYPES:
            yield _unused(target.datatype.value)
    elif isinstance(target, NamedNode):
        iri = target.value
        if predicate == f"{RDF}type":
            if iri.startswith((CSTO, ID)):
                yield from _unknown("V01", iri, known.classes)
            elif iri not in known.used:
                yield _unused(iri)
        elif predicate in _OF_PROPERTIES:
            if iri.startswith(CSTO):
                yield from _unknown("V02", iri, known.properties)
        elif iri.startswith(ID) and iri.removeprefix(ID).partition("/")[0] in known.kinds:
            yield from _unknown("V03", iri, known.concepts)


_NOUNS = {
    "V01": ("a class of the ontology", "صنفًا من أصناف الأنطولوجيا", "csto.ttl"),
    "V02": ("a property of the ontology", "خاصية من خصائص الأنطولوجيا", "csto.ttl"),
    "V03": ("a concept of its scheme", "مفهومًا من مفاهيم مخططه", "schemes.ttl"),
}


def _unknown(code: str, iri: str, known: set[str]) -> Iterator[tuple[str, str, _Words, str]]:
    # What is not even written as an identifier is reported as such, and as that alone.
    if iri in known or identifiers.mistake(iri):
        return
    namespace = iri[: max(iri.rfind("/"), iri.rfind("#")) + 1]
    names = {other.removeprefix(namespace): other for other in known if other.startswith(namespace)}
    local = iri.removeprefix(namespace)
    near = get_close_matches(local, names, n=1) or [
        name for name in names if name.casefold() == local.casefold()
    ]
    name, (english, arabic, file) = shown(compact(iri)), _NOUNS[code]
    meant = compact(names[near[0]]) if near else _in_sheets().get(local)
    if meant:
        hint, arabic_hint = f"did you mean {meant}?", f"أتقصد {meant}؟"
    else:
        some = ", ".join(sorted(compact(other) for other in names.values()))
        choice = some if 0 < len(names) <= 20 else f"ontology/{file}"
        hint, arabic_hint = f"choose one of {choice}", f"اختر من {choice}"
    yield (
        code,
        iri,
        (f"{name} is not {english}: {hint}", f"{name} ليس {arabic}: {arabic_hint}"),
        "Violation",
    )


def _unused(iri: str) -> tuple[str, str, _Words, str]:
    name = shown(compact(iri))
    words = (
        f"the ontology does not use {name}, so no query asks for it: say it in the project's terms",
        f"لا تستعمل الأنطولوجيا {name} فلا يسأل عنه أي استعلام: قله بمصطلحات المشروع",
    )
    return "V05", iri, words, "Warning"


def _instances(store: Engine, kind: NamedNode) -> set[str]:
    quads = store.quads_for_pattern(None, _TYPE, kind, DefaultGraph())
    return {value(quad.subject) for quad in quads}


@cache
def _in_sheets() -> dict[str, str]:
    """Return what each name stands for that fact sheets have for a term."""
    context = json.loads((shipped.ONTOLOGY / "context.jsonld").read_text("utf-8"))["@context"]
    names = {key: term["@id"] if isinstance(term, dict) else term for key, term in context.items()}
    return {key: meaning for key, meaning in names.items() if isinstance(meaning, str)}


@cache
def _used_in_sheets() -> set[str]:
    """Return the terms of other vocabularies that fact sheets have names for, and naming itself."""
    expanded = {expand(name) for name in _in_sheets().values()}
    return {iri for iri in expanded if iri} | {f"{RDF}type", f"{RDFS}comment", f"{RDFS}seeAlso"}
