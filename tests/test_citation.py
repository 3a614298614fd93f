from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from csto_kg import CstoKgError
from csto_kg.citation import SourceText, Span

TEXT = "Six states signed. The seventh came later!\n\nIn 1999 three left. Was it expiry? Perhaps.\n"


def test_text_is_normalised() -> None:
    decomposed = "\ufeffCafe\u0301\r\nnext"
    assert SourceText(decomposed).text == "Caf\u00e9\nnext"


@pytest.mark.parametrize(
    ("quote", "place"),
    [("Six", (1, 1)), ("later", (1, 2)), ("1999", (2, 1)), ("expiry", (2, 2)), ("Perhaps", (2, 3))],
)
def test_paragraph_and_sentence(quote: str, place: tuple[int, int]) -> None:
    text = SourceText(TEXT)
    assert text.paragraph(text.text.index(quote)) == place


def test_a_position_between_paragraphs_has_no_paragraph() -> None:
    with pytest.raises(ValueError, match="not inside a paragraph"):
        SourceText(TEXT).paragraph(TEXT.index("\n\n"))


@given(st.text(min_size=1), st.data())
def test_a_span_is_found_where_it_is(raw: str, data: st.DataObject) -> None:
    text = SourceText(raw)
    if not text.text:
        return
    start = data.draw(st.integers(0, len(text.text) - 1))
    end = data.draw(st.integers(start + 1, len(text.text)))
    finding = text.find(text.span(start, end))
    assert (finding.verdict, finding.start, finding.end) == ("found", start, end)


def test_moved_ambiguous_and_gone() -> None:
    span = SourceText("in Tashkent").span(3, 11)
    moved = SourceText("signed in Tashkent").find(span)
    assert (moved.verdict, moved.start, moved.end) == ("moved", 10, 18)
    assert SourceText("Tashkent, then Tashkent").find(span).verdict == "ambiguous"
    assert SourceText("signed in Moscow").find(span).verdict == "gone"
    assert SourceText("").find(span).verdict == "gone"


def test_a_span_cut_off_by_the_end_of_the_text_is_gone() -> None:
    whole = SourceText("abcdef").span(3, 6)
    assert SourceText("abcde").find(Span(3, 6, whole.sha256)).verdict == "gone"


def test_a_quote_must_stand_once() -> None:
    text = SourceText("left, and left again")
    with pytest.raises(CstoKgError, match="2 times"):
        text.citation("left", "source/x", "x-1")
    with pytest.raises(CstoKgError, match="0 times"):
        text.citation("stayed", "source/x", "x-1")


def test_unreadable_copies_are_named(tmp_path: Path) -> None:
    with pytest.raises(CstoKgError, match=r"missing\.txt"):
        SourceText.read(tmp_path / "missing.txt")
    (tmp_path / "latin.txt").write_bytes("é".encode("latin-1"))
    with pytest.raises(CstoKgError, match="not UTF-8 at byte 0"):
        SourceText.read(tmp_path / "latin.txt")
