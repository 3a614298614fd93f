"""Submissions: facts that somebody offered and a maintainer accepted, each on record for good.

The journal is the truth. An entry holds one submission as a named graph of its own, and who
offered it, when, from what file and under which version of the shapes, in PROV. A withdrawal is
an entry too: the facts leave the answers and stay on record.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path

from pyoxigraph import Literal, NamedNode, Quad, Triple

from csto_kg.errors import CstoKgError
from csto_kg.home import Home
from csto_kg.index import catch_up
from csto_kg.journal import RECORD, Damage, Entry, Journal
from csto_kg.shapes import Shapes
from csto_kg.terms import value
from csto_kg.vocabulary import CSTO, ID, PROV, RDF, XSD

FOLDER = "journal"

_TYPE = NamedNode(f"{RDF}type")
_SUBMISSION = NamedNode(f"{CSTO}Submission")
_GENERATED = NamedNode(f"{PROV}generatedAtTime")
_INVALIDATED = NamedNode(f"{PROV}invalidatedAtTime")


@dataclass(frozen=True, slots=True)
class Submission:
    """What is on record about one submission; ``withdrawn`` is when, and ``reason`` why."""

    number: int
    graph: str
    by: str
    accepted: str
    file: str
    sha256: str
    shapes: str
    triples: int
    withdrawn: str | None = None
    reason: str | None = None


class Submissions:
    """The submissions of a graph of somebody's own, kept in its journal."""

    def __init__(self, home: Path) -> None:
        """Look at the journal in ``home`` without touching it."""
        self.journal = Journal(home / FOLDER)
        self._home = Home(home)
        self._shapes = Shapes.of(Home.of(home))

    def listed(self) -> list[Submission]:
        """Return every submission in the order of acceptance, withdrawn ones too.

        Raises :class:`CstoKgError` when the journal is damaged, naming the entry.
        """
        found: dict[str, Submission] = {}
        for entry in self.journal.entries():
            quads = entry.quads()
            record = _record(quads)
            graph = next(iter(record))
            facets = record[graph]
            if f"{PROV}invalidatedAtTime" in facets:
                found[graph] = replace(
                    found[graph],
                    withdrawn=facets[f"{PROV}invalidatedAtTime"],
                    reason=facets[f"{CSTO}withdrawalReason"],
                )
                continue
            found[graph] = Submission(
                entry.number,
                graph,
                facets[f"{CSTO}submittedBy"],
                facets[f"{PROV}generatedAtTime"],
                facets[f"{CSTO}fileName"],
                facets[f"{CSTO}fileSha256"],
                facets[f"{CSTO}shapesSha256"],
                sum(quad.graph_name != RECORD for quad in quads),
            )
        return [*found.values()]

    def show(self, number: int) -> list[Triple]:
        """Return the facts of a submission, withdrawn or not.

        Raises :class:`CstoKgError` when there is none of that number.
        """
        submission = self._numbered(number)
        entry = self.journal.entries()[submission.number - 1]
        return [quad.triple for quad in entry.quads() if quad.graph_name != RECORD]

    def quads(self) -> list[Quad]:
        """Return what counts: the facts of submissions not withdrawn, and the whole record."""
        withdrawn = {
            submission.graph for submission in self.listed() if submission.withdrawn is not None
        }
        return [
            quad
            for entry in self.journal.entries()
            for quad in entry.quads()
            if value(quad.graph_name) not in withdrawn
        ]

    def accept(self, triples: Iterable[Triple], *, by: str, file: str, data: bytes) -> Entry:
        """Append facts as the next submission; the caller holds ``journal.lock()``.

        ``file`` is the name of the file offered and ``data`` its bytes; the name is kept as text
        and never used as a path. Raises :class:`CstoKgError` when the disk does not take it, and
        when it is in the journal but the store of the home does not take it.
        """
        number = len(self.journal.entries()) + 1
        graph = NamedNode(f"{ID}submission/{number:06}")
        record: list[tuple[NamedNode, NamedNode | Literal]] = [
            (_TYPE, _SUBMISSION),
            (_GENERATED, _now()),
            (NamedNode(f"{CSTO}submittedBy"), Literal(by)),
            (NamedNode(f"{CSTO}fileName"), Literal(file)),
            (NamedNode(f"{CSTO}fileSha256"), Literal(sha256(data).hexdigest())),
            (NamedNode(f"{CSTO}shapesSha256"), Literal(self._shapes.sha256)),
        ]
        quads = [Quad(graph, predicate, target, RECORD) for predicate, target in record]
        quads += [Quad(t.subject, t.predicate, t.object, graph) for t in triples]
        entry = self.journal.append(quads)
        self.index()
        return entry

    def index(self) -> int:
        """Bring the store of the home, if it has one, up to the journal, whose lock is held.

        Returns how many entries it took in.
        """
        if self._home.place is None:
            return 0
        try:
            return catch_up(self._home)
        except CstoKgError as error:
            raise CstoKgError(
                f"{error}: the journal in {self._home.folder} has all submissions, and the store "
                "not: run `csto-kg submissions index` when it can be written"
            ) from None

    def withdraw(self, number: int, *, by: str, reason: str) -> None:
        """Take a submission's facts out of the answers; they stay on record.

        Raises :class:`CstoKgError` when there is none of that number, or it is withdrawn.
        """
        with self.journal.lock():
            submission = self._numbered(number)
            if submission.withdrawn is not None:
                raise CstoKgError(f"submission {number} was withdrawn on {submission.withdrawn}")
            graph = NamedNode(submission.graph)
            self.journal.append(
                [
                    Quad(graph, _INVALIDATED, _now(), RECORD),
                    Quad(graph, NamedNode(f"{CSTO}withdrawnBy"), Literal(by), RECORD),
                    Quad(graph, NamedNode(f"{CSTO}withdrawalReason"), Literal(reason), RECORD),
                ]
            )
            self.index()

    def verify(self) -> Sequence[Damage]:
        """Find all damage to the journal; see :meth:`Journal.verify`."""
        return self.journal.verify()

    def _numbered(self, number: int) -> Submission:
        for submission in self.listed():
            if submission.number == number:
                return submission
        raise CstoKgError(f"there is no submission {number}: see `csto-kg submissions list`")


def _record(quads: Iterable[Quad]) -> dict[str, dict[str, str]]:
    record: dict[str, dict[str, str]] = {}
    for quad in quads:
        if quad.graph_name == RECORD:
            facets = record.setdefault(value(quad.subject), {})
            facets[quad.predicate.value] = value(quad.object)
    return record


def _now() -> Literal:
    moment = datetime.now(UTC).replace(microsecond=0).isoformat().replace("+00:00", "Z")
    return Literal(moment, datatype=NamedNode(f"{XSD}dateTime"))
