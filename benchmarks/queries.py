"""Every saved query at growing sizes: does its cost follow its answer?

Three graphs of each size are asked about, as ``generator.py`` makes them: of an alliance that is in
ever more sources (*hub*), of one that is in three sources however large the graph (*rare*), and of
one in a world that grows by other alliances and states (*other*). What is about the whole graph is
asked once (*all*). Printed are, for each query and size, how many rows it has, the median processor
time of some runs after a first one, and the time per row, each with its ratio to the smallest size;
with ``--rdflib`` and up to 100 thousand triples, how many times longer its own evaluator takes. At
the end it is said which queries take how long at each size.

A query that took long at one size is not asked at the next one.
"""

from __future__ import annotations

import argparse
import gc
import resource
import statistics
import time
from collections.abc import Callable, Iterable
from functools import partial
from itertools import groupby
from typing import NamedTuple

import rdflib
from generator import RARE, Growing, store
from pyoxigraph import DefaultGraph, QuerySolutions, Store

from csto_kg import shipped
from csto_kg.catalogue import Catalogue
from csto_kg.graph import KnowledgeGraph
from csto_kg.terms import to_rdflib

SIZES = (10_000, 100_000, 1_000_000)
LARGE = 10_000_000
RUNS = 5
# Milliseconds: a query that took longer at one size is left out at the next one.
PATIENCE = 4_000
PATIENCE_WITH_RDFLIB = 2_000
# Milliseconds: what a query that touches one alliance or state should stay under.
FAST = 100

DATES = {"date": "2000-06-01", "since": "1995-01-01", "until": "2005-01-01"}


class Asked(NamedTuple):
    """What queries are asked about in one graph."""

    growing: Growing
    names: dict[str, str]


def asked(growing: Growing, alliance: str, state: str, person: str, source: str) -> Asked:
    return Asked(growing, {"alliance": f"alliance:{alliance}", "state": f"state:{state}",
                           "speaker": f"person:{person}", "by": f"source:{source}",
                           "entity": f"alliance:{alliance}", "text": f"of {alliance}"})  # fmt: skip


SUBJECTS = {
    "hub": asked("sources", "csto", "russia", "world-person-0", "s0"),
    "rare": asked("sources", RARE, RARE, RARE, f"{RARE}0"),
    "other": asked("alliances", "csto", "russia", "world-person-0", "r0s0"),
}
CONCEPTS = {"modality": "modality:possibility", "rule": "rule:right-censoring"}


class Measured(NamedTuple):
    milliseconds: float
    rows: int


def measured(work: Callable[[], int], patience: float = PATIENCE) -> Measured:
    """Return the median processor time of some calls after a first one, of one if that is long."""
    times = []
    for _ in range(RUNS + 1):
        gc.collect(0)
        started = time.process_time()
        rows = work()
        times.append((time.process_time() - started) * 1000)
        if times[0] > patience / 4:
            return Measured(times[0], rows)
    return Measured(statistics.median(times[1:]), rows)


def texts(kg: KnowledgeGraph, subject: Asked) -> Iterable[tuple[str, str]]:
    """Yield each saved query by name, with its parameters, and without those not required."""
    known = subject.names | CONCEPTS | DATES
    for saved in kg.queries.values():
        given = {name: known[name] for name in saved.parameters if name in known}
        yield saved.name, saved.bind(given, kg.resolve)
        needed = {name: value for name, value in given.items() if saved.parameters[name].required}
        if needed != given:
            yield f"{saved.name}, any", saved.bind(needed, kg.resolve)


def about_all(text: str) -> bool:
    """Tell whether a query is about the whole graph, and so the same whatever is asked about."""
    return not any(f"/id/{kind}/" in text for kind in ("alliance", "state", "person", "source"))


def ask(engine: Store, text: str) -> int:
    solutions = engine.query(text)
    assert isinstance(solutions, QuerySolutions)
    return sum(1 for _ in solutions)


def loaded(size: int, growing: Growing) -> KnowledgeGraph:
    return KnowledgeGraph(store(size, growing, named=False), Catalogue(shipped.QUERIES))


class Line(NamedTuple):
    """One query at one size: what it was asked about, and what it took."""

    triples: int
    asked: str
    query: str
    took: Measured

    @property
    def microseconds_a_row(self) -> float | None:
        return self.took.milliseconds * 1000 / self.took.rows if self.took.rows else None


