"""Entities by what people call them: identifiers, slugs and labels in any language."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from difflib import get_close_matches

from pyoxigraph import DefaultGraph, NamedNode, Quad

from csto_kg.endpoint import Engine
from csto_kg.errors import CstoKgError
from csto_kg.terms import value
from csto_kg.vocabulary import CSTO, ID, RDF, RDFS, SKOS, compact, expand

_MERGED = DefaultGraph()
_TYPE = NamedNode(f"{RDF}type")
_NAMES = tuple(NamedNode(iri) for iri in (f"{RDFS}label", f"{SKOS}altLabel", f"{CSTO}nameText"))
_NAME_OF = NamedNode(f"{CSTO}names")
_IN_SCHEME = NamedNode(f"{SKOS}inScheme")
_SUBCLASS = NamedNode(f"{RDFS}subClassOf")

# Letters that Arabic prints interchangeably, as Lucene's ArabicNormalizer has them; those that
# Unicode takes apart into a letter and a mark (أ إ آ ё й) are folded by dropping the mark.
_ALIKE = str.maketrans("ٱىة", "اي\u0647", "ـ")


@dataclass(frozen=True, slots=True)
class Match:
    """An entity found by one of its names, and whether the whole name was asked for."""

    whole: bool
    name: str
    iri: str


def fold(text: str) -> str:
    """Fold case, diacritics, tatweel and interchangeable letters, for comparing names."""
    letters = unicodedata.normalize("NFKD", unicodedata.normalize("NFKD", text).casefold())
    bare = "".join(letter for letter in letters if not unicodedata.combining(letter))
    return " ".join(bare.translate(_ALIKE).split())


def search(store: Engine, text: str) -> list[Match]:
    """Find what has a name that holds ``text``: whole names first, then the shorter the better.

    Names are labels, alternative labels and appellations in the store's default graph.
    """
    wanted = fold(text)
    best: dict[str, Match] = {}
    for iri, name in _named(store):
        folded = fold(name)
        if wanted and wanted in folded:
            match = Match(folded == wanted, name, iri)
            if iri not in best or _order(match) < _order(best[iri]):
                best[iri] = match
    return sorted(best.values(), key=_order)


def _order(match: Match) -> tuple[bool, int, str, str]:
    return not match.whole, len(match.name), match.name, match.iri


def resolve(store: Engine, text: str, kind: str = "iri") -> str:
    """Return the IRI of the entity that ``text`` means.

    ``text`` is an IRI, a CURIE (``state:armenia``), a slug (``armenia``) or a label in any
    language. ``kind`` is ``csto:<Class>``, ``scheme/<name>`` for a concept, or ``iri`` for
    anything. Raises :class:`CstoKgError` with the candidates when nothing or several match.
    """
    if iri := _identifier(text):
        if _exists(store, iri):
            if not _is_a(store, iri, kind):
                raise CstoKgError(f"{compact(iri)} is not a {_kind_name(kind)}")
            return iri
        raise CstoKgError(f"“{text}” is not in the graph{_near(store, text, kind)}")
    slug = [iri for iri in _subjects(store, kind) if iri.rpartition("/")[2] == text.lower()]
    found = slug or sorted(
        {
            match.iri
            for match in search(store, text)
            if match.whole and _is_a(store, match.iri, kind)
        }
    )
    match found:
        case [iri]:
            return iri
        case []:
            raise CstoKgError(f"no {_kind_name(kind)} is called “{text}”{_near(store, text, kind)}")
        case _:
            raise CstoKgError(f"“{text}” may be {' or '.join(map(compact, found))}: write which")


def _identifier(text: str) -> str | None:
    if text.startswith("<") and text.endswith(">"):
        text = text[1:-1]
    iri = text if text.startswith(("http://", "https://", "urn:")) else expand(text)
    if iri is None:
        return None
    try:
        return NamedNode(iri).value
    except ValueError:
        raise CstoKgError(f"“{text}” is not a valid IRI") from None


def _named(store: Engine) -> Iterator[tuple[str, str]]:
    for predicate in _NAMES:
        for quad in store.quads_for_pattern(None, predicate, None, _MERGED):
            iri = value(quad.subject)
            if iri.startswith(f"{ID}appellation/"):
                names = store.quads_for_pattern(quad.subject, _NAME_OF, None, _MERGED)
                iri = next((value(named.object) for named in names), iri)
            if iri.startswith(ID):
                yield iri, value(quad.object)


def _subjects(store: Engine, kind: str) -> list[str]:
    """List what is of a kind, and for ``iri`` every node that has a type."""
    if kind == "iri":
        typed = store.quads_for_pattern(None, _TYPE, None, _MERGED)
        return sorted({value(quad.subject) for quad in typed if value(quad.subject).startswith(ID)})
    return sorted(
        {
            value(quad.subject)
            for predicate, target in _tests(store, kind)
            for quad in store.quads_for_pattern(None, predicate, target, _MERGED)
        }
    )


def _is_a(store: Engine, iri: str, kind: str) -> bool:
    return kind == "iri" or any(
        Quad(NamedNode(iri), predicate, target, _MERGED) in store
        for predicate, target in _tests(store, kind)
    )


def _tests(store: Engine, kind: str) -> list[tuple[NamedNode, NamedNode]]:
    """Return the patterns any of which makes a node one of ``kind``: a scheme, or the classes."""
    if kind.startswith("scheme/"):
        return [(_IN_SCHEME, NamedNode(ID + kind))]
    iri = expand(kind)
    if iri is None:
        raise CstoKgError(f"“{kind}” is not a type of parameter")
    classes = [NamedNode(iri)]
    for known in classes:
        below = store.quads_for_pattern(None, _SUBCLASS, known, _MERGED)
        found = [quad.subject for quad in below if isinstance(quad.subject, NamedNode)]
        classes += [subject for subject in found if subject not in classes]
    return [(_TYPE, known) for known in classes]


def _exists(store: Engine, iri: str) -> bool:
    node = NamedNode(iri)
    as_subject = store.quads_for_pattern(node, None, None, _MERGED)
    as_object = store.quads_for_pattern(None, None, node, _MERGED)
    return any(True for _ in as_subject) or any(True for _ in as_object)


def _kind_name(kind: str) -> str:
    return "entity" if kind == "iri" else kind.removeprefix("scheme/").removeprefix("csto:")


def _near(store: Engine, text: str, kind: str) -> str:
    """Name what the user may have meant: partial matches, then close spellings of slugs."""
    parts = [match.iri for match in search(store, text) if _is_a(store, match.iri, kind)]
    slugs = {iri.rpartition("/")[2]: iri for iri in _subjects(store, kind)}
    close = [slugs[slug] for slug in get_close_matches(text.lower(), slugs, n=3)]
    near = list(dict.fromkeys([*parts, *close]))[:5]
    if not near and len(slugs) <= 20:
        near = sorted(slugs.values())
    return f": candidates are {', '.join(map(compact, near))}" if near else ""
