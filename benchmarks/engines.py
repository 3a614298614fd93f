"""csto-kg beside other engines: how fast and in how much memory they load, export and answer.

A graph of ``generator.py`` is written to disk once for each size: its sources as N-Quads, and the
same triples without their graphs, as what saved queries read, as N-Triples. Then each engine loads
what it can hold of both, answers some saved queries, and exports. Times are wall times; ratios are
to csto-kg, in the same run.

- *load*: to a store on disk, except for rdflib; of Virtuoso from its bulk loader to the checkpoint,
  of Jena by TDB2's own loader. Disk is what the store takes for each of the quads.
- *queries*: the median of some runs after a first one, until the last row is read, and over HTTP
  where there is a server. What is asked concerns one alliance or state, in a world that grows by
  others, so that the rows stay the same.
- *export*: N-Quads of the sources, or N-Triples of all of them merged; of a server what the Graph
  Store Protocol gives of its merged graph. csto-kg sorts what it writes, the others do not.

Everything is measured in a process of its own, and its peak memory is beside it; a server's is that
of all it has done so far. What is not installed is left out, and so is what took another engine
longer than a minute at the size before, or gave less than the whole.
"""

from __future__ import annotations

import argparse
import gzip
import resource
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sized
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import ExitStack, contextmanager
from functools import partial
from multiprocessing import get_context
from pathlib import Path
from typing import Any, NamedTuple

import pytest
import rdflib
import requests
from generator import batches
from pyoxigraph import DefaultGraph, RdfFormat, Store, serialize
from requests.auth import HTTPBasicAuth, HTTPDigestAuth

import csto_kg
from csto_kg import CstoKgError, KnowledgeGraph, disk, shipped
from csto_kg.catalogue import Catalogue
from csto_kg.endpoint import MERGED
from csto_kg.place import sources
from csto_kg.vocabulary import expand

# Servers are started as the tests start them.
sys.path.append(str(Path(__file__).parents[1]))
from tests import servers

SIZES = (10_000, 100_000, 1_000_000)
LARGE = 10_000_000
# The largest size at which rdflib loads and exports, and at which it answers.
LARGEST = {"load": 1_000_000, "export": 1_000_000, "queries": 100_000}
RUNS = 7
# Seconds: what took longer is left out at the next size.
PATIENCE = 60
PATIENCE_WITH_A_QUERY = 5
# Virtuoso's buffers are of 8 KiB.
BUFFERS = 250_000
HEAP = "4g"

MEMBERS = {"alliance": "alliance:csto", "date": "2000-06-01"}
ASKED: dict[str, dict[str, str]] = {
    "members-on": MEMBERS,
    "alliances-of": {"state": "state:russia", "date": "2000-06-01"},
    "reconciled-members-on": MEMBERS,
    "accessions-and-withdrawals": {"alliance": "alliance:csto"},
    "conflicts": {"state": "state:russia"},
}


class Files(NamedTuple):
    """A graph on disk: its sources with their named graphs, and all of them merged."""

    named: Path
    merged: Path
    quads: int


class Measured(NamedTuple):
    """How long some work took, and the most memory that its process had; what came of it."""

    seconds: float
    gigabytes: float
    result: Any = None


class Answered(NamedTuple):
    """How long a query takes, and how many rows come."""

    milliseconds: float
    rows: int


Answers = dict[str, Answered]
Loaded = tuple[Measured, servers.Endpoint]


# -- Measuring -------------------------------------------------------------------------------


def alone(work: Callable[..., object], *arguments: object) -> Measured:
    """Measure a call in a process of its own."""
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as pool:
        return pool.submit(measured, work, *arguments).result()


def measured(work: Callable[..., object], *arguments: object) -> Measured:
    started = time.perf_counter()
    result = work(*arguments)
    seconds = time.perf_counter() - started
    commands = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 2**20
    return Measured(seconds, max(peak(), commands), result)


