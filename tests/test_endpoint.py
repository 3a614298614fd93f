"""A store that fails says so in words: never an empty table, never a traceback."""

from __future__ import annotations

import json
import socket
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from pyoxigraph import DefaultGraph, NamedNode

import csto_kg
from csto_kg import CstoKgError, KnowledgeGraph, endpoint, shipped
from csto_kg.endpoint import Endpoint, Snapshot

from .conftest import Run

EMPTY = b'{"head": {"vars": ["g", "n"]}, "results": {"bindings": []}}'
RESULTS = {"Content-Type": "application/sparql-results+json"}
CUT = json.dumps(
    {
        "head": {"vars": ["x"]},
        "results": {"bindings": [{"x": {"type": "literal", "value": "a"}}] * 3},
    }
).encode()

ANSWERS: dict[str, tuple[int, dict[str, str], bytes]] = {
    "/page": (
        200,
        {"Content-Type": "text/html"},
        b"<html><title>Welcome</title>SPARQL query form</html>",
    ),
    "/error": (500, {"Content-Type": "text/plain"}, b"Virtuoso 37000 Error SP030: syntax error"),
    "/gateway": (502, {"Content-Type": "text/html"}, b"<title>502 Bad Gateway</title>"),
    "/moved": (301, {"Location": "http://elsewhere.example/sparql"}, b""),
    "/login": (401, {"WWW-Authenticate": 'Basic realm="x"'}, b"who are you?"),
    "/forbidden": (403, {"Content-Type": "text/plain"}, b"no"),
    "/cut": (200, {**RESULTS, "X-SPARQL-MaxRows": "3"}, CUT),
    "/long": (200, RESULTS, CUT),
    "/late": (200, {**RESULTS, "X-SQL-State": "S1TAT"}, CUT),
    "/stopped": (200, RESULTS, CUT[:-40] + b"The SPARQL operation has been cancelled"),
    "/json": (200, RESULTS, b'{"results": []}'),
    "/empty": (200, RESULTS, EMPTY),
    "/proxied": (200, {**RESULTS, "x-sparql-maxrows": "3"}, CUT),
    "/short": (200, {**RESULTS, "Content-Length": "1000"}, EMPTY),
}


class Bad(BaseHTTPRequestHandler):
    def do_POST(self) -> None:
        self.rfile.read(int(self.headers.get("Content-Length", "0")))
        status, headers, data = ANSWERS[self.path]
        self.send_response(status)
        for name, said in {"Content-Length": str(len(data)), **headers}.items():
            self.send_header(name, said)
        self.end_headers()
        self.wfile.write(data)

    do_GET = do_POST  # noqa: N815

    def log_message(self, *_: object) -> None: ...


