"""The commands of the pages on other stores, run in order against such stores."""

from __future__ import annotations

import csv
import io
import re
import shutil
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from textwrap import dedent

import pytest

from csto_kg import KnowledgeGraph

from .conftest import ROOT, Run
from .servers import (
    Endpoint,
    jena_command,
    run_front,
    run_jena,
    run_oxigraph,
    run_virtuoso,
    sql_port,
)
from .test_docs import run
from .test_several_servers import COMPARING

PAGES = ROOT / "docs" / "stores"
UNTESTED = {"graphdb", "neptune", "qlever", "stardog"}
BLOCK = re.compile(r"^( *)```(sh|sparql)\n(.*?)^ *```$", re.DOTALL | re.MULTILINE)
MEMBERS = ("query", "run", "members-on", "--alliance", "csto", "--date", "2000-01-01")
MERGED = "default-graph-uri=https://w3id.org/csto-kg/id/graph/merged"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder as the reader of a page has it, in which a server runs as well."""
    for name in ("data", "ontology"):
        shutil.copytree(ROOT / name, tmp_path / name)
    return tmp_path


def blocks(page: str, kind: str, addresses: dict[str, str]) -> str:
    """Return what a page has in fences of a kind, with other addresses."""
    found = BLOCK.findall((PAGES / f"{page}.md").read_text("utf-8"))
    text = "\n".join(dedent(block) for _, language, block in found if language == kind)
    for documented, real in addresses.items():
        assert documented in text
        text = text.replace(documented, real)
    return text


def follow(page: str, folder: Path, addresses: dict[str, str], before: str = "") -> str:
    """Run all commands of a page in one shell, and return what they print."""
    result = run(f"{before}\n{blocks(page, 'sh', addresses)}", folder)
    assert result.returncode == 0, result.stderr
    assert "Traceback" not in result.stderr
    return result.stdout


def needs(program: str) -> pytest.MarkDecorator:
    return pytest.mark.skipif(not shutil.which(program), reason=f"{program} is not installed")


def base(server: Endpoint) -> str:
    return server.query.rpartition("/")[0]


def test_oxigraph(folder: Path, csto: Run, kg: KnowledgeGraph) -> None:
    (folder / "server").mkdir()
    with run_oxigraph(folder / "server") as server:
        printed = follow("oxigraph", folder, {"http://127.0.0.1:7878": base(server)})
    assert printed == csto(*MEMBERS).stdout
    assert (folder / "graph.nq").read_bytes() == kg.export(None, "nquads")
    with run_oxigraph(folder, serve="serve-read-only") as server:
        assert csto(*MEMBERS, "--store", server.query).stdout == printed


@needs("isql-vt")
def test_virtuoso(folder: Path, csto: Run, kg: KnowledgeGraph) -> None:
    with run_virtuoso(folder) as server:
        addresses = {
            "http://127.0.0.1:8890": base(server),
            "isql-vt 1111": f"isql-vt {sql_port(folder)}",
        }
        printed = follow("virtuoso", folder, addresses)
    assert printed.startswith(csto(*MEMBERS).stdout)
    assert printed.endswith(csto("query", "run", "sources").stdout)
    assert (folder / "graph.nq").read_bytes() == kg.export(None, "nquads")


def test_jena(folder: Path, csto: Run, kg: KnowledgeGraph) -> None:
    (folder / "server").mkdir()
    with run_jena(folder / "server") as server:
        java = " ".join(f"'{word}'" for word in jena_command(folder, "512m"))
        addresses = {"http://127.0.0.1:3030/ds": base(server)}
        loader = f'tdb2.tdbloader() {{ {java} tdb2.tdbloader "$@"; }}'
        printed = follow("jena", folder, addresses, before=loader)
    assert printed == csto(*MEMBERS).stdout
    assert (folder / "graph.nq").read_bytes() == kg.export(None, "nquads")
    with run_jena(folder, folder / "db") as server:
        assert csto(*MEMBERS, "--store", f"{server.query}?{MERGED}").stdout == printed


@pytest.fixture
def addresses(folder: Path) -> Iterator[dict[str, str]]:
    """Two servers and nginx before them, by the addresses that their page has for them."""
    with ExitStack() as stack:
        servers = []
        for name in ("one", "two"):
            (folder / name).mkdir()
            servers.append(stack.enter_context(run_oxigraph(folder / name, name)))
        servers.append(stack.enter_context(run_front(folder, *servers)))
        documented = (f"http://127.0.0.1:{port}" for port in (7878, 7879, 8080))
        yield dict(zip(documented, map(base, servers), strict=True))


@needs("curl")
def test_several_servers(
    folder: Path, addresses: dict[str, str], csto: Run, kg: KnowledgeGraph
) -> None:
    services = {url: real for url, real in addresses.items() if not url.endswith("8080")}
    (folder / "federated.rq").write_text(blocks("several-servers", "sparql", services), "utf-8")
    printed = follow("several-servers", folder, addresses)
    assert printed.startswith(csto(*MEMBERS).stdout)
    assert (folder / "one.nq").read_bytes() == kg.export(None, "nquads")
    members = kg.sparql(
        """SELECT DISTINCT ?state ?source WHERE {
             VALUES ?source { source:atop-4-01 source:world-factbook source:blogen-wiki
                              source:skynewsarabia-2022-csto-summit }
             ?membership csto:alliance alliance:csto ; csto:member ?state ;
               prov:wasDerivedFrom/oa:hasSource ?source .
           } ORDER BY ?state ?source"""
    )
    rows = [[term.value for term in row] for row in members.solutions]  # type: ignore[union-attr]
    assert len({source for _, source in rows}) > 2
    after = printed.removeprefix(csto(*MEMBERS).stdout)
    assert [*csv.reader(io.StringIO(after))][1 : len(rows) + 1] == rows
    assert printed.endswith(csto("query", "run", "conflicts", "--state", "georgia").stdout)


def test_the_page_names_the_queries_that_compare_sources() -> None:
    page = (PAGES / "several-servers.md").read_text("utf-8")
    assert set(re.findall(r"^\| `(.*?)` \|", page, re.MULTILINE)) == COMPARING
    assert "Twenty-six of the thirty" in page
    assert len([*(ROOT / "queries").glob("*.rq")]) - len(COMPARING) == 26


def test_what_is_not_tested_says_so_first() -> None:
    pages = {page.stem: page.read_text("utf-8") for page in PAGES.glob("*.md")}
    untested = {
        name
        for name, text in pages.items()
        if text.split("\n\n")[1].startswith("**Not tested here.**")
    }
    assert untested == UNTESTED
    assert not [name for name in UNTESTED if BLOCK.search(pages[name])]


def test_every_link_of_the_docs_leads_somewhere() -> None:
    pages = [ROOT / "README.md", *(ROOT / "docs").rglob("*.md")]
    links = [
        (page, link)
        for page in pages
        for link in re.findall(r"\]\(([^)#:]+)(?:#[^)]*)?\)", page.read_text("utf-8"))
    ]
    assert len(links) > 30
    assert not [(page.name, link) for page, link in links if not (page.parent / link).exists()]
