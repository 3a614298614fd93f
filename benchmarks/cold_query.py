"""A saved query from a cold shell, beside other tools over the same triples.

Each peer is a whole process: it starts, loads the shipped graph from Turtle, answers which states
were members of the CSTO on 2000-01-01, and ends. Printed are the least processor and wall time of
some runs, and their ratio to an rdflib script. Peers that are not installed are left out.
"""

from __future__ import annotations

import os
import resource
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import csto_kg
from csto_kg import shipped

RUNS = 7

# What the peers are asked is simpler than the saved query, since roqet knows no property paths.
QUERY = """
PREFIX csto: <https://w3id.org/csto-kg/ontology#>
PREFIX xsd: <http://www.w3.org/2001/XMLSchema#>
SELECT ?member ?begin WHERE {
  ?membership csto:alliance <https://w3id.org/csto-kg/id/alliance/csto> ;
    csto:member ?member ; csto:beginsNotAfter ?begin ; csto:endsNotBefore ?end .
  FILTER(?begin <= "2000-01-01"^^xsd:date && ?end >= "2000-01-01"^^xsd:date)
} ORDER BY ?member ?begin
"""
RDFLIB = """
import sys, rdflib
graph = rdflib.Graph().parse(sys.argv[1], format="turtle")
for row in graph.query(open(sys.argv[2]).read()):
    print(*row, sep="\\t")
"""
PYOXIGRAPH = """
import sys, pyoxigraph
store = pyoxigraph.Store()
store.load(path=sys.argv[1], format=pyoxigraph.RdfFormat.TURTLE)
for row in store.query(open(sys.argv[2]).read()):
    print(*row, sep="\\t")
"""


def main() -> None:
    kg = csto_kg.open()
    with tempfile.TemporaryDirectory() as folder:
        data, query = Path(folder) / "graph.ttl", Path(folder) / "query.rq"
        data.write_bytes(kg.export(format_name="turtle"))
        query.write_text(QUERY, "utf-8")
        command = shutil.which("csto-kg", path=str(Path(sys.executable).parent)) or "csto-kg"
        options = ["--alliance", "csto", "--date", "2000-01-01"]
        peers = {
            "python -c pass": [sys.executable, "-c", "pass"],
            "csto-kg --help": [command, "--help"],
            "csto-kg query run members-on": [command, "query", "run", "members-on", *options],
            "pyoxigraph script": [sys.executable, "-c", PYOXIGRAPH, str(data), str(query)],
            "rdflib script": [sys.executable, "-c", RDFLIB, str(data), str(query)],
        }
        if roqet := shutil.which("roqet"):
            peers["roqet"] = [roqet, "-q", "-r", "tsv", "-D", str(data), str(query)]
        if oxigraph := shutil.which("oxigraph"):
            peers["oxigraph (load, query)"] = [
                "sh",
                "-c",
                f'd=$(mktemp -d); "{oxigraph}" load -l "$d" -f "{data}" 2>/dev/null; '
                f'"{oxigraph}" query -l "$d" --query-file "{query}" --results-format tsv; '
                'rm -r "$d"',
            ]
        times = {name: measured(arguments) for name, arguments in peers.items()}
    rdflib = times["rdflib script"]
    triples = kg.export(format_name="ntriples").count(b"\n")
    print(
        f"{triples} triples in the shipped graph, least of {RUNS} runs; ratio to the rdflib script"
    )
    print(f"{'':32}{'cpu ms':>9}{'ratio':>8}{'wall ms':>9}{'ratio':>8}")
    for name, (cpu, wall) in times.items():
        print(f"{name:32}{cpu:9.0f}{cpu / rdflib[0]:8.2f}{wall:9.0f}{wall / rdflib[1]:8.2f}")
    print(f"data from {shipped.DATA}")


def measured(arguments: list[str]) -> tuple[float, float]:
    """Return the least processor and the least wall time of some runs, in milliseconds."""
    cpu, wall = [], []
    for _ in range(RUNS):
        before, start = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
        done = subprocess.run(arguments, capture_output=True, check=False, env=os.environ)
        wall.append(time.perf_counter() - start)
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        cpu.append(after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime)
        if done.returncode:
            raise SystemExit(f"{arguments[0]} failed: {done.stderr.decode()}")
    return min(cpu) * 1000, min(wall) * 1000


if __name__ == "__main__":
    main()
