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
from collections.abc import Callable, Iterable
from pathlib import Path
from random import Random

import pyshacl
import rdflib
from generator import graph, report
from pyoxigraph import DefaultGraph, Store, Triple

from csto_kg.catalogue import Catalogue
from csto_kg.gate import judge
from csto_kg.graph import KnowledgeGraph
from csto_kg.nativequery import native_query_graph
from csto_kg.serialization import dump
from csto_kg.shapes import Shapes

SIZES = (10_000, 100_000, 1_000_000)
LARGE = 10_000_000
SUBMISSIONS = 15


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
