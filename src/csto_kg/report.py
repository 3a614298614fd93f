"""Reports: what is wrong with a file of facts, where, and what to do about it."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from itertools import groupby
from pathlib import Path
from typing import Any

from csto_kg.errors import CstoKgError
from csto_kg.vocabulary import SHAPES, compact

SEVERITIES = ("Violation", "Warning", "Info")

#: Forms of a report, as ``--format`` takes them.
REPORT_FORMATS = ("text", "json", "turtle", "sarif", "junit", "github")


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that is wrong with one focus node.

    ``check`` is a stable code that ``csto-kg explain`` explains: of a shape, its local name.
    ``messages`` are by language. ``line`` and ``column`` count from 1, where they can be told.
    """

    severity: str
    check: str
    focus_node: str
    messages: Mapping[str, str]
    label: str = ""
    path: str | None = None
    value: str | None = None
    line: int | None = None
    column: int | None = None

    def message(self, language: str) -> str:
        """Return the message in a language, or in English where there is none."""
        return self.messages.get(language) or self.messages.get("en") or self.check


@dataclass(frozen=True, slots=True)
class Report:
    """The findings about one file; it conforms when none of them is a violation."""

    file: Path
    findings: Sequence[Finding]

    @property
    def conforms(self) -> bool:
        """Whether no finding is a violation; warnings and infos do not count."""
        return self.passes("violation")

    def passes(self, fail_on: str) -> bool:
        """Whether no finding is as severe as ``fail_on``: violation, warning, info or never."""
        severities = [severity.lower() for severity in SEVERITIES]
        failing = severities[: severities.index(fail_on) + 1] if fail_on != "never" else []
        return not any(finding.severity.lower() in failing for finding in self.findings)

    def document(self) -> dict[str, Any]:
        """Return the report as values that JSON has; :meth:`from_document` takes them back."""
        findings = [asdict(finding) for finding in self.findings]
        return {"file": str(self.file), "conforms": self.conforms, "findings": findings}

    @classmethod
    def from_document(cls, document: Mapping[str, Any]) -> Report:
        """Take back what :meth:`document` returned, or raise :class:`CstoKgError`."""
        try:
            findings = [Finding(**finding) for finding in document["findings"]]
            return cls(Path(document["file"]), findings)
        except (KeyError, TypeError) as error:
            raise CstoKgError(f"not a report as `--format json` writes it: {error}") from None


def read(path: Path) -> list[Report]:
    """Read reports that were written as JSON; raises :class:`CstoKgError` for another file."""
    try:
        documents = json.loads(path.read_bytes())
    except OSError as error:
        raise CstoKgError(f"{path}: cannot be read: {error.strerror}") from None
    except ValueError as error:
        raise CstoKgError(f"{path}: not JSON: {error}") from None
    if not isinstance(documents, list):
        raise CstoKgError(f"{path}: not a report as `--format json` writes it")
    return [Report.from_document(document) for document in documents]


def write(reports: Sequence[Report], format_name: str = "text", language: str = "en") -> str:
    """Write reports in one of ``REPORT_FORMATS``: for people, programs, and services that annotate.

    JSON keeps every language and can be :func:`read`; the others say it in ``language``.
    """
    match format_name:
        case "json":
            documents = [report.document() for report in reports]
            return json.dumps(documents, ensure_ascii=False, indent=1) + "\n"
        case "turtle":
            return _turtle(reports)
        case "sarif":
            return json.dumps(_sarif(reports, language), ensure_ascii=False, indent=1) + "\n"
        case "junit":
            return _junit(reports, language)
        case "github":
            return "".join(_annotations(report, language) for report in reports)
    return "".join(_text(report, language) for report in reports)


def _text(report: Report, language: str) -> str:
    if not report.findings:
        return f"{report.file}: conforms\n"
    counts = ", ".join(
        f"{number} {severity.lower()}{'' if number == 1 else 's'}"
        for severity in SEVERITIES
        if (number := sum(finding.severity == severity for finding in report.findings))
    )
    lines = [f"{report.file}: {counts}"]
    by_node = sorted(report.findings, key=lambda finding: finding.focus_node)
    for node, findings in groupby(by_node, key=lambda finding: finding.focus_node):
        known = list(findings)
        label = f" “{known[0].label}”" if known[0].label else ""
        lines.append(f"  {compact(node) or 'the document'}{label}")
        for finding in sorted(known, key=_severity):
            about = " ".join(
                compact(part) for part in (finding.path, finding.value) if part is not None
            )
            place = f"{report.file}{_at(finding)}: " if finding.line else ""
            lines.append(
                f"    {place}{finding.severity} {finding.check}{': ' * bool(about)}{about}"
            )
            lines.append(f"      {finding.message(language)}")
    return "\n".join(lines) + "\n"


