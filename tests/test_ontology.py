"""The ontology and its concept schemes: every term, found by query, is whole and consistent."""

import json
import re
from collections import Counter
from pathlib import Path

import pyoxigraph
import pytest
from owlrl import DeductiveClosure, OWLRL_Semantics
from rdflib import OWL, RDF, RDFS, SKOS, XSD, BNode, Graph, Literal, Namespace, URIRef
from rdflib.term import Node

ROOT = Path(__file__).parents[1]
FILES = [ROOT / "ontology" / "csto.ttl", ROOT / "ontology" / "schemes.ttl"]
CONTEXT_FILE = ROOT / "ontology" / "context.jsonld"
CONTEXT: dict[str, object] = json.loads(CONTEXT_FILE.read_text(encoding="utf-8"))["@context"]

CSTO = Namespace("https://w3id.org/csto-kg/ontology#")
ID = Namespace("https://w3id.org/csto-kg/id/")
ONTOLOGY = URIRef("https://w3id.org/csto-kg/ontology")
OURS = "https://w3id.org/csto-kg/"
SCRIPTS = {"en": r"[A-Za-z]", "ar": r"[\u0600-\u06FF]", "ru": r"[\u0400-\u04FF]"}

GRAPH = Graph()
for file in FILES:
    GRAPH.parse(file, format="turtle")


def instances(*kinds: URIRef) -> list[URIRef]:
    """Every IRI of ours that has one of the types."""
    found = {subject for kind in kinds for subject in GRAPH.subjects(RDF.type, kind)}
    return sorted(term for term in found if isinstance(term, URIRef) and term.startswith(OURS))


def short(term: object) -> str:
    return str(term).removeprefix(str(CSTO)).removeprefix(str(ID))


def in_csto(nodes: set[Node]) -> set[URIRef]:
    return {node for node in nodes if isinstance(node, URIRef) and node in CSTO}


CLASSES = instances(OWL.Class)
PROPERTIES = instances(OWL.ObjectProperty, OWL.DatatypeProperty)
SCHEMES = instances(SKOS.ConceptScheme)
CONCEPTS = instances(SKOS.Concept)
TERMS = CLASSES + PROPERTIES + SCHEMES + CONCEPTS

every_term = pytest.mark.parametrize("term", TERMS, ids=short)
every_owl_term = pytest.mark.parametrize("term", CLASSES + PROPERTIES, ids=short)
every_property = pytest.mark.parametrize("term", PROPERTIES, ids=short)
every_concept = pytest.mark.parametrize("term", CONCEPTS, ids=short)
every_file = pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)


# The files


@every_file
def test_both_parsers_read_the_same_number_of_triples(path: Path) -> None:
    strict = {
        (quad.subject, quad.predicate, quad.object)
        for quad in pyoxigraph.parse(path=path, format=pyoxigraph.RdfFormat.TURTLE)
    }
    assert len(strict) == len(Graph().parse(path, format="turtle")) > 0


@pytest.mark.parametrize(
    "terms",
    [CLASSES, PROPERTIES, SCHEMES, CONCEPTS],
    ids=["classes", "properties", "schemes", "concepts"],
)
def test_the_queries_find_terms(terms: list[URIRef]) -> None:
    assert terms


def test_every_iri_in_the_namespace_is_a_defined_term() -> None:
    mentioned = {node for triple in GRAPH for node in triple}
    defined = set(GRAPH.subjects(RDFS.isDefinedBy, ONTOLOGY))
    assert in_csto(mentioned) <= set(TERMS) & defined


def test_the_ontology_introduces_itself() -> None:
    terms = Namespace("http://purl.org/dc/terms/")
    vann = Namespace("http://purl.org/vocab/vann/")
    assert (ONTOLOGY, RDF.type, OWL.Ontology) in GRAPH
    version = str(GRAPH.value(ONTOLOGY, OWL.versionInfo))
    assert GRAPH.value(ONTOLOGY, OWL.versionIRI) == URIRef(f"{ONTOLOGY}/{version}")
    licence = URIRef("https://creativecommons.org/licenses/by/4.0/")
    assert GRAPH.value(ONTOLOGY, terms.license) == licence
    assert GRAPH.value(ONTOLOGY, vann.preferredNamespaceUri) == Literal(str(CSTO))
    assert GRAPH.value(ONTOLOGY, vann.preferredNamespacePrefix) == Literal("csto")
    for predicate in (terms.title, terms.description):
        assert languages(ONTOLOGY, predicate) == sorted(SCRIPTS)


