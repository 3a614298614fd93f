"""The gate: what a submission passes before it is accepted, check by check, in order."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from pyoxigraph import Quad, RdfFormat, Triple, parse

from csto_kg import agreement, evidence, facts, forms, policy, sandbox, usage, validation
from csto_kg.citation import SourceText
from csto_kg.codes import CODES
from csto_kg.errors import CstoKgError
from csto_kg.facts import Unreadable
from csto_kg.home import Home
from csto_kg.report import Finding, Report
from csto_kg.serialization import read_bytes
from csto_kg.submissions import Submissions

if TYPE_CHECKING:
    from csto_kg.graph import KnowledgeGraph


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of a submission: the report, the new triples, its number if accepted."""

    report: Report
    new: list[Triple]
    number: int | None = None


def warm(graph: KnowledgeGraph) -> None:
    """Do what the first judgement would wait for; see :func:`validation.warm`."""
    validation.warm(graph)


def judge(
    path: Path, data: bytes, graph: KnowledgeGraph, texts: Sequence[SourceText] = ()
) -> tuple[Report, set[Triple]]:
    """Judge a document of facts that is offered to ``graph``; ``path`` is its name.

    The checks are those of ``csto-kg explain``: parsing (P), lexical forms (L), vocabulary (V),
    policy (Y), shapes (their names), consistency (O), duplicates (D), conflicts (C), evidence (E)
    against ``texts``, copies of the sources' texts. Returns the report and the triples that are
    not in the graph.
    """
    try:
        offered = facts.read(path, data)
    except Unreadable as error:
        return Report(
            path, [_unreadable(error.code, error.reason, error.line, error.column)]
        ), set()
    found = [
        *forms.check(offered, graph),
        *usage.check(offered, graph),
        *policy.check(offered, graph),
        *validation.check(offered, graph),
        *agreement.check(offered, graph.store),
        *evidence.check(offered, texts),
    ]
    new = {triple for triple in offered.triples if Quad(*triple) not in graph.store}
    return Report(path, found), new


def validate(
    paths: Sequence[Path], store: str | Path | None = None, texts: Sequence[str] = ()
) -> list[Report]:
    """Judge files in the sandbox against the graph at ``store``, the shipped one by default.

    Raises :class:`CstoKgError` for a file that is missing.
    """
    documents = [sandbox.Document(str(path), read_bytes(path)) for path in paths]
    return [judgement.report for judgement in sandbox.judge(documents, store, texts)]


def submit(
    path: Path, home: Home, *, by: str, texts: Sequence[str] = (), accept: bool = False
) -> Outcome:
    """Judge the file at ``path`` and, if it conforms and ``accept`` is set, take it in.

    Judging and accepting are one step that no other submission can come between. Raises
    :class:`CstoKgError` when the file cannot be read or the journal cannot be written.
    """
    document = sandbox.Document(path.name, read_bytes(path))
    submissions = Submissions(home.folder)
    with submissions.journal.lock():
        [judgement] = sandbox.judge([document], home.folder, texts)
        parsed = parse(judgement.new, format=RdfFormat.N_TRIPLES)
        new = [Triple(quad.subject, quad.predicate, quad.object) for quad in parsed]
        report = Report(path, judgement.report.findings)
        if not (accept and report.conforms):
            return Outcome(report, new)
        if not new:
            raise CstoKgError(f"{path}: the graph says all of this already")
        entry = submissions.accept(new, by=by, file=path.name, data=document.data)
        return Outcome(report, new, entry.number)


def _unreadable(code: str, reason: str, line: int | None, column: int | None) -> Finding:
    messages = {"en": reason, "ar": f"{CODES[code].arabic}: {reason}"}
    return Finding("Violation", code, "", messages, line=line, column=column)
