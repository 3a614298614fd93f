"""The forms of what is written: literals, text and identifiers, before anybody asks what they mean.

Numbers and days follow XML Schema 1.1, part 2, but in one way of writing each: an engine that
rewrites ``007`` must find nothing to rewrite. Text follows Unicode: NFC, no invisible characters,
and of the bidirectional controls only balanced isolates (UAX #9).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from datetime import date
from typing import TYPE_CHECKING
from unicodedata import category, is_normalized, name, normalize

from pyoxigraph import Literal, NamedNode, Triple

from csto_kg import identifiers
from csto_kg.bounds import parse_edtf, parse_edtf_date
from csto_kg.facts import Facts
from csto_kg.jsonld import LANGUAGE
from csto_kg.plaintext import INVISIBLE, code_point, shown
from csto_kg.report import Finding
from csto_kg.terms import to_rdflib, unremarked, value
from csto_kg.vocabulary import CSTO, EDTF, RDF, XSD, compact

if TYPE_CHECKING:
    from csto_kg.graph import KnowledgeGraph

_TEXT = (f"{XSD}string", f"{RDF}langString", f"{RDF}dirLangString")


def check(facts: Facts, graph: KnowledgeGraph) -> Iterator[Finding]:  # noqa: ARG001 - as all checks
    """Find wrong lexical forms (L01), text (L02, L03), languages (L04) and identifiers (L05)."""
    seen: set[str] = set()
    for triple in facts.places:
        for iri in _iris(triple):
            if iri not in seen and (wrong := identifiers.mistake(iri)):
                is_subject = iri == value(triple.subject)
                yield facts.finding("L05", iri if is_subject else triple, *wrong)
            seen.add(iri)
        if isinstance(triple.object, Literal):
            yield from _literal(facts, triple, triple.object)
    for iri in facts.subjects:
        if not identifiers.mistake(iri) and (wrong := identifiers.foreign(iri)):
            yield facts.finding("L05", iri, *wrong)


def _literal(facts: Facts, triple: Triple, literal: Literal) -> Iterator[Finding]:
    if literal.datatype.value not in _TEXT:
        if wrong := _misformed(literal, triple.predicate.value):
            yield facts.finding("L01", triple, *wrong)
        return
    yield from (facts.finding("L01", triple, *wrong) for wrong in _tag(literal))
    if found := next(_hidden(literal.value), None):
        number, reason, reason_arabic = found
        where = f"“{_around(literal.value, number)}”"
        yield facts.finding(
            "L02", triple, f"at character {number + 1}, {where}: {reason}: remove it",
            f"عند الحرف {number + 1}، {where}: {reason_arabic}: احذفه",
        )  # fmt: skip
    if not is_normalized("NFC", literal.value):
        number = _first_difference(literal.value)
        points = " ".join(map(code_point, literal.value[number : number + 2]))
        yield facts.finding(
            "L03", triple, f"not in NFC at character {number + 1} ({points}): save the text as NFC",
            f"ليس على صيغة NFC عند الحرف {number + 1} ({points}): احفظ النص بصيغة NFC",
        )  # fmt: skip
    for english, arabic, severity in _script(literal):
        yield facts.finding("L04", triple, english, arabic, severity)
    if mixed := _mixed_word(literal.value):
        yield facts.finding(
            "L04", triple, f"“{shown(mixed)}” mixes letters of two scripts that look alike: "
            "write it in one",
            f"تخلط «{shown(mixed)}» حروفًا متشابهة من كتابتين: اكتبها بواحدة",
            severity="Warning",
        )  # fmt: skip


# Lexical forms.

_DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_INTEGER = re.compile(r"0|-?[1-9][0-9]{0,17}")
_ADDRESS = re.compile(r"https?://[^\s/?#<>\"{}|\\^`]+(?:[/?#][^\s<>\"{}|\\^`]*)?", re.ASCII)

_Words = tuple[str, str]


def _is_day(text: str) -> bool:
    if not _DAY.fullmatch(text):
        return False
    try:
        return bool(date.fromisoformat(text))
    except ValueError:
        return False


def _is_address(text: str) -> bool:
    # What no letters are is in no address either; the rest an address may have as it is.
    bare = re.sub(r"[^\x00-\x7f]", lambda at: "a" if category(at[0])[0] in "LMN" else " ", text)
    return bool(_ADDRESS.fullmatch(bare)) and not re.search(r"%(?![0-9A-Fa-f]{2})", text)


#: Datatype to test, and to what to write in English and Arabic.
_FORMS: dict[str, tuple[Callable[[str], bool], str, str]] = {
    f"{XSD}date": (
        _is_day,
        "a day of the calendar: write YYYY-MM-DD, a day that exists",
        "يومًا في التقويم: اكتب YYYY-MM-DD ليوم موجود",
    ),
    f"{XSD}integer": (
        lambda text: bool(_INTEGER.fullmatch(text)),
        "a whole number: write digits only, without leading zeros or a plus sign, at most 18",
        "عددًا صحيحًا: اكتب أرقامًا فقط بلا أصفار بادئة ولا علامة زائد، و18 على الأكثر",
    ),
    f"{XSD}boolean": (
        lambda text: text in ("true", "false"),
        "true or false: write one of these",
        "true أو false: اكتب إحداهما",
    ),
    f"{XSD}gYear": (
        lambda text: bool(re.fullmatch("[0-9]{4}", text)),
        "a year: write YYYY, or EDTF",
        "سنة: اكتب YYYY أو EDTF",
    ),
    f"{XSD}anyURI": (
        _is_address,
        "a web address: write it whole, with https:// and without spaces",
        "عنوانًا على الشبكة: اكتبه كاملًا مع https:// وبلا فراغات",
    ),
}


def _misformed(literal: Literal, predicate: str) -> _Words | None:
    text, datatype = literal.value, literal.datatype.value
    if datatype == f"{EDTF}EDTF":
        return _misdated(text, predicate)
    if datatype in _FORMS:
        test, english, arabic = _FORMS[datatype]
        wrong = not test(text)
    else:
        kind = shown(compact(datatype))
        english, arabic = f"{kind}: write it in that form", f"على صيغة {kind}: اكتبه بتلك الصيغة"
        with unremarked():
            wrong = bool(getattr(to_rdflib(literal), "ill_typed", False))
    return (f"“{shown(text)}” is not {english}", f"«{shown(text)}» ليس {arabic}") if wrong else None


def _misdated(text: str, predicate: str) -> _Words | None:
    if text == ".." and predicate == f"{CSTO}endsEdtf":
        return None
    try:
        (parse_edtf if predicate == f"{CSTO}edtf" else parse_edtf_date)(text)
    except ValueError as error:
        arabic = (
            f"«{shown(text)}» ليس تاريخًا من صيغ EDTF المقروءة هنا: اكتب مثل 1992-05 أو [..1999]"
        )
        return shown(str(error), 400), arabic
    return None


def _tag(literal: Literal) -> Iterator[_Words]:
    if literal.direction:
        yield (
            "a text has a language and no base direction: remove it, as in “…”@ar",
            "للنص لغة وليس له اتجاه أساسي: احذف الاتجاه",
        )
    if literal.language is not None and not LANGUAGE.fullmatch(literal.language):
        tag = shown(literal.language)
        yield (
            f"“{tag}” is not a language tag: write one such as en, ar or ru",
            f"«{tag}» ليس وسم لغة: اكتب مثل en أو ar أو ru",
        )


# Text.

_OPENING, _CLOSING = "\u2066\u2067\u2068", "\u2069"
_DIRECTIONS = frozenset("\u202a\u202b\u202c\u202d\u202e\u200e\u200f\u061c")
_JOINERS = "\u200c\u200d"
#: Format characters that are seen: signs of numbers and verses that stand before what they mark.
_SEEN = frozenset("\u0600\u0601\u0602\u0603\u0604\u0605\u06dd\u070f\u0890\u0891\u08e2")
_JOINING = re.compile(r"[\u0620-\u074f\u0750-\u077f\u07ca-\u07ea\u0840-\u08c7\ufb50-\ufefc]")

_KINDS_OF_CHARACTER = {
    "Cc": ("a control character", "محرف تحكم"),
    "Cf": ("an invisible character", "محرف غير مرئي"),
    "Cn": ("a character that Unicode does not have", "محرف غير معرّف في يونيكود"),
    "Co": ("a private-use character", "محرف للاستعمال الخاص"),
    "Cs": ("half a character", "نصف محرف"),
    "Zl": ("a line separator", "فاصل أسطر"),
    "Zp": ("a paragraph separator", "فاصل فقرات"),
}


def _hidden(text: str) -> Iterator[tuple[int, str, str]]:
    """Yield what is not seen or moves what is: its place, and the words in English and Arabic."""
    opened: list[int] = []
    for number, character in enumerate(text):
        point = code_point(character)
        if character in _DIRECTIONS:
            yield (
                number,
                f"{point} changes the direction of text, and only balanced isolates may",
                f"يغيّر {point} اتجاه النص، ولا يجوز إلا العازلات المتوازنة",
            )
        elif character in _OPENING:
            opened.append(number)
        elif character == _CLOSING and opened:
            opened.pop()
        elif character == _CLOSING:
            yield number, f"{point} closes an isolate that is not open", f"{point} بلا عازل مفتوح"
        elif character in _JOINERS:
            if not (_joins(text[:number][::-1]) and _joins(text[number + 1 :])):
                yield (
                    number,
                    f"{point} joins nothing here, and belongs between letters that join",
                    f"{point} لا يصل شيئًا، وموضعه بين حرفين متصلين",
                )
        elif character == "\n":
            yield from map(_unclosed, opened)
            opened.clear()
        elif character not in _SEEN and (words := _unseen(character)):
            yield number, f"{words[0]}, {point}", f"{words[1]} {point}"
    yield from map(_unclosed, opened)


def _unclosed(number: int) -> tuple[int, str, str]:
    return number, "an isolate that is not closed on its line", "عازل غير مغلق في سطره"


def _unseen(character: str) -> _Words | None:
    if ord(character) in INVISIBLE:
        return _KINDS_OF_CHARACTER["Cf"]
    return _KINDS_OF_CHARACTER.get(category(character))


def _joins(text: str) -> bool:
    """Tell whether the first character that is not a mark is a letter that joins its neighbour."""
    first = next((letter for letter in text if category(letter) != "Mn"), "")
    return bool(_JOINING.match(first)) and category(first) in ("Lo", "Lm")


def _around(text: str, number: int) -> str:
    return shown(text[max(0, number - 12) : number + 13])


def _first_difference(text: str) -> int:
    normal = normalize("NFC", text)
    same = (one == other for one, other in zip(text, normal, strict=False))
    number = next((at for at, equal in enumerate(same) if not equal), len(normal))
    # What is composed differently begins at the letter before its mark.
    return number - 1 if number and category(text[number : number + 1] or "a") == "Mn" else number


# Languages.

_SCRIPTS = {"en": "LATIN", "ar": "ARABIC", "ru": "CYRILLIC"}
_LANGUAGES = {"LATIN": "en", "ARABIC": "ar", "CYRILLIC": "ru"}
_WORD = re.compile(r"[^\W\d_]{2,}")
_ACRONYM = re.compile(r"[A-Z0-9 &/.()+-]{2,12}")


def _scripts(text: str) -> list[str]:
    """Return the script of each letter, by its name."""
    names = (name(letter, "") for letter in text if category(letter)[0] == "L")
    return [found.split(" ", 1)[0] for found in names]


def _script(literal: Literal) -> Iterator[tuple[str, str, str]]:
    """Yield the contradiction of a text of two letters or more, none of them in its script.

    Names of firms and papers do stand in Latin letters in Arabic and Russian: only a warning.
    """
    tag = (literal.language or "").partition("-")[0].lower()
    expected = _SCRIPTS.get(tag)
    scripts = [script for script in _scripts(literal.value) if script in _LANGUAGES]
    if expected is None or len(scripts) < 2 or expected in scripts:
        return
    if tag != "en" and _ACRONYM.fullmatch(literal.value):
        return  # an acronym is borrowed as it is
    found = max(_LANGUAGES, key=scripts.count)
    text, right = shown(literal.value, 40), _LANGUAGES[found]
    yield (
        f"“{text}” is tagged {tag} and written in {found.title()} letters: tag it {right}, "
        "or write the name in that language",
        f"وُسم «{text}» بلغة {tag} وهو بحروف أخرى: صحّح الوسم إلى {right} أو اكتب الاسم بتلك اللغة",
        "Warning" if found == "LATIN" else "Violation",
    )


def _mixed_word(text: str) -> str | None:
    """Return the first word that has Latin letters and Cyrillic or Greek ones."""
    for word in _WORD.findall(text):
        if word.isascii():
            continue
        scripts = set(_scripts(word))
        if len(scripts & {"LATIN", "CYRILLIC", "GREEK"}) > 1:
            return str(word)
    return None


# Identifiers.


def _iris(triple: Triple) -> Iterator[str]:
    for term in (triple.subject, triple.predicate, triple.object):
        if isinstance(term, NamedNode):
            yield term.value
        elif isinstance(term, Literal):
            yield term.datatype.value
