"""Each command through its real entry point."""

from __future__ import annotations

import json
from pathlib import Path
from xml.etree import ElementTree

import pytest

from csto_kg import shipped

from .conftest import ROOT, Run

ARTICLE = "skynewsarabia-2022-csto-summit"
MEMBERS = ("query", "run", "members-on", "--alliance", "csto", "--date", "2000-01-01")


def test_a_saved_query_is_tsv_when_piped(csto: Run) -> None:
    result = csto(*MEMBERS, "--source", ARTICLE)
    assert (result.returncode, result.stderr) == (0, "")
    head, *rows = result.stdout.splitlines()
    assert head.startswith("?name\t?status")
    assert len(rows) == 9


@pytest.mark.parametrize(
    ("name", "start"),
    [
        ("csv", "name,status,"),
        ("json", '{"head":'),
        ("xml", "<?xml"),
        ("markdown", "| name "),
        ("html", "<table>"),
        ("table", " "),
    ],
)
def test_rows_in_every_format(csto: Run, name: str, start: str) -> None:
    result = csto(*MEMBERS, "--source", ARTICLE, "--format", name)
    assert result.returncode == 0
    assert result.stdout.startswith(start)
    assert "Kyrgyzstan" in result.stdout


def test_a_narrow_terminal_leaves_out_columns_and_says_so(csto: Run) -> None:
    result = csto(*MEMBERS, "--source", ARTICLE, "--format", "table", env={"COLUMNS": "80"})
    assert "not shown for lack of room: " in result.stdout
    assert all(len(line) <= 80 for line in result.stdout.splitlines() if "not shown" not in line)
    assert "Armenia" in result.stdout


def test_output_goes_to_a_file_in_the_format_of_its_name(csto: Run, tmp_path: Path) -> None:
    result = csto(*MEMBERS, "-o", str(tmp_path / "out.csv"))
    assert (result.returncode, result.stdout) == (0, "")
    assert (tmp_path / "out.csv").read_text().startswith("name,status,")
    result = csto(*MEMBERS, "-o", str(tmp_path / "out.xyz"))
    assert result.returncode == 2
    assert "give --format" in result.stderr


def test_a_query_of_the_user_s_own(csto: Run, tmp_path: Path) -> None:
    own = tmp_path / "own.rq"
    own.write_text(
        "#+ parameters:\n#+   state: {type: csto:State, required: true}\n"
        "SELECT ?m { ?m <https://w3id.org/csto-kg/ontology#member> $state } ORDER BY ?m\n"
    )
    result = csto("query", "run", str(own), "--state", "Georgia", "--format", "csv")
    assert result.returncode == 0
    assert "membership/sna-georgia" in result.stdout
    assert "STATE" in csto("query", "run", str(own), "--help").stdout


def test_show_prints_the_file_or_the_query_ready_for_another_tool(csto: Run) -> None:
    assert csto("query", "show", "members-on").stdout == (
        shipped.QUERIES / "members-on.rq"
    ).read_text("utf-8")
    bound = csto("query", "show", *MEMBERS[2:]).stdout
    assert "$" not in "".join(line for line in bound.splitlines() if not line.startswith("#"))
    again = csto("sparql", "-", "--source", ARTICLE, "--format", "csv", input=bound)
    assert again.stdout == csto(*MEMBERS, "--source", ARTICLE, "--format", "csv").stdout


def test_the_list_has_every_query_in_every_language(csto: Run) -> None:
    listed = csto("query", "list", "--format", "csv").stdout.splitlines()[1:]
    assert len(listed) == len(list(shipped.QUERIES.glob("*.rq")))
    assert "أعضاء تحالف" in csto("query", "list", "--language", "ar", "--tag", "as-of").stdout


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        (("query", "run", "member-on"), "no saved query “member-on”: did you mean members-on"),
        (
            ("query", "run", "members-on", "--date", "2000-01-01"),
            "members-on needs --alliance (csto:Alliance)",
        ),
        ((*MEMBERS[:-1], "2000-02-30"), "--date: “2000-02-30” is not a day"),
        ((*MEMBERS[:4], "cstoo", "--date", "2000-01-01"), "no Alliance is called “cstoo”"),
        ((*MEMBERS, "--source", "nobody"), "no Source is called “nobody”"),
        ((*MEMBERS, "--continuity", "maybe"), "“maybe” is not true or false"),
        (("sparql", "SELECT ?x"), "query: not valid SPARQL"),
        (("sparql", "INSERT DATA { <a:a> <a:b> <a:c> }"), "query: not valid SPARQL"),
        (("sparql", "SELECT * { SERVICE <http://localhost/> {} }"), "SERVICE reaches outside"),
        (("describe", "nobody"), "no entity is called “nobody”"),
        (("validate", "missing.ttl"), "missing.ttl: cannot be read: No such file"),
        (("build", "nowhere"), "no fact sheets"),
        (("cite-check", "missing.txt"), "missing.txt: cannot be read"),
        (
            ("export", "--format", "turtle", "-o", "nowhere/x.ttl"),
            "nowhere/x.ttl: cannot be written",
        ),
        (("export", "--store", "nowhere"), "nowhere: no such file or folder"),
        (("nonsense",), "No such command"),
    ],
)
def test_wrong_usage_exits_with_2_and_says_why(
    csto: Run, arguments: tuple[str, ...], reason: str
) -> None:
    result = csto(*arguments, cwd=ROOT)
    assert result.returncode == 2
    assert result.stdout == ""
    assert reason in result.stderr
    assert "Traceback" not in result.stderr