# Every term


def texts(term: URIRef, predicate: URIRef) -> list[Literal]:
    return [value for value in GRAPH.objects(term, predicate) if isinstance(value, Literal)]


def languages(term: URIRef, predicate: URIRef) -> list[str]:
    return sorted(str(text.language) for text in texts(term, predicate))


def repeated(terms: list[URIRef], predicate: URIRef, language: str) -> list[str]:
    """The texts in a language that more than one of the terms has."""
    found = Counter(t for term in terms for t in texts(term, predicate) if t.language == language)
    return [str(text) for text, times in found.items() if times > 1]


@every_term
def test_term_is_defined_by_the_ontology(term: URIRef) -> None:
    assert set(GRAPH.objects(term, RDFS.isDefinedBy)) == {ONTOLOGY}


@every_term
def test_term_has_one_label_in_each_language_and_its_script(term: URIRef) -> None:
    assert languages(term, RDFS.label) == sorted(SCRIPTS)
    for label in texts(term, RDFS.label):
        assert re.search(SCRIPTS[str(label.language)], label), label
        assert str(label) == label.strip()


@every_term
def test_term_has_one_english_definition(term: URIRef) -> None:
    assert languages(term, SKOS.definition).count("en") == 1
    for definition in texts(term, SKOS.definition):
        assert definition.endswith(".") and re.search(SCRIPTS[str(definition.language)], definition)


@every_term
def test_term_has_one_english_example(term: URIRef) -> None:
    assert languages(term, SKOS.example) == ["en"]


@every_term
def test_term_has_one_kind(term: URIRef) -> None:
    kinds = {OWL.Class, OWL.ObjectProperty, OWL.DatatypeProperty, SKOS.ConceptScheme, SKOS.Concept}
    assert len(kinds & set(GRAPH.objects(term, RDF.type))) == 1


@pytest.mark.parametrize("language", SCRIPTS)
def test_no_two_terms_share_a_definition(language: str) -> None:
    assert repeated(TERMS, SKOS.definition, language) == []


@pytest.mark.parametrize("language", SCRIPTS)
@pytest.mark.parametrize("terms", [CLASSES, PROPERTIES], ids=["classes", "properties"])
def test_no_two_classes_or_properties_share_a_label(terms: list[URIRef], language: str) -> None:
    assert repeated(terms, RDFS.label, language) == []


@every_owl_term
def test_term_relates_to_a_standard_one(term: URIRef) -> None:
    relations = RDFS.subClassOf | RDFS.subPropertyOf | OWL.equivalentProperty | RDFS.seeAlso
    assert any(not str(other).startswith(OURS) for other in GRAPH.objects(term, relations))


# Concepts


@every_concept
def test_concept_belongs_to_the_scheme_that_its_address_names(term: URIRef) -> None:
    kind, slug = short(term).split("/")
    assert re.fullmatch(r"[a-z0-9-]+", slug)
    for predicate in (SKOS.inScheme, SKOS.topConceptOf):
        assert set(GRAPH.objects(term, predicate)) == {ID[f"scheme/{kind}"]}
    assert ID[f"scheme/{kind}"] in SCHEMES


@pytest.mark.parametrize("term", SCHEMES + CONCEPTS, ids=short)
def test_notation_is_the_slug_and_the_preferred_label_is_the_label(term: URIRef) -> None:
    assert texts(term, SKOS.notation) == [Literal(term.rsplit("/", 1)[1])]
    assert set(texts(term, SKOS.prefLabel)) == set(texts(term, RDFS.label))