def said(work: Callable[..., object], *arguments: object) -> object:
    """Call what talks HTTP; its errors cannot travel between processes."""
    try:
        return work(*arguments)
    except requests.RequestException as error:
        raise CstoKgError(str(error)) from None


def peak(process: int | str = "self") -> float:
    """Return the most memory that a process has had."""
    # As ru_maxrss, which however begins with what the parent process had.
    status = Path(f"/proc/{process}/status").read_text("utf-8")
    [line] = [line for line in status.splitlines() if line.startswith("VmHWM")]
    return int(line.split()[1]) / 2**20


def median(ask: Callable[[], int]) -> Answered:
    """Ask some times after a first time."""
    times = []
    for _ in range(RUNS + 1):
        started = time.perf_counter()
        rows = ask()
        times.append((time.perf_counter() - started) * 1000)
        if times[0] > PATIENCE_WITH_A_QUERY * 1000:
            return Answered(times[0], rows)
    return Answered(statistics.median(times[1:]), rows)


# -- The graph -------------------------------------------------------------------------------


def written(size: int, folder: Path) -> Files:
    files = folder / "named.nq", folder / "merged.nt"
    return Files(*files, alone(write, size, *files).result)


def write(size: int, named: Path, merged: Path) -> int:
    quads = 0
    with named.open("wb") as with_graphs, merged.open("wb") as without:
        for name, triples in batches(size, "alliances"):
            lines = serialize(triples, format=RdfFormat.N_TRIPLES) or b""
            without.write(lines)
            with_graphs.write(lines.replace(b" .\n", f" {name} .\n".encode()))
            quads += len(triples)
    return quads


def compressed(file: Path, most: int = 1 << 27) -> float:
    """Return to what part of its size a file is compressed by gzip, by its first 128 MiB."""
    with file.open("rb") as opened:
        data = opened.read(most)
    return len(gzip.compress(data, 6)) / len(data)


def lines(file: Path) -> int:
    with file.open("rb") as opened:
        return sum(1 for _ in opened)


def texts() -> dict[str, str]:
    saved = Catalogue(shipped.QUERIES)
    return {
        name: saved[name].bind(given, lambda curie, _: expand(curie) or curie)
        for name, given in ASKED.items()
    }


# -- Embedded engines ------------------------------------------------------------------------


def load_csto_kg(files: Files, place: Path) -> None:
    disk.load(place, sources([files.named]))


def load_pyoxigraph(files: Files, place: Path) -> None:
    """Load the sources and, as csto-kg does, all of them merged."""
    store = Store(str(place))
    store.bulk_load(path=str(files.named), format=RdfFormat.N_QUADS)
    store.bulk_load(path=str(files.merged), format=RdfFormat.N_TRIPLES)
    store.flush()


def load_pyoxigraph_named(files: Files, place: Path) -> None:
    store = Store(str(place))
    store.bulk_load(path=str(files.named), format=RdfFormat.N_QUADS)
    store.flush()


def load_rdflib(files: Files, _: Path) -> None:
    rdflib.Dataset().parse(files.named, format="nquads")


def ask_in_memory(files: Files) -> Answers:
    store = Store()
    store.bulk_load(path=str(files.merged), format=RdfFormat.N_TRIPLES)
    return ask(KnowledgeGraph(store, Catalogue()).sparql)


def ask_on_disk(place: Path) -> Answers:
    return ask(csto_kg.open(place).sparql)


def ask_rdflib(files: Files) -> Answers:
    graph = rdflib.Graph().parse(files.merged, format="nt")
    return ask(lambda text: list(graph.query(text)))


def ask(answer: Callable[[str], Sized]) -> Answers:
    return {name: median(lambda: len(answer(text))) for name, text in texts().items()}  # noqa: B023


def export_csto_kg(place: Path, format_name: str, out: Path) -> None:
    csto_kg.open(place).export(out, format_name)


