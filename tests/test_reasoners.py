"""owlrl and reasonable infer the same, and refuse the same."""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Iterable
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pyoxigraph import BlankNode, NamedNode, Quad, RdfFormat, Store, Triple, parse

from csto_kg import CstoKgError, KnowledgeGraph, closure, shipped
from csto_kg.closure import Reasoner, contradictions, infer
from csto_kg.errors import CstoKgWarning
from csto_kg.terms import Term, value
from csto_kg.vocabulary import CSTO, ID, OWL, PREFIXES, RDF, RDFS, expand

from .conftest import Run

ARTICLE = "skynewsarabia-2022-csto-summit"
REASONERS: tuple[Reasoner, ...] = ("owlrl", "reasonable")
SLOW = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow], derandomize=True)
DECLARED = ("Class", "ObjectProperty", "DatatypeProperty", "AnnotationProperty", "Ontology")
TYPE = NamedNode(f"{RDF}type")
PREFIXED = "".join(f"PREFIX {name}: <{namespace}>\n" for name, namespace in PREFIXES.items())


def iri(curie: str) -> NamedNode:
    return NamedNode(expand(curie) or curie)


def triple(text: str) -> Triple:
    subject, predicate, target = map(iri, text.split())
    return Triple(subject, predicate, target)


def holding(*triples: Triple) -> Store:
    store = Store()
    store.extend(Quad(*each) for each in triples)
    return store


def said(store: Store, reasoner: Reasoner) -> tuple[set[Triple], str]:
    """What is inferred, or why nothing is."""
    try:
        inference = infer(store, reasoner)
    except CstoKgError as error:
        return set(), str(error)
    assert inference.reasoner == reasoner
    return set(inference.triples), ""


def nodes(reasons: Iterable[str]) -> set[str]:
    """The individuals that reasons name."""
    return set(re.findall(r"\b(?:a|state|alliance|membership|event|person):\w+", " ".join(reasons)))


def axioms() -> list[Triple]:
    """What the ontology says that entails something, so that a closure takes no seconds."""
    return [
        quad.triple
        for quad in parse(path=shipped.ONTOLOGY / "csto.ttl")
        if quad.predicate.value.startswith((RDFS, OWL, RDF))
        and isinstance(quad.object, NamedNode | BlankNode)
        and quad.predicate.value.rpartition("#")[2] not in ("isDefinedBy", "seeAlso")
        and value(quad.object).removeprefix(OWL) not in DECLARED
    ]


AXIOMS = axioms()


@pytest.mark.parametrize("sources", [[ARTICLE], []])
def test_of_what_is_shipped_both_infer_the_same(kg: KnowledgeGraph, sources: list[str]) -> None:
    views = [kg.view(sources, inferred=True, reasoner=reasoner) for reasoner in REASONERS]
    assert tuple(view.reasoner for view in views) == REASONERS
    first, second = (view.export(format_name="nquads") for view in views)
    assert first == second
    assert first.count(b"everBelongedTo") >= 9


def test_of_the_examples_of_the_ontology_both_infer_the_same() -> None:
    """Those that are written as Turtle; the others are prose."""
    examples = []
    for quad in parse(path=shipped.ONTOLOGY / "csto.ttl"):
        text = value(quad.object)
        if quad.predicate.value.endswith("#example") and text.rstrip().endswith("."):
            # Curies with a slash are short for identifiers in examples.
            turtle = re.sub(r"(?<![</\w])([a-z-]+)/([\w-]+)", rf"<{ID}\1/\2>", text)
            try:
                examples += [
                    each.triple for each in parse(PREFIXED + turtle, format=RdfFormat.TURTLE)
                ]
            except SyntaxError:
                continue
    store = holding(*AXIOMS, *examples)
    assert len(examples) > 10
    first, second = (said(store, reasoner) for reasoner in REASONERS)
    assert first == second
    assert first[0]


INDIVIDUALS = [iri(f"{kind}:{name}") for kind in ("state", "alliance", "membership", "event",
               "person") for name in "xy"] + [iri("http://elsewhere.example/x")]  # fmt: skip
