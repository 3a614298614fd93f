"""Membership tables: rows of somebody else's CSV, read by a mapping into spells and a fact sheet.

Each row ends up as a spell, merged into one as a further phase of it, or refused with a reason.
The spells become a fact sheet, which is built like any other.
"""

from __future__ import annotations

import csv
import io
from calendar import monthrange
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from functools import cached_property
from hashlib import blake2b
from pathlib import Path
from typing import Any

from pyoxigraph import NamedNode, Triple

from csto_kg.bounds import Bounds, parse_edtf_date
from csto_kg.errors import CstoKgError
from csto_kg.identifiers import SLUG
from csto_kg.mapping import LINE, Era, Mapping, fill
from csto_kg.serialization import read_bytes
from csto_kg.sheet import Sheet
from csto_kg.spell import Membership, Row, Spell, edtf, merged, parts, undecided
from csto_kg.vocabulary import CSTO

_MEMBER = NamedNode(f"{CSTO}member")

_Dates = tuple[date | None, date | None]
_Key = tuple[str, tuple[Era, ...]]
_Node = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Refusal:
    """A row that was not taken in, and why."""

    line: int
    reason: str


@dataclass(frozen=True)
class Table:
    """A table as it was read by a mapping: its spells, and its rows, each counted once.

    ``rows`` is the number of spells, of rows merged into them as further phases, and of rows
    refused, together.
    """

    path: Path
    mapping: Mapping
    spells: list[Spell]
    refused: list[Refusal]
    #: Names of the alliances that only the table knows.
    labels: dict[str, dict[str, str]]

    @classmethod
    def read(cls, path: Path, mapping: Mapping) -> Table:
        """Read a CSV file.

        Raises :class:`CstoKgError`, naming file and line, when it is missing, is not UTF-8 or not
        CSV, or lacks a column; a row that cannot be taken in is refused.
        """
        reader = _Reader(path, mapping)
        groups: dict[_Key, list[Row]] = {}
        for key, row in reader.rows():
            groups.setdefault(key, []).append(row)
        spells = []
        for (alliance, eras), rows in groups.items():
            for spell in merged(alliance, eras, rows):
                if reason := undecided(spell):
                    reader.refused += [Refusal(row.line, reason) for row in spell.rows]
                else:
                    spells.append(spell)
        refused = sorted(reader.refused, key=lambda refusal: refusal.line)
        return cls(path, mapping, spells, refused, reader.labels)

    @property
    def merged(self) -> int:
        """How many rows were merged into a spell as further phases of it."""
        return sum(len(spell.rows) - 1 for spell in self.spells)

    @property
    def rows(self) -> int:
        """How many rows there are."""
        return len(self.spells) + self.merged + len(self.refused)

    @cached_property
    def memberships(self) -> list[Membership]:
        """The spells, divided where the code of a member came to mean another state."""
        return [part for spell in self.spells for part in parts(spell)]

    def triples(self) -> set[Triple]:
        """Return what the table says, with its source, citations, states and alliances."""
        mapping = self.mapping
        assert isinstance(mapping.sheet.document, dict)
        nodes = [*mapping.sheet.document["graph"], *self._nodes()]
        built = Sheet(self.path, {"graph": nodes}, {}).build(
            {*mapping.register, *mapping.states_described}
        )
        members = {triple.object for triple in built if triple.predicate == _MEMBER}
        return built | {triple for triple in mapping.states_described if triple.subject in members}

    def _nodes(self) -> Iterator[_Node]:
        for alliance in {spell.alliance for spell in self.spells} & self.labels.keys():
            yield {"id": alliance, "type": "Alliance", "label": self.labels[alliance]}
        for spell in self.spells:
            for row in spell.rows:
                yield {
                    "id": row.citation,
                    "type": "Citation",
                    "source": self.mapping.source,
                    "locator": row.locator,
                }
        numbers: dict[tuple[str, str], int] = {}
        succession: dict[str, list[str]] = {"begins": [], "ends": []}
        for part in self.memberships:
            key = (part.spell.alliance, part.state)
            numbers[key] = numbers.get(key, 0) + 1
            node = self._membership(part, numbers[key])
            succession["begins"] += [node["id"]] * part.succeeds
            succession["ends"] += [node["id"]] * part.succeeded
            yield node
        for side, derived in succession.items():
            if derived:
                yield {
                    "id": f"derivation/{_slug(self.mapping.source)}-{side}-succession",
                    "type": "Derivation",
                    "rule": "rule/succession",
                    "derived": derived,
                    "derivedProperty": [f"{side}NotBefore", f"{side}NotAfter"],
                    "inputs": self.mapping.source,
                }

    def _membership(self, part: Membership, number: int) -> _Node:
        prefix, bounds = self.mapping.prefix, part.bounds
        slug = (
            f"{prefix}-{_slug(part.spell.alliance).removeprefix(f'{prefix}-')}-{_slug(part.state)}"
        )
        in_force = bounds.ends_not_before == self.mapping.issued and not bounds.ends_not_after
        node = {
            "id": f"membership/{slug}{f'-{number}' if number > 1 else ''}",
            "type": "Membership",
            "member": part.state,
            "alliance": part.spell.alliance,
            "spellNumber": str(number),
            "begins": edtf(bounds.begins_not_before, bounds.begins_not_after),
            "ends": ".." if in_force else edtf(bounds.ends_not_before, bounds.ends_not_after),
            "continuityAssumed": "true" if part.spell.assumed and len(part.rows) > 1 else None,
            "cites": [row.citation for row in part.rows],
        }
        return {key: item for key, item in node.items() if item is not None}


