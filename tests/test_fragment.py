"""Validation of a fragment gives what validation of the whole graph gives, on random graphs."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, replace
from itertools import pairwise
from random import Random

import pyshacl
import pytest
import rdflib
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from pyoxigraph import BlankNode, DefaultGraph, Literal, NamedNode, Quad, Store, Triple
from rdflib import SH

from csto_kg import shipped
from csto_kg.errors import CstoKgError
from csto_kg.fragment import Reach
from csto_kg.fragment.join import Branch
from csto_kg.fragment.path import Step
from csto_kg.nativequery import native_query_graph
from csto_kg.terms import Term, to_rdflib
from csto_kg.vocabulary import PREFIXES, expand

CASES = int(os.environ.get("CSTO_KG_CASES", "250"))

# -- Shapes of every kind, beside our own ----------------------------------------

EXTRA = (
    "".join(f"@prefix {prefix}: <{iri}> .\n" for prefix, iri in PREFIXES.items())
    + """
@prefix sh: <http://www.w3.org/ns/shacl#> .
@prefix : <urn:shape:> .

<urn:shapes> a owl:Ontology ; sh:declare
    [ sh:prefix "csto" ; sh:namespace "https://w3id.org/csto-kg/ontology#"^^xsd:anyURI ] ,
    [ sh:prefix "prov" ; sh:namespace "http://www.w3.org/ns/prov#"^^xsd:anyURI ] ,
    [ sh:prefix "xsd" ; sh:namespace "http://www.w3.org/2001/XMLSchema#"^^xsd:anyURI ] ,
    [ sh:prefix "oa" ; sh:namespace "http://www.w3.org/ns/oa#"^^xsd:anyURI ] .

:Inverse a sh:NodeShape ; sh:targetClass csto:Source ;
    sh:property [ sh:path ( [ sh:inversePath oa:hasSource ] [ sh:inversePath prov:wasDerivedFrom ] ) ;
        sh:class csto:Assertion ; sh:minCount 2 ] .
:Alternative a sh:NodeShape ; sh:targetSubjectsOf csto:alliance ;
    sh:property [ sh:severity sh:Warning ; sh:maxCount 3 ; sh:nodeKind sh:IRI ; sh:path [ sh:alternativePath
        ( ( prov:wasDerivedFrom oa:hasSource ) ( csto:member [ sh:inversePath csto:lifespanOf ] ) csto:alliance ) ] ] .
:Star a sh:NodeShape ; sh:targetClass csto:Event ;
    sh:property [ sh:path ( [ sh:zeroOrMorePath csto:partOf ] csto:eventKind ) ; sh:minCount 1 ; sh:class skos:Concept ] ;
    sh:property [ sh:path [ sh:oneOrMorePath [ sh:alternativePath ( csto:precedes [ sh:inversePath csto:follows ] ) ] ] ;
        sh:node [ sh:property [ sh:path csto:status ; sh:hasValue status:occurred ] ] ] ;
    sh:property [ sh:path ( [ sh:zeroOrOnePath csto:partOf ] rdfs:label ) ; sh:uniqueLang true ] .
:InverseStar a sh:NodeShape ; sh:targetObjectsOf csto:partOf ;
    sh:property [ sh:path [ sh:inversePath [ sh:zeroOrMorePath csto:partOf ] ] ; sh:maxCount 3 ; sh:class csto:Event ] .
:Nested a sh:NodeShape ; sh:targetClass csto:Citation ;
    sh:property [ sh:path oa:hasSelector ; sh:node [ sh:property [ sh:path csto:low ; sh:lessThanOrEquals csto:high ] ;
        sh:not [ sh:path [ sh:inversePath oa:hasSelector ] ; sh:minCount 2 ] ] ] .
:Closed a sh:NodeShape ; sh:targetClass oa:TextPositionSelector ; sh:closed true ;
    sh:ignoredProperties ( rdf:type ) ; sh:property [ sh:path oa:start ] , [ sh:path oa:end ; sh:minInclusive 5 ] .