def export_pyoxigraph(place: Path, format_name: str, out: Path) -> None:
    store = Store.read_only(str(place))
    if format_name == "nquads":
        store.dump(str(out), format=RdfFormat.N_QUADS)
    else:
        store.dump(str(out), format=RdfFormat.N_TRIPLES, from_graph=DefaultGraph())


def export_by_rdflib(files: Files, format_name: str, out: Path) -> Measured:
    """Measure how long writing takes, after reading."""
    done = alone(export_rdflib, files, format_name, out)
    return done._replace(seconds=done.result)


def export_rdflib(files: Files, format_name: str, out: Path) -> float:
    if format_name == "nquads":
        graph: rdflib.Graph = rdflib.Dataset().parse(files.named, format="nquads")
    else:
        graph = rdflib.Graph().parse(files.merged, format="nt")
    form = {"nquads": "nquads", "ntriples": "nt11"}[format_name]
    return measured(graph.serialize, str(out), form, None, "utf-8").seconds


# -- Servers: each is loaded, then runs until it has been asked ------------------------------


@contextmanager
def oxigraph(files: Files, folder: Path) -> Iterator[Loaded]:
    program = shutil.which("oxigraph", path=str(Path(sys.executable).parent)) or "oxigraph"
    load = [program, "load", "--location", str(folder / "db"), "--file"]
    loaded = alone(commands, [
        [*load, str(files.named)],
        [*load, str(files.merged), "--graph", MERGED.value],
    ])  # fmt: skip
    with servers.run_oxigraph(folder) as endpoint:
        yield loaded, endpoint


@contextmanager
def virtuoso(files: Files, folder: Path) -> Iterator[Loaded]:
    isql = shutil.which("isql-vt") or shutil.which("isql")
    if not isql:
        pytest.skip("isql is not installed")
    for file in (files.named, files.merged):
        (folder / file.name).hardlink_to(file)
    with servers.run_virtuoso(folder, BUFFERS, 2 * LARGE, PATIENCE) as endpoint:
        load = (
            f"ld_dir('{folder}', '{files.named.name}', 'urn:unnamed');"
            f"ld_dir('{folder}', '{files.merged.name}', '{MERGED.value}');"
            "rdf_loader_run(); checkpoint;"
        )
        command = [isql, servers.sql_port(folder), "dba", "dba", f"exec={load}"]
        loaded = measured(commands, [command])
        yield loaded._replace(gigabytes=peak(endpoint.process)), endpoint


@contextmanager
def jena(files: Files, folder: Path) -> Iterator[Loaded]:
    place = folder / "db"
    load = [*servers.jena_command(folder, HEAP), "tdb2.tdbloader", "--loc", str(place)]
    loaded = alone(commands, [
        [*load, str(files.named)],
        [*load, "--graph", MERGED.value, str(files.merged)],
    ])  # fmt: skip
    with servers.run_jena(folder, place, HEAP) as endpoint:
        yield loaded, endpoint


def commands(several: list[list[str]]) -> None:
    for command in several:
        subprocess.run(command, check=True, capture_output=True)


def ask_server(endpoint: servers.Endpoint) -> Answers:
    session = requests.Session()

    def rows(text: str) -> list[object]:
        form = {"query": text, "default-graph-uri": MERGED.value}
        accepted = {"Accept": "application/sparql-results+json"}
        response = session.post(endpoint.query, form, headers=accepted, timeout=2 * PATIENCE)
        check(response)
        return list(response.json()["results"]["bindings"])

    return ask(rows)


def export_server(endpoint: servers.Endpoint, out: Path) -> None:
    kinds = {"basic": HTTPBasicAuth, "digest": HTTPDigestAuth}
    kind, known = kinds.get(endpoint.authentication or ""), endpoint.credentials
    with (
        requests.get(
            endpoint.graph_store,
            {"graph": MERGED.value},
            headers={"Accept": "application/n-triples"},
            auth=kind(*known) if kind and known else None,
            stream=True,
            timeout=2 * PATIENCE,
        ) as response,
        out.open("wb") as file,
    ):
        check(response)
        for part in response.iter_content(1 << 20):
            file.write(part)


