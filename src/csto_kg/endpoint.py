"""A SPARQL 1.1 store that is reached over HTTP, and read as an embedded one is.

Requests are those of the SPARQL 1.1 Protocol (https://www.w3.org/TR/sparql11-protocol/) and the
Graph Store HTTP Protocol (https://www.w3.org/TR/sparql11-http-rdf-update/), in the forms that all
stores take that were tried: queries as forms, rows as JSON, triples as N-Triples; results that a
store cut off or broke off are errors, though it says 200.
"""

from __future__ import annotations

import json
import os
import re
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import cached_property
from io import SEEK_END, BufferedReader, IOBase
from itertools import chain, islice, pairwise
from math import ceil, inf
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, Self
from urllib.parse import parse_qsl, quote, urlencode, urlsplit

import pyoxigraph as ox

from csto_kg.errors import CstoKgError
from csto_kg.lines import Reader
from csto_kg.sparql import form, names_dataset, names_graphs, prologue
from csto_kg.vocabulary import CSTO, ID, XSD

if TYPE_CHECKING:
    import requests

#: The merged graph, which queries see unless they name another.
MERGED = ox.NamedNode(f"{ID}graph/merged")
#: What was put into the store, graph by graph; it is written last.
MANIFEST = ox.NamedNode(f"{ID}graph/manifest")
VOCABULARY = ox.NamedNode(CSTO.removesuffix("#"))
#: How the body of a graph begins: some stores tell formats by that, and take N-Triples for another.
HEAD = f"@prefix csto: <{CSTO}> .\n".encode()

_COUNT = ox.NamedNode("http://rdfs.org/ns/void#triples")
_DEFAULT = ox.DefaultGraph()
# Seconds to connect, and to wait for the next bytes of an answer.
_PATIENCE = (10, 300)
# What is written is answered when all of it is there, which may be a large graph.
_PATIENCE_WITH_WRITING = (10, 3600)
_LARGEST = 1 << 30
# Some stores cut answers off at ten thousand rows.
_PAGE = 5_000
_CHUNK = 1_000
# Virtuoso gives no graph of more than a million triples at once (MaxVectorSize).
_PART = 600_000
_TRIPLES = "CONSTRUCT { ?s ?p ?o } WHERE { ?s ?p ?o"
_BLOCK = 1 << 16
# Bytes of a graph from which it is added to none, which a store does faster than to replace one.
# What is smaller is replaced in one request, so that it is never missing.
_LARGE = 4 << 20
# Headers by which Virtuoso says that an answer is not whole.
_CUT = ("X-SPARQL-MaxRows", "X-SQL-State")
_JSON, _NTRIPLES = "application/sparql-results+json", "application/n-triples"


class RefusalError(CstoKgError):
    """A store's answer that is an error."""


