"""The names of things: namespaces, kinds of identifiers, CURIEs.

Plain strings, so that a saved query never pays for importing rdflib; ``rdflib.Namespace(CSTO)``
makes a namespace of them where one is wanted.
"""

from __future__ import annotations

CSTO = "https://w3id.org/csto-kg/ontology#"
SHAPES = "https://w3id.org/csto-kg/shapes#"
ID = "https://w3id.org/csto-kg/id/"

RDF = "http://www.w3.org/1999/02/22-rdf-syntax-ns#"
RDFS = "http://www.w3.org/2000/01/rdf-schema#"
XSD = "http://www.w3.org/2001/XMLSchema#"
OWL = "http://www.w3.org/2002/07/owl#"
SKOS = "http://www.w3.org/2004/02/skos/core#"
PROV = "http://www.w3.org/ns/prov#"
OA = "http://www.w3.org/ns/oa#"
DCTERMS = "http://purl.org/dc/terms/"
EDTF = "http://id.loc.gov/datatypes/edtf/"
WIKIDATA = "http://www.wikidata.org/entity/"

#: Kinds of identifiers under ``ID``, in the order in which Turtle files list them.
KINDS = (
    *("source", "alliance", "treaty", "organization", "state", "polity", "grouping"),
    *("person", "collective", "place", "membership", "lifespan", "event", "role", "fact"),
    *("statement", "proposition", "appellation", "derivation", "citation", "selector"),
    *("scheme", "event-kind", "legal-act", "modality", "form", "polarity", "status", "office"),
    *("purpose", "rule", "conflict-kind", "outcome", "force", "submission"),
)

#: Prefix to namespace, for Turtle, for queries typed by hand and for short display.
PREFIXES: dict[str, str] = {
    "csto": CSTO,
    "shape": SHAPES,
    "rdf": RDF,
    "rdfs": RDFS,
    "xsd": XSD,
    "owl": OWL,
    "skos": SKOS,
    "prov": PROV,
    "oa": OA,
    "dcterms": DCTERMS,
    "edtf": EDTF,
    "wd": WIKIDATA,
    **{kind: f"{ID}{kind}/" for kind in KINDS},
}


def compact(iri: str) -> str:
    """Shorten an IRI to a CURIE (``state:armenia``); an IRI without a known prefix stays whole."""
    cut = max(iri.rfind("/"), iri.rfind("#")) + 1
    prefix = _PREFIX_OF.get(iri[:cut])
    return f"{prefix}:{iri[cut:]}" if prefix and iri[cut:] else iri


def expand(curie: str) -> str | None:
    """Expand a CURIE to its IRI; ``None`` when the prefix is not one of ours."""
    prefix, colon, local = curie.partition(":")
    namespace = PREFIXES.get(prefix)
    return namespace + local if colon and namespace else None


_PREFIX_OF = {namespace: prefix for prefix, namespace in PREFIXES.items()}


def slug_key(iri: str) -> str:
    """Return what the slug of an identifier begins with, up to its first hyphen."""
    return iri.rpartition("/")[2].partition("-")[0]
