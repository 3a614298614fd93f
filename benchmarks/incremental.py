"""A submission judged against graphs of growing size: does its cost follow the submission?

A world of states, alliances and treaties stays as it is, and reports about it multiply: a source,
its citations, and the memberships, lifespans, events, roles, statements and facts that rest on
them. A few states and alliances are in most of the reports, and summits form one chain from the
first to the last. The same submissions, each of some sixty triples about those states and
alliances, are judged at each size. Printed are medians of processor time, for reading the fragment,
for validation by the shapes, and for all that the gate does, from bytes to report; their ratios to
the smallest graph; and up to ten thousand triples the time that pyshacl takes for the whole graph.
"""

from __future__ import annotations

import argparse
import logging
import statistics
import time
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from random import Random

import pyshacl
import rdflib
from pyoxigraph import DefaultGraph, Literal, NamedNode, Quad, Store, Triple, parse

from csto_kg import shipped
from csto_kg.catalogue import Catalogue
from csto_kg.gate import judge
from csto_kg.graph import KnowledgeGraph
from csto_kg.nativequery import native_query_graph
from csto_kg.serialization import dump
from csto_kg.shapes import Shapes
from csto_kg.terms import Term
from csto_kg.vocabulary import expand

SIZES = (10_000, 100_000, 1_000_000)
LARGE = 10_000_000
SUBMISSIONS = 15
STATES = ("armenia", "russia", *(f"state-{n}" for n in range(58)))
ALLIANCES = ("csto", "nato", *(f"alliance-{n}" for n in range(18)))
# The first ten states have signed all treaties, the others two of them.
SIGNED = {
    alliance: STATES[:10] if number > 1 else STATES for number, alliance in enumerate(ALLIANCES)
}


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


def whole(triples: Iterable[Triple], shapes: rdflib.Graph) -> None:
    pyshacl.validate(
        native_query_graph(triples), shacl_graph=shapes, inference="none", inplace=True
    )


def cost(work: Callable[[], object]) -> float:
    """Return the processor time of a call in milliseconds."""
    started = time.process_time()
    work()
    return (time.process_time() - started) * 1000


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--large", action="store_true", help=f"up to {LARGE:,} triples")
    sizes = (*SIZES, LARGE) if arguments.parse_args().large else SIZES
    logging.disable(logging.ERROR)
    shapes = Shapes.of(None)
    print(f"shapes compiled in {cost(lambda: shapes.reach):.0f} ms")
    reach = shapes.reach
    submissions = [set(report(10**9 + n, Random(n))) for n in range(SUBMISSIONS)]
    documents = [dump(submission, "turtle") for submission in submissions]
    print(f"{SUBMISSIONS} submissions of {len(submissions[0])} triples; median ms")
    print(f"{'triples':>12}{'fragment':>10}{'read':>8}{'ratio':>7}{'shapes':>8}{'ratio':>7}"
          f"{'gate':>8}{'ratio':>7}{'pyshacl':>10}{'ratio':>7}")  # fmt: skip
    base: list[float] = []
    for size in sizes:
        store = Store()
        store.bulk_extend(graph(size))
        kg = KnowledgeGraph(store, Catalogue())
        for document in documents[:2]:
            judge(Path("submission.ttl"), document, kg)
        read, times = [], []
        for submission, document in zip(submissions, documents, strict=True):
            nodes = reach.affected(submission, store)
            read.append(len(reach.fragment(nodes, submission, store)))
            times.append((
                cost(lambda: reach.fragment(reach.affected(submission, store), submission, store)),  # noqa: B023
                cost(lambda: reach.validate(submission, store)),  # noqa: B023
                cost(lambda: judge(Path("submission.ttl"), document, kg)),  # noqa: B023
            ))  # fmt: skip
        now = [statistics.median(each) for each in zip(*times, strict=True)]
        base = base or now
        line = f"{len(store):12,}{statistics.median(read):10.0f}"
        line += "".join(
            f"{each:8.1f}{each / first:7.2f}" for each, first in zip(now, base, strict=True)
        )
        if size <= SIZES[0]:
            known = {
                quad.triple for quad in store.quads_for_pattern(None, None, None, DefaultGraph())
            }
            taken = cost(lambda: whole(known | submissions[0], shapes.graph))  # noqa: B023
            line += f"{taken:10.0f}{taken / now[1]:7.0f}"
        print(line, flush=True)


if __name__ == "__main__":
    main()