@pytest.mark.parametrize("scheme", SCHEMES, ids=short)
@pytest.mark.parametrize("language", SCRIPTS)
def test_labels_are_unique_within_a_scheme(scheme: URIRef, language: str) -> None:
    concepts = [concept for concept in CONCEPTS if (concept, SKOS.inScheme, scheme) in GRAPH]
    assert len(concepts) > 1
    assert repeated(concepts, SKOS.prefLabel, language) == []


# The JSON-LD context


def mapping(key: str) -> dict[str, object]:
    entry = CONTEXT[key]
    return entry if isinstance(entry, dict) else {"@id": entry}


def expand(name: object) -> URIRef:
    prefix, _, local = str(name).partition(":")
    return URIRef(f"{CONTEXT[prefix]}{local}") if prefix in CONTEXT else URIRef(str(name))


KEYS = [key for key in CONTEXT if not key.startswith("@") and ":" in str(mapping(key).get("@id"))]
NAMED = {expand(mapping(key)["@id"]): key for key in KEYS}


def entailed(term: URIRef) -> bool:
    """A property that reasoning writes, or an abstract class: a sheet uses neither."""
    inferred = OWL.inverseOf | OWL.propertyChainAxiom
    return any(GRAPH.objects(term, inferred)) or any(GRAPH.subjects(RDFS.subClassOf, term))


def recorded(term: URIRef) -> bool:
    """A term of the record of submissions or of a manifest, which no sheet writes."""
    written = {CSTO.Submission, CSTO.graphSha256}
    return term in written or (term, RDFS.domain, CSTO.Submission) in GRAPH


@every_owl_term
def test_context_names_every_term_that_a_sheet_may_use(term: URIRef) -> None:
    assert term in NAMED or entailed(term) or recorded(term)
    assert not (term in NAMED and recorded(term))


@pytest.mark.parametrize("key", KEYS)
def test_context_names_no_term_that_the_ontology_lacks(key: str) -> None:
    term = expand(mapping(key)["@id"])
    if term in CSTO and term != URIRef(str(CSTO)):
        assert term in CLASSES + PROPERTIES


@pytest.mark.parametrize("term", [term for term in PROPERTIES if term in NAMED], ids=short)
def test_context_agrees_with_the_ontology_on_what_values_are(term: URIRef) -> None:
    entry = mapping(NAMED[term])
    if (term, RDF.type, OWL.ObjectProperty) in GRAPH:
        assert entry["@type"] in ("@id", "@vocab")
    else:
        (value,) = GRAPH.objects(term, RDFS.range | URIRef("https://schema.org/rangeIncludes"))
        tagged = entry.get("@container") == "@language"
        assert value == (RDF.langString if tagged else expand(entry["@type"]))


# OWL 2 RL: what can be told from the form of these files, which use few constructors

CONSTRUCTORS = {OWL.inverseOf, OWL.propertyChainAxiom, OWL.members, OWL.versionIRI, OWL.versionInfo}
AXIOM_TYPES = {
    OWL.Ontology,
    OWL.Class,
    OWL.ObjectProperty,
    OWL.DatatypeProperty,
    OWL.AnnotationProperty,
    OWL.FunctionalProperty,
    OWL.SymmetricProperty,
    OWL.TransitiveProperty,
    OWL.AllDisjointClasses,
}
# The datatypes in use that are in the profile; it has more, and xsd:date is not among them.
RL_DATATYPES = {XSD.boolean, XSD.integer, XSD.string, XSD.anyURI}


def test_only_constructors_of_the_profile_are_used() -> None:
    predicates, types = set(GRAPH.predicates()), set(GRAPH.objects(None, RDF.type))
    assert {p for p in predicates if isinstance(p, URIRef) and p in OWL} <= CONSTRUCTORS
    assert {t for t in types if isinstance(t, URIRef) and t in OWL} <= AXIOM_TYPES


def test_blank_nodes_are_lists_and_disjointness_axioms_alone() -> None:
    lists = set(GRAPH.subjects(RDF.first))
    axioms = set(GRAPH.subjects(RDF.type, OWL.AllDisjointClasses))
    assert {node for node in GRAPH.subjects() if isinstance(node, BNode)} == lists | axioms