CLASSES = sorted({t.subject.value for t in AXIOMS if t.predicate.value == f"{RDFS}subClassOf"
                  and isinstance(t.subject, NamedNode)})  # fmt: skip
PROPERTIES = sorted({t.subject.value for t in AXIOMS if isinstance(t.subject, NamedNode)
                     and t.predicate.value != f"{RDFS}subClassOf"})  # fmt: skip
individual = st.sampled_from(INDIVIDUALS)
facts = st.lists(
    st.one_of(
        st.builds(Triple, individual, st.just(TYPE), st.sampled_from(CLASSES).map(NamedNode)),
        st.builds(Triple, individual, st.sampled_from(PROPERTIES).map(NamedNode), individual),
        st.builds(Triple, individual, st.sampled_from(
            [iri(f"csto:{name}") for name in ("member", "alliance", "precedes", "follows",
             "sameOccurrenceAs", "partOf", "everBelongedTo")]), individual),
    ),
    max_size=6,
)  # fmt: skip


@settings(SLOW, max_examples=20)
@given(facts)
def test_of_facts_both_infer_the_same(said_of: list[Triple]) -> None:
    store = holding(*AXIOMS, *said_of)
    first, second = (said(store, reasoner) for reasoner in REASONERS)
    assert first == second
    assert nodes([first[1]]) == nodes(found.reason for found in contradictions(store))


# -- Axioms of any ontology ---------------------------------------------------------

THINGS = [NamedNode(f"{ID}a/{name}") for name in "xyz"]
THINGS += [NamedNode("http://elsewhere.example/u"), NamedNode("http://elsewhere.example/v")]
KINDS = [NamedNode(f"{CSTO}{name}") for name in "ABCD"]
LINKS = [NamedNode(f"{CSTO}{name}") for name in "pqrs"]
thing, kind, link = (st.sampled_from(names) for names in (THINGS, KINDS, LINKS))
blank = st.sampled_from([BlankNode("one"), BlankNode("two")])


def about(names: str, term: object, other: object) -> st.SearchStrategy[list[Triple]]:
    predicates = st.sampled_from([iri(name) for name in names.split()])
    return st.builds(lambda *terms: [Triple(*terms)], term, predicates, other)  # type: ignore[arg-type]


def typed(names: str, term: st.SearchStrategy[NamedNode]) -> st.SearchStrategy[list[Triple]]:
    kinds = st.sampled_from([NamedNode(f"{OWL}{name}") for name in names.split()])
    return st.builds(lambda s, o: [Triple(s, TYPE, o)], term, kinds)


def listed(
    subject: object, predicate: str, members: object, kind: str = ""
) -> st.SearchStrategy[list[Triple]]:
    def build(node: NamedNode | None, terms: list[Term]) -> list[Triple]:
        head = node or BlankNode()
        cells = [BlankNode() for _ in terms]
        rest: list[Term] = [*cells[1:], iri("rdf:nil")]
        triples = [Triple(head, iri(predicate), cells[0])]
        for cell, term, following in zip(cells, terms, rest, strict=True):
            triples += [
                Triple(cell, iri("rdf:first"), term),
                Triple(cell, iri("rdf:rest"), following),
            ]
        return [*triples, Triple(head, TYPE, NamedNode(OWL + kind))] if kind else triples

    several = st.lists(members, min_size=1, max_size=3, unique=True)  # type: ignore[arg-type]
    return st.builds(build, subject, several)  # type: ignore[arg-type]