:Qualified a sh:NodeShape ; sh:targetClass csto:Statement ; sh:property
    [ sh:path csto:about ; sh:qualifiedValueShape [ sh:class csto:State ] ; sh:qualifiedMinCount 1 ; sh:qualifiedValueShapesDisjoint true ] ,
    [ sh:path csto:about ; sh:qualifiedValueShape [ sh:property [ sh:path rdfs:label ; sh:minCount 2 ] ] ;
      sh:qualifiedMaxCount 1 ; sh:qualifiedValueShapesDisjoint true ] .
:Pairs a sh:NodeShape ; sh:targetSubjectsOf rdf:subject ; sh:property
    [ sh:path rdf:subject ; sh:disjoint rdf:object ] , [ sh:path ( rdf:subject rdf:type ) ; sh:equals rdf:object ] .
:Node a sh:NodeShape ; sh:targetNode state:armenia , csto:Nowhere , "literal" ;
    sh:xone ( [ sh:class csto:Actor ] [ sh:path rdfs:label ; sh:minCount 1 ] ) .
:Value a sh:NodeShape ; sh:targetObjectsOf csto:spellNumber , csto:member , csto:modality ; sh:nodeKind sh:IRI ;
    sh:property [ sh:path [ sh:inversePath csto:spellNumber ] ; sh:maxCount 1 ] .
csto:Treaty a sh:NodeShape , rdfs:Class ; sh:property [ sh:path rdfs:label ; sh:minCount 1 ] .
:Deactivated a sh:NodeShape ; sh:targetClass csto:Event ; sh:deactivated true ; sh:nodeKind sh:Literal .

:Query a sh:NodeShape ; sh:targetClass csto:Membership ; sh:sparql [ sh:prefixes <urn:shapes> ; sh:select '''
    SELECT $this ?value WHERE {
        $this csto:member ?member ; csto:alliance ?alliance .
        OPTIONAL { ?life csto:lifespanOf ?member . OPTIONAL { ?life csto:beginsNotBefore ?first } FILTER ( ?life != $this ) }
        FILTER ( !bound(?first) || ?first > "1990-01-01"^^xsd:date )
        ?value csto:member ?member ; prov:wasDerivedFrom ?citation .
        FILTER EXISTS { { ?citation oa:hasSource ?source . ?source a csto:Source } UNION { ?citation oa:hasSelector ?selector } }
        FILTER NOT EXISTS { ?value csto:alliance ?alliance FILTER NOT EXISTS { ?value csto:spellNumber ?number . $this csto:spellNumber ?number } }
    } ORDER BY ?value ''' ] .
:Scoped a sh:NodeShape ; sh:targetClass csto:Lifespan ; sh:sparql [ sh:prefixes <urn:shapes> ; sh:select '''
    SELECT $this ?value WHERE {
        { $this csto:lifespanOf ?value . OPTIONAL { ?m csto:member ?value . OPTIONAL { ?m csto:beginsBy ?act } } }
        { $this prov:wasDerivedFrom ?c FILTER NOT EXISTS { ?c oa:hasSource ?source FILTER EXISTS { ?source csto:publisher ?value } } }
        FILTER NOT EXISTS { $this csto:endsBy ?act }
    } ''' ] .
:Counted a sh:NodeShape ; sh:targetClass csto:Alliance ; sh:sparql [ sh:prefixes <urn:shapes> ; sh:select '''
    SELECT $this (COUNT(?m) AS ?value) WHERE { ?m csto:alliance $this . ?m csto:member/^csto:lifespanOf ?life }
    GROUP BY $this HAVING ( COUNT(?m) > 2 ) ''' ] .
:Walk a sh:NodeShape ; sh:targetSubjectsOf csto:partOf ; sh:sparql [ sh:prefixes <urn:shapes> ; sh:select '''
    SELECT $this ?value WHERE { $this (csto:partOf|^csto:precedes)* ?value . ?value csto:place?/csto:participant* ?end .
        ?end ?path ?number . FILTER ( ?path IN ( csto:spellNumber , csto:status ) && ?value != ?end ) }''' ] .
:Path a sh:PropertyShape ; sh:targetClass csto:Event ; sh:path ( csto:participant [ sh:inversePath csto:member ] ) ;
    sh:sparql [ sh:prefixes <urn:shapes> ; sh:select '''
    SELECT $this ?value WHERE { $this $PATH ?value . ?value csto:endsNotAfter ?end . $this csto:beginsNotBefore ?start FILTER ( ?end < ?start ) } ''' ] .
