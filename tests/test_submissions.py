"""The corpus of bad submissions: what the gate says of each, and that it stays behind the gate."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest
import yaml

import csto_kg
from csto_kg import KnowledgeGraph, gate, shipped
from csto_kg.citation import SourceText
from csto_kg.codes import CODES, explain
from csto_kg.report import Report

from .conftest import ROOT, Run

FOLDER = ROOT / "tests" / "submissions"
TEXTS = ROOT / "tests" / "second"
EXPECTED: dict[str, dict[str, Any]] = yaml.safe_load((FOLDER / "expected.yaml").read_text("utf-8"))

FORMATS = (".ttl", ".nt", ".nq", ".trig", ".jsonld", ".rdf", ".yaml")
FAMILIES = (*"PLVYODCE", "shape")

PERSON = (
    "<https://w3id.org/csto-kg/id/person/inv-{}> "
    "<http://www.w3.org/1999/02/22-rdf-syntax-ns#type> <https://w3id.org/csto-kg/ontology#Person>"
)
ABOUT = "<person/inv-x> <https://w3id.org/csto-kg/ontology#about> "
LINKED = '{"@id": "https://w3id.org/csto-kg/id/person/inv-x", "https://example.org/p": '
XML = (
    '<rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#"'
    ' xmlns:rdfs="http://www.w3.org/2000/01/rdf-schema#"'
    ' xmlns:csto="https://w3id.org/csto-kg/ontology#">\n'
)
SHEET = (FOLDER / "no-arabic-name.yaml").read_text("utf-8")
LONG = "x" * 10_001

#: Documents of which only the size is bad. A limit is passed by one, whatever is around it.
RECIPES: dict[str, str] = {
    "deep-arrays.jsonld": LINKED + "[" * 64 + "]" * 64 + "}",
    "deep-objects.jsonld": LINKED + '{"https://example.org/p": ' * 64 + "1" + "}" * 65,
    "deep-list.ttl": ABOUT + "(" * 65 + ")" * 65 + " .\n",
    "deep-triples.ttl": ABOUT + f"<<( {ABOUT}" * 65 + "<person/inv-x>" + " )>>" * 65 + " .\n",
    "deep-list.trig": "<graph/inv> { " + ABOUT + "(" * 64 + ")" * 64 + " }\n",
    "deep-elements.rdf": XML + "<csto:about>\n" * 64 + "</csto:about>\n" * 64 + "</rdf:RDF>\n",
    "deep-flow.yaml": "graph:\n- " + "[" * 63 + "]" * 63 + "\n",
    "deep-keys.yaml": "graph:\n" + "".join(f"{' ' * depth}a:\n" for depth in range(1, 65)),
    "deep-sequences.yaml": "graph:\n" + "- " * 64 + "x\n",
    "too-many-bytes.ttl": "# a comment, and then for long nothing\n".ljust(1_000_001),
    "too-many-triples.nt": "".join(f"{PERSON.format(n)} .\n" for n in range(5_001)),
    "too-many-triples.nq": "".join(
        f"{PERSON.format(n)} <https://w3id.org/csto-kg/id/graph/inv> .\n" for n in range(5_001)
    ),
    "too-many-triples.ttl": "@prefix csto: <https://w3id.org/csto-kg/ontology#> .\n"
    + "".join(f"<person/inv-{n}> a csto:Person .\n" for n in range(5_001)),
    "whole-article.ttl": "@prefix rdfs: <http://www.w3.org/2000/01/rdf-schema#> .\n"
    f'<person/inv-x> rdfs:comment """{LONG}"""@en .\n',
    "whole-article.rdf": XML + '<csto:Person rdf:about="https://w3id.org/csto-kg/id/person/inv-x">'
    f'<rdfs:comment xml:lang="en">{LONG}</rdfs:comment></csto:Person></rdf:RDF>\n',
    "whole-article.yaml": SHEET.replace("Example", LONG),
}


def data(name: str) -> bytes:
    return RECIPES[name].encode() if name in RECIPES else (FOLDER / name).read_bytes()


def judge(name: str, graph: KnowledgeGraph) -> Report:
    cited = EXPECTED.get(name, {}).get("text")
    texts = [SourceText.read(TEXTS / cited)] if cited else []
    return gate.judge(Path(name), data(name), graph, texts)[0]


def family(code: str) -> str:
    return code[0] if code in CODES else "shape"


def fingerprint(graph: KnowledgeGraph) -> tuple[int, str]:
    quads = sorted(map(str, graph.store.quads_for_pattern(None, None, None)))
    return len(quads), sha256("\n".join(quads).encode()).hexdigest()


@dataclass(frozen=True)
class Running:
    """The command at work on the corpus, beside the tests: what it says and what it was refused."""

    process: subprocess.Popen[bytes]
    folder: Path

    def said(self) -> list[dict[str, Any]]:
        self.process.wait(timeout=300)
        return json.loads((self.folder / "report.json").read_bytes())  # type: ignore[no-any-return]

    def text(self, name: str) -> str:
        return (self.folder / name).read_text("utf-8")


#: Imported by every Python that the command starts, before anything else.
GUARD = """
import os, sys