axiom = st.one_of(
    about("rdfs:subClassOf owl:equivalentClass", kind, kind),
    about("rdfs:subPropertyOf owl:equivalentProperty owl:inverseOf", link, link),
    about("rdfs:domain rdfs:range", link, kind),
    about("owl:disjointWith owl:complementOf", kind, kind),
    about("owl:propertyDisjointWith", link, link),
    about("rdfs:subClassOf", kind, st.just(iri("owl:Nothing"))),
    typed(
        "FunctionalProperty InverseFunctionalProperty SymmetricProperty AsymmetricProperty "
        "TransitiveProperty IrreflexiveProperty",
        link,
    ),
    about("owl:sameAs owl:differentFrom", thing, thing),
    listed(link, "owl:propertyChainAxiom", link),
    listed(st.none(), "owl:members", kind, "AllDisjointClasses"),
    listed(st.none(), "owl:members", link, "AllDisjointProperties"),
    listed(st.none(), "owl:distinctMembers", thing, "AllDifferent"),
    st.builds(
        lambda axiom, s, p, o: [
            Triple(axiom, iri("owl:sourceIndividual"), s),
            Triple(axiom, iri("owl:assertionProperty"), p),
            Triple(axiom, iri("owl:targetIndividual"), o),
        ],
        st.builds(BlankNode), thing, link, thing,
    ),
)  # fmt: skip
fact = st.one_of(
    st.builds(lambda s, o: [Triple(s, TYPE, o)], thing | blank, kind),
    st.builds(lambda s, p, o: [Triple(s, p, o)], thing | blank, link, thing | blank),
)


@settings(SLOW, max_examples=120)
@given(st.lists(axiom, max_size=5), st.lists(fact, max_size=6))
def test_of_any_axioms_both_infer_the_same(
    rules: list[list[Triple]], data: list[list[Triple]]
) -> None:
    store = holding(*(each for triples in (*rules, *data) for each in triples))
    first, second = (said(store, reasoner) for reasoner in REASONERS)
    assert first == second
    # owlrl passes over the last member of these lists.
    lists = {iri("owl:AllDifferent"), iri("owl:AllDisjointProperties")}
    known = any(quad.object in lists for quad in store)
    assert bool(first[1]) == bool(contradictions(store)) or (known and first[1])


CONTRADICTED = [
    "csto:A rdfs:subClassOf owl:Nothing . state:x a csto:A",
    "csto:A owl:complementOf csto:B . state:x a csto:B , csto:A",
    "csto:A owl:disjointWith csto:B . state:x a csto:B , csto:A",
    "[] a owl:AllDisjointClasses ; owl:members (csto:C csto:A csto:B) . state:x a csto:B , csto:A",
    "csto:p a owl:IrreflexiveProperty . state:x csto:p state:x",
    "csto:p a owl:AsymmetricProperty . state:x csto:p state:y . state:y csto:p state:x",
    "csto:p owl:propertyDisjointWith csto:q . state:x csto:p state:y ; csto:q state:y",
    "[] a owl:AllDisjointProperties ; owl:members (csto:r csto:p csto:q) . "
    "state:x csto:p state:y ; csto:q state:y",
    "[] owl:sourceIndividual state:x ; owl:assertionProperty csto:p ; "
    "owl:targetIndividual state:y . state:x csto:p state:y",
    "<u:y> owl:sameAs state:x ; owl:differentFrom state:x",
    "state:x owl:differentFrom state:x",
    "[] a owl:AllDifferent ; owl:members (<u:z> <u:y> state:x) . <u:y> owl:sameAs state:x",
    "[] a owl:AllDifferent ; owl:distinctMembers (<u:y> state:x) . <u:y> owl:sameAs state:x",
    "csto:p a owl:FunctionalProperty . state:y csto:p state:x , state:z",
    "csto:p a owl:InverseFunctionalProperty . state:x csto:p state:y . state:z csto:p state:y",
]
ONLY_BY_OWLRL = [
    'csto:A owl:maxCardinality "0"^^xsd:nonNegativeInteger ; owl:onProperty csto:p . '
    "state:x a csto:A ; csto:p state:y",
    'csto:A owl:maxQualifiedCardinality "0"^^xsd:nonNegativeInteger ; owl:onProperty csto:p ; '
    "owl:onClass csto:B . state:x a csto:A ; csto:p state:y . state:y a csto:B",
    'csto:A owl:maxQualifiedCardinality "0"^^xsd:nonNegativeInteger ; owl:onProperty csto:p ; '
    "owl:onClass owl:Thing . state:x a csto:A ; csto:p state:y",
]