:InNested a sh:NodeShape ; sh:targetClass csto:Role ; sh:property [ sh:path csto:heldIn ; sh:node [
    sh:sparql [ sh:prefixes <urn:shapes> ; sh:select '''
    SELECT $this ?value WHERE { ?value csto:member $this ; csto:spellNumber 1 FILTER ( ?other = $this ) BIND ( ?value AS ?other ) } ''' ] ,
    [ sh:prefixes <urn:shapes> ; sh:select '''
    SELECT $this ?value WHERE { ?value csto:member $this ; csto:spellNumber 1 } ''' ] ] ] .
"""
)

SHAPES = {
    "ours": rdflib.Graph().parse(shipped.ONTOLOGY / "shapes.ttl"),
    "extra": rdflib.Graph().parse(data=EXTRA, format="turtle"),
}
REACH = {name: Reach(shapes) for name, shapes in SHAPES.items()}

# -- Random graphs of our kinds --------------------------------------------------


def iri(curie: str) -> NamedNode:
    return NamedNode(expand(curie) or curie)


def pool(text: str) -> list[Term]:
    return [iri(curie) for curie in text.split()]


def dates() -> list[Term]:
    days = ("1990-01-01", "1992-05-15", "1999-04-02", "2002-10-07")
    return [Literal(day, datatype=iri("xsd:date")) for day in days]


STATES = pool("state:armenia state:russia state:tuva polity:abkhazia")
ALLIANCES = pool("alliance:csto alliance:nato")
SOURCES = pool("source:one source:two source:three")
CITATIONS = pool("citation:a citation:b citation:c citation:d")
EVENTS = pool("event:a event:b event:c event:d")
STATEMENTS = pool("statement:a statement:b statement:c")
MEMBERSHIPS = pool("membership:a membership:b membership:c membership:d")
PERSONS = pool("person:a person:b collective:c")
ORGANIZATIONS = pool("organization:a organization:b")
ENTITIES = [*STATES, *ALLIANCES, *PERSONS, *ORGANIZATIONS, *pool("treaty:a place:a")]
NUMBERS: list[Term] = [
    *(Literal(n) for n in (1, 2, 7, 40)),
    *(Literal(text, datatype=iri("xsd:integer")) for text in ("01", "+2", "x")),
    Literal("1.0", datatype=iri("xsd:decimal")),
]
TEXTS: list[Term] = [
    *(Literal(text, language=tag) for text in ("Name", "7") for tag in ("en", "ar", "fr")),
    Literal("plain"),
]
CODES: list[Term] = [Literal("ARM"), Literal("RUS"), Literal("051")]
TRUTHS: list[Term] = [Literal(True), Literal("1", datatype=iri("xsd:boolean"))]
ODD: list[Term] = [
    *(*dates(), *NUMBERS, *TEXTS, *ENTITIES, *EVENTS, *MEMBERSHIPS, *CITATIONS),
    BlankNode("node"),
    Literal("1999", datatype=iri("xsd:gYear")),
    Literal("2001-02-30", datatype=iri("xsd:date")),
    iri("status:occurred"),
    iri("csto:member"),
    iri("rdf:type"),
]
BOUNDS = {
    f"csto:{bound}": dates()
    for bound in ("beginsNotBefore", "beginsNotAfter", "endsNotBefore", "endsNotAfter")
}
CITED = {"prov:wasDerivedFrom": CITATIONS}
NAMED = {"rdfs:label": TEXTS}
TRIPLE = {
    "rdf:subject": [*STATES, *ALLIANCES],
    "rdf:predicate": pool("csto:suspends csto:signatoryOf csto:member rdfs:label"),
    "rdf:object": [*ALLIANCES, *pool("treaty:a"), *TEXTS[:2]],
}
LOOSE = {
    **{f"csto:{name}": ALLIANCES for name in ("suspends", "appliedTo", "leads", "weakerThan")},
    "csto:opposes": STATES,
    "csto:signatoryOf": pool("treaty:a"),
    "csto:hasMembership": MEMBERSHIPS,
    "csto:hasOutcome": EVENTS,
}
#: Values that pyshacl cannot compare end its work, whatever the graph.
COMPARED = ("csto:low", "csto:high")

#: Kind: its nodes, its classes, and the values of its properties.
KINDS: dict[str, tuple[list[Term], str, dict[str, list[Term]]]] = {
    "state": (STATES, "csto:State csto:Polity", {**NAMED, "csto:iso3166Alpha3": CODES, **LOOSE}),
    "alliance": (
        ALLIANCES,
        "csto:Alliance",
        {**NAMED, "csto:foundedBy": pool("treaty:a"), **LOOSE},
    ),
    "cited": (STATES, "csto:State", CITED),
    "person": (PERSONS, "csto:Person csto:CollectiveSpeaker", NAMED),
    "organization": (ORGANIZATIONS, "csto:Organization", NAMED),
    "treaty": (pool("treaty:a"), "csto:Treaty", {**NAMED, "csto:hasSignatory": STATES}),
    "place": (pool("place:a"), "csto:Place", {**NAMED, "csto:locatedIn": STATES}),
    "source": (
        SOURCES,
        "csto:Source",
        {
            **NAMED,
            "csto:issuedNotBefore": dates(),
            "csto:issuedNotAfter": dates(),
            "csto:textLength": NUMBERS,
            "csto:textSha256": [Literal("0" * 64)],
            "csto:publisher": ORGANIZATIONS,
        },
    ),
    "citation": (
        CITATIONS,
        "csto:Citation",
        {
            "oa:hasSource": SOURCES,
            "oa:hasSelector": pool("selector:a selector:b"),
            "csto:paragraph": NUMBERS,
            "csto:sentence": NUMBERS,
        },
    ),
    "selector": (
        pool("selector:a selector:b"),
        "oa:TextPositionSelector",
        {"oa:start": NUMBERS, "oa:end": NUMBERS, "csto:low": NUMBERS[:3], "csto:high": NUMBERS[:3]},
    ),
    "membership": (
        MEMBERSHIPS,
        "csto:Membership",
        {
            **BOUNDS,
            **CITED,
            "csto:member": STATES,
            "csto:alliance": ALLIANCES,
            "csto:spellNumber": NUMBERS,
            "csto:continuityAssumed": TRUTHS,
            "csto:beginsBy": pool("legal-act:signature status:occurred"),
        },
    ),
    "lifespan": (
        pool("lifespan:a lifespan:b lifespan:c"),
        "csto:Lifespan",
        {**BOUNDS, **CITED, "csto:lifespanOf": [*STATES, *ALLIANCES]},
    ),
    "event": (
        EVENTS,
        "csto:Event",
        {
            **BOUNDS,
            **CITED,
            **NAMED,
            "csto:eventKind": pool("event-kind:summit"),
            "csto:status": pool("status:occurred status:reported status:planned"),
            "csto:participant": [*STATES, *PERSONS],
            "csto:place": pool("place:a state:armenia"),
            "csto:partOf": EVENTS,
            "csto:precedes": EVENTS,
            "csto:follows": EVENTS,
            "csto:accordingTo": STATEMENTS,
        },
    ),
    "role": (
        pool("role:a role:b"),
        "csto:Role",
        {**CITED, "csto:heldBy": PERSONS, "csto:heldIn": STATES, "csto:office": pool("office:a")},
    ),
    "statement": (
        STATEMENTS,
        "csto:Statement",
        {
            **CITED,
            "csto:speaker": PERSONS,
            "csto:speakingAs": pool("role:a role:b"),
            "csto:reportedThrough": STATEMENTS,
            "csto:form": pool("form:direct"),
            "csto:modality": pool("modality:claimed"),
            "csto:polarity": pool("polarity:affirmative"),
            "csto:about": ENTITIES,
            "csto:gist": TEXTS,
            "csto:proposition": pool("proposition:a proposition:b"),
            "csto:attitudeHolder": PERSONS,
        },
    ),
    "proposition": (pool("proposition:a proposition:b"), "csto:Proposition", {**TRIPLE, **BOUNDS}),
    "fact": (pool("fact:a fact:b fact:c"), "csto:Fact", {**TRIPLE, **CITED}),
    "derivation": (
        pool("derivation:a derivation:b"),
        "csto:Derivation",
        {
            "csto:derived": [*MEMBERSHIPS, *EVENTS],
            "csto:derivedProperty": pool("csto:endsNotBefore csto:beginsNotAfter rdf:subject"),
            "csto:rule": pool("rule:a"),
            "prov:used": SOURCES,
        },
    ),
    "class": (
        pool("csto:State csto:Fact csto:Event csto:Office"),
        "owl:Class",
        {"rdfs:subClassOf": pool("csto:Actor csto:Assertion csto:State")},
    ),
}

ONTOLOGY = rdflib.Graph().parse(shipped.ONTOLOGY / "csto.ttl")
CONCEPTS = "legal-act:signature event-kind:summit office:a form:direct modality:claimed rule:a"
GROUND = {
    *(
        Triple(NamedNode(s), iri("rdfs:subClassOf"), NamedNode(o))  # type: ignore[arg-type]
        for s, o in ONTOLOGY.subject_objects(rdflib.RDFS.subClassOf)
        if isinstance(o, rdflib.URIRef)
    ),
    *(
        Triple(iri(concept), iri("rdf:type"), iri("skos:Concept"))
        for concept in (CONCEPTS + " status:occurred status:reported polarity:affirmative").split()
    ),
    Triple(iri("csto:member"), iri("rdf:type"), iri("owl:ObjectProperty")),
    Triple(iri("csto:suspends"), iri("rdf:type"), iri("owl:ObjectProperty")),
    Triple(iri("csto:endsNotBefore"), iri("rdf:type"), iri("owl:DatatypeProperty")),
}


@dataclass(frozen=True)
class Block:
    """What is said of one node, in the graph, in the submission, or some in each."""

    kind: str
    seed: int
    where: str

    def triples(self) -> tuple[set[Triple], set[Triple]]:
        chance = Random(f"{self.kind} {self.seed}")
        nodes, classes, properties = KINDS[self.kind]
        node = chance.choice(nodes[: chance.choice((1, 2, len(nodes)))])
        said = []
        if chance.random() < 0.93:
            types = pool(classes) if chance.random() < 0.97 else pool("csto:Actor csto:Event")
            said.append(("rdf:type", chance.choice(types)))
        # Nodes of which the same is said meet in joins.
        narrow = chance.random() < 0.5
        for name, values in properties.items():
            for _ in range(chance.choices((0, 1, 2), (2, 13, 1))[0]):
                odd = chance.random() < 0.04 and name not in COMPARED
                value = values[0] if narrow else chance.choice(values)
                said.append((name, chance.choice(ODD) if odd else value))
        if chance.random() < 0.1:
            said.append((chance.choice(list(LOOSE)), chance.choice(ODD)))
        parts: tuple[set[Triple], set[Triple]] = (set(), set())
        for name, value in said:
            place = {"graph": 0, "submission": 1}.get(self.where, chance.randrange(2))
            parts[place].add(Triple(node, iri(name), value))  # type: ignore[arg-type]
        return parts


OFTEN = [kind for kind in KINDS for _ in range(6 if kind == "membership" else 2)]
WHERE = ["graph", "graph", "graph", "submission", "both"]
BLOCKS = st.builds(Block, st.sampled_from(OFTEN), st.integers(0, 10**6), st.sampled_from(WHERE))


def blocks(chance: Random) -> list[Block]:
    return [
        Block(chance.choice(OFTEN), chance.randrange(10**6), chance.choice(WHERE))
        for _ in range(chance.randrange(1, 30))
    ]


def split(blocks: Iterable[Block]) -> tuple[Store, set[Triple]]:
    graph, submission = set(GROUND), set()
    for block in blocks:
        old, new = block.triples()
        graph |= old
        submission |= new
    store = Store()
    store.extend(Quad(*triple) for triple in graph)
    return store, submission


# -- What both have to say -------------------------------------------------------

Findings = Counter[tuple[str, ...]]


def findings(results: rdflib.Graph, nodes: set[str] | None = None) -> Findings:
    parts = (SH.focusNode, SH.sourceShape, SH.resultPath, SH.value, SH.resultSeverity)
    found: Findings = Counter()
    for result in results.objects(None, SH.result):
        values = [results.value(result, part) for part in (*parts, SH.sourceConstraintComponent)]
        if isinstance(values[2], rdflib.BNode):
            values[2] = None
        texts = tuple("" if value is None else value.n3() for value in values)
        if nodes is None or texts[0] in nodes:
            found[texts] += 1
    return found


def whole(shapes: rdflib.Graph, store: Store, submission: Iterable[Triple] = ()) -> rdflib.Graph:
    known = {quad.triple for quad in store.quads_for_pattern(None, None, None, DefaultGraph())}
    _, results, _ = pyshacl.validate(
        native_query_graph(known.union(submission)),
        shacl_graph=shapes,
        inference="none",
        advanced=False,
        js=False,
        inplace=True,
    )
    assert isinstance(results, rdflib.Graph)
    return results


def compare(name: str, reach: Reach, blocks: Iterable[Block]) -> None:
    store, submission = split(blocks)
    affected = {to_rdflib(node).n3() for node in reach.affected(submission, store)}
    after = findings(whole(SHAPES[name], store, submission))
    expected = Counter({texts: n for texts, n in after.items() if texts[0] in affected})
    assert findings(reach.validate(submission, store)) == expected
    before = findings(whole(SHAPES[name], store))
    changed = {texts[0] for texts in ((after - before) + (before - after))}
    assert changed <= affected


def cases(number: int, *phases: Phase) -> settings:
    return settings(
        max_examples=number,
        deadline=None,
        database=None,
        phases=phases or tuple(Phase),
        suppress_health_check=list(HealthCheck),
    )


@pytest.mark.parametrize("name", SHAPES)
def test_results_are_those_of_the_whole_graph(name: str) -> None:
    @cases(CASES)
    @given(st.lists(BLOCKS, min_size=1, max_size=30))
    def agrees(blocks: list[Block]) -> None:
        compare(name, REACH[name], blocks)

    agrees()


def without(view: str, predicate: str) -> Reach:
    """Compile our shapes, and forget that a shape looks at a property."""
    reach = Reach(SHAPES["ours"])
    step = iri(predicate)

    def cut(branch: Branch) -> Branch:
        atoms = tuple(atom for atom in branch.atoms if atom.path != Step(step))
        return replace(branch, atoms=atoms, branches=tuple(map(cut, branch.branches)))

    views = [
        replace(one, branches=tuple(map(cut, one.branches)))
        if str(one.shape.node).endswith(f"#{view}")
        else one
        for one in reach._views
    ]
    reach._arrange(views)
    return reach


@pytest.mark.parametrize(
    ("view", "predicate"),
    [
        ("Membership", "rdf:type"),
        ("RelationCited", "rdf:object"),
        ("CitationOfText", "csto:textSha256"),
        ("MembershipLifespan", "csto:lifespanOf"),
    ],
)
def test_a_view_that_lacks_a_pattern_is_found_out(view: str, predicate: str) -> None:
    reach = without(view, predicate)
    with pytest.raises(AssertionError):
        for seed in range(1000):
            compare("ours", reach, blocks(Random(seed)))


# -- What it costs ---------------------------------------------------------------


def membership(name: str, source: str) -> set[Triple]:
    said = {
        "rdf:type": "csto:Membership",
        "csto:member": "state:armenia",
        "csto:alliance": "alliance:csto",
        "prov:wasDerivedFrom": f"citation:{source}",
    }
    return {
        *(Triple(iri(f"membership:{name}"), iri(p), iri(o)) for p, o in said.items()),
        *(Triple(iri(f"membership:{name}"), iri(p), days[1]) for p, days in BOUNDS.items()),
        Triple(iri(f"citation:{source}"), iri("rdf:type"), iri("csto:Citation")),
        Triple(iri(f"citation:{source}"), iri("oa:hasSource"), iri(f"source:{source}")),
        Triple(iri(f"source:{source}"), iri("rdf:type"), iri("csto:Source")),
    }


def test_of_thousands_of_memberships_only_those_that_join_are_read() -> None:
    store = Store()
    store.extend(Quad(*triple) for triple in GROUND)
    for n in range(3000):
        store.extend(Quad(*triple) for triple in membership(f"m{n}", f"s{n}"))
    store.add(Quad(iri("state:armenia"), iri("rdf:type"), iri("csto:State")))
    store.add(Quad(iri("alliance:csto"), iri("rdf:type"), iri("csto:Alliance")))
    new = membership("new", "s7")
    nodes = REACH["ours"].affected(new, store)
    assert nodes == {triple.subject for triple in new} | {iri("membership:m7")}
    assert len(REACH["ours"].fragment(nodes, new, store)) < 40
    # What a state is called, or is as well, is nothing to those who mention it.
    for triple in (
        Triple(iri("state:armenia"), iri("rdfs:label"), Literal("Armenia", language="en")),
        Triple(iri("state:armenia"), iri("rdf:type"), iri("csto:Actor")),
    ):
        assert REACH["ours"].affected({triple}, store) == {iri("state:armenia")}


def test_a_long_chain_of_events_is_not_followed_from_its_end() -> None:
    store = Store()
    follows = iri("csto:follows")
    chain = [iri(f"event:e{n}") for n in range(3000)]
    store.extend(Quad(later, follows, earlier) for earlier, later in pairwise(chain))
    last = {Triple(iri("event:new"), follows, chain[-1])}
    nodes = REACH["ours"].affected(last, store)
    assert nodes == {iri("event:new")}
    assert len(REACH["ours"].fragment(nodes, last, store)) < 10
    loop = {Triple(iri("event:e2800"), follows, iri("event:e2999"))}
    assert REACH["ours"].affected(loop, store) == set(chain[2800:])


# -- What is refused -------------------------------------------------------------

QUERY = (
    '; sh:targetClass csto:Event ; sh:sparql [ sh:prefixes <urn:shapes> ; sh:select """ %s """ ] .'
)


@pytest.mark.parametrize(
    ("shape", "reason"),
    [
        (QUERY % "SELECT $this { $this a ?c . ?x a csto:Event }", "cannot be joined"),
        (QUERY % "SELECT $this { $this a ?class . ?other a ?class }", "cannot be joined"),
        (QUERY % "SELECT $this { $this ?p ?o . ?x ?p ?y }", "cannot be joined"),
        (QUERY % "SELECT $this { $this a ?c FILTER NOT EXISTS { ?x csto:member ?y } }", "joined"),
        (QUERY % "SELECT $this { $this a ?c MINUS { $this csto:member ?y } }", "MINUS"),
        (QUERY % "SELECT $this { $this a ?c . GRAPH ?g { $this csto:member ?y } }", "Graph"),
        (QUERY % "SELECT $this { { SELECT $this { $this a ?c } LIMIT 1 } }", "not supported"),
        (QUERY % "SELECT $this { $this !csto:member ?y }", "not supported"),
        (QUERY % "SELECT $this { $this a }", "shape"),
        ("; sh:property [ sh:path [ sh:inversePath rdf:type ] ] ; sh:targetNode <urn:n> .", "joined"),
        (
            "; sh:targetNode <urn:n> ; "
            "sh:property [ sh:path [ sh:inversePath ( csto:place rdf:type ) ] ] .",
            "turn each step",
        ),
        ("; sh:targetNode <urn:n> ; sh:property [ sh:path csto:place ; sh:node <urn:s> ] .", "recurs"),
        ("; sh:targetNode <urn:n> ; sh:js [] .", "js is not supported"),
        ("; sh:targetNode <urn:n> . <urn:c> a sh:ConstraintComponent ; "
         "sh:parameter [ sh:path csto:place ] .", "one's own"),
    ],
)  # fmt: skip
def test_what_would_cost_the_graph_is_refused(shape: str, reason: str) -> None:
    prefixes = EXTRA.partition(":Inverse")[0]
    graph = rdflib.Graph().parse(data=f"{prefixes}<urn:s> a sh:NodeShape {shape}")
    with pytest.raises(CstoKgError, match=reason):
        Reach(graph)
