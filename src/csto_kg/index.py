"""The store that a graph of somebody's own is kept in, brought up to its journal.

The journal is the truth: an entry is first in it, and then in the store. One that did not get
there is found by the record that is missing, and taken in again; what is there twice is there once.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path

from pyoxigraph import DefaultGraph, NamedNode, Quad, Store

from csto_kg.disk import is_disk, open_disk
from csto_kg.endpoint import MERGED, Endpoint, Engine
from csto_kg.errors import CstoKgError
from csto_kg.exchange import restate
from csto_kg.home import Home
from csto_kg.journal import RECORD, Journal
from csto_kg.vocabulary import PROV

_INVALIDATED = NamedNode(f"{PROV}invalidatedAtTime")


def opened(home: Home) -> Engine:
    """Open the store of a home for reading.

    Raises :class:`CstoKgError` when it cannot be, or lacks a submission.
    """
    place = _place(home)
    engine = open_disk(Path(place)) if is_disk(Path(place)) else Endpoint.of(place)
    if lacking := _lacking(engine, home):
        raise CstoKgError(
            f"{place}: lacks {len(lacking)} of the submissions in {home.journal}: bring it up to "
            f"them with `csto-kg submissions index --store {home.folder}`"
        )
    return engine


def catch_up(home: Home) -> int:
    """Take into the store what is in the journal and not there; returns how many entries.

    The caller holds the journal's lock. Raises :class:`CstoKgError` when the store cannot be
    written, or has submissions of another journal.
    """
    place = _place(home)
    try:
        engine = Store(place) if is_disk(Path(place)) else Endpoint.of(place)
    except OSError as error:
        raise CstoKgError(f"{place}: cannot be written: {error}") from None
    lacking = _lacking(engine, home)
    changed = lacking if isinstance(engine, Store) or _is_stated(engine) else _entries(home)
    for quads in lacking:
        _take(engine, quads)
    if isinstance(engine, Store):
        engine.flush()
    elif changed:
        restate(engine, {name for quads in changed for name in _written(quads)})
    return len(lacking)


def _is_stated(engine: Endpoint) -> bool:
    """Whether the manifest has the record as it is, as when nothing was broken off."""
    said = engine.manifest.get(RECORD, 0)
    return said == engine.count(RECORD)


def _written(quads: Iterable[Quad]) -> set[NamedNode]:
    """Return the graphs that an entry adds to, and that which it takes out."""
    names = {quad.graph_name for quad in quads}
    names |= {quad.subject for quad in _record(quads) if quad.predicate == _INVALIDATED}  # type: ignore[misc]
    return {name for name in names if isinstance(name, NamedNode)}


def _place(home: Home) -> str:
    assert home.place
    return home.place


def _lacking(engine: Engine, home: Home) -> list[Sequence[Quad]]:
    """Return the quads of each entry of the journal of which there is no record in the store."""
    there = set(engine.quads_for_pattern(None, None, None, RECORD))
    entries = _entries(home)
    strange = there - {quad for quads in entries for quad in quads}
    if strange:
        raise CstoKgError(
            f"{home.place}: has submissions that are not in {home.journal}, such as "
            f"{min(str(quad.subject) for quad in strange)}: each store has one journal"
        )
    return [quads for quads in entries if not set(_record(quads)) <= there]


def _entries(home: Home) -> list[Sequence[Quad]]:
    return [entry.quads() for entry in Journal(home.journal).entries()]


def _record(quads: Iterable[Quad]) -> list[Quad]:
    return [quad for quad in quads if quad.graph_name == RECORD]


def _take(engine: Engine, quads: Sequence[Quad]) -> None:
    """Take in an entry, its record last, so that it is taken in again if that is not there."""
    record = _record(quads)
    for said in record:
        if said.predicate == _INVALIDATED and isinstance(said.subject, NamedNode):
            _take_out(engine, said.subject)
    facts = [quad for quad in quads if quad.graph_name != RECORD]
    for some in (facts, record):
        engine.extend([*(Quad(*quad.triple) for quad in some), *some])


def _take_out(engine: Engine, graph: NamedNode) -> None:
    """Take out a graph, and of the merged graph what no other graph says."""
    gone = list(engine.quads_for_pattern(None, None, None, graph))
    apart = (DefaultGraph(), MERGED, graph)
    for quad in gone:
        elsewhere = engine.quads_for_pattern(quad.subject, quad.predicate, quad.object)
        if all(other.graph_name in apart for other in elsewhere):
            engine.remove(Quad(*quad.triple))
    for quad in gone:
        engine.remove(quad)