log = os.open(os.environ["GUARD_LOG"], os.O_WRONLY | os.O_APPEND | os.O_CREAT)
open_to = {*os.environ["GUARD_OPEN"].split(os.pathsep), sys.prefix, sys.base_prefix}
open_to = tuple(os.path.realpath(path) + os.sep for path in open_to)
harmless = ("/dev/null", "/proc/self/statm")

def guard(event, arguments):
    if event in ("socket.connect", "socket.getaddrinfo", "socket.bind", "socket.sendto"):
        os.write(log, f"{event} {arguments}\\n".encode())
        raise PermissionError(event)
    if event == "open" and isinstance(arguments[0], (str, bytes)):
        path = os.fsdecode(arguments[0])
        if path not in harmless and not (os.path.realpath(path) + os.sep).startswith(open_to):
            os.write(log, f"open {path}\\n".encode())
            raise PermissionError(path)

sys.addaudithook(guard)
"""


@pytest.fixture(scope="module", autouse=True)
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    """Start ``csto-kg validate`` on the whole corpus, guarded, while the other tests run."""
    folder = tmp_path_factory.mktemp("corpus")
    inputs, site = folder / "inputs", folder / "site"
    inputs.mkdir()
    site.mkdir()
    for name in EXPECTED:
        (inputs / name).write_bytes(data(name))
    (site / "sitecustomize.py").write_text(GUARD)
    package = Path(csto_kg.__file__).parent
    known = (shipped.ONTOLOGY, shipped.DATA, shipped.QUERIES, shipped.EXAMPLES)
    parts = (inputs, site, package, *known)
    environment = os.environ | {
        "PYTHONPATH": os.pathsep.join([str(site), str(package.parent)]),
        "GUARD_LOG": str(folder / "refused.txt"),
        "GUARD_OPEN": os.pathsep.join(map(str, parts)),
    }
    command = Path(sys.executable).parent / "csto-kg"
    with (folder / "report.json").open("wb") as out, (folder / "errors.txt").open("wb") as errors:
        process = subprocess.Popen(
            [command, "validate", "--format", "json", *sorted(EXPECTED)],
            stdout=out,
            stderr=errors,
            cwd=inputs,
            env=environment,
        )
    yield Running(process, folder)
    process.kill()
    process.wait()


@pytest.fixture(scope="module")
def untouched(kg: KnowledgeGraph) -> tuple[int, str]:
    return fingerprint(kg)


@pytest.mark.parametrize("name", EXPECTED)
@pytest.mark.usefixtures("untouched")
def test_a_bad_submission_is_told_what_is_wrong_with_it(kg: KnowledgeGraph, name: str) -> None:
    expected = EXPECTED[name]
    severity = expected.get("severity", "Violation")
    report = judge(name, kg)
    found = [(f.check, f.line, f.severity, f.message("en")) for f in report.findings]
    assert any(
        (check, line, how) == (expected["code"], expected["line"], severity)
        and expected["message"] in message
        for check, line, how, message in found
    ), found
    if expected.get("only"):
        # A node of the graph may be at fault with it, for the same reason.
        assert len({(check, message) for check, _, _, message in found}) == 1, found
    if severity == "Violation":
        assert not report.conforms
    if expected["code"] == "C01" or (severity == "Warning" and expected.get("only")):
        assert report.conforms
    for finding in report.findings:
        assert re.search("[\u0621-\u064a]", finding.messages["ar"])
        assert explain(finding.check).startswith(f"{finding.check}  ")


@pytest.mark.parametrize("name", sorted(path.name for path in (FOLDER / "good").iterdir()))
def test_a_good_submission_has_no_finding(kg: KnowledgeGraph, name: str) -> None:
    path = FOLDER / "good" / name
    assert gate.judge(path, path.read_bytes(), kg)[0].findings == []


def test_the_corpus_is_whole() -> None:
    stored = {path.name for path in FOLDER.iterdir() if path.is_file()} - {"expected.yaml"}
    assert not stored & RECIPES.keys()
    assert stored | RECIPES.keys() == EXPECTED.keys()
    assert max(path.stat().st_size for path in FOLDER.iterdir() if path.name in stored) < 20_000
    assert len(EXPECTED) >= 260


def test_the_corpus_covers_every_code_and_every_family_in_every_format() -> None:
    codes = Counter(expected["code"] for expected in EXPECTED.values())
    # What ends the judge, P08, is no document's mistake: tests/test_gate.py ends it.
    assert {code for code in CODES if codes[code] < 2} == {"P08"}
    assert len({code for code in codes if code not in CODES}) >= 25
    covered = {(family(it["code"]), Path(name).suffix) for name, it in EXPECTED.items()}
    assert {(kind, suffix) for kind in FAMILIES for suffix in FORMATS} <= covered


@pytest.mark.parametrize("code", CODES)
def test_every_code_has_its_page(code: str) -> None:
    page = explain(code)
    assert page.startswith(f"{code}  ")
    assert "What to do" in page
    assert re.search("[\u0621-\u064a]", page)


def test_the_command_reports_every_submission_as_the_gate_does(running: Running) -> None:
    reports = running.said()
    # Some cannot be read at all, which is exit code 2.
    assert running.process.returncode == 2
    assert "Traceback" not in running.text("errors.txt")
    assert [report["file"] for report in reports] == sorted(EXPECTED)
    for report in reports:
        expected = EXPECTED[report["file"]]
        found = {(finding["check"], finding["line"]) for finding in report["findings"]}
        # The command has no copies of texts to check citations in.
        assert (expected["code"], expected["line"]) in found or "text" in expected
        assert report["conforms"] == all(
            finding["severity"] != "Violation" for finding in report["findings"]
        )


@pytest.mark.parametrize(
    ("name", "code"), [("georgia-joins-later.ttl", 0), ("no-member.ttl", 1), ("empty.ttl", 2)]
)
def test_the_exit_code_tells_a_conflict_from_a_violation_and_from_no_document(
    csto: Run, name: str, code: int
) -> None:
    result = csto("validate", str(FOLDER / name))
    assert result.returncode == code
    assert EXPECTED[name]["code"] in result.stdout
    assert result.stderr == ""


def test_judging_opens_no_connection_and_no_other_file(running: Running) -> None:
    running.said()
    assert running.text("refused.txt") == ""


def test_the_guard_refuses(running: Running, tmp_path: Path) -> None:
    """Otherwise the test before this one could not fail."""
    environment = os.environ | {
        "PYTHONPATH": str(running.folder / "site"),
        "GUARD_LOG": str(tmp_path / "refused.txt"),
        "GUARD_OPEN": str(running.folder),
    }
    attempts = "for path in ('/etc/passwd', '/etc/hosts'):\n try: open(path)\n except OSError: pass"
    attempts += "\nimport socket\ntry: socket.create_connection(('127.0.0.1', 9))"
    attempts += "\nexcept OSError: pass"
    subprocess.run([sys.executable, "-c", attempts], env=environment, check=True, timeout=60)
    refused = (tmp_path / "refused.txt").read_text().splitlines()
    assert [line.split()[0] for line in refused] == ["open", "open", "socket.getaddrinfo"]


def test_judging_leaves_the_graph_as_it_was(kg: KnowledgeGraph, untouched: tuple[int, str]) -> None:
    assert fingerprint(kg) == untouched