class Endpoint:
    """A store behind a SPARQL endpoint; it reads as :class:`pyoxigraph.Store` does.

    A store that :func:`csto_kg.exchange.push` filled has a manifest, and its merged graph is the
    default graph; of any other the default graph is the store's own, or that which the address
    names as ``default-graph-uri``.
    """

    def __init__(
        self,
        query: str,
        update: str | None = None,
        graph_store: str | None = None,
        credentials: tuple[str, str] | None = None,
    ) -> None:
        """Take the addresses of the three services; nothing is asked yet.

        Raises :class:`CstoKgError` for an address with a password, which messages would tell.
        """
        if any(re.search(r"//[^/?#]*@", url or "") for url in (query, update, graph_store)):
            raise CstoKgError(
                "an address has a name or password in it: put them into CSTO_KG_USER and "
                "CSTO_KG_PASSWORD"
            )
        self.query_url = query
        self._address, self._named = _without_default(query)
        self._update_url = update
        self.graph_store_url = graph_store
        self.credentials = credentials

    @classmethod
    def of(cls, url: str) -> Self:
        """Take the query address, and the others from the environment.

        ``CSTO_KG_UPDATE`` and ``CSTO_KG_GRAPH_STORE`` are the addresses for writing,
        ``CSTO_KG_USER`` and ``CSTO_KG_PASSWORD`` are sent when a server asks for them.
        """
        told = os.environ.get
        user = told("CSTO_KG_USER")
        credentials = (user, told("CSTO_KG_PASSWORD", "")) if user else None
        return cls(url, told("CSTO_KG_UPDATE"), told("CSTO_KG_GRAPH_STORE"), credentials)

    # -- Reading, as from an embedded store ------------------------------------------

    def query(self, text: str, *, prefixes: Mapping[str, str] | None = None) -> Any:
        """Evaluate a query; returns what :meth:`pyoxigraph.Store.query` does.

        Raises :class:`CstoKgError` when the store cannot be reached, refuses, or gives less than
        the whole answer.
        """
        dataset = []
        # What the request says of graphs takes the place of what the query says.
        if self.default and not names_dataset(text):
            dataset.append(("default-graph-uri", self.default.value))
        if dataset and names_graphs(text):
            dataset += [("named-graph-uri", name.value) for name in self.named_graphs()]
        rows = form(text) not in ("CONSTRUCT", "DESCRIBE")
        return self._ask(
            prologue(text, prefixes or {}) + text, dataset, _JSON if rows else _NTRIPLES
        )

    def quads_for_pattern(
        self, subject: Any, predicate: Any, object_: Any, graph_name: Any = None
    ) -> Iterator[ox.Quad]:
        """Yield the quads of a pattern, ``None`` standing for anything; see pyoxigraph."""
        if subject is predicate is object_ is None and isinstance(graph_name, ox.NamedNode):
            for triple in self.triples(graph_name):
                yield ox.Quad(triple.subject, triple.predicate, triple.object, graph_name)
            return
        given = [subject, predicate, object_]
        if any(isinstance(term, ox.BlankNode) for term in (*given, graph_name)):
            # One store's blank nodes are not another's.
            return
        places = [f"?{name}" if term is None else str(term) for name, term in zip("spo", given)]  # noqa: B905
        inner = f"{{ {' '.join(places)} }}"
        if graph_name is None:
            inner = f"{{ GRAPH ?g {inner} }}"
        elif graph_name != _DEFAULT:
            inner = f"{{ GRAPH {graph_name} {inner} }}"
        free = [
            place for place in (*places, "?g" if graph_name is None else "") if "?" in place[:1]
        ]
        if not free:
            if self.query(f"ASK {inner}"):
                yield ox.Quad(subject, predicate, object_, graph_name)
            return
        for row in self._pages(f"SELECT {' '.join(free)} {inner}"):
            found = iter(row)
            s, p, o = (next(found) if term is None else term for term in given)
            yield ox.Quad(s, p, o, next(found, graph_name))

    def __contains__(self, quad: ox.Quad) -> bool:
        """Whether the store has a quad."""
        found = self.quads_for_pattern(quad.subject, quad.predicate, quad.object, quad.graph_name)
        return any(True for _ in found)

    def named_graphs(self) -> list[ox.NamedNode]:
        """Return the named graphs that are ours, without the merged one."""
        if self.manifest:
            return [name for name in self.manifest if name != MERGED]
        rows = self.query("SELECT DISTINCT ?g { GRAPH ?g { ?s ?p ?o } }")
        names = sorted(row[0].value for row in rows)
        return [ox.NamedNode(name) for name in names if name.startswith((ID, VOCABULARY.value))]

    def graph(self, name: ox.NamedNode) -> set[ox.Triple]:
        """Return the triples of a named graph; see :meth:`triples`."""
        return set(self.triples(name))

    def triples(self, name: ox.NamedNode) -> Iterator[ox.Triple]:
        """Yield the triples of a named graph as they come, none if there is no such graph.

        They are asked for at once; in parts from a store that refuses that, in pages from one that
        cuts answers off, where some come twice. Raises :class:`CstoKgError` when the store gives
        fewer than it says that it has.
        """
        wanted = self.count(name)
        dataset = [("default-graph-uri", name.value)]
        found = self._streamed(f"{_TRIPLES} }}", dataset) if wanted else iter(())
        try:
            first = [*islice(found, 1)]
        except RefusalError:
            if wanted <= _PART:
                raise
            first, found = [], self._in_parts(dataset, wanted)
        number = 0
        for triple in chain(first, found):
            number += 1
            if number > wanted:
                raise self._error(f"gives more than the {wanted} triples of {name}: ask again")
            yield triple
        if number >= wanted:
            return
        seen: set[int] = set()
        start = 0
        while len(seen) < wanted:
            page = set(self._streamed(f"{_TRIPLES} }} LIMIT {_PAGE} OFFSET {start}", dataset))
            fresh = {hash(triple) for triple in page} - seen
            if not fresh:
                raise self._error(f"gives {len(seen)} of the {wanted} triples of {name}")
            yield from page
            seen |= fresh
            start += _PAGE

    def _in_parts(self, dataset: list[tuple[str, str]], wanted: int) -> Iterator[ox.Triple]:
        """Yield the triples of a graph by the hash of their subjects."""
        parts = ceil(wanted / _PART)
        bounds = [f"{number * 16**8 // parts:08x}" for number in range(parts)]
        for start, end in pairwise([*bounds, "g"]):
            within = f"FILTER('{start}' <= MD5(STR(?s)) && MD5(STR(?s)) < '{end}')"
            yield from self._streamed(f"{_TRIPLES} {within} }}", dataset)

    def count(self, name: ox.NamedNode) -> int:
        """Return how many triples the store says that a named graph has."""
        text = "SELECT (COUNT(*) AS ?n) WHERE { ?s ?p ?o }"
        [[number]] = self._ask(text, [("default-graph-uri", name.value)], _JSON)
        return int(number.value)

    # -- Writing -----------------------------------------------------------------------

    def put(self, name: ox.NamedNode, body: Path) -> None:
        """Replace a named graph, by the Graph Store Protocol if its address is known.

        ``body`` is a file that begins with :data:`HEAD`, followed by N-Triples.
        """
        with body.open("rb") as file:
            head = file.readline()
            assert head == HEAD
            first = [*islice(file, _CHUNK)]
            if not first:
                self.drop(name)
            elif self.graph_store_url:
                size = file.seek(0, SEEK_END)
                file.seek(0)
                if size > _LARGE:
                    self.drop(name)
                self._graph_store("POST" if size > _LARGE else "PUT", name, file)
            else:
                self._update(f"DROP SILENT GRAPH {name} ; {_insertion(name, first)}")
                while chunk := [*islice(file, _CHUNK)]:
                    self._update(_insertion(name, chunk))

    def extend(self, quads: Iterable[ox.Quad]) -> None:
        """Add quads by SPARQL Update, those of the default graph to the merged graph."""
        by_graph: dict[ox.NamedNode, list[bytes]] = {}
        for quad in quads:
            by_graph.setdefault(self._target(quad), []).append(f"{quad.triple} .\n".encode())
        for name, lines in by_graph.items():
            for start in range(0, len(lines), _CHUNK):
                self._update(_insertion(name, lines[start : start + _CHUNK]))

    def remove(self, quad: ox.Quad) -> None:
        """Take a quad out by SPARQL Update; it may not be there."""
        self._update(f"DELETE DATA {{ GRAPH {self._target(quad)} {{ {quad.triple} }} }}")

    def _target(self, quad: ox.Quad) -> ox.NamedNode:
        if isinstance(quad.graph_name, ox.NamedNode):
            return quad.graph_name
        if not self.manifest:
            raise self._error("has no merged graph to write to: fill it with csto-kg push")
        return MERGED

    def drop(self, name: ox.NamedNode) -> None:
        """Remove a named graph; there may be none."""
        if self.graph_store_url:
            self._graph_store("DELETE", name)
        else:
            self._update(f"DROP SILENT GRAPH {name}")

    # -- Requests ------------------------------------------------------------------------

    @cached_property
    def manifest(self) -> dict[ox.NamedNode, int]:
        """The graphs that the manifest lists with their sizes; empty where there is none."""
        text = f"SELECT ?g ?n {{ {MANIFEST} a ?type OPTIONAL {{ ?g {_COUNT} ?n }} }}"
        rows = list(self._ask(text, [("default-graph-uri", MANIFEST.value)], _JSON))
        if any(graph is None for graph, _ in rows):
            raise self._error("was being filled when it was broken off: push again")
        if not rows:
            self._check_not_empty()
        return {graph: int(number.value) for graph, number in rows}

    def _check_not_empty(self) -> None:
        text = f"SELECT ?s {{ ?s a <{CSTO}State> }} LIMIT 1"
        dataset = [("default-graph-uri", self._named.value)] if self._named else []
        if not list(self._ask(text, dataset, _JSON)):
            raise self._error(
                "holds nothing of csto-kg: csto-kg push puts a graph there; or name the graph to "
                "ask in the address, as ?default-graph-uri=IRI"
            )

    @cached_property
    def default(self) -> ox.NamedNode | None:
        """The named graph that is the default one here; ``None`` is the store's own."""
        return self._named or (MERGED if self.manifest else None)

    def _pages(self, text: str) -> Iterator[Any]:
        start = 0
        while True:
            rows = list(self.query(f"{text} LIMIT {_PAGE} OFFSET {start}"))
            yield from rows
            start += _PAGE
            if len(rows) < _PAGE:
                return

    def _ask(self, text: str, dataset: list[tuple[str, str]], accept: str) -> Any:
        if accept == _NTRIPLES:
            return iter([*self._streamed(text, dataset, _LARGEST)])
        response = self._posted(text, dataset, accept)
        return self._results(self._whole(response), response)

    def _posted(self, text: str, dataset: list[tuple[str, str]], accept: str) -> requests.Response:
        form = [("query", text), *dataset]
        return self._send("POST", self._address, data=form, headers={"Accept": accept})

    def _results(self, data: bytes, response: requests.Response) -> Any:
        try:
            document = json.loads(data)
            said = _standard(document)
        except (ValueError, KeyError, TypeError, AttributeError):
            raise self._error(_reason(response, data, "its answer is not SPARQL results")) from None
        return ox.parse_query_results(json.dumps(said), format=ox.QueryResultsFormat.JSON)

    def _streamed(
        self, text: str, dataset: list[tuple[str, str]], most: float = inf
    ) -> Iterator[ox.Triple]:
        """Yield the triples of an answer as they come."""
        response = self._posted(text, dataset, _NTRIPLES)
        last: deque[bytes] = deque(maxlen=2)

        def parts() -> Iterator[bytes]:
            for part in self._parts(response, most):
                last.append(part)
                yield part

        try:
            for quad in ox.parse(BufferedReader(Reader(parts())), format=ox.RdfFormat.N_TRIPLES):
                yield quad.triple
        except SyntaxError:
            tail = b"".join(last)[-200:].decode("utf-8", "replace").strip()
            raise self._error(f"its answer is not triples, and ends: {tail}") from None

    def _update(self, text: str) -> None:
        if not self._update_url:
            raise self._error("say where SPARQL Update is spoken: set CSTO_KG_UPDATE")
        self._whole(self._send("POST", self._update_url, writing=True, data=[("update", text)]))

    def _graph_store(self, method: str, name: ox.NamedNode, body: IO[bytes] | None = None) -> None:
        assert self.graph_store_url
        graph = f"{'&' if '?' in self.graph_store_url else '?'}graph="
        headers = {"Content-Type": "text/turtle"} if body else {}
        if body and self.credentials and self._session.auth is None:
            # Ask for the challenge first, so that the graph is sent once.
            self._send("GET", f"{self.graph_store_url}{graph}urn%3Anone").close()
        url = f"{self.graph_store_url}{graph}{quote(name.value, safe='')}"
        response = self._send(method, url, writing=True, data=body, headers=headers)
        if not (method == "DELETE" and response.status_code == 404):
            self._whole(response)

    @cached_property
    def _session(self) -> requests.Session:
        import requests

        return requests.Session()

    def _send(
        self, method: str, url: str, *, writing: bool = False, **request: Any
    ) -> requests.Response:
        import requests
        from requests.auth import HTTPBasicAuth, HTTPDigestAuth

        patience = _PATIENCE_WITH_WRITING if writing else _PATIENCE
        address = url.partition("?")[0]
        send: Callable[[], requests.Response] = lambda: self._session.request(  # noqa: E731
            method, url, timeout=patience, stream=True, allow_redirects=False, **request
        )
        try:
            response = send()
            if response.status_code == 401 and self.credentials and not self._session.auth:
                digest = "digest" in response.headers.get("WWW-Authenticate", "").lower()
                response.close()
                kind = HTTPDigestAuth if digest else HTTPBasicAuth
                self._session.auth = kind(*self.credentials)
                if isinstance(body := request.get("data"), IOBase):
                    body.seek(0)
                response = send()
        except requests.Timeout:
            raise CstoKgError(
                f"{address}: does not answer in time: ask for less, or look after it"
            ) from None
        except (requests.RequestException, ValueError) as error:
            reason = re.sub(r"^.*(\[Errno -?\d+\] [^'\")]+).*$", r"\1", str(error), flags=re.DOTALL)
            raise CstoKgError(
                f"{address}: cannot be reached: {reason}: is the address right?"
            ) from None
        return response

    def _whole(self, response: requests.Response) -> bytes:
        """Return the body of an answer that is good and whole."""
        return b"".join(self._parts(response, _LARGEST))

    def _parts(self, response: requests.Response, most: float) -> Iterator[bytes]:
        """Yield the body of an answer that is good, as it comes, to its end."""
        import requests

        size = 0
        try:
            if not 200 <= response.status_code < 300:
                said = next(response.iter_content(_BLOCK), b"")
                address = response.url.partition("?")[0]
                raise RefusalError(f"{address}: {_reason(response, said, 'refuses')}")
            if cut := [name for name in _CUT if name in response.headers]:
                raise self._error(f"cut its answer off ({', '.join(cut)}): ask for less")
            for part in response.iter_content(_BLOCK):
                size += len(part)
                if size > most:
                    raise self._error(f"answers with more than {_LARGEST >> 30} GiB: ask for less")
                yield part
        except requests.RequestException as error:
            raise self._error(f"broke off its answer: {error}") from None
        finally:
            response.close()

    def _error(self, reason: str) -> CstoKgError:
        return CstoKgError(f"{self.query_url}: {reason}")

    @property
    def host(self) -> tuple[str, int]:
        """The host and port of the query address."""
        parts = urlsplit(self.query_url)
        return parts.hostname or "", parts.port or (443 if parts.scheme == "https" else 80)