@pytest.fixture(scope="module")
def server() -> Iterator[str]:
    running = ThreadingHTTPServer(("127.0.0.1", 0), Bad)
    threading.Thread(target=running.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{running.server_address[1]}"
    running.shutdown()
    running.server_close()


@pytest.mark.parametrize(
    ("path", "reason"),
    [
        ("/page", r"not SPARQL results.*a web page \(Welcome\).*address of the SPARQL service"),
        ("/error", r"refuses \(500 .*SP030: syntax error"),
        ("/gateway", r"502 .*a web page \(502 Bad Gateway\)"),
        ("/moved", r"it is now at http://elsewhere.example/sparql"),
        ("/login", r"401 .*CSTO_KG_USER and CSTO_KG_PASSWORD"),
        ("/forbidden", r"403 .*somebody who may"),
        ("/cut", r"cut its answer off \(X-SPARQL-MaxRows\)"),
        ("/proxied", r"cut its answer off \(X-SPARQL-MaxRows\)"),
        ("/late", r"cut its answer off \(X-SQL-State\)"),
        ("/stopped", r"The SPARQL operation has been cancelled"),
        ("/json", r"not SPARQL results"),
        ("/short", r"broke off its answer"),
    ],
)
def test_what_is_no_answer_is_an_error(csto: Run, server: str, path: str, reason: str) -> None:
    graph = csto_kg.open(server + path)
    with pytest.raises(CstoKgError, match=reason) as caught:
        graph.run("sources")
    assert str(caught.value).startswith(server + path)
    with pytest.raises(CstoKgError, match=reason):
        graph.search("armenia")
    said = csto("query", "run", "sources", "--store", server + path)
    assert (said.returncode, said.stdout) == (2, "")
    assert said.stderr.startswith(f"csto-kg: {server + path}: ")
    assert "Traceback" not in said.stderr


def test_a_store_without_anything_of_ours_is_no_empty_table(csto: Run, server: str) -> None:
    said = csto("query", "run", "sources", "--store", f"{server}/empty")
    assert (said.returncode, said.stdout) == (2, "")
    assert "holds nothing of csto-kg: csto-kg push" in said.stderr


def test_nobody_there(csto: Run) -> None:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        port = listener.getsockname()[1]
    said = csto("query", "run", "sources", "--store", f"http://127.0.0.1:{port}/query")
    assert said.returncode == 2
    assert "cannot be reached: [Errno 111] Connection refused: is the address right?" in said.stderr
    said = csto("query", "run", "sources", "--store", "http://nowhere.invalid/query")
    assert said.returncode == 2
    assert "cannot be reached" in said.stderr
    assert "Traceback" not in said.stderr


def test_somebody_who_does_not_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(endpoint, "_PATIENCE", (1, 0.2))
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        graph = csto_kg.open(f"http://127.0.0.1:{listener.getsockname()[1]}/query")
        with pytest.raises(CstoKgError, match="does not answer in time"):
            graph.run("sources")


def test_an_answer_without_end_is_given_up(monkeypatch: pytest.MonkeyPatch, server: str) -> None:
    monkeypatch.setattr(endpoint, "_LARGEST", 10)
    with pytest.raises(CstoKgError, match="answers with more than"):
        csto_kg.open(f"{server}/long").run("sources")


def test_an_address_with_a_password_is_refused_and_not_told(csto: Run) -> None:
    said = csto("query", "run", "sources", "--store", "http://me:secret@127.0.0.1:9/query")
    assert (said.returncode, "CSTO_KG_PASSWORD" in said.stderr) == (2, True)
    assert "secret" not in said.stderr


def test_an_address_without_a_scheme(csto: Run) -> None:
    said = csto("query", "run", "sources", "--store", "127.0.0.1:9/query")
    assert (said.returncode, "an address begins with http://" in said.stderr) == (2, True)


class Guarded(BaseHTTPRequestHandler):
    """Reading is open, and writing asks for a password."""

    written: list[bytes] = []  # noqa: RUF012

    def do_PUT(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length", "0")))
        known = "Authorization" in self.headers
        if known:
            self.written.append(body)
        self.send_response(204 if known else 401)
        self.send_header("WWW-Authenticate", 'Basic realm="x"')
        self.send_header("Content-Length", "0")
        self.end_headers()

    def do_GET(self) -> None:
        self.send_response(200)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_: object) -> None: ...


def test_a_graph_is_sent_whole_to_a_server_that_asks_for_a_password(tmp_path: Path) -> None:
    running = ThreadingHTTPServer(("127.0.0.1", 0), Guarded)
    threading.Thread(target=running.serve_forever, daemon=True).start()
    url = f"http://127.0.0.1:{running.server_address[1]}"
    body = tmp_path / "body.ttl"
    body.write_bytes(endpoint.HEAD + b"<urn:a> <urn:b> <urn:c> .\n")
    Endpoint(url, None, url, ("me", "secret")).put(NamedNode("urn:g"), body)
    running.shutdown()
    running.server_close()
    assert Guarded.written == [body.read_bytes()]


# -- Layout ------------------------------------------------------------------------


def test_a_store_that_others_filled_is_read_by_its_default_graph(
    kg: KnowledgeGraph, tmp_path: Path
) -> None:
    """Turtle that was loaded by the store's own loader, without a manifest."""
    import requests

    from .servers import run_oxigraph

    with run_oxigraph(tmp_path, "plain") as plain:
        for file in ("csto.ttl", "schemes.ttl"):
            data = (shipped.ONTOLOGY / file).read_bytes()
            requests.post(f"{plain.graph_store}?default", data, timeout=60,
                          headers={"Content-Type": "text/turtle"}).raise_for_status()  # fmt: skip
        requests.post(f"{plain.graph_store}?default", kg.export(None, "turtle"), timeout=60,
                      headers={"Content-Type": "text/turtle"}).raise_for_status()  # fmt: skip
        graph = csto_kg.open(plain.query)
        there = graph.run("members-on", alliance="csto", date="2000-01-01")
        here = kg.run("members-on", alliance="csto", date="2000-01-01")
        assert there.text("csv") == here.text("csv")


def test_patterns_are_those_of_an_embedded_store(
    kg: KnowledgeGraph, oxigraph: object, monkeypatch: pytest.MonkeyPatch
) -> None:
    from .servers import Endpoint as Server

    assert isinstance(oxigraph, Server)
    remote = Endpoint(oxigraph.query, oxigraph.update, oxigraph.graph_store)
    from csto_kg.exchange import packing, push

    with packing(kg) as packed:
        push(packed, remote)
    remote, snapshot = Endpoint(oxigraph.query), Snapshot(oxigraph.query)
    requests: list[str] = []
    send = snapshot._send

    def counted(method: str, url: str, **request: Any) -> object:
        requests.append(url)
        return send(method, url, **request)

    monkeypatch.setattr(snapshot, "_send", counted)
    armenia = NamedNode("https://w3id.org/csto-kg/id/state/armenia")
    member = NamedNode("https://w3id.org/csto-kg/ontology#member")
    for pattern in (
        (armenia, None, None, DefaultGraph()),
        (None, member, armenia, DefaultGraph()),
        (None, None, armenia, DefaultGraph()),
        (None, member, None, DefaultGraph()),
        (None, member, armenia, NamedNode("https://w3id.org/csto-kg/id/graph/triples")),
    ):
        here = set(kg.store.quads_for_pattern(*pattern))
        assert set(remote.quads_for_pattern(*pattern)) == here
        assert set(snapshot.quads_for_pattern(*pattern)) == here
        assert here
        some = min(here, key=str)
        assert some in remote
        assert some in snapshot
        asked = len(requests)
        assert set(snapshot.quads_for_pattern(*pattern)) == here
        assert some in snapshot
        assert len(requests) == asked
    assert set(remote.named_graphs()) == set(kg.store.named_graphs())
