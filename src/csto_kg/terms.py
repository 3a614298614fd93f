"""RDF terms: the engine's, which are fast, and rdflib's, which everybody knows."""

from __future__ import annotations

import logging
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import pyoxigraph as ox

from csto_kg.errors import CstoKgError
from csto_kg.vocabulary import XSD

if TYPE_CHECKING:
    from rdflib.term import Identifier

Term = ox.NamedNode | ox.BlankNode | ox.Literal | ox.Triple


def value(term: Term | ox.DefaultGraph) -> str:
    """Return the IRI of a named node, the text of a literal, and any other term as written."""
    return term.value if isinstance(term, ox.NamedNode | ox.Literal) else str(term)


def to_rdflib(term: Term) -> Identifier:
    """Return the engine's term as rdflib's."""
    from rdflib import BNode, Literal, URIRef

    match term:
        case ox.NamedNode():
            return URIRef(term.value)
        case ox.BlankNode():
            return BNode(term.value)
        case ox.Literal() if term.language:
            return Literal(term.value, lang=term.language)
        case ox.Literal() if term.datatype.value == f"{XSD}string":
            return Literal(term.value)
        case ox.Literal():
            return Literal(term.value, datatype=URIRef(term.datatype.value))
    raise CstoKgError(f"{term}: quoted triples have no counterpart in rdflib")


@contextmanager
def unremarked() -> Iterator[None]:
    """Let rdflib take literals of wrong forms without a word: L01 says what is wrong with them."""
    log = logging.getLogger("rdflib.term")
    level = log.level
    log.setLevel(logging.ERROR)
    try:
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", module=r"rdflib\.term")
            yield
    finally:
        log.setLevel(level)


def from_rdflib(term: Any) -> Term:
    """Return rdflib's term as the engine's."""
    import rdflib

    if isinstance(term, rdflib.URIRef):
        return ox.NamedNode(str(term))
    if isinstance(term, rdflib.BNode):
        return ox.BlankNode(str(term))
    if term.language:
        return ox.Literal(str(term), language=term.language)
    return ox.Literal(
        str(term), datatype=ox.NamedNode(str(term.datatype)) if term.datatype else None
    )