@pytest.mark.parametrize("text", [*CONTRADICTED, *ONLY_BY_OWLRL])
def test_each_rule_that_finds_a_contradiction(text: str) -> None:
    triples = [quad.triple for quad in parse(f"{PREFIXED}{text} .", format=RdfFormat.TURTLE)]
    store = holding(*triples)
    for reasoner in REASONERS if text in CONTRADICTED else REASONERS[:1]:
        _, reason = said(store, reasoner)
        assert "contradicts itself" in reason
        assert "state:x" in reason
    # Without the last thing that is said, nothing is wrong.
    assert not said(holding(*triples[:-1]), "owlrl")[1]


@pytest.mark.parametrize(
    "text, follows",
    [
        # A chain of what only the reasoner finds, and what the reasoner finds of a chain.
        (
            "csto:p owl:propertyChainAxiom (csto:q csto:r csto:q) . "
            "csto:s rdfs:subPropertyOf csto:q . state:x csto:s state:y . "
            "state:y csto:r state:z . state:z csto:q state:w",
            "state:x csto:p state:w",
        ),
        (
            "csto:p owl:propertyChainAxiom (csto:q csto:q) ; rdfs:domain csto:State . "
            "state:x csto:q state:y . state:y csto:q state:z",
            "state:x rdf:type csto:State",
        ),
        # Functional by a property above, and only then the same.
        (
            "csto:p a owl:FunctionalProperty . csto:q rdfs:subPropertyOf csto:p . "
            "state:x csto:q <u:y> , <u:z> . <u:y> csto:r state:w . state:w csto:s <u:y>",
            "state:w csto:s u:z",
        ),
        # Inverse functional, and of different things.
        (
            "csto:p a owl:InverseFunctionalProperty ; rdfs:domain csto:State . "
            "state:x csto:p state:y . state:z csto:p state:w",
            "state:x rdf:type csto:State",
        ),
    ],
)
def test_where_reasonable_alone_would_differ(text: str, follows: str) -> None:
    triples = [quad.triple for quad in parse(f"{PREFIXED}{text} .", format=RdfFormat.TURTLE)]
    first, second = (said(holding(*triples), reasoner) for reasoner in REASONERS)
    assert first == second
    assert triple(follows) in first[0]


# -- Which of them ------------------------------------------------------------------

SMALL = (triple("state:x rdf:type csto:State"), triple("csto:State rdfs:subClassOf csto:Actor"))
KEYED = (*SMALL, triple("csto:State owl:hasKey rdf:nil"))


@pytest.fixture
def not_installed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "reasonable", None)