def _severity(finding: Finding) -> tuple[int, int]:
    return SEVERITIES.index(finding.severity), finding.line or 0


def _at(finding: Finding) -> str:
    return "".join(f":{part}" for part in (finding.line, finding.column) if part)


def _turtle(reports: Sequence[Report]) -> str:
    """Write a SHACL validation report (https://www.w3.org/TR/shacl/#validation-report)."""
    from rdflib import RDF, SH, BNode, Graph, Literal, URIRef

    graph = Graph()
    graph.bind("shape", SHAPES)
    for report in reports:
        whole = BNode()
        graph.add((whole, RDF.type, SH.ValidationReport))
        graph.add((whole, SH.conforms, Literal(report.conforms)))
        for finding in report.findings:
            result = BNode()
            graph.add((whole, SH.result, result))
            graph.add((result, RDF.type, SH.ValidationResult))
            graph.add((result, SH.resultSeverity, SH[finding.severity]))
            graph.add((result, SH.sourceShape, URIRef(SHAPES + finding.check)))
            if finding.focus_node.startswith("http"):
                graph.add((result, SH.focusNode, URIRef(finding.focus_node)))
            if finding.path:
                graph.add((result, SH.resultPath, URIRef(finding.path)))
            for language, message in finding.messages.items():
                graph.add((result, SH.resultMessage, Literal(message, lang=language)))
    return graph.serialize(format="turtle")


_LEVELS = {"Violation": "error", "Warning": "warning", "Info": "note"}


def _sarif(reports: Sequence[Report], language: str) -> dict[str, Any]:
    """Write SARIF 2.1.0 (https://docs.oasis-open.org/sarif/sarif/v2.1.0/)."""
    found = [(report, finding) for report in reports for finding in report.findings]
    rules = sorted({finding.check for _, finding in found})
    return {
        "$schema": "https://json.schemastore.org/sarif-2.1.0.json",
        "version": "2.1.0",
        "runs": [
            {
                "tool": {"driver": {"name": "csto-kg", "rules": [{"id": rule} for rule in rules]}},
                "results": [
                    {
                        "ruleId": finding.check,
                        "level": _LEVELS[finding.severity],
                        "message": {"text": finding.message(language)},
                        "locations": [
                            {
                                "physicalLocation": {
                                    "artifactLocation": {"uri": report.file.as_posix()},
                                    "region": {
                                        "startLine": finding.line or 1,
                                        "startColumn": finding.column or 1,
                                    },
                                }
                            }
                        ],
                    }
                    for report, finding in found
                ],
            }
        ],
    }


def _junit(reports: Sequence[Report], language: str) -> str:
    from xml.etree import ElementTree

    suites = ElementTree.Element("testsuites")
    for report in reports:
        failures = [finding for finding in report.findings if finding.severity == "Violation"]
        suite = ElementTree.SubElement(
            suites, "testsuite", name=str(report.file), tests="1", failures=str(len(failures))
        )
        case = ElementTree.SubElement(suite, "testcase", name=str(report.file))
        for finding in failures:
            failure = ElementTree.SubElement(case, "failure", type=finding.check)
            failure.set("message", finding.message(language))
            failure.text = f"{report.file}{_at(finding)}: {compact(finding.focus_node)}"
    return ElementTree.tostring(suites, encoding="unicode", xml_declaration=True) + "\n"


def _annotations(report: Report, language: str) -> str:
    """Write workflow commands, in which some characters are escaped."""
    commands = {"Violation": "error", "Warning": "warning", "Info": "notice"}
    lines = []
    for finding in report.findings:
        place = f"file={_escaped(str(report.file))},line={finding.line or 1}"
        place += f",col={finding.column}" if finding.column else ""
        text = _escaped(f"{compact(finding.focus_node)} {finding.message(language)}".strip())
        lines.append(f"::{commands[finding.severity]} {place},title={finding.check}::{text}\n")
    return "".join(lines)


def _escaped(text: str) -> str:
    for character, code in (("%", "%25"), ("\r", "%0D"), ("\n", "%0A")):
        text = text.replace(character, code)
    return text
