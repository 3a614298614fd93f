"""From a fact sheet to an answer and away again, through the commands."""

from __future__ import annotations

import csv
import os
import re
import shutil
from pathlib import Path

import pytest

import csto_kg
from csto_kg import evidence, facts, sandbox
from csto_kg.citation import SourceText
from csto_kg.home import Home
from csto_kg.sandbox import Document

from .conftest import ROOT, Run

SECOND = ROOT / "tests" / "second"


@pytest.fixture
def home(tmp_path: Path, csto: Run) -> Path:
    folder = tmp_path / "ours"
    assert csto("init", str(folder)).returncode == 0
    return folder


def files(folder: Path) -> dict[str, bytes]:
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file() and path.name != ".lock"
    }


@pytest.mark.parametrize("language", ["en", "ar"])
def test_a_second_source_from_sheet_to_answer_and_away_again(
    csto: Run, home: Path, language: str
) -> None:
    store = ("--store", str(home))
    sheet = str(SECOND / f"invented-report-{language}.yaml")
    text = ("--text", str(SECOND / f"report.{language}.txt"))
    source = f"invented-report-{language}"
    members = ("query", "run", "members-on", "--alliance", "csto", "--date", "2023-03-25", *store)
    about = ("query", "run", "statements-about", "--entity", "state:serbia", *store)

    shown = csto("submit", sheet, *text, *store)
    assert shown.returncode == 0, shown.stderr
    assert "+ membership:inv" in shown.stdout
    assert "nothing is accepted yet" in shown.stderr
    assert csto(*members, "--source", source).returncode == 2

    accepted = csto("submit", sheet, *text, *store, "--yes", "--by", "Research desk")
    assert accepted.returncode == 0, accepted.stderr
    assert "accepted as submission 1" in accepted.stderr
    assert len(csto(*members, "--source", source).stdout.splitlines()) == 7
    assert "Serbia may apply" in csto(*about).stdout
    listed = ("submissions", "list", *store, "--format", "csv")
    [row] = csv.DictReader(csto(*listed).stdout.splitlines())
    assert (row["by"], row["file"]) == ("Research desk", f"invented-report-{language}.yaml")
    assert not row["withdrawn"]
    assert "csto:member state:armenia" in csto("submissions", "show", "1", *store).stdout
    assert csto("verify", *store).returncode == 0

    again = csto("submit", sheet, *store, "--yes")
    assert again.returncode == 2
    assert "says all of this already" in again.stderr

    gone = csto("submissions", "withdraw", "1", "--reason", "it was invented", *store)
    assert gone.returncode == 0
    assert csto(*members, "--source", source).returncode == 2
    assert csto(*about).returncode == 2
    [row] = csv.DictReader(csto(*listed).stdout.splitlines())
    assert row["withdrawn"]
    assert "csto:member state:armenia" in csto("submissions", "show", "1", *store).stdout
    assert csto("submissions", "withdraw", "1", "--reason", "twice", *store).returncode == 2
    assert csto("verify", *store).returncode == 0


def test_what_is_refused_changes_nothing(csto: Run, home: Path, tmp_path: Path) -> None:
    (bad := tmp_path / "bad.ttl").write_text(
        "@prefix csto: <https://w3id.org/csto-kg/ontology#> .\n"
        "@prefix membership: <https://w3id.org/csto-kg/id/membership/> .\n"
        "membership:bad-x a csto:Membership .\n"
    )
    before = files(home)
    refused = csto("submit", str(bad), "--store", str(home), "--yes")
    assert refused.returncode == 1
    assert f"{bad}:3:" in refused.stderr
    assert "MembershipMember" in refused.stderr
    assert "Traceback" not in refused.stderr
    assert files(home) == before


def test_a_conflict_with_a_shipped_source_is_shown_accepted_and_listed(
    csto: Run, home: Path, tmp_path: Path
) -> None:
    sheet = tmp_path / "other.yaml"
    sheet.write_text(
        '"@context": ../../ontology/context.jsonld\ngraph:\n'
        "- {id: source/other, type: Source, label: {en: Another source, ar: مصدر آخر},\n"
        "   issuedNotBefore: 2000-01-01, issuedNotAfter: 2000-12-31}\n"
        "- {id: citation/other-1, type: Citation, source: source/other}\n"
        "- {id: membership/other-georgia, type: Membership, member: state/georgia,\n"
        "   alliance: alliance/csto, spellNumber: 1, begins: 1994-06-01,\n"
        "   beginsBy: legal-act/accession, cites: citation/other-1}\n"
    )
    store = ("--store", str(home))
    accepted = csto("submit", str(sheet), *store, "--yes")
    assert accepted.returncode == 0, accepted.stderr
    assert "Warning C01" in accepted.stderr
    assert "membership:atop-csto-georgia" in accepted.stderr
    listed = csto("query", "run", "conflicts", "--state", "georgia", *store, "--format", "csv")
    assert "membership/other-georgia" in listed.stdout


