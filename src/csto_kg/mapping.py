"""How the membership table of somebody else is to be read: what its columns and codes mean.

A mapping is a fact sheet that describes the source, and beside it a block ``table`` that names
columns. What its codes for states mean stands in it, or in a file that several mappings share.
"""

from __future__ import annotations

import re
from collections.abc import Container, Iterable
from dataclasses import dataclass
from datetime import date
from difflib import get_close_matches
from pathlib import Path
from typing import Any

import yaml
from pyoxigraph import Triple

from csto_kg import shipped
from csto_kg.errors import CstoKgError
from csto_kg.identifiers import SLUG
from csto_kg.serialization import read_bytes
from csto_kg.sheet import Sheet, compose, read_register
from csto_kg.terms import value
from csto_kg.vocabulary import ID

FOLDER = shipped.DATA / "mappings"
LINE = "line"

_FIELD = re.compile(r"\{(\w+)\}")
_NEEDED = ("prefix", "alliance", "member", "begins", "ends", "states")
_OPTIONAL = (
    *("unknown", "inForce", "leftCensored", "citation", "locator"),
    *("alliances", "otherAlliances"),
)
_PARTS = ("year", "month", "day")


@dataclass(frozen=True, slots=True)
class Era:
    """A state, and the last day on which a code means it; ``None`` for one that still does."""

    state: str
    until: date | None = None


@dataclass(frozen=True, slots=True)
class Mapping:
    """How to read a table, and in whose name: see ``docs/import.md``."""

    path: Path
    #: The sheet that describes the source, to which the facts of the table are added.
    sheet: Sheet
    source: str
    #: The earliest day on which the table can have been issued; what is in force lasts till then.
    issued: date
    prefix: str
    alliance: str
    member: str
    #: The columns of year, month and day, as far as there are; or one column of EDTF dates.
    begins: tuple[str, ...]
    ends: tuple[str, ...]
    unknown: frozenset[str]
    in_force: dict[str, str]
    left_censored: dict[str, str]
    citation: str
    locator: str
    alliances: dict[str, str]
    other_alliances: dict[str, str]
    states: dict[str, tuple[Era, ...]]
    #: Where the codes for states stand.
    states_path: Path
    #: Descriptions of the states of ``states_path``, and of those of the register.
    states_described: frozenset[Triple]
    register: frozenset[Triple]

    @classmethod
    def read(cls, name: str | Path) -> Mapping:
        """Read a mapping by its path, or a shipped one by its name.

        Raises :class:`CstoKgError`, naming file and line, for a missing file and every mistake.
        """
        path = Path(name)
        if not path.exists() and (FOLDER / f"{name}.yaml").exists():
            path = FOLDER / f"{name}.yaml"
        blocks, sheet = _split(path, {"table"})
        table = blocks.get("table")
        if table is None:
            raise CstoKgError(f"{path}: no “table”: say there which column says what")
        plain = table.mapping(_NEEDED, _OPTIONAL)
        source, issued = _source(path, sheet)
        register = read_register(shipped.SHEETS)
        states_path, states, described = _states(path, table, plain["states"])
        alliances = table.texts("alliances")
        mapping = cls(
            path=path,
            sheet=sheet,
            source=source,
            issued=issued,
            prefix=table.text("prefix"),
            alliance=table.text("alliance"),
            member=table.text("member"),
            begins=table.date_columns("begins"),
            ends=table.date_columns("ends"),
            unknown=frozenset(table.list("unknown", [""])),
            in_force=table.texts("inForce"),
            left_censored=table.texts("leftCensored"),
            citation=table.text("citation", f"{LINE}-{{{LINE}}}"),
            locator=table.text("locator", f"{LINE} {{{LINE}}}"),
            alliances=alliances,
            other_alliances=table.texts("otherAlliances"),
            states=states,
            states_path=states_path,
            states_described=frozenset(described),
            register=frozenset(register),
        )
        if mapping.other_alliances and not {"en", "ar"} <= mapping.other_alliances.keys():
            raise table.error("a name is given in English and Arabic, en and ar", "otherAlliances")
        if not SLUG.fullmatch(mapping.prefix):
            raise table.error(
                f"“{mapping.prefix}” is not a slug: write it in a-z, 0-9 and -", "prefix"
            )
        eras = [era.state for eras in states.values() for era in eras]
        known = {value(triple.subject) for triple in (*register, *described, *sheet.triples())}
        for key, identifiers in (("states", eras), ("alliances", alliances.values())):
            for identifier in identifiers:
                if ID + identifier not in known:
                    raise table.error(
                        f"{identifier} is not described: do so under “graph”, as in a fact sheet",
                        key,
                    )
        return mapping

    @property
    def columns(self) -> set[str]:
        """The columns that the table must have."""
        templates = (self.citation, self.locator, *self.other_alliances.values())
        fields = {name for text in templates for name in _FIELD.findall(text)} - {LINE}
        named = {self.alliance, self.member, *self.begins, *self.ends}
        return named | fields | self.in_force.keys() | self.left_censored.keys()


