"""Places in a source's text: paragraph, sentence, code-point offsets and the hash of the span.

The text is not in the graph; whoever holds a copy can find each cited span in it again. Offsets
are those of the Web Annotation Data Model's TextPositionSelector
(https://www.w3.org/TR/annotation-model/#text-position-selector): 0-based, end exclusive, counted
in code points of the normalised text.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Literal
from unicodedata import normalize

from csto_kg.errors import CstoKgError

Verdict = Literal["found", "moved", "ambiguous", "gone"]

_PARAGRAPH = re.compile(r"[^\n]+(?:\n[^\n]+)*")
_SENTENCE_END = re.compile(r"[.!?؟]+(?=\s|$)")


@dataclass(frozen=True, slots=True)
class Span:
    """A cited stretch of a source's normalised text."""

    start: int
    end: int
    sha256: str


@dataclass(frozen=True, slots=True)
class Finding:
    """What became of a cited span in a copy of its source: the verdict and where it is now."""

    verdict: Verdict
    start: int | None = None
    end: int | None = None


class SourceText:
    """The normalised text of a source: UTF-8, no byte order mark, LF line ends, NFC."""

    def __init__(self, text: str) -> None:
        """Normalise ``text``, the source as it was found."""
        self.text = normalize("NFC", text.removeprefix("\ufeff").replace("\r\n", "\n"))

    @classmethod
    def read(cls, path: Path) -> SourceText:
        """Read a copy of a source; raises :class:`CstoKgError` if it is missing or not UTF-8."""
        try:
            return cls(path.read_bytes().decode("utf-8"))
        except OSError as error:
            raise CstoKgError(f"{path}: cannot be read: {error.strerror}") from None
        except UnicodeDecodeError as error:
            raise CstoKgError(
                f"{path}: not UTF-8 at byte {error.start}: save the text as UTF-8"
            ) from None

    @property
    def sha256(self) -> str:
        """SHA-256 of the whole normalised text's UTF-8, in lower-case hexadecimal."""
        return _digest(self.text)

    def span(self, start: int, end: int) -> Span:
        """Return the span from ``start`` to ``end`` with its hash."""
        return Span(start, end, _digest(self.text[start:end]))

    def occurrences(self, quote: str) -> list[Span]:
        """Find every place where ``quote`` (normalised like the text) stands."""
        wanted = normalize("NFC", quote)
        places = re.finditer(re.escape(wanted), self.text) if wanted else ()
        return [self.span(place.start(), place.end()) for place in places]

    def citation(self, quote: str, source: str, name: str) -> str:
        """Write the citation of ``quote`` as a line of YAML for a fact sheet.

        Raises :class:`CstoKgError` unless the quote stands in the text exactly once.
        """
        match self.occurrences(quote):
            case [span]:
                paragraph, sentence = self.paragraph(span.start)
            case places:
                raise CstoKgError(
                    f"the quote stands {len(places)} times in the text: a citation needs one place"
                )
        return (
            f"- {{id: citation/{name}, type: Citation, source: {source}, paragraph: {paragraph}, "
            f"sentence: {sentence}, spanSha256: {span.sha256}, selector: {{id: selector/{name}, "
            f"type: TextPositionSelector, start: {span.start}, end: {span.end}}}}}"
        )

    def paragraph(self, position: int) -> tuple[int, int]:
        """Return the 1-based numbers of the paragraph and of its sentence at ``position``.

        Paragraphs are divided by blank lines, sentences by ``. ! ? ؟`` before white space.
        Raises ``ValueError`` when the position is between paragraphs.
        """
        for number, block in enumerate(_PARAGRAPH.finditer(self.text), 1):
            if block.start() <= position < block.end():
                ends = _SENTENCE_END.finditer(self.text, block.start(), block.end())
                return number, 1 + sum(end.end() <= position for end in ends)
        raise ValueError(f"offset {position} is not inside a paragraph")

    def find(self, span: Span) -> Finding:
        """Look for a cited span: at its place (found), or elsewhere by its hash.

        ``moved`` names the one other place, ``ambiguous`` means several, ``gone`` none.
        """
        length = span.end - span.start
        if self.span(span.start, span.end).sha256 == span.sha256 and span.end <= len(self.text):
            return Finding("found", span.start, span.end)
        starts = [
            start
            for start in range(len(self.text) - length + 1)
            if _digest(self.text[start : start + length]) == span.sha256
        ]
        match starts:
            case []:
                return Finding("gone")
            case [start]:
                return Finding("moved", start, start + length)
            case _:
                return Finding("ambiguous")


def _digest(text: str) -> str:
    return sha256(text.encode()).hexdigest()