def test_sparql_answers_and_a_no_exits_with_1(csto: Run) -> None:
    rows = csto("sparql", "SELECT ?s { ?s a csto:CollectiveSpeaker }", "--format", "csv")
    assert "collective/observers" in rows.stdout
    assert csto("sparql", "ASK { state:armenia a csto:State }").returncode == 0
    assert csto("sparql", "ASK { state:armenia a csto:Person }").returncode == 1


def test_construct_gives_turtle(csto: Run) -> None:
    result = csto("sparql", "CONSTRUCT { ?s a csto:State } WHERE { ?s a csto:State }")
    assert "state:armenia a csto:State ." in result.stdout


def test_describe_as_rows_and_as_turtle(csto: Run) -> None:
    assert "statement/sna-p6-abkhazia" in csto("describe", "abkhazia").stdout
    turtle = csto("describe", "abkhazia", "--format", "turtle").stdout
    assert turtle.startswith("@prefix")
    assert "polity:abkhazia a csto:Polity" in turtle


def test_search_folds_letters(csto: Run) -> None:
    found = csto("search", "منظمه معاهده الامن الجماعي", "--format", "csv")
    assert found.returncode == 0
    assert "alliance/csto" in found.stdout
    assert csto("search", "nothing of that name").returncode == 1


def test_validate_tells_bad_data_from_bad_files(csto: Run, tmp_path: Path) -> None:
    bad = tmp_path / "bad.ttl"
    bad.write_text(
        "@prefix csto: <https://w3id.org/csto-kg/ontology#> .\n"
        "@prefix membership: <https://w3id.org/csto-kg/id/membership/> .\n"
        "@prefix xsd: <http://www.w3.org/2001/XMLSchema#> .\n"
        'membership:x a csto:Membership ; csto:beginsNotBefore "2022-02-30"^^xsd:date .\n'
    )
    result = csto("validate", str(bad))
    assert result.returncode == 1
    assert "membership:x" in result.stdout
    assert "“2022-02-30” is not a day of the calendar" in result.stdout
    arabic = csto("validate", str(bad), "--language", "ar").stdout
    assert "ليس يومًا في التقويم" in arabic
    document = json.loads(csto("validate", str(bad), "--format", "json").stdout)
    assert document[0]["conforms"] is False
    findings = {finding["check"]: finding for finding in document[0]["findings"]}
    assert {"L01", "MembershipMember"} < findings.keys()
    assert findings["L01"]["line"] == 4
    assert "sh:ValidationReport" in csto("validate", str(bad), "--format", "turtle").stdout
    bad.write_text("membership:x a csto:Membership .\n")
    result = csto("validate", str(bad))
    assert result.returncode == 2
    assert f"{bad}:1:" in result.stdout
    assert "P01" in result.stdout
    assert "not valid turtle" in result.stdout


def test_a_report_can_be_looked_at_again_in_every_form(csto: Run, tmp_path: Path) -> None:
    example = ROOT / "tests" / "shapes" / "StatementSpeaker" / "invalid.ttl"
    (tmp_path / "nothing.ttl").write_text("")
    first = csto(
        *("validate", "--store", str(tmp_path / "nothing.ttl"), "--format", "json", str(example))
    )
    assert first.returncode == 1
    (saved := tmp_path / "report.json").write_text(first.stdout)
    again = csto("report", str(saved), "--format", "json")
    assert (again.returncode, again.stdout) == (1, first.stdout)
    assert csto("report", str(saved), "--fail-on", "never").returncode == 0
    assert "StatementSpeaker" in csto("report", str(saved)).stdout
    assert "متحدث جماعي" in csto("report", str(saved), "--language", "ar").stdout
    sarif = json.loads(csto("report", str(saved), "--format", "sarif").stdout)
    [result] = sarif["runs"][0]["results"]
    assert result["ruleId"] == "StatementSpeaker"
    junit = ElementTree.fromstring(csto("report", str(saved), "--format", "junit").stdout)
    assert [failure.get("type") for failure in junit.iter("failure")] == ["StatementSpeaker"]
    github = csto("report", str(saved), "--format", "github").stdout
    assert github.startswith(f"::error file={example},line=")
    turtle = csto("report", str(saved), "--format", "turtle").stdout
    assert "sh:sourceShape shape:StatementSpeaker" in turtle
    saved.write_text("{}")
    assert csto("report", str(saved)).returncode == 2


