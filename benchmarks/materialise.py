"""What follows from graphs of growing size, by owlrl and by reasonable beside each other.

Each measurement is a process of its own: a graph as ``generator.py`` makes it, in which sources
multiply, and what follows from it. Printed are seconds of processor time: of the bare reasoners
over all triples of the merged graph that are not literals, of our own inference with each of them,
and of a whole ``view(inferred=True)``, which copies the graph and takes in what is inferred; the
ratio of owlrl to reasonable; and the most memory that the view took.

owlrl is left out where it would take more than some minutes, which is said in its place.
"""

from __future__ import annotations

import argparse
import json
import resource
import subprocess
import sys
import time
from collections.abc import Callable
from typing import Any

from generator import store

from csto_kg.catalogue import Catalogue
from csto_kg.closure import _owlrl, _structure, _to_reasonable, infer
from csto_kg.graph import KnowledgeGraph

SIZES = (5_000, 50_000, 500_000)
LARGE = 5_000_000
# Triples up to which owlrl is tried: half a million take it a quarter of an hour.
MOST_FOR_OWLRL = 50_000


def reasonable(structure: list[Any]) -> None:
    from reasonable import PyReasoner

    engine = PyReasoner()
    engine.from_graph([tuple(map(_to_reasonable, triple)) for triple in structure])
    engine.reason()


def measured(what: str, size: int) -> dict[str, float]:
    """Return the cost of one kind of work over a graph of a size."""
    graph = store(size, "sources")
    structure = _structure(graph)
    kg = KnowledgeGraph(graph, Catalogue())
    works: dict[str, Callable[[], object]] = {
        "owlrl": lambda: _owlrl(structure),
        "reasonable": lambda: reasonable(structure),
        "inference, owlrl": lambda: infer(graph, "owlrl"),
        "inference, reasonable": lambda: infer(graph, "reasonable"),
        "view": lambda: kg.view(inferred=True),
    }
    started = time.process_time()
    works[what]()
    return {
        "seconds": time.process_time() - started,
        "GiB": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20,
        "structure": len(structure),
    }


def apart(what: str, size: int) -> dict[str, float]:
    """Measure in a process of its own, so that its memory is that of the work."""
    command = [sys.executable, __file__, "--one", what, str(size)]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    result: dict[str, float] = json.loads(done.stdout)
    return result


def row(size: int) -> str:
    costs = {
        what: apart(what, size)
        for what in ("reasonable", "inference, reasonable", "view", "owlrl", "inference, owlrl")
        if "owlrl" not in what or size <= MOST_FOR_OWLRL
    }
    line = f"{size:10,}{costs['reasonable']['structure']:12,.0f}"
    for prefix in ("", "inference, "):
        fast = costs[f"{prefix}reasonable"]["seconds"]
        slow = costs.get(f"{prefix}owlrl")
        said = (
            (f"{slow['seconds']:10.1f}", f"{slow['seconds'] / fast:7.0f}")
            if slow
            else ("  left out", "")
        )
        line += f"{said[0]}{fast:12.1f}{said[1]:7}"
    return f"{line}{costs['view']['seconds']:8.1f}{costs['view']['GiB']:6.1f}"


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--large", action="store_true", help=f"up to {LARGE:,} triples")
    arguments.add_argument("--one", nargs=2, metavar=("WHAT", "SIZE"), help=argparse.SUPPRESS)
    given = arguments.parse_args()
    if given.one:
        print(json.dumps(measured(given.one[0], int(given.one[1]))))
        return
    print(f"{'':22}{'the reasoner alone':^29}{'with what we do':^29}")
    print(f"{'triples':>10}{'no literals':>12}" + f"{'owlrl':>10}{'reasonable':>12}{'ratio':>7}" * 2
          + f"{'view':>8}{'GiB':>6}")  # fmt: skip
    for size in (*SIZES, LARGE) if given.large else SIZES:
        print(row(size), flush=True)


if __name__ == "__main__":
    main()