class _Reader:
    """Reads the rows of one table, and remembers what must not come twice."""

    def __init__(self, path: Path, mapping: Mapping) -> None:
        self._path = path
        self._mapping = mapping
        self._citations: set[str] = set()
        self.refused: list[Refusal] = []
        self.labels: dict[str, dict[str, str]] = {}

    def rows(self) -> Iterator[tuple[_Key, Row]]:
        """Yield the rows that can be read, with the alliance and what the member's code means."""
        seen: dict[bytes, int] = {}
        for line, cells, width, expected in self._lines():
            digest = blake2b("\x1f".join(cells.values()).encode(), digest_size=16).digest()
            first = seen.setdefault(digest, line)
            try:
                if width != expected:
                    raise ValueError(f"{width} cells, not {expected}: look for stray commas")
                if first != line:
                    raise ValueError(f"it repeats line {first}: take one of the two out")
                yield self._row(line, {**cells, LINE: str(line)})
            except ValueError as error:
                self.refused.append(Refusal(line, str(error)))

    def _lines(self) -> Iterator[tuple[int, dict[str, str], int, int]]:
        """Yield the line of each record, its cells by column, how many it has and should have."""
        data = read_bytes(self._path)
        try:
            text = data.decode("utf-8-sig")
        except UnicodeDecodeError as error:
            line = data.count(b"\n", 0, error.start) + 1
            raise CstoKgError(
                f"{self._path}:{line}: not UTF-8: save the table as UTF-8, for example "
                "with iconv -f LATIN1 -t UTF-8"
            ) from None
        records = csv.reader(io.StringIO(text, newline=""), strict=True)
        end = 0
        try:
            header = [name.strip() for name in next(records, [])]
            self._check(header)
            end = records.line_num
            for record in records:
                if record:
                    padded = [cell.strip() for cell in record] + [""] * len(header)
                    cells = dict(zip(header, padded, strict=False))
                    yield end + 1, cells, len(record), len(header)
                end = records.line_num
        except csv.Error as error:
            raise CstoKgError(f"{self._path}:{end + 1}: not valid CSV: {error}") from None

    def _check(self, header: list[str]) -> None:
        wanted = self._mapping.columns
        if missing := sorted(wanted - set(header)):
            raise CstoKgError(
                f"{self._path}:1: no column {', '.join(missing)}, which {self._mapping.path} "
                f"names: its columns are {', '.join(filter(None, header)) or 'none'}"
            )
        if twice := sorted(name for name in wanted if header.count(name) > 1):
            raise CstoKgError(f"{self._path}:1: column {', '.join(twice)} stands twice: rename one")

    def _row(self, line: int, cells: dict[str, str]) -> tuple[_Key, Row]:
        mapping = self._mapping
        eras = mapping.states.get(cells[mapping.member])
        if eras is None:
            raise ValueError(
                f"{mapping.member} “{cells[mapping.member]}” means no state in "
                f"{mapping.states_path}: correct it, or add it in a mapping of your own"
            )
        bounds = _bounds(cells, mapping)
        alliance = self._alliance(cells)
        return (alliance, eras), Row(line, bounds, *self._citation(line, cells))

    def _alliance(self, cells: dict[str, str]) -> str:
        mapping = self._mapping
        code = cells[mapping.alliance]
        if known := mapping.alliances.get(code):
            return known
        if not (mapping.other_alliances and SLUG.fullmatch(code)):
            raise ValueError(
                f"{mapping.alliance} “{code}” means no alliance in {mapping.path}: "
                "correct it, or add it in a mapping of your own"
            )
        alliance = f"alliance/{mapping.prefix}-{code}"
        if alliance not in self.labels:
            labels = mapping.other_alliances.items()
            self.labels[alliance] = {language: fill(text, cells) for language, text in labels}
        return alliance

    def _citation(self, line: int, cells: dict[str, str]) -> tuple[str, str]:
        mapping = self._mapping
        slug = f"{mapping.prefix}-{fill(mapping.citation, cells)}".lower()
        locator = fill(mapping.locator, cells)
        if not SLUG.fullmatch(slug):
            raise ValueError(
                f"“{slug}” cannot name its citation: choose other columns in {mapping.path}"
            )
        if slug in self._citations:
            slug = f"{slug}-line-{line}"
            if f"{{{LINE}}}" not in mapping.locator:
                locator = f"{locator}, line {line}"
        self._citations.add(slug)
        return f"citation/{slug}", locator


