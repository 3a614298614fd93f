"""Identifiers: how those of this project are written, and what only looks like one."""

from __future__ import annotations

import re
from difflib import get_close_matches
from unicodedata import category, name, normalize
from urllib.parse import unquote

from pyoxigraph import NamedNode

from csto_kg.plaintext import code_point, shown
from csto_kg.vocabulary import CSTO, ID, KINDS, SHAPES

SLUG = re.compile(r"[a-z0-9]+(?:-[a-z0-9]+)*")

_HOME = ID.removesuffix("id/")
_OURS = (ID, CSTO, SHAPES)
_NAMES = (CSTO.removesuffix("#"), SHAPES.removesuffix("#"), f"{ID}graph/")
_TERM = re.compile(r"[A-Za-z][A-Za-z0-9]*")
_PLAIN = re.compile(r"[a-z0-9/-]")
_SCHEMES = ("https", "http", "urn")
#: Cyrillic and Greek letters that are drawn like Latin ones.
_LIKE = str.maketrans("аеорсухіјѕһԁԛԝкмтвнгӏοαρνιυκ", "aeopcyxijshdqwkmtbhrloapviuk")

_Words = tuple[str, str]


def mistake(iri: str) -> _Words | None:
    """Say in English and Arabic what is wrong with an identifier, ``None`` if nothing is.

    Those under this project's namespaces are held to its rules, those of others to IRIs at all.
    """
    seen = shown(iri)
    try:
        NamedNode(iri)
    except ValueError as error:
        return f"“{seen}” is not an IRI ({error}): correct it", f"«{seen}» ليس معرّفًا صحيحًا: صحّحه"
    if iri.startswith(ID) and not iri.startswith(_NAMES):
        return _of_ours(iri.removeprefix(ID), seen)
    if iri.startswith(_OURS):
        local = iri.partition("#")[2]
        return None if _TERM.fullmatch(local) else _no_term(local, seen)
    if iri not in _NAMES and _skeleton(iri).startswith(_HOME):
        return (
            f"“{seen}” looks like an identifier of this project and is none: its identifiers "
            f"begin with {_HOME}",
            f"«{seen}» يشبه معرّفات هذا المشروع وليس منها: تبدأ معرّفاته بـ {_HOME}",
        )
    scheme = iri.partition(":")[0].lower()
    if scheme not in _SCHEMES:
        return (
            f"“{seen}” leads outside the web: identifiers begin with https:// or http://, or with "
            "a prefix that is declared",
            f"«{seen}» خارج الشبكة: تبدأ المعرّفات بـ https:// أو http:// أو بسابقة معلنة",
        )
    return None


def foreign(iri: str) -> _Words | None:
    """Say so when a node that a document describes is not named under this project's namespaces."""
    if iri.startswith(_OURS) or iri in _NAMES:
        return None
    seen = shown(iri)
    return (
        f"“{seen}” is described, and is not of the form kind:slug under {ID}: name the node so",
        f"«{seen}» موصوف هنا وليس على صيغة kind:slug تحت {ID}: سمّ العقدة كذلك",
    )


def _of_ours(rest: str, seen: str) -> _Words | None:
    kind, _, slug = rest.partition("/")
    if kind in KINDS and SLUG.fullmatch(slug):
        return None
    if not re.fullmatch(r"[a-z0-9/-]*", rest):
        return _odd(rest, seen)
    if kind not in KINDS:
        near = get_close_matches(kind, KINDS, n=1)
        hint, arabic = (
            (f": did you mean “{near[0]}”?", f": أتقصد «{near[0]}»؟") if near else ("", "")
        )
        return f"“{kind}” is not a kind of node{hint}", f"«{kind}» ليس نوعًا من العقد{arabic}"
    return (
        f"“{slug}” is not a slug: write a-z and 0-9, with single hyphens between them",
        f"«{slug}» ليس اسمًا مختصرًا: اكتب a-z و0-9 بينها شرطات مفردة",
    )


def _no_term(local: str, seen: str) -> _Words:
    odd = next((letter for letter in local if not re.fullmatch("[A-Za-z0-9]", letter)), "")
    what = f"{code_point(odd)} {name(odd, 'CONTROL')}" if odd else "no name"
    return (
        f"“{seen}” has {what}: terms are in A-Z and a-z: choose one of the ontology",
        f"في «{seen}» المحرف {what}: تكتب المصطلحات بـ A-Z وa-z: اختر مصطلحًا من الأنطولوجيا",
    )


def _odd(text: str, seen: str) -> _Words:
    """Name the first character that identifiers of this project do not have."""
    odd = next((letter for letter in text if not _PLAIN.fullmatch(letter)), "")
    what = f"{code_point(odd)} {name(odd, 'CONTROL')}" if odd else "no name"
    plain = _plain(text)
    hint, arabic = (f"; write “{plain}”", f"؛ اكتب «{plain}»") if plain else ("", "")
    return (
        f"“{seen}” has {what}: identifiers are kind:slug in a-z, 0-9 and -{hint}",
        f"في «{seen}» المحرف {what}: تكتب المعرّفات بـ a-z و0-9 و-{arabic}",
    )


def _plain(text: str) -> str | None:
    """Return the identifier that was most likely meant, if that is one."""
    seen = "".join(letter for letter in _skeleton(text) if category(letter)[0] != "C")
    kind, _, slug = seen.partition("/")
    plain = re.sub(r"[^a-z0-9]+", "-", slug).strip("-")
    return f"{kind}/{plain}" if kind in KINDS and plain else None


def _skeleton(text: str) -> str:
    """Reduce an IRI, or the end of one, to what it looks like, for comparing."""
    plain = normalize("NFKC", unquote(text)).casefold().translate(_LIKE)
    plain = re.sub(r"^[a-z]+://(?:[^/@]*@)?(?:www\.)?", "https://", plain)
    plain = re.sub(r"(?<=\w)\.?:(?:443|80)(?=/)", "", plain)
    return re.sub(r"(?<=[^:/])/{2,}", "/", plain)
