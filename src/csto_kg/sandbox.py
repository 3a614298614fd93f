"""Judging what strangers wrote in a child process that can be ended.

The child gets the bytes on standard input and answers in JSON. Once it has the graph it may take
so much more memory and processor time, open no file for writing, start no process and make no
connection; the parent waits so long and no longer.
"""

from __future__ import annotations

import base64
import json
import socket
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from csto_kg.errors import CstoKgError
from csto_kg.report import Finding, Report

#: What judging may cost: seconds per document, and bytes beyond what the graph takes.
#: SECURITY.md says why and which test holds each.
SECONDS = 10
MEMORY = 1 << 30
# Starting the interpreter and reading the graph are not the document's doing.
_START = 60


@dataclass(frozen=True, slots=True)
class Document:
    """A document that is offered: its name, which is never used as a path, and its bytes."""

    name: str
    data: bytes


@dataclass(frozen=True, slots=True)
class Judgement:
    """The report on a document, and as N-Triples what it would add to the graph."""

    report: Report
    new: bytes = b""


def judge(
    documents: Sequence[Document], store: str | Path | None = None, texts: Sequence[str] = ()
) -> list[Judgement]:
    """Judge documents in a child process, each against the graph at ``store``.

    ``texts`` are copies of sources' texts for the evidence check. Documents are judged together;
    if the child ends before it answers, each is judged alone, and one that ends it is reported
    so (P08). Raises :class:`CstoKgError` when nothing can be judged: for a damaged journal, or a
    shape that does not report its canary.
    """
    if found := _asked(documents, store, texts):
        return found
    if len(documents) > 1:
        return [judged for document in documents for judged in judge([document], store, texts)]
    english = f"it could not be judged within {SECONDS} s and {MEMORY >> 30} GiB: submit less"
    arabic = f"تعذر الحكم عليه خلال {SECONDS} ثوان: قدم وقائع أقل في المرة"
    finding = Finding("Violation", "P08", "", {"en": english, "ar": arabic})
    return [Judgement(Report(Path(documents[0].name), [finding]))]


def _asked(
    documents: Sequence[Document], store: str | Path | None, texts: Sequence[str]
) -> list[Judgement] | None:
    question = {
        "store": str(store) if store else None,
        "texts": list(texts),
        "documents": [
            {"name": document.name, "data": base64.b64encode(document.data).decode()}
            for document in documents
        ],
    }
    try:
        child = subprocess.run(
            [sys.executable, "-m", "csto_kg.sandbox"],
            input=json.dumps(question),
            capture_output=True,
            text=True,
            timeout=_START + SECONDS * len(documents),
            check=False,
        )
    except subprocess.TimeoutExpired:
        return None
    if child.returncode:
        return None
    said = json.loads(child.stdout)
    if isinstance(said, str):
        raise CstoKgError(said)
    return [
        Judgement(Report.from_document(answer["report"]), answer["new"].encode()) for answer in said
    ]


def _answer(question: Mapping[str, Any]) -> list[dict[str, Any]] | str:
    from csto_kg import gate
    from csto_kg.citation import SourceText
    from csto_kg.endpoint import Endpoint, Snapshot
    from csto_kg.graph import KnowledgeGraph
    from csto_kg.place import open_graph
    from csto_kg.serialization import dump

    try:
        graph = open_graph(question["store"])
        if isinstance(graph.store, Endpoint):
            graph = KnowledgeGraph(
                Snapshot.of(graph.store.query_url), graph.queries, home=graph.home
            )
        gate.warm(graph)
    except CstoKgError as error:
        return str(error)
    copies = [SourceText(text) for text in question["texts"]]
    _limit(len(question["documents"]))
    _close_doors(graph.store.host if isinstance(graph.store, Endpoint) else None)
    answers = []
    for document in question["documents"]:
        data = base64.b64decode(document["data"])
        report, new = gate.judge(Path(document["name"]), data, graph, copies)
        answers.append({"report": report.document(), "new": dump(new, "ntriples").decode()})
    return answers


def _limit(documents: int) -> None:
    import resource

    used = resource.getrusage(resource.RUSAGE_SELF)
    seconds = int(used.ru_utime + used.ru_stime) + SECONDS * documents
    resource.setrlimit(resource.RLIMIT_CPU, (seconds, seconds + 1))
    pages = int(Path("/proc/self/statm").read_text().split()[0])
    memory = pages * resource.getpagesize() + MEMORY
    resource.setrlimit(resource.RLIMIT_AS, (memory, memory))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


# What a judge has no reason to do. Reading stays open, since Python reads its own modules.
_CLOSED = ("socket.", "subprocess.", "os.exec", "os.posix_spawn", "os.fork", "os.system", "ctypes.")


def _close_doors(but: tuple[str, int] | None = None) -> None:
    """Close the doors to everything but the host and port that the graph itself is at."""
    host, port = but or ("", 0)
    # Looked up now: from the hook it would be refused.
    numbers = {str(found[4][0]) for found in socket.getaddrinfo(host, port)} if but else set()

    def leads_to_graph(event: str, arguments: tuple[Any, ...]) -> bool:
        if event == "socket.getaddrinfo":
            return arguments[:2] == (host, port)
        if event == "socket.connect":
            return arguments[1][1] == port and arguments[1][0] in numbers
        return event == "socket.__new__"

    def refuse(event: str, arguments: tuple[Any, ...]) -> None:
        if but and leads_to_graph(event, arguments):
            return
        if event.startswith(_CLOSED):
            raise PermissionError(f"{event} is closed to a judge")
        if event == "open" and isinstance(arguments[1], str) and set(arguments[1]) & set("wax+"):
            raise PermissionError("a judge writes no files")

    sys.addaudithook(refuse)


if __name__ == "__main__":
    json.dump(_answer(json.load(sys.stdin)), sys.stdout, ensure_ascii=False)
