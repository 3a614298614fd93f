"""What of a JSON-LD document a parser would not read: parts that are elsewhere, or lost in silence.

JSON-LD drops what it cannot map: a misspelt property, a node whose ``@id`` is no IRI, a text whose
language is none. Whoever submits facts should hear of it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field

#: A language tag (BCP 47), well-formed as far as its parts' lengths can say.
LANGUAGE = re.compile(r"[A-Za-z]{2,3}(?:-[A-Za-z0-9]{1,8})*", re.ASCII)
_NO_IRI = re.compile(r"[\x00-\x20<>\"{}|\\^`]")


@dataclass
class Contexts:
    """What the contexts of a document define, wherever in it they stand."""

    names: dict[str, str] = field(default_factory=dict)
    references: set[str] = field(default_factory=set)
    maps: set[str] = field(default_factory=set)
    texts: set[str] = field(default_factory=set)
    vocabulary: bool = False

    def add(self, context: dict[str, object]) -> None:
        """Take in one context, written out."""
        self.vocabulary |= "@vocab" in context
        for term, definition in context.items():
            meaning = definition
            if isinstance(definition, dict):
                meaning = definition.get("@id")
                if definition.get("@type") in ("@id", "@vocab"):
                    self.references.add(term)
                if "@container" in definition:
                    self.maps.add(term)
                if definition.get("@container") == "@language":
                    self.texts.add(term)
            if isinstance(meaning, str) or isinstance(definition, dict):
                self.names[term] = str(meaning)


def remote(document: object) -> tuple[str, str] | None:
    """Return the key by which a document has (part of) a context elsewhere, and where it is."""
    for node in objects(document):
        for key, inner in node.items():
            if key in ("@context", "@import"):
                for entry in inner if isinstance(inner, list) else [inner]:
                    if isinstance(entry, str):
                        return key, entry
    return None


def contexts(document: object) -> Contexts:
    """Collect what the contexts of a document define; :func:`remote` ones are passed over."""
    found = Contexts()
    for node in objects(document):
        context = node.get("@context")
        for part in context if isinstance(context, list) else [context]:
            if isinstance(part, dict):
                found.add(part)
    return found


def lost(document: object, known: Contexts) -> tuple[str, str] | None:
    """Return what a parser would pass over in silence, and say so in words, or ``None``."""
    pending: list[tuple[object, bool]] = [(document, False)]
    while pending:
        node, is_map = pending.pop()
        if isinstance(node, list):
            pending += [(item, is_map) for item in node]
        if not isinstance(node, dict):
            continue
        for key, inner in node.items():
            meaning: str = known.names.get(key) or key
            if meaning in ("@context", "@value"):
                continue
            if not is_map and not _is_mapped(key, meaning, known):
                return key, f"“{key}” is in no @context and would be lost: correct it, or define it"
            found = _unread(inner, meaning, key in known.references)
            if key in known.texts and isinstance(inner, dict):
                found = next((_language(tag) for tag in inner if _language(tag)), found)
            if found:
                return found
            pending.append((inner, key in known.maps and isinstance(inner, dict)))
    return None


def _is_mapped(key: str, meaning: str, known: Contexts) -> bool:
    return key in known.names or meaning.startswith("@") or ":" in key or known.vocabulary


def _unread(inner: object, meaning: str, refers: bool) -> tuple[str, str] | None:
    for text in inner if isinstance(inner, list) else [inner]:
        if not isinstance(text, str):
            continue
        if (meaning in ("@id", "@type") or refers) and _NO_IRI.search(text):
            return text, f"“{text}” is not an IRI, and would be lost: correct it"
        if meaning == "@language" and (found := _language(text)):
            return found
    return None


def _language(tag: str) -> tuple[str, str] | None:
    if tag.startswith("@") or LANGUAGE.fullmatch(tag):
        return None
    return tag, f"“{tag}” is not a language tag: write one such as en, ar or ru"


def objects(document: object) -> Iterator[dict[str, object]]:
    """Yield every object of a JSON document, at any depth."""
    pending = [document]
    while pending:
        node = pending.pop()
        if isinstance(node, dict):
            yield node
            pending += node.values()
        elif isinstance(node, list):
            pending += node