def check(response: requests.Response) -> None:
    if not response.ok:
        raise CstoKgError(f"{response.status_code}: {' '.join(response.text.split())}")


# -- Side by side ----------------------------------------------------------------------------

CSTO_KG, SOURCES_ALONE = "csto-kg", "pyoxigraph, sources alone"
LOADS = {
    CSTO_KG: load_csto_kg,
    "pyoxigraph": load_pyoxigraph,
    SOURCES_ALONE: load_pyoxigraph_named,
    "rdflib": load_rdflib,
}
SERVERS = {"Oxigraph server": oxigraph, "Virtuoso": virtuoso, "Jena TDB2": jena}
IN_MEMORY = "csto-kg in memory"


class Comparison:
    """What was measured of each engine at one size, and why what is missing is missing."""

    def __init__(self, size: int, folder: Path, left_out: dict[tuple[str, str], str]) -> None:
        self.size = size
        self.folder = folder
        self.left_out = left_out
        self.files = written(size, folder)
        #: How many there are in the merged graph.
        self.triples = 0
        self.found: dict[tuple[str, str], Any] = {}

    def measure(self, part: str, engine: str, work: Callable[[], Measured]) -> None:
        """Measure a part of an engine, unless it is left out."""
        key = part, engine
        if engine == "rdflib" and self.size > LARGEST[part.partition(" ")[0]]:
            self.left_out[key] = "left out at this size"
        if key in self.left_out:
            return
        started = time.monotonic()
        try:
            self.found[key] = work()
        except (CstoKgError, OSError, subprocess.SubprocessError, BrokenProcessPool) as error:
            self.left_out[key] = f"failed: {error}"[:90]
        told = self.found.get(key, self.left_out.get(key))
        print(f"{self.size:,}: {part}, {engine}: {told}", file=sys.stderr, flush=True)
        slow = time.monotonic() - started > PATIENCE
        if slow and not engine.startswith(CSTO_KG):
            self.left_out.setdefault(key, "left out: took too long at the size before")

    def embedded(self) -> None:
        for engine, load in LOADS.items():
            self.measure("load", engine, partial(alone, load, self.files, self.place(engine)))
        index, out = self.place(CSTO_KG), self.folder / "out"
        self.measure("queries", IN_MEMORY, partial(alone, ask_in_memory, self.files))
        self.measure("queries", "csto-kg on disk", partial(alone, ask_on_disk, index))
        self.measure("queries", "rdflib", partial(alone, ask_rdflib, self.files))
        for form, bare in (("nquads", SOURCES_ALONE), ("ntriples", "pyoxigraph")):
            part, store = f"export {form}", self.place(bare)
            self.measure(part, CSTO_KG, partial(alone, export_csto_kg, index, form, out))
            self.measure(part, "rdflib", partial(export_by_rdflib, self.files, form, out))
            self.measure(part, "pyoxigraph", partial(alone, export_pyoxigraph, store, form, out))
        self.triples = lines(out)

    def server(self, engine: str, serve: Callable[[Files, Path], Any]) -> None:
        out = self.folder / "out"
        with ExitStack() as stack:
            endpoint: servers.Endpoint | None = None

            def started() -> Measured:
                nonlocal endpoint
                self.place(engine).mkdir()
                loaded, endpoint = stack.enter_context(serve(self.files, self.place(engine)))
                assert isinstance(loaded, Measured)
                return loaded

            def fetched(endpoint: servers.Endpoint) -> Measured:
                done = alone(said, export_server, endpoint, out)
                if (number := lines(out)) != self.triples:
                    raise CstoKgError(f"gave {number:,} of {self.triples:,} triples")
                return done._replace(gigabytes=peak(endpoint.process))

            try:
                self.measure("load", engine, started)
            except (pytest.skip.Exception, pytest.fail.Exception) as missing:
                self.left_out["load", engine] = str(missing)[:90]
            if endpoint:
                self.measure("queries", engine, partial(alone, said, ask_server, endpoint))
                self.measure("export ntriples", engine, partial(fetched, endpoint))

    def place(self, engine: str) -> Path:
        return self.folder / engine.replace(" ", "-")

    # -- What is printed ---------------------------------------------------------------------

    def print_all(self) -> None:
        files, size = self.files, self.files.named.stat().st_size
        print(f"\n{files.quads:,} quads, {size / files.quads:.0f} bytes each as N-Quads, "
              f"{size * compressed(files.named) / files.quads:.1f} compressed by gzip")  # fmt: skip
        self.print_costs("load", [*LOADS, *SERVERS])
        self.print_answers()
        self.print_costs("export nquads", [CSTO_KG, "pyoxigraph", "rdflib"])
        self.print_costs("export ntriples", [CSTO_KG, "pyoxigraph", "rdflib", *SERVERS])

    def print_costs(self, part: str, engines: list[str]) -> None:
        disk = "B/quad" if part == "load" else ""
        print(f"\n{part:26}{'s':>9}{'ratio':>8}{'quads/s':>12}{'GiB':>7}{disk:>8}")
        ours = self.found.get((part, CSTO_KG))
        for engine in engines:
            done = self.found.get((part, engine))
            if not done:
                print(f"{engine:26}  {self.left_out.get((part, engine), 'not loaded')}")
                continue
            ratio = f"{done.seconds / ours.seconds:.2f}" if ours else ""
            rate = f"{self.files.quads / done.seconds:,.0f}"
            print(f"{engine:26}{done.seconds:9.2f}{ratio:>8}{rate:>12}{done.gigabytes:7.2f}"
                  f"{self.bytes_on_disk(part, engine):>8}")  # fmt: skip

    def bytes_on_disk(self, part: str, engine: str) -> str:
        if part != "load" or engine == "rdflib":
            return ""
        inside = {self.files.named.name, self.files.merged.name}
        used = sum(
            file.stat().st_size
            for file in self.place(engine).rglob("*")
            if file.is_file() and file.name not in inside
        )
        return f"{used / self.files.quads:.0f}"

    def print_answers(self) -> None:
        engines = [IN_MEMORY, "csto-kg on disk", *SERVERS, "rdflib"]
        answers = {
            engine: self.found["queries", engine].result
            for engine in engines
            if ("queries", engine) in self.found
        }
        print(f"\n{'queries, ms (ratio)':26}{'rows':>6}", *(f"{engine:>20}" for engine in answers))
        for name, base in answers[IN_MEMORY].items():
            cells = (beside(answer[name], base) for answer in answers.values())
            print(f"{name:26}{base.rows:6,}", *cells)
        for engine in engines:
            if engine not in answers:
                print(f"{engine:26}  {self.left_out.get(('queries', engine), 'not loaded')}")


def beside(answer: Answered, base: Answered) -> str:
    if answer.rows != base.rows:
        return f"{answer.rows:,} rows".rjust(20)
    ratio = f"({answer.milliseconds / base.milliseconds:.1f})"
    return f"{answer.milliseconds:11.2f} {ratio:>8}"


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--large", action="store_true", help=f"{LARGE:,} triples as well")
    arguments.add_argument("size", type=int, nargs="*", help="other sizes")
    given = arguments.parse_args()
    left_out: dict[tuple[str, str], str] = {}
    for size in given.size or ((*SIZES, LARGE) if given.large else SIZES):
        with tempfile.TemporaryDirectory() as folder:
            comparison = Comparison(size, Path(folder), left_out)
            comparison.embedded()
            for engine, serve in SERVERS.items():
                comparison.server(engine, serve)
            comparison.print_all()


if __name__ == "__main__":
    main()