def saved_queries(sizes: tuple[int, ...], only: list[str], *, with_rdflib: bool) -> list[Line]:
    print(f"{'triples':>10} {'asked':6}{'query':36}{'rows':>9}{'ms':>10}{'ratio':>8}{'µs/row':>9}"
          f"{'ratio':>8}{'rdflib':>8}")  # fmt: skip
    lines: list[Line] = []
    first: dict[tuple[str, str], Line] = {}
    left: set[tuple[str, str]] = set()
    slow_in_rdflib: set[tuple[str, str]] = set()
    for size in sizes:
        for growing in ("sources", "alliances"):
            kg = loaded(size, growing)
            engine = kg.store
            assert isinstance(engine, Store)
            memory = in_rdflib(engine) if with_rdflib and size <= SIZES[1] else None
            for label, subject in SUBJECTS.items():
                if subject.growing != growing:
                    continue
                for name, text in texts(kg, subject):
                    key = (label, name)
                    whole = about_all(text)
                    if key in left or (whole and label != "hub"):
                        continue
                    if only and name.partition(",")[0] not in only:
                        continue
                    took = measured(partial(ask, engine, text))
                    if took.milliseconds > PATIENCE:
                        left.add(key)
                    line = Line(len(engine), "all" if whole else label, name, took)
                    lines.append(line)
                    before = first.setdefault(key, line)
                    theirs = ""
                    if memory is not None and key not in slow_in_rdflib:
                        in_python = measured(partial(answer, memory, text), 0).milliseconds
                        theirs = f"{in_python / took.milliseconds:.0f}"
                        if in_python > PATIENCE_WITH_RDFLIB:
                            slow_in_rdflib.add(key)
                    print(f"{line.triples:10,} {line.asked:6}{name:36}{took.rows:9,}"
                          f"{took.milliseconds:10.2f}"
                          f"{took.milliseconds / before.took.milliseconds:8.1f}"
                          f"{a_row(line):>9}{a_row(line, before):>8}{theirs:>8}",
                          flush=True)  # fmt: skip
            del kg, engine, memory
    return lines


def a_row(line: Line, against: Line | None = None) -> str:
    """Show the time per row, or its ratio; nothing where there is no row."""
    mine = line.microseconds_a_row
    theirs = against.microseconds_a_row if against else None
    if mine is None or (against and theirs is None):
        return ""
    return f"{mine / theirs:.1f}" if theirs else f"{mine:.0f}"


def summary(lines: list[Line]) -> None:
    """Print what is to be seen at one look: how many are fast at each size, and which are not."""
    print(f"\n{'triples':>10} {'asked':6}{f'under {FAST} ms':>14}{'median':>9}{'worst':>10}")
    for (triples, asked), group in groupby(
        sorted(lines), key=lambda line: (line.triples, line.asked)
    ):
        times = {line.query: line.took.milliseconds for line in group}
        worst = max(times, key=times.__getitem__)
        fast = f"{sum(took < FAST for took in times.values())} of {len(times)}"
        print(f"{triples:10,} {asked:6}{fast:>14}{statistics.median(times.values()):9.2f}"
              f"{times[worst]:10.2f}  {worst}")  # fmt: skip
    print(f"\n{'triples':>10} {'asked':6}{f'over {FAST} ms':36}{'rows':>9}{'ms':>10}{'µs/row':>9}")
    for line in sorted(lines):
        if line.took.milliseconds >= FAST:
            print(f"{line.triples:10,} {line.asked:6}{line.query:36}{line.took.rows:9,}"
                  f"{line.took.milliseconds:10.0f}{a_row(line):>9}")  # fmt: skip


def answer(graph: rdflib.Graph, text: str) -> int:
    return len(list(graph.query(text)))


def in_rdflib(engine: Store) -> rdflib.Graph:
    graph = rdflib.Graph()
    for quad in engine.quads_for_pattern(None, None, None, DefaultGraph()):
        graph.add((to_rdflib(quad.subject), to_rdflib(quad.predicate), to_rdflib(quad.object)))
    return graph


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--large", action="store_true", help=f"up to {LARGE:,} triples")
    arguments.add_argument("query", nargs="*", help="only these")
    arguments.add_argument("--rdflib", action="store_true", help="with its evaluator beside it")
    given = arguments.parse_args()
    sizes = (*SIZES, LARGE) if given.large else SIZES
    summary(saved_queries(sizes, given.query, with_rdflib=given.rdflib))
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
    print(f"\n{peak:.1f} GiB at most")


if __name__ == "__main__":
    main()
