"""Saved queries: SPARQL files that declare their parameters, example and columns.

The header is YAML in ``#+`` comments, as grlc (https://github.com/CLARIAH/grlc) writes it, so the
file stays plain SPARQL 1.1. Parameters are written ``$name`` in the text. What may be given for
one is said by its declared type, never by the variable's name.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date
from difflib import get_close_matches
from functools import cached_property
from pathlib import Path

import yaml
from pyoxigraph import Literal, NamedNode

from csto_kg.errors import CstoKgError
from csto_kg.sparql import substitute, variables
from csto_kg.vocabulary import XSD

#: Turns what a user wrote for an entity into its IRI, given the class it must be of.
Resolver = Callable[[str, str], str]

SUFFIX = ".rq"

_BEFORE_U = re.compile(r"(?<!\\)((?:\\\\)+)([uU])")


@dataclass(frozen=True, slots=True)
class Parameter:
    """What a saved query may be given: a name, a type, and what stands in when it is left out.

    Types: ``csto:<Class>`` (an entity of that class), ``iri`` (any entity), ``concept`` (of
    ``scheme``), ``date``, ``text``, ``integer``, ``boolean``. ``values`` lists what a text may be.
    An optional parameter without a default stays a variable: it means "any".
    """

    name: str
    type: str
    description: str = ""
    required: bool = False
    default: str | None = None
    scheme: str | None = None
    values: tuple[str, ...] = ()

    def term(self, value: object, resolve: Resolver) -> str:
        """Serialise ``value`` as a SPARQL term of this parameter's type.

        ``value`` is a string as typed, or a Python ``date``, ``bool`` or ``int``; for entities
        ``resolve`` finds the IRI. Raises :class:`CstoKgError` if it is not of the type.
        """
        text = value.isoformat() if isinstance(value, date) else str(value).strip()
        match self.type:
            case "date":
                return self._literal(_iso_date(text), "date", text, "a day: write YYYY-MM-DD")
            case "boolean":
                lower = text.lower() if text.lower() in ("true", "false") else None
                return self._literal(lower, "boolean", text, "true or false")
            case "integer":
                number = str(int(text)) if _is_integer(text) else None
                return self._literal(number, "integer", text, "a whole number")
            case "text":
                if self.values and text not in self.values:
                    raise self._refused(text, f"one of {', '.join(self.values)}")
                return quote(str(value))
            case "concept":
                return str(NamedNode(resolve(text, f"scheme/{self.scheme}")))
            case entity_class:
                return str(NamedNode(resolve(text, entity_class)))

    def _literal(self, lexical: str | None, datatype: str, given: str, expected: str) -> str:
        if lexical is None:
            raise self._refused(given, expected)
        return str(Literal(lexical, datatype=NamedNode(XSD + datatype)))

    def _refused(self, given: str, expected: str) -> CstoKgError:
        return CstoKgError(f"--{self.name}: “{given}” is not {expected}")


@dataclass(frozen=True)
class SavedQuery:
    """A query that is kept in a file, with what its header declares."""

    name: str
    text: str
    header: Mapping[str, object] = field(repr=False)

    @classmethod
    def read(cls, path: Path) -> SavedQuery:
        """Read a ``.rq`` file; raises :class:`CstoKgError` if its header is wrong."""
        try:
            text = path.read_text("utf-8")
        except OSError as error:
            raise CstoKgError(f"{path}: cannot be read: {error.strerror}") from None
        except UnicodeDecodeError as error:
            raise CstoKgError(f"{path}: not UTF-8 at byte {error.start}") from None
        lines = text.splitlines()
        # Other lines become blank ones, so that an error names the line in the file.
        declared = "\n".join(
            line[2:].removeprefix(" ") if line[:2] == "#+" else "" for line in lines
        )
        try:
            header = yaml.load(declared, Loader=yaml.CBaseLoader) or {}
        except yaml.MarkedYAMLError as error:
            line = error.problem_mark.line + 1 if error.problem_mark else 1
            raise CstoKgError(f"{path}:{line}: the header is not YAML: {error.problem}") from None
        if not isinstance(header, dict):
            raise CstoKgError(f"{path}:1: the header is not a mapping of names to values")
        query = cls(path.stem, text, header)
        query._check(path)
        return query

    @cached_property
    def parameters(self) -> dict[str, Parameter]:
        """The declared parameters by name, in the order of the header."""
        declared = self.header.get("parameters") or {}
        assert isinstance(declared, dict)
        return {
            name: Parameter(
                name,
                **{
                    **facets,
                    "required": facets.get("required") == "true",
                    "values": tuple(facets.get("values", ())),
                },
            )
            for name, facets in declared.items()
        }

    @property
    def columns(self) -> dict[str, str]:
        """The columns of the answer and what each means."""
        columns = self.header.get("columns") or {}
        assert isinstance(columns, dict)
        return columns

    @property
    def tags(self) -> list[str]:
        """The tags under which the query is found."""
        tags = self.header.get("tags") or []
        assert isinstance(tags, list)
        return tags

    def title(self, language: str = "en") -> str:
        """Return the title in a language, in English where there is none."""
        titles = self.header.get("title") or {}
        assert isinstance(titles, dict)
        return str(titles.get(language) or titles.get("en") or self.name)

    @property
    def description(self) -> str:
        """What the query answers, in a sentence or two."""
        return str(self.header.get("description") or "")

    def bind(self, values: Mapping[str, object], resolve: Resolver) -> str:
        """Return the query's text with terms for its parameters.

        ``values`` may leave out what is not required. Raises :class:`CstoKgError` for a missing,
        unknown or ill-typed value.
        """
        given = {name: value for name, value in values.items() if value is not None}
        for name in given.keys() - self.parameters.keys():
            near = get_close_matches(name, self.parameters, n=1)
            hint = f": did you mean --{near[0]}?" if near else ""
            raise CstoKgError(f"{self.name} has no parameter “{name}”{hint}")
        terms = {}
        for parameter in self.parameters.values():
            value = given.get(parameter.name, parameter.default)
            if value is not None:
                terms[parameter.name] = parameter.term(value, resolve)
            elif parameter.required:
                raise CstoKgError(f"{self.name} needs --{parameter.name} ({parameter.type})")
        return substitute(self.text, terms)

    def _check(self, path: Path) -> None:
        known = {"type", "required", "default", "scheme", "values", "description"}
        declared = self.header.get("parameters") or {}
        if not isinstance(declared, dict):
            raise CstoKgError(f"{path}: “parameters” is not a mapping of names to facets")
        for name, facets in declared.items():
            if not isinstance(facets, dict) or "type" not in facets or facets.keys() - known:
                raise CstoKgError(
                    f"{path}: parameter “{name}” needs “type”, and knows only "
                    f"{', '.join(sorted(known))}"
                )
        used = variables(self.text, "$")
        if used != declared.keys():
            odd = ", ".join(sorted(used ^ declared.keys()))
            raise CstoKgError(f"{path}: declared and used parameters differ: {odd}")
        if confused := variables(self.text, "?") & used:
            raise CstoKgError(f"{path}: written both $ and ?: {', '.join(sorted(confused))}")


class Catalogue(Mapping[str, SavedQuery]):
    """The saved queries of some folders by name, each read when it is asked for."""

    def __init__(self, *folders: Path) -> None:
        """List the ``.rq`` files of ``folders``; a later one goes before an earlier one."""
        paths = [path for folder in folders for path in folder.glob(f"*{SUFFIX}")]
        self._paths = dict(sorted((path.stem, path) for path in paths))

    def __getitem__(self, name: str) -> SavedQuery:
        """Return the query called ``name``; raises :class:`CstoKgError` with a suggestion."""
        if path := self._paths.get(name):
            return SavedQuery.read(path)
        near = get_close_matches(name, self._paths, n=3, cutoff=0.4)
        hint = f": did you mean {', '.join(near)}?" if near else ""
        raise CstoKgError(f"no saved query “{name}”{hint}")

    def __iter__(self) -> Iterator[str]:
        """Iterate over the names in alphabetical order."""
        return iter(self._paths)

    def __len__(self) -> int:
        """Return the number of saved queries."""
        return len(self._paths)


def quote(text: str) -> str:
    """Serialise ``text`` as a SPARQL string.

    A backslash before ``u`` is followed by the escape of that letter: some engines decode
    ``\\u0022`` before they look for strings (SPARQL 1.1, 19.2), even after another backslash.
    """
    return _BEFORE_U.sub(lambda run: f"{run[1]}\\U{ord(run[2]):08X}", str(Literal(text)))


def _iso_date(text: str) -> str | None:
    try:
        return date.fromisoformat(text).isoformat() if len(text) == 10 else None
    except ValueError:
        return None


def _is_integer(text: str) -> bool:
    return text.isascii() and text.removeprefix("-").isdigit() and len(text) <= 18