@pytest.fixture
def large(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(closure, "MOST_FOR_OWLRL", 1)


def test_owlrl_is_chosen_where_it_is_quick(kg: KnowledgeGraph) -> None:
    assert infer(holding(*SMALL)).reasoner == "owlrl"
    assert kg.view(inferred=True).reasoner == "reasonable"
    assert kg.view().reasoner is None


@pytest.mark.usefixtures("large", "not_installed")
def test_without_a_faster_reasoner_it_is_said_how_to_get_one() -> None:
    with pytest.warns(CstoKgWarning, match=r"pip install 'csto-kg\[reasonable\]'"):
        inference = infer(holding(*SMALL))
    assert inference.reasoner == "owlrl"
    assert inference.triples == [triple("state:x rdf:type csto:Actor")]


@pytest.mark.usefixtures("not_installed")
def test_a_reasoner_that_is_not_installed_cannot_be_asked() -> None:
    with pytest.raises(CstoKgError, match="reasonable is not installed: pip install"):
        infer(holding(*SMALL), "reasonable")


@pytest.mark.usefixtures("large")
def test_axioms_without_rules_are_left_to_owlrl() -> None:
    with pytest.raises(CstoKgError, match="no rules for owl:hasKey"):
        infer(holding(*KEYED), "reasonable")
    with pytest.warns(CstoKgWarning, match="rules for owl:hasKey"):
        assert infer(holding(*KEYED)).reasoner == "owlrl"


@pytest.mark.parametrize(
    "said_of_things",
    [
        "owl:Thing rdfs:subClassOf csto:Actor",
        "csto:State owl:equivalentClass owl:Thing",
        "csto:State owl:oneOf rdf:nil",
        "csto:State owl:someValuesFrom csto:Actor",
    ],
)
def test_what_may_differ_is_not_asked_of_reasonable(said_of_things: str) -> None:
    with pytest.raises(CstoKgError, match="no rules for owl:"):
        infer(holding(*SMALL, triple(said_of_things)), "reasonable")


@pytest.mark.parametrize("name", ["pellet", ""])
def test_an_unknown_reasoner(kg: KnowledgeGraph, name: Reasoner) -> None:
    with pytest.raises(CstoKgError, match=r"it is owlrl or reasonable"):
        kg.view(inferred=True, reasoner=name)


def test_a_reasoner_that_is_not_asked_to_infer(kg: KnowledgeGraph) -> None:
    with pytest.raises(CstoKgError, match="add --inferred"):
        kg.sparql("ASK {}", reasoner="owlrl")


def test_the_command_says_which_it_was(csto: Run, tmp_path: Path) -> None:
    query = ("sparql", "ASK { state:georgia csto:everBelongedTo alliance:csto }", "--inferred")
    for options, reasoner in (((), "reasonable"), (("--reasoner", "owlrl"), "owlrl")):
        result = csto(*query, "--source", ARTICLE, *options)
        assert (result.returncode, result.stderr) == (0, f"inferred by {reasoner}\n")
    result = csto(*query[:2], "--reasoner", "owlrl")
    assert (result.returncode, result.stdout) == (2, "")
    assert "add --inferred" in result.stderr
    # Python runs this file first.
    (tmp_path / "sitecustomize.py").write_text("import sys; sys.modules['reasonable'] = None")
    result = csto(*query, "--source", ARTICLE, env={**os.environ, "PYTHONPATH": str(tmp_path)})
    assert result.returncode == 0
    said_first, said_then = result.stderr.splitlines()
    assert re.fullmatch(r"csto-kg: owlrl infers from \d+ triples.* pip install .*", said_first)
    assert said_then == "inferred by owlrl"


def test_a_wrong_parameter_is_told_before_anything_is_inferred(csto: Run) -> None:
    result = csto("query", "run", "members-on", "--alliance", "nowhere", "--inferred",
                  "--date", "2000-01-01")  # fmt: skip
    assert (result.returncode, result.stdout) == (2, "")
    assert "nowhere" in result.stderr
    assert "inferred by" not in result.stderr


@pytest.mark.parametrize(
    "command",
    [
        ("query", "run", "counts-by-class"),
        ("export", "--format", "ntriples"),
        ("push", "http://127.0.0.1:9/", "--dry-run"),
    ],
)
def test_every_command_that_infers_takes_a_reasoner(csto: Run, command: tuple[str, ...]) -> None:
    result = csto(*command, "--inferred", "--reasoner", "reasonable")
    assert result.returncode == 0
    assert "inferred by reasonable\n" in result.stderr
    plain = csto(*command)
    assert plain.returncode == 0
    assert "inferred" not in plain.stderr
    assert (result.stdout, result.stderr) != (plain.stdout, plain.stderr)


def test_of_a_store_on_disk_the_same_follows(csto: Run, tmp_path: Path, kg: KnowledgeGraph) -> None:
    assert csto("load", str(tmp_path / "index")).returncode == 0
    query = "SELECT * { ?state csto:everBelongedTo ?alliance }"
    result = csto("sparql", query, "--inferred", "--store", str(tmp_path / "index"))
    assert result.stderr == "inferred by reasonable\n"
    assert len(result.stdout.splitlines()) == 1 + len(kg.sparql(query, inferred=True)) > 40
