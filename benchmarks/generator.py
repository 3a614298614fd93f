"""Graphs of any size, the same ones every time.

:func:`graph` is what ``incremental.py`` judges submissions against. :func:`batches` is for queries:
a world of states, alliances and spells, and sources that report on it, a named graph each. The
world stays as it is while its sources multiply, or it grows by regions with as many sources each
as the first. So what is asked of one alliance has a growing answer in the one, and the same answer
in the other; and :data:`RARE` names are in three sources however many there are.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from functools import cache
from itertools import chain, count
from random import Random
from typing import Literal as OneOf

from pyoxigraph import Literal, NamedNode, Quad, Store, Triple, parse

from csto_kg import shipped
from csto_kg.endpoint import VOCABULARY
from csto_kg.graph import GRAPH
from csto_kg.terms import Term
from csto_kg.vocabulary import expand

STATES = ("armenia", "russia", *(f"state-{n}" for n in range(58)))
ALLIANCES = ("csto", "nato", *(f"alliance-{n}" for n in range(18)))
# The first ten states have signed all treaties, the others two of them.
SIGNED = {
    alliance: STATES[:10] if number > 1 else STATES for number, alliance in enumerate(ALLIANCES)
}


@cache
def iri(curie: str) -> NamedNode:
    return NamedNode(expand(curie) or curie)


def say(subject: str, **values: object) -> Iterator[Triple]:
    """Yield triples about a node; prefix and name of a property are joined by two underscores."""
    for name, value in values.items():
        curie = name.replace("__", ":") if "__" in name else f"csto:{name}"
        for one in value if isinstance(value, tuple) else (value,):
            object_: Term = one if isinstance(one, Literal) else iri(str(one))
            yield Triple(iri(subject), iri("rdf:type" if name == "a" else curie), object_)


def day(chance: Random) -> Literal:
    text = (
        f"{chance.randrange(1992, 2024)}-{chance.randrange(1, 13):02}-{chance.randrange(1, 29):02}"
    )
    return Literal(text, datatype=iri("xsd:date"))


def labels(text: str) -> tuple[Literal, ...]:
    return tuple(Literal(text, language=tag) for tag in ("en", "ar"))


def often(chance: Random, names: tuple[str, ...]) -> str:
    """Choose a name, the first ones much more often than the last."""
    return names[min(int(chance.paretovariate(0.7)) - 1, len(names) - 1)]


def entities() -> Iterator[Triple]:
    for state in STATES:
        yield from say(f"state:{state}", a="csto:State", rdfs__label=labels(state))
        yield from say(f"lifespan:{state}", a="csto:Lifespan", lifespanOf=f"state:{state}",
                       prov__wasDerivedFrom="citation:first", beginsNotBefore=Literal(
                           "1991-01-01", datatype=iri("xsd:date")))  # fmt: skip
    for alliance in ALLIANCES:
        yield from say(f"alliance:{alliance}", a="csto:Alliance", rdfs__label=labels(alliance))
        yield from say(f"treaty:{alliance}", a="csto:Treaty", rdfs__label=labels(alliance))
    for alliance, states in SIGNED.items():
        for state in states:
            yield from say(f"state:{state}", signatoryOf=f"treaty:{alliance}")
            yield from say(f"fact:first-{state}-{alliance}", a="csto:Fact",
                           prov__wasDerivedFrom="citation:first", rdf__subject=f"state:{state}",
                           rdf__predicate="csto:signatoryOf",
                           rdf__object=f"treaty:{alliance}")  # fmt: skip
    yield from say("source:first", a="csto:Source", rdfs__label=labels("First"),
                   issuedNotAfter=Literal("1991-12-31", datatype=iri("xsd:date")))  # fmt: skip
    yield from say("citation:first", a="csto:Citation", oa__hasSource="source:first")


def report(number: int, chance: Random) -> Iterator[Triple]:
    """Yield what one source says: some sixty triples."""
    name = f"r{number}"
    alliance = often(chance, ALLIANCES)
    state = often(chance, SIGNED[alliance])
    first, last = sorted((day(chance), day(chance)), key=str)
    yield from say(f"source:{name}", a="csto:Source", rdfs__label=labels(name), issuedNotAfter=last,
                   textLength=Literal(4000), textSha256=Literal("0" * 64))  # fmt: skip
    yield from say(f"citation:{name}", a="csto:Citation", oa__hasSource=f"source:{name}",
                   oa__hasSelector=f"selector:{name}", paragraph=Literal(1), sentence=Literal(2),
                   spanSha256=Literal("1" * 64))  # fmt: skip
    yield from say(f"selector:{name}", a="oa:TextPositionSelector", oa__start=Literal(5),
                   oa__end=Literal(90))  # fmt: skip
    cited = {"prov__wasDerivedFrom": f"citation:{name}"}
    yield from say(f"membership:{name}", a="csto:Membership", member=f"state:{state}",
                   alliance=f"alliance:{alliance}", beginsNotAfter=first, endsNotBefore=last,
                   spellNumber=Literal(1), **cited)  # fmt: skip
    yield from say(f"event:{name}", a="csto:Event", eventKind="event-kind:summit", **cited,
                   status="status:occurred", participant=(f"state:{state}", f"person:{name}"),
                   beginsNotBefore=first, endsNotAfter=first, follows=f"event:r{number - 1}",
                   concerns=f"alliance:{alliance}")  # fmt: skip
    yield from say(f"person:{name}", a="csto:Person", rdfs__label=labels(name))
    yield from say(f"role:{name}", a="csto:Role", heldBy=f"person:{name}", heldIn=f"state:{state}",
                   office="office:president", **cited)  # fmt: skip
    yield from say(f"statement:{name}", a="csto:Statement", speaker=f"person:{name}", **cited,
                   speakingAs=f"role:{name}", form="form:direct", modality="modality:claimed",
                   polarity="polarity:affirmative", about=f"alliance:{alliance}",
                   gist=labels("It is so."), proposition=f"proposition:{name}")  # fmt: skip
    yield from say(f"proposition:{name}", a="csto:Proposition", rdf__subject=f"state:{state}",
                   rdf__predicate="csto:suspends", rdf__object=f"alliance:{alliance}")  # fmt: skip
    yield from say(f"fact:{name}", a="csto:Fact", rdf__subject=f"state:{state}", **cited,
                   rdf__predicate="csto:signatoryOf", rdf__object=f"treaty:{alliance}")  # fmt: skip
    yield from say(f"state:{state}", signatoryOf=f"treaty:{alliance}")


def graph(size: int) -> Iterator[Quad]:
    """Yield a graph of at least ``size`` triples with the ontology."""
    yielded = 0
    for triple in entities():
        yielded += 1
        yield Quad(*triple)
    for file in ("csto.ttl", "schemes.ttl"):
        for quad in parse(path=shipped.ONTOLOGY / file):
            yielded += 1
            yield quad
    chance, number = Random(1), 0
    yield from (Quad(*t) for t in say("event:r0", a="csto:Event", status="status:occurred"))
    while yielded < size:
        number += 1
        for triple in report(number, chance):
            yielded += 1
            yield Quad(*triple)


#: What multiplies as a graph of :func:`batches` grows.
Growing = OneOf["sources", "alliances"]

#: Slug of the alliance, the state, the person and the event that three sources know.
RARE = "rare"

OFFICES = ("president", "prime-minister", "head-of-state", "spokesperson", "expert")
MODALITIES = ("claimed", "evaluation", "prediction", "possibility", "intention", "attempt",
              "presupposed", "causal")  # fmt: skip
RELATIONS = ("opposes", "joins", "suspends", "signatoryOf", "appliedTo", "causes")
FORCES = ("invited", "predicted", "possible", "pressed")
BEGINNINGS = ("signature", "ratification", "accession", "entry-into-force", "deposit")
ENDS = ("expiry", "notice-of-withdrawal", "dissolution", "non-renewal")
KINDS = ("summit", "meeting", "military-exercise", "signing", "accession", "crisis")
SOURCES_OF_A_REGION = 14


@dataclass(frozen=True, slots=True)
class Spell:
    """What really happened: a state was in an alliance from a day to another, or still is."""

    state: str
    number: int
    begin: date
    end: date | None
    founding: bool


@dataclass(frozen=True, slots=True)
class Region:
    """States, and their spells in each alliance among them; names that come first are frequent."""

    name: str
    states: tuple[str, ...]
    spells: dict[str, tuple[Spell, ...]]

    @classmethod
    def made(cls, name: str, states: int, alliances: int) -> Region:
        chance = Random(f"region {name}")
        members = ("russia", "armenia", *(f"{name}-state-{n}" for n in range(states - 2)))
        if name != "world":
            members = tuple(f"{name}-state-{n}" for n in range(states))
        sizes = [9, 32, *(20 for _ in range(8))][: max(2, alliances // 30)]
        spells = {}
        for number in range(alliances):
            slug = f"{name}-alliance-{number}"
            if name == "world" and number < 2:
                slug = ("csto", "nato")[number]
            size = sizes[number] if number < len(sizes) else 2 + int(chance.expovariate(0.8))
            spells[slug] = tuple(_spells(chance, members, min(size, len(members))))
        return cls(name, members, spells)


def _spells(chance: Random, states: tuple[str, ...], size: int) -> Iterator[Spell]:
    founded = date(1945, 1, 1) + timedelta(chance.randrange(20_000))
    dissolved = founded + timedelta(chance.randrange(1000, 12_000))
    end = dissolved if chance.random() < 0.4 and size < 9 else None
    joined = {skewed(chance, states) for _ in range(size)}
    while len(joined) < size:
        joined.add(chance.choice(states))
    for place, state in enumerate(sorted(joined)):
        founding = place < 2 or chance.random() < 0.6
        begin = founded + timedelta(0 if founding else chance.randrange(900))
        if chance.random() < 0.1:
            left = begin + timedelta(chance.randrange(30, 900))
            yield Spell(state, 1, begin, left, founding)
            yield Spell(state, 2, left + timedelta(chance.randrange(100, 2000)), end, False)
        else:
            yield Spell(state, 1, begin, end, founding)


def skewed(chance: Random, among: tuple[str, ...]) -> str:
    """Choose a name: of seven hundred the first in one of nine cases, the last ones hardly ever."""
    return among[int(len(among) * chance.random() ** 3)]


@cache
def literal(day_: date) -> Literal:
    return Literal(day_.isoformat(), datatype=iri("xsd:date"))


def names(text: str) -> tuple[Literal, ...]:
    return (Literal(text, language="en"), Literal(f"حلف {text}", language="ar"),
            Literal(f"Имя {text}", language="ru"))  # fmt: skip


class Reporter:
    """Writes what one source says about some alliances of a region."""

    def __init__(self, key: str, region: Region, alliances: Iterable[str]) -> None:
        self.key = key
        self.region = region
        self.alliances = tuple(alliances)
        self.chance = Random(f"source {key}")
        self.issued = date(1992, 1, 1) + timedelta(self.chance.randrange(12_000))
        self._numbers = count(1)

    def triples(self) -> Iterator[Triple]:
        key = self.key
        yield from say(f"source:{key}", a="csto:Source", rdfs__label=names(f"Report {key}"),
                       issuedNotBefore=literal(self.issued), textLength=Literal(4000),
                       issuedNotAfter=literal(self.issued + timedelta(30)))  # fmt: skip
        for alliance in self.alliances:
            yield from self.alliance(alliance)
            yield from self.speech(alliance)

    def node(self, kind: str) -> str:
        return f"{kind}:{self.key}-{next(self._numbers)}"

    def cited(self) -> tuple[str, list[Triple]]:
        citation, selector = self.node("citation"), self.node("selector")
        start = self.chance.randrange(3000)
        return citation, [
            *say(citation, a="csto:Citation", oa__hasSource=f"source:{self.key}",
                 oa__hasSelector=selector, paragraph=Literal(1 + start // 300),
                 sentence=Literal(1 + start // 100 % 3), spanSha256=Literal("1" * 64)),
            *say(selector, a="oa:TextPositionSelector", oa__start=Literal(start),
                 oa__end=Literal(start + 80)),
        ]  # fmt: skip

    def person(self) -> str:
        # A person is one in all sources of a region, the first ones in most of them.
        people = tuple(f"{self.region.name}-person-{n}" for n in range(200))
        return RARE if RARE in self.alliances else skewed(self.chance, people)

    def alliance(self, alliance: str) -> Iterator[Triple]:
        """Yield memberships, the founding treaty with its signatories, and lifespans."""
        chance, spells = self.chance, self.region.spells[alliance]
        citation, triples = self.cited()
        yield from triples
        yield from say(f"alliance:{alliance}", a="csto:Alliance", rdfs__label=names(alliance),
                       foundedBy=f"treaty:{alliance}")  # fmt: skip
        yield from say(f"treaty:{alliance}", a="csto:Treaty", rdfs__label=names(f"of {alliance}"))
        ends = {spell.end for spell in spells if spell.end}
        yield from self.lifespan(f"alliance:{alliance}", citation, spells[0].begin,
                                 max(ends) if len(ends) == 1 else None)  # fmt: skip
        derived = []
        for number, spell in enumerate(spells):
            if number % 3 == 2:
                citation, triples = self.cited()
                yield from triples
            if chance.random() < 0.1:
                continue
            state = f"state:{spell.state}"
            yield from say(state, a="csto:State", rdfs__label=names(spell.state))
            membership = self.node("membership")
            bounds, open_ended = self.bounds(spell)
            yield from say(membership, a="csto:Membership", member=state,
                           alliance=f"alliance:{alliance}", spellNumber=Literal(spell.number),
                           prov__wasDerivedFrom=citation, **bounds)  # fmt: skip
            if open_ended:
                derived.append(membership)
            if spell.founding and chance.random() < 0.5:
                yield from self.fact(state, "csto:signatoryOf", f"treaty:{alliance}", citation)
            if chance.random() < 0.02:
                yield from self.lifespan(state, citation, spell.begin, None)
        if derived:
            yield from say(self.node("derivation"), a="csto:Derivation", derived=tuple(derived),
                           derivedProperty="csto:endsNotBefore", rule="rule:right-censoring",
                           prov__used=f"source:{self.key}")  # fmt: skip

    def bounds(self, spell: Spell) -> tuple[dict[str, object], bool]:
        """Choose how well a source knows a spell: to the day, loosely, or hardly at all."""
        chance = self.chance
        said: dict[str, object] = {}
        begin = spell.begin
        if chance.random() < 0.03:
            begin += timedelta(chance.randrange(1, 200))
        grade = chance.random()
        if grade < 0.9:
            said["beginsNotAfter"] = literal(begin if grade < 0.7 else date(begin.year, 12, 31))
        if grade < 0.8:
            said["beginsNotBefore"] = literal(begin if grade < 0.7 else date(begin.year, 1, 1))
        if chance.random() < 0.6:
            said["beginsBy"] = f"legal-act:{skewed(chance, BEGINNINGS)}"
        if spell.end and (spell.end < self.issued or chance.random() < 0.5):
            said["endsNotAfter"] = literal(spell.end)
            if chance.random() < 0.8:
                said["endsNotBefore"] = literal(spell.end)
            if chance.random() < 0.6:
                said["endsBy"] = f"legal-act:{skewed(chance, ENDS)}"
            return said, False
        said["endsNotBefore"] = literal(self.issued)
        if chance.random() < 0.3:
            said["continuityAssumed"] = Literal(True)
        return said, True

    def lifespan(
        self, entity: str, citation: str, begin: date, end: date | None
    ) -> Iterator[Triple]:
        ending = {"endsNotBefore": literal(end), "endsNotAfter": literal(end)} if end else {}
        yield from say(self.node("lifespan"), a="csto:Lifespan", lifespanOf=entity,
                       beginsNotBefore=literal(begin), beginsNotAfter=literal(begin), **ending,
                       prov__wasDerivedFrom=citation)  # fmt: skip

    def fact(self, subject: str, predicate: str, object_: str, citation: str) -> Iterator[Triple]:
        yield Triple(iri(subject), iri(predicate), iri(object_))
        yield from say(self.node("fact"), a="csto:Fact", rdf__subject=subject,
                       rdf__predicate=predicate, rdf__object=object_,
                       prov__wasDerivedFrom=citation)  # fmt: skip

    def speech(self, alliance: str) -> Iterator[Triple]:
        """Yield an event of the alliance, what was said there and by whom, and names for it."""
        chance = self.chance
        citation, triples = self.cited()
        yield from triples
        spells = self.region.spells[alliance]
        present = [f"state:{spell.state}" for spell in spells[:6]]
        event, kind = self.node("event"), skewed(chance, KINDS)
        first = spells[0].begin + timedelta(chance.randrange(4000))
        last = first + timedelta(chance.choice((0, 0, 3, 30)))
        yield from say(event, a="csto:Event", eventKind=f"event-kind:{kind}",
                       rdfs__label=names(f"{kind} of {alliance}"), participant=tuple(present),
                       status=f"status:{skewed(chance, ('occurred', 'reported', 'planned'))}",
                       concerns=(f"alliance:{alliance}", f"treaty:{alliance}"),
                       place=f"place:{self.region.name}", beginsNotBefore=literal(first),
                       endsNotAfter=literal(last), prov__wasDerivedFrom=citation)  # fmt: skip
        person = f"person:{self.person()}"
        yield from say(person, a="csto:Person", rdfs__label=names(person.partition(":")[2]))
        observers = f"collective:{self.region.name}-observers"
        yield from say(observers, a="csto:CollectiveSpeaker", rdfs__label=names("Observers"))
        role = self.node("role")
        yield from say(role, a="csto:Role", heldBy=person, heldIn=present[0],
                       office=f"office:{skewed(chance, OFFICES)}", beginsNotAfter=literal(last),
                       prov__wasDerivedFrom=citation)  # fmt: skip
        earlier: str | None = None
        for _ in range(2):
            citation, triples = self.cited()
            yield from triples
            statement, proposition = self.node("statement"), self.node("proposition")
            by_observers = chance.random() < 0.2
            modality = skewed(chance, MODALITIES)
            relation = "causes" if modality == "causal" else skewed(chance, RELATIONS)
            extra: dict[str, object] = {}
            if not by_observers:
                extra["speakingAs"] = role
            if earlier and chance.random() < 0.4:
                extra["reportedThrough"] = earlier
            if relation in ("joins", "appliedTo"):
                extra["force"] = f"force:{skewed(chance, FORCES)}"
            if chance.random() < 0.1:
                extra["attitudeHolder"] = present[-1]
            yield from say(statement, a="csto:Statement", form="form:indirect",
                           speaker=observers if by_observers else person,
                           modality=tuple({f"modality:{modality}": 0, "modality:claimed": 0}),
                           polarity="polarity:"
                           + ("negative" if chance.random() < 0.03 else "affirmative"),
                           about=(f"alliance:{alliance}", event, chance.choice(present)),
                           gist=names(f"What {person} said of {alliance} in {self.key}"),
                           proposition=proposition, prov__wasDerivedFrom=citation,
                           **extra)  # fmt: skip
            subject = chance.choice(present)
            object_ = f"treaty:{alliance}" if relation == "signatoryOf" else f"alliance:{alliance}"
            if relation == "causes":
                subject, object_ = event, subject
            yield from say(proposition, a="csto:Proposition", rdf__subject=subject,
                           rdf__predicate=f"csto:{relation}", rdf__object=object_)  # fmt: skip
            earlier = statement
        yield from say(self.node("appellation"), a="csto:Appellation", usedBy=person,
                       names=f"alliance:{alliance}", prov__wasDerivedFrom=citation,
                       nameText=Literal(f"حلف {chance.randrange(9)}", language="ar"))  # fmt: skip


def batches(size: int, growing: Growing) -> Iterator[tuple[NamedNode, list[Triple]]]:
    """Yield named graphs of some 400 triples until there are ``size``, the ontology first."""
    vocabulary = [
        quad.triple
        for name in ("csto.ttl", "schemes.ttl")
        for quad in parse(path=shipped.ONTOLOGY / name)
    ]
    yield VOCABULARY, vocabulary
    yielded = len(vocabulary)
    told = sources(growing)
    while yielded < size:
        reporter = next(told)
        triples = list(dict.fromkeys(reporter.triples()))
        yielded += len(triples)
        yield NamedNode(f"{GRAPH}{reporter.key}"), triples


def sources(growing: Growing) -> Iterator[Reporter]:
    """Yield sources without end: the first is about the hub, and three know the rare alliance."""
    world = Region.made("world", 200, 700) if growing == "sources" else Region.made("world", 20, 60)
    seldom = (Spell("russia", 1, date(1990, 1, 1), None, True),
              Spell(RARE, 1, date(1990, 1, 1), date(1999, 1, 1), True),
              Spell(RARE, 2, date(2005, 1, 1), None, False))  # fmt: skip
    rare = Region("world", (RARE,), {RARE: seldom})
    rarely = [Reporter(f"{RARE}{number}", rare, (RARE,)) for number in range(3)]
    if growing == "sources":
        yield from chain(rarely, (_about(f"s{number}", world) for number in count()))
    for number in count():
        region = Region.made(f"r{number}", 20, 60) if number else world
        yield from (_about(f"r{number}s{n}", region) for n in range(SOURCES_OF_A_REGION))
        yield from () if number else rarely


def _about(key: str, region: Region) -> Reporter:
    chance, alliances = Random(f"about {key}"), tuple(region.spells)
    first = alliances[0] if key.endswith("s0") else skewed(chance, alliances)
    return Reporter(key, region, dict.fromkeys((first, *chance.choices(alliances, k=3))))


def quads(size: int, growing: Growing, *, named: bool = True) -> Iterator[Quad]:
    """Yield the graph as :func:`csto_kg.open` has it: named graphs, and the set that merges them.

    Without ``named`` there is the merged graph alone, which is all that saved queries read.
    """
    for name, triples in batches(size, growing):
        for triple in triples:
            yield Quad(*triple)
            if named:
                yield Quad(triple.subject, triple.predicate, triple.object, name)


def store(size: int, growing: Growing, *, named: bool = True) -> Store:
    """Load a graph into memory."""
    loaded = Store()
    loaded.bulk_extend(quads(size, growing, named=named))
    return loaded