def fill(template: str, cells: dict[str, str]) -> str:
    """Put cells in place of the ``{column}`` of a template."""
    return _FIELD.sub(lambda match: cells[match[1]], template)


class _Block:
    """A part of a YAML file that is not a fact sheet, with its lines."""

    def __init__(self, path: Path, key: yaml.Node, node: yaml.Node) -> None:
        self._path = path
        self._name = key.value
        self._seen: set[int] = set()
        self._plain = self._value(node)
        self._lines = {key.value: key.start_mark.line + 1}
        if isinstance(node, yaml.MappingNode):
            self._lines |= {inner.value: inner.start_mark.line + 1 for inner, _ in node.value}

    def error(self, reason: str, key: str | None = None) -> CstoKgError:
        line = self._lines.get(key or self._name, self._lines[self._name])
        return CstoKgError(f"{self._path}:{line}: {reason}")

    def mapping(self, needed: Iterable[str] = (), optional: Iterable[str] = ()) -> dict[str, Any]:
        """Return the block as a mapping that has the needed keys and no unknown ones."""
        if not isinstance(self._plain, dict):
            raise self.error(f"“{self._name}” is a mapping: write “key: value” under it")
        known = [*needed, *optional]
        for key in self._plain:
            if known and key not in known:
                near = get_close_matches(key, known, n=1)
                hint = f": did you mean “{near[0]}”?" if near else ""
                raise self.error(f"“{key}” is not a key of “{self._name}”{hint}", key)
        for key in needed:
            if key not in self._plain:
                raise self.error(f"“{self._name}” lacks “{key}”")
        return self._plain

    def text(self, key: str, default: str | None = None) -> str:
        found = self.mapping().get(key, default)
        if not isinstance(found, str):
            raise self.error(f"“{key}” is a single text", key)
        return found

    def list(self, key: str, default: list[str]) -> list[str]:
        found = self.mapping().get(key, default)
        if not isinstance(found, list) or not all(isinstance(text, str) for text in found):
            raise self.error(f"“{key}” is a list of texts", key)
        return found

    def texts(self, key: str) -> dict[str, str]:
        found = self.mapping().get(key, {})
        if not isinstance(found, dict) or not all(isinstance(text, str) for text in found.values()):
            raise self.error(f"“{key}” is a mapping from texts to texts", key)
        return found

    def date_columns(self, key: str) -> tuple[str, ...]:
        """Read which columns hold a date: one, or those of year, month and day."""
        found = self.mapping()[key]
        if isinstance(found, str):
            return (found,)
        if (
            not isinstance(found, dict)
            or tuple(found) not in (_PARTS, _PARTS[:2])
            or not all(isinstance(column, str) for column in found.values())
        ):
            raise self.error(
                f"“{key}” is one column of EDTF dates, or {{year: …, month: …, day: …}} in this "
                "order, day left out where there is none",
                key,
            )
        return tuple(found.values())

    def _value(self, node: yaml.Node) -> Any:
        line = node.start_mark.line + 1
        if id(node) in self._seen:
            raise CstoKgError(f"{self._path}:{line}: anchors are not used here: write it out")
        self._seen.add(id(node))
        match node:
            case yaml.MappingNode():
                found: dict[str, Any] = {}
                for key, item in node.value:
                    _check_key(self._path, key, found)
                    found[key.value] = self._value(item)
                return found
            case yaml.SequenceNode():
                return [self._value(item) for item in node.value]
        return node.value