class Snapshot(Endpoint):
    """An endpoint as it is while something is judged: what was asked once is not asked again."""

    def __init__(self, *addresses: Any) -> None:
        """Take what an :class:`Endpoint` takes."""
        super().__init__(*addresses)
        self._answers: dict[tuple[Any, ...], list[ox.Quad]] = {}

    def quads_for_pattern(
        self, subject: Any, predicate: Any, object_: Any, graph_name: Any = None
    ) -> Iterator[ox.Quad]:
        """Yield the quads of a pattern; all that is said of a subject is asked for at once."""
        asked = (None, predicate, object_) if subject is None else (subject, None, None)
        if (*asked, graph_name) not in self._answers:
            self._answers[*asked, graph_name] = [
                *super().quads_for_pattern(asked[0], asked[1], asked[2], graph_name)
            ]
        for quad in self._answers[*asked, graph_name]:
            if predicate in (None, quad.predicate) and object_ in (None, quad.object):
                yield quad


#: Where a graph lives.
Engine = ox.Store | Endpoint


def _without_default(url: str) -> tuple[str, ox.NamedNode | None]:
    """Take the default graph out of an address, for some stores want it in the form alone."""
    address, _, asked = url.partition("?")
    pairs = parse_qsl(asked, keep_blank_values=True)
    given = [name for key, name in pairs if key == "default-graph-uri"]
    if not given:
        return url, None
    rest = urlencode([pair for pair in pairs if pair[0] != "default-graph-uri"])
    return f"{address}?{rest}" if rest else address, ox.NamedNode(given[0])


