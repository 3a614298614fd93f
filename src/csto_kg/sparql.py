"""SPARQL text as tokens: where the variables are, and what no query may hold.

The lexical grammar is that of SPARQL 1.1, section 19.8 (https://www.w3.org/TR/sparql11-query/).
Only tokens are told apart here; parsing is the engine's.
"""

from __future__ import annotations

import re
from collections.abc import Container, Iterator, Mapping
from itertools import pairwise

from csto_kg.errors import CstoKgError

#: Limits that keep a query from overflowing the native stack of the embedded engine.
MAX_NESTING = 100
MAX_OPERATORS = 5_000

_FORMS = ("SELECT", "ASK", "CONSTRUCT", "DESCRIBE")
_UPDATES = {"INSERT", "DELETE", "CLEAR", "DROP", "CREATE", "ADD", "MOVE", "COPY"}
_TOKEN = re.compile(
    r"""
      (?P<comment>\#[^\r\n]*)
    | (?P<iri><[^<>"{}|^`\\\x00-\x20]*>)
    | (?P<string>\"\"\"(?:[^"\\]|\\.|"(?!""))*\"\"\"
               | '''(?:[^'\\]|\\.|'(?!''))*'''
               | "(?:[^"\\\r\n]|\\.)*"
               | '(?:[^'\\\r\n]|\\.)*')
    | [?$](?P<variable>\w+)
    | (?P<name>(?:[^\W\d_][\w.-]*)?:(?:[\w:.-]|%[0-9A-Fa-f]{2}|\\[_~.\-!$&'()*+,;=/?\#@%])*)
    | (?P<word>[^\W\d_]\w*)
    | (?P<number>\d[\w.]*)
    | (?P<open>[({\[])
    | (?P<close>[)}\]])
    | (?P<space>\s+)
    | (?P<other>.)
    """,
    re.VERBOSE | re.DOTALL,
)


def tokens(text: str) -> Iterator[re.Match[str]]:
    """Yield the tokens of a query in order; together they are the whole text."""
    return _TOKEN.finditer(text)


def variables(text: str, sign: str) -> set[str]:
    """Return the names of the variables written with ``sign``, ``?`` or ``$``."""
    return {
        token["variable"] for token in tokens(text) if token["variable"] and token[0][0] == sign
    }


def substitute(text: str, terms: Mapping[str, str]) -> str:
    """Put serialised RDF terms in place of the ``$`` variables that ``terms`` names.

    Variables inside strings, IRIs and comments are not variables, and stay. A term is set apart
    by spaces, so that it cannot join its neighbours into another token.
    """
    return "".join(
        f" {terms[token['variable']]} "
        if token["variable"] in terms and token[0][0] == "$"
        else token[0]
        for token in tokens(text)
    )


def names_graphs(text: str) -> bool:
    """Tell whether a query may look into named graphs."""
    return bool(_words(text) & {"GRAPH", "FROM"})


def names_dataset(text: str) -> bool:
    """Tell whether a query says itself which graphs it is about."""
    return "FROM" in _words(text)


def form(text: str) -> str | None:
    """Return which of SELECT, ASK, CONSTRUCT and DESCRIBE a query is; ``None`` for none."""
    words = (token["word"].upper() for token in tokens(text) if token["word"])
    return next((word for word in words if word in _FORMS), None)


def prologue(text: str, prefixes: Mapping[str, str]) -> str:
    """Declare the prefixes that a query uses and does not declare, as far as they are known."""
    undeclared = _undeclared(text)
    return "".join(
        f"PREFIX {name}: <{iri}>\n" for name, iri in prefixes.items() if name in undeclared
    )


def unreadable(text: str, reason: str, known: Container[str]) -> CstoKgError:
    """Say why a query is none, given the engine's reason and the prefixes that are known."""
    unknown = sorted(name for name in _undeclared(text) if name not in known)
    if form(text) is None and _words(text) & _UPDATES:
        reason = "it is an update, and the graph is only read here: csto-kg submit adds facts"
    elif unknown:
        reason = f"the prefix {unknown[0]}: is not declared, and none of ours"
    elif form(text) is None:
        reason = f"it has none of {', '.join(_FORMS)}; - reads it from standard input"
    return CstoKgError(f"query: not valid SPARQL: {reason}")


def _undeclared(text: str) -> set[str]:
    told = [token for token in tokens(text) if token.lastgroup not in ("space", "comment")]
    used = {token["name"].partition(":")[0] for token in told if token["name"]}
    declared = {
        name["name"].partition(":")[0]
        for word, name in pairwise(told)
        if (word["word"] or "").upper() == "PREFIX" and name["name"]
    }
    return used - declared


def _words(text: str) -> set[str]:
    return {token["word"].upper() for token in tokens(text) if token["word"]}


def check(text: str) -> None:
    """Refuse a query that reaches outside the graph or could overflow the engine's stack.

    Raises :class:`CstoKgError` for ``SERVICE``, for escapes that hide keywords, and for queries
    nested more than ``MAX_NESTING`` deep or with more than ``MAX_OPERATORS`` operators.
    """
    depth = operators = 0
    for token in tokens(text):
        match token.lastgroup:
            case "open":
                depth += 1
                if depth > MAX_NESTING:
                    raise _refused(text, token, f"nested more than {MAX_NESTING} deep")
            case "close":
                depth -= 1
            case "word" if token[0].upper() in ("SERVICE", "LOAD"):
                raise _refused(text, token, f"{token[0]} reaches outside the graph")
            case "other" if token[0] == "\\":
                raise _refused(text, token, "a backslash outside a string: write the character")
        operators += token.lastgroup in ("open", "word", "other", "variable")
        if operators > MAX_OPERATORS:
            raise _refused(text, token, f"more than {MAX_OPERATORS} operators")


def _refused(text: str, token: re.Match[str], reason: str) -> CstoKgError:
    line = text.count("\n", 0, token.start()) + 1
    column = token.start() - text.rfind("\n", 0, token.start())
    return CstoKgError(f"query:{line}:{column}: refused: {reason}")