def test_two_submissions_valid_alone_and_not_together(
    csto: Run, home: Path, tmp_path: Path
) -> None:
    text = (SECOND / "invented-report-en.yaml").read_text("utf-8")
    one, two = tmp_path / "one.yaml", tmp_path / "two.yaml"
    one.write_text(text)
    two.write_text(text.replace("membership/inven-", "membership/invtw-"))
    store = ("--store", str(home), "--yes")
    assert csto("submit", str(one), *store).returncode == 0
    refused = csto("submit", str(two), *store)
    assert refused.returncode == 1
    assert "D01" in refused.stderr


def test_a_damaged_journal_is_found_and_named(csto: Run, home: Path) -> None:
    sheet = str(SECOND / "invented-report-en.yaml")
    assert csto("submit", sheet, "--store", str(home), "--yes").returncode == 0
    [entry] = (home / "journal").glob("*.nq")
    entry.write_bytes(entry.read_bytes()[:-9])
    found = csto("verify", "--store", str(home))
    assert found.returncode == 1
    assert "submission 1" in found.stdout
    refused = csto("query", "run", "sources", "--store", str(home))
    assert refused.returncode == 2
    assert "csto-kg verify" in refused.stderr


def test_queries_of_ones_own_stand_beside_the_shipped_ones(csto: Run, home: Path) -> None:
    shutil.copy(ROOT / "queries" / "sources.rq", home / "queries" / "our-sources.rq")
    graph = csto_kg.open(home)
    assert {"our-sources", "members-on"} <= set(graph.queries)
    assert len(graph.run("our-sources")) == len(csto_kg.open().run("sources"))

    store = ("--store", str(home))
    listed = csto("query", "list", *store).stdout
    assert "our-sources" in listed and "members-on" in listed
    assert "our-sources" not in csto("query", "list").stdout
    ran = csto("query", "run", "our-sources", *store)
    assert (ran.returncode, len(ran.stdout.splitlines())) == (0, len(graph.run("sources")) + 1)
    assert csto("query", "run", "our-sources", f"--store={home}").stdout == ran.stdout
    told = dict(os.environ, CSTO_KG_STORE=str(home))
    assert csto("query", "run", "our-sources", env=told).stdout == ran.stdout
    assert csto("query", "run", "our-sources").returncode == 2
    assert "SELECT" in csto("query", "show", "our-sources", *store).stdout


def test_init_wants_an_empty_folder(csto: Run, home: Path, tmp_path: Path) -> None:
    assert csto("init", str(home)).returncode == 2
    assert csto("submit", "x.ttl", "--store", str(tmp_path)).returncode == 2
    assert Home.of(home)


def test_what_ends_the_judge_is_refused_and_nobody_else_suffers(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    good = Document("good.yaml", (SECOND / "invented-report-en.yaml").read_bytes())
    monkeypatch.setattr(sandbox, "_START", 0)
    monkeypatch.setattr(sandbox, "SECONDS", 0.01)
    [judgement] = sandbox.judge([good])
    assert [finding.check for finding in judgement.report.findings] == ["P08"]


def test_a_text_of_no_source_in_the_document_is_told() -> None:
    sheet = (SECOND / "invented-report-en.yaml").read_bytes()
    copies = [SourceText.read(SECOND / "report.en.txt")]
    path = Path("report.yaml")
    assert not [*evidence.check(facts.read(path, sheet), copies)]
    without = re.sub(rb"(?m)^ *text(Sha256|Length): .*\n", b"", sheet)
    [finding] = evidence.check(facts.read(path, without), copies)
    assert (finding.check, finding.severity) == ("E02", "Violation")
    assert f"textSha256 {copies[0].sha256} and textLength 336" in finding.messages["en"]
    assert not [*evidence.check(facts.read(path, without), [])]