def _insertion(name: ox.NamedNode, lines: Iterable[bytes]) -> str:
    """Write N-Triples as a request that adds them to a graph."""
    return f"INSERT DATA {{ GRAPH {name} {{\n{b''.join(lines).decode()}}} }}"


def _standard(document: dict[str, Any]) -> dict[str, Any]:
    """Bring SPARQL results to the letter of the standard.

    Virtuoso has the typed-literal of a draft, numbers for booleans, and a table for ASK.
    """
    if "boolean" in document:
        return document
    rows = document["results"]["bindings"]
    if document["head"]["vars"] == ["__ASK_RETVAL"]:
        return {"head": {}, "boolean": any(row["__ASK_RETVAL"]["value"] == "1" for row in rows)}
    for row in rows:
        for term in row.values():
            if term["type"] == "typed-literal":
                term["type"] = "literal"
            if term.get("datatype") == f"{XSD}boolean":
                term["value"] = {"1": "true", "0": "false"}.get(term["value"], term["value"])
    return document


def _reason(response: requests.Response, data: bytes, what: str) -> str:
    """Say why an answer is none, in the words of the server as far as they are words."""
    text = data[:2000].decode("utf-8", "replace")
    if "html" in response.headers.get("Content-Type", ""):
        title = re.search(r"(?is)<title>(.*?)</title>", text)
        said = f"a web page ({title[1].strip()})" if title else "a web page"
        hint = ": is it the address of the SPARQL service?"
    else:
        # An answer that breaks off in the middle says why at its end.
        last = data[-300:].decode("utf-8", "replace") if response.status_code == 200 else text
        said, hint = " ".join(last.split())[:300], ""
    if response.status_code in (301, 302, 303, 307, 308):
        hint = f": it is now at {response.headers.get('Location', 'another address')}"
    if response.status_code in (401, 403):
        hint = ": set CSTO_KG_USER and CSTO_KG_PASSWORD to somebody who may"
    return f"{what} ({response.status_code} {response.reason}): {said}{hint}"
