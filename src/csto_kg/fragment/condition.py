"""Conditions of queries, decided where every engine decides them alike."""

from __future__ import annotations

import operator
import re
from collections.abc import Callable, Mapping
from contextlib import suppress
from datetime import date
from typing import Any

import rdflib
from pyoxigraph import Literal, NamedNode
from rdflib.plugins.sparql.parserutils import CompValue

from csto_kg.terms import Term, from_rdflib
from csto_kg.vocabulary import XSD

_DATE = NamedNode(f"{XSD}date")
_INTEGER = NamedNode(f"{XSD}integer")

_COMPARE: dict[str, Callable[[Any, Any], bool]] = {
    "=": operator.eq,
    "!=": operator.ne,
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}


_DAY = re.compile(r"\d{4}-\d\d-\d\d", re.ASCII)
_NUMBER = re.compile(r"-?\d{1,18}", re.ASCII)


def truth(condition: Any, bound: Mapping[str, Term]) -> bool | None:
    """Decide a condition of a query for some bindings; ``None`` where that is not certain."""
    match getattr(condition, "name", None):
        case "ConditionalAndExpression":
            parts = {truth(part, bound) for part in (condition.expr, *condition.other)}
            return False if False in parts else None if None in parts else True
        case "ConditionalOrExpression":
            parts = {truth(part, bound) for part in (condition.expr, *condition.other)}
            return True if True in parts else None if None in parts else False
        case "UnaryNot":
            inner = truth(condition.expr, bound)
            return None if inner is None else not inner
        case "RelationalExpression" if condition.op in _COMPARE:
            return _compared(condition.op, condition.expr, condition.other, bound)
        case "RelationalExpression" if condition.op == "IN":
            equal = {_compared("=", condition.expr, one, bound) for one in condition.other}
            return True if True in equal else None if None in equal else False
    return None


def _compared(op: str, left: Any, right: Any, bound: Mapping[str, Term]) -> bool | None:
    one, other = _operand(left, bound), _operand(right, bound)
    if one is None or other is None:
        return None
    if isinstance(one, NamedNode) and isinstance(other, NamedNode):
        return _COMPARE[op](one, other) if op in ("=", "!=") else None
    first, second = _plain(one), _plain(other)
    return None if first is None or type(first) is not type(second) else _COMPARE[op](first, second)


def _operand(operand: Any, bound: Mapping[str, Term]) -> Term | None:
    match operand:
        case rdflib.Variable():
            return bound.get(str(operand))
        case rdflib.URIRef() | rdflib.Literal():
            return from_rdflib(operand)
        case CompValue(name="Builtin_DATATYPE"):
            literal = _operand(operand.arg, bound)
            return literal.datatype if isinstance(literal, Literal) else None
    return None


def _plain(term: Term) -> date | int | None:
    """Return a day or a number of which every engine thinks the same."""
    if isinstance(term, Literal):
        if term.datatype == _DATE and _DAY.fullmatch(term.value):
            with suppress(ValueError):
                return date.fromisoformat(term.value)
        if term.datatype == _INTEGER and _NUMBER.fullmatch(term.value):
            return int(term.value)
    return None
