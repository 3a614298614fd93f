"""Text of strangers, as it may be shown: nothing in it can hide or move what is around it."""

from __future__ import annotations

from unicodedata import category

_LONGEST = 120

#: What shows nothing and is no control, format or unassigned character by its category.
INVISIBLE = frozenset(
    (
        *(0x034F, 0x115F, 0x1160, 0x17B4, 0x17B5, 0x3164, 0xFFA0),
        *range(0x180B, 0x1810),
        *range(0xFE00, 0xFE10),
        *range(0xE0100, 0xE01F0),
    )
)


def shown(text: str, longest: int = _LONGEST) -> str:
    """Return ``text`` with what cannot be seen written as ``\\u202E``, shortened with an ellipsis.

    Format characters are escaped as well: a message is no place for joiners or directions.
    """
    whole = len(text) <= longest
    cut = text if whole else text[:longest]
    return "".join(map(_visible, cut)) + ("" if whole else "…")


def code_point(character: str) -> str:
    """Return the name that Unicode gives a character's number: ``U+202E``."""
    return f"U+{ord(character):04X}"


def _visible(character: str) -> str:
    # Zl and Zp end lines; of Z only the plain space and its like are harmless.
    if category(character)[0] != "C" and category(character) not in ("Zl", "Zp"):
        return character if ord(character) not in INVISIBLE else _escaped(character)
    return _escaped(character)


def _escaped(character: str) -> str:
    number = ord(character)
    return f"\\u{number:04X}" if number < 0x10000 else f"\\U{number:08X}"
