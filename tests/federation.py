"""One query over several stores: ways to write it with ``SERVICE``."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from csto_kg.catalogue import SavedQuery
from csto_kg.sparql import tokens

# What stands outside of patterns begins with one of these words and ends with the sign.
_OUTSIDE = {"SELECT": "{", "VALUES": "}", "GROUP": "}", "ORDER": "}"}


def by_query(saved: SavedQuery, text: str, services: Sequence[str]) -> str:
    """Ask every service the whole query, and put their rows in one order.

    Right where each row rests on one store, and what rests on shared entities is in all of them.
    """
    prologue, _, rest = text.partition("SELECT")
    select, _, order = rest.rpartition("ORDER BY")
    columns = " ".join(f"?{column}" for column in saved.columns)
    rows = _everywhere(f"SELECT{select}", services)
    return f"{prologue}SELECT DISTINCT {columns} WHERE {{ {rows} }} ORDER BY {order}"


def by_sentence(text: str, services: Sequence[str]) -> str:
    """Ask every service for each sentence of the query, and join what they say.

    Right where all that is said of a node is in one store, or the same in all.
    """
    return "".join(
        f"{{ SELECT DISTINCT * WHERE {{ {_everywhere(part, services)} }} }}" if sentence else part
        for sentence, part in _parts(text)
    )


def _everywhere(pattern: str, services: Sequence[str]) -> str:
    return " UNION ".join(f"{{ SERVICE <{url}> {{ {pattern} }} }}" for url in services)


def _parts(text: str) -> Iterator[tuple[bool, str]]:
    """Cut a saved query into sentences, triples up to a full stop, and what is between them."""
    sentence, until, depth = "", _OUTSIDE["SELECT"], 0
    for token in tokens(text):
        sign, word = token[0], (token["word"] or "").upper()
        if token["comment"]:
            continue
        until = _OUTSIDE.get(word, until)
        depth += (sign == "(") - (sign == ")")
        apart = token["open"] or token["close"] or word not in ("", "A") or sign == "."
        if not (until or depth or apart):
            sentence += sign
            continue
        if sentence:
            yield bool(sentence.strip()), sentence
        sentence = ""
        if sign != "." or until:
            yield False, sign
        if sign == until:
            until = ""