def test_validate_names_file_and_reason_for_invalid_examples(csto: Run, tmp_path: Path) -> None:
    (tmp_path / "nothing.ttl").write_text("")
    # Every third: test_shapes holds them all to their shapes.
    examples = sorted((ROOT / "tests" / "shapes").glob("*/invalid.ttl"))[::3]
    assert len(examples) > 50
    result = csto(
        *("validate", "--store", str(tmp_path / "nothing.ttl"), "--format", "json"),
        *map(str, examples),
    )
    assert result.returncode == 1
    reports = {report["file"]: report for report in json.loads(result.stdout)}
    for example in examples:
        findings = reports[str(example)]["findings"]
        # Examples may also break what is looked at before shapes, whose codes are like L01.
        checks = {finding["check"] for finding in findings}
        assert {check for check in checks if not check[1:].isdigit()} == {example.parent.name}
        assert all({"en", "ar"} <= finding["messages"].keys() for finding in findings)


def test_validate_reads_a_fact_sheet(csto: Run) -> None:
    result = csto("validate", str(shipped.SHEETS / "vindobona.yaml"))
    assert result.returncode == 0
    assert "vindobona.yaml" in result.stdout


def test_build_check_fails_when_a_file_is_stale(csto: Run, tmp_path: Path) -> None:
    assert csto("build", "--check", cwd=ROOT).returncode == 0
    (tmp_path / "sheets").mkdir()
    (tmp_path / "sheets" / "vindobona.yaml").write_bytes(
        (shipped.SHEETS / "vindobona.yaml").read_bytes()
    )
    stale = csto("build", str(tmp_path), "--check")
    assert stale.returncode == 1
    assert "vindobona.ttl: stale" in stale.stderr
    assert csto("build", str(tmp_path)).returncode == 0
    assert csto("build", str(tmp_path), "--check").returncode == 0


def test_cite_prints_a_citation_that_cite_check_finds(csto: Run, tmp_path: Path) -> None:
    (tmp_path / "sheets").mkdir()
    report = tmp_path / "report.txt"
    report.write_text("The council met.\n\nArmenia stayed away. Nobody said why.\n")
    line = csto(
        "cite", str(report), "Nobody said why", "--source", "source/r", "--name", "r-1"
    ).stdout
    assert "paragraph: 2, sentence: 2" in line
    sheet = tmp_path / "sheets" / "r.yaml"
    sheet.write_text(
        '"@context": ../../ontology/context.jsonld\ngraph:\n'
        "- {id: source/r, type: Source, label: {en: r}, textSha256: unknown}\n" + line
    )
    assert csto("build", str(tmp_path)).returncode == 0
    checked = csto("cite-check", str(report), "--store", str(tmp_path / "r.ttl"))
    assert checked.returncode == 0
    assert "1 citations: 1 found" in checked.stderr
    report.write_text("The council met.\n\nArmenia stayed away. Nobody knew why.\n")
    checked = csto("cite-check", str(report), "--store", str(tmp_path / "r.ttl"))
    assert checked.returncode == 1
    assert '"gone"' in checked.stdout


def test_completion_knows_queries_and_parameters(csto: Run) -> None:
    assert "csto-kg" in csto("completion", "bash").stdout

    def complete(*words: str) -> list[str]:
        line = " ".join(("csto-kg", *words))
        environment = {
            "_CSTO_KG_COMPLETE": "bash_complete",
            "COMP_WORDS": line,
            "COMP_CWORD": str(len(words)),
        }
        return [line.split(",")[1] for line in csto(env=environment).stdout.splitlines()]

    assert "members-on" in complete("query", "run", "mem")
    assert {"--alliance", "--date"} <= set(complete("query", "run", "members-on", "--"))


@pytest.mark.parametrize(
    "command",
    ["", "query", "query list", "query run", "query show", "sparql", "describe", "search",
     "validate", "report", "build", "cite", "cite-check", "export", "completion"],
)  # fmt: skip
def test_every_command_has_help_with_an_example(csto: Run, command: str) -> None:
    result = csto(*command.split(), "--help")
    assert result.returncode == 0
    assert "Example: " in result.stdout or 'Example: eval "' in result.stdout