def _bounds(cells: dict[str, str], mapping: Mapping) -> Bounds:
    """Read what a row says of begin and end; raises ``ValueError`` with what is wrong."""
    first, last = _date(cells, mapping.begins, mapping.unknown)
    if _holds(mapping.left_censored, cells):
        first = None
    ends: _Dates = (mapping.issued, None)
    if not _holds(mapping.in_force, cells):
        ends = _date(cells, mapping.ends, mapping.unknown)
    for day in (first, ends[0]):
        # Either the mapping is of another edition of the table, or the year is a slip.
        if day and day > mapping.issued:
            raise ValueError(
                f"{day} is later than {mapping.issued}, the issuedNotBefore of {mapping.path}: "
                "correct the one that is wrong"
            )
    bounds = Bounds(first, last, *ends)
    if bounds.conflict:
        raise ValueError(f"it ends ({edtf(*ends)}) before it begins ({edtf(first, last)})")
    return bounds


def _holds(condition: dict[str, str], cells: dict[str, str]) -> bool:
    return bool(condition) and all(cells[name] == wanted for name, wanted in condition.items())


def _date(cells: dict[str, str], columns: tuple[str, ...], unknown: frozenset[str]) -> _Dates:
    """Read a date as its first and last possible day; what is unknown is never filled in."""
    texts = [cells[column] for column in columns]
    known = [text for text in texts if text not in unknown]
    if known != texts[: len(known)]:
        raise ValueError(f"a part is missing: {', '.join(columns)} are {', '.join(texts)}")
    if not known:
        return None, None
    if len(columns) == 1:
        return parse_edtf_date(texts[0])
    for column, text in zip(columns, known, strict=False):
        if not (text.isascii() and text.isdigit()):
            raise ValueError(f"{column} “{text}” is not a whole number")
    if len(known[0]) != 4:
        raise ValueError(f"{columns[0]} “{known[0]}” is not a year of four digits")
    year, *rest = map(int, known)
    try:
        match rest:
            case []:
                return date(year, 1, 1), date(year, 12, 31)
            case [month]:
                return date(year, month, 1), date(year, month, monthrange(year, month)[1])
            case [month, day]:
                return date(year, month, day), date(year, month, day)
            case _:
                raise AssertionError(columns)
    except (ValueError, OverflowError) as error:
        written = f"{', '.join(columns)}: {'-'.join(known)}"
        raise ValueError(f"{written} is not a date of the calendar: {error}") from None


def _slug(identifier: str) -> str:
    return identifier.partition("/")[2]