def _check_key(path: Path, key: yaml.Node, before: Container[str]) -> None:
    line = key.start_mark.line + 1
    if not isinstance(key, yaml.ScalarNode):
        raise CstoKgError(f"{path}:{line}: a key is a single word or number")
    if key.value in before:
        raise CstoKgError(f"{path}:{line}: “{key.value}” stands twice")


def _split(path: Path, names: set[str]) -> tuple[dict[str, _Block], Sheet]:
    """Take blocks of their own out of a file; what remains is a fact sheet."""
    root = compose(path, read_bytes(path))
    if not isinstance(root, yaml.MappingNode):
        raise CstoKgError(f"{path}:1: a mapping has “graph” and {' and '.join(sorted(names))}")
    blocks: dict[str, _Block] = {}
    for key, node in root.value:
        _check_key(path, key, blocks)
        if key.value in names:
            blocks[key.value] = _Block(path, key, node)
    root.value = [pair for pair in root.value if pair[0].value not in names]
    return blocks, Sheet.composed(path, root)


def _source(path: Path, sheet: Sheet) -> tuple[str, date]:
    assert isinstance(sheet.document, dict)
    nodes = sheet.document["graph"]
    if not isinstance(nodes, list) or not all(isinstance(node, dict) for node in nodes):
        raise CstoKgError(f"{path}: “graph” is a list of nodes, each with id and type")
    sources = [node for node in nodes if node.get("type") == "Source"]
    if len(sources) != 1:
        raise CstoKgError(f"{path}: “graph” describes one Source, this one {len(sources)}")
    line = sheet.lines[sources[0]["id"]]
    try:
        return sources[0]["id"], date.fromisoformat(sources[0]["issuedNotBefore"])
    except (KeyError, TypeError, ValueError):
        raise CstoKgError(
            f"{path}:{line}: the source needs issuedNotBefore, the last day that its data know of, "
            "as YYYY-MM-DD"
        ) from None


def _states(
    path: Path, table: _Block, given: Any
) -> tuple[Path, dict[str, tuple[Era, ...]], set[Triple]]:
    """Read what the codes for states mean: from the mapping, or from the file that it names."""
    if isinstance(given, dict):
        return path, {code: _eras(table, code, item) for code, item in given.items()}, set()
    if not isinstance(given, str):
        raise table.error("“states” is a file, or a mapping from codes to states", "states")
    file = path.parent / given
    if not file.exists() and (FOLDER / given).exists():
        file = FOLDER / given
    blocks, sheet = _split(file, {"states"})
    if "states" not in blocks:
        raise CstoKgError(f"{file}: no “states”: say there which code means which state")
    states = blocks["states"]
    found = {code: _eras(states, code, item) for code, item in states.mapping().items()}
    return file, found, sheet.triples()


def _eras(block: _Block, code: str, item: Any) -> tuple[Era, ...]:
    """Read one state, or several in turn with the last day of each but the last."""
    if isinstance(item, str):
        return (Era(item),)
    try:
        eras = [Era(part["state"], _day(part.get("until"))) for part in item]
    except (AttributeError, KeyError, TypeError, ValueError):
        eras = []
    days = [era.until for era in eras[:-1]]
    ordered = [day for day in days if day]
    if not eras or eras[-1].until or len(ordered) < len(days) or sorted(set(ordered)) != ordered:
        raise block.error(
            f"code {code}: write one state, or a list of {{until: YYYY-MM-DD, state: …}} in the "
            "order of time, the last without “until”",
            code if code in block.mapping() else "states",
        )
    return tuple(eras)


def _day(text: str | None) -> date | None:
    return date.fromisoformat(text) if text else None