@every_owl_term
def test_axioms_name_declared_classes_and_datatypes_of_the_profile(term: URIRef) -> None:
    declared = set(GRAPH.subjects(RDF.type, OWL.Class))
    reification = {
        RDF.Statement
    }  # of a reserved vocabulary: the RL rules take it, OWL 2 DL does not
    assert set(GRAPH.objects(term, RDFS.subClassOf)) <= declared | reification
    assert set(GRAPH.objects(term, RDFS.domain)) <= declared
    for value in GRAPH.objects(term, RDFS.range):
        data = (term, RDF.type, OWL.DatatypeProperty) in GRAPH
        assert value in (RL_DATATYPES if data else declared)


@every_property
def test_super_property_is_declared_of_the_same_kind(term: URIRef) -> None:
    kinds = {OWL.ObjectProperty, OWL.DatatypeProperty} & set(GRAPH.objects(term, RDF.type))
    for parent in GRAPH.objects(term, RDFS.subPropertyOf | OWL.inverseOf):
        assert kinds <= set(GRAPH.objects(parent, RDF.type))


@every_property
def test_composite_property_is_not_functional(term: URIRef) -> None:
    kinds = set(GRAPH.objects(term, RDF.type))
    chain = any(GRAPH.objects(term, OWL.propertyChainAxiom))
    assert not ((chain or OWL.TransitiveProperty in kinds) and OWL.FunctionalProperty in kinds)


# What a reasoner makes of it

ERROR = URIRef("http://www.daml.org/2002/03/agents/agent-ont#error")


def closure(turtle: str) -> Graph:
    """What follows from the vocabulary and some data."""
    graph = Graph().parse(FILES[0], format="turtle")
    graph.parse(data=f"@prefix csto: <{CSTO}> . @prefix id: <{ID}> .\n{turtle}", format="turtle")
    DeductiveClosure(OWLRL_Semantics).expand(graph)
    return graph


def errors(graph: Graph) -> list[str]:
    return [str(message) for message in graph.objects(None, ERROR)]


def test_ontology_and_schemes_are_consistent() -> None:
    assert errors(closure(FILES[1].read_text(encoding="utf-8"))) == []


def test_a_membership_makes_a_state_one_that_ever_belonged_and_a_role_does_not() -> None:
    graph = closure("""
        id:m csto:member id:georgia ; csto:alliance id:csto .
        id:r csto:heldBy id:somebody ; csto:heldIn id:secretariat .
    """)
    assert (ID.georgia, CSTO.everBelongedTo, ID.csto) in graph
    assert (ID.csto, CSTO.everIncluded, ID.georgia) in graph
    assert (ID.georgia, CSTO.hasMembership, ID.m) in graph
    assert not any(graph.objects(ID.somebody, CSTO.everBelongedTo))
    assert errors(graph) == []


def test_a_proposition_makes_no_member() -> None:
    graph = closure(f"""
        @prefix rdf: <{RDF}> .
        id:p rdf:subject id:china ; rdf:predicate csto:joins ; rdf:object id:csto .
        id:s csto:proposition id:p .
    """)
    assert (ID.p, RDF.type, CSTO.Proposition) in graph
    assert not any(graph.predicates(ID.china, ID.csto))


def test_where_an_event_took_place_does_not_make_a_state_a_place() -> None:
    graph = closure("id:e csto:place id:russia . id:russia a csto:State .")
    assert (ID.russia, RDF.type, CSTO.Place) not in graph
    assert errors(graph) == []


@pytest.mark.parametrize(
    "turtle",
    [
        "id:x a csto:Alliance , csto:Organization .",
        "id:x a csto:State , csto:Polity .",
        "id:x a csto:Fact , csto:Proposition .",
        "id:x a csto:Membership , csto:Role .",
        "id:m csto:member id:x . id:e csto:participant id:m .",
    ],
)
def test_a_confusion_of_kinds_is_an_inconsistency(turtle: str) -> None:
    assert errors(closure(turtle))
