"""Rows: what a query answers, and the forms in which it is shown.

Terms stay those of the engine until somebody asks for rdflib's, for a frame or for a table, so
that a saved query in a shell imports none of these.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING, Any

import pyoxigraph as ox

from csto_kg.errors import CstoKgError
from csto_kg.serialization import FORMATS, dump
from csto_kg.terms import Term, to_rdflib
from csto_kg.vocabulary import KINDS, XSD, compact

if TYPE_CHECKING:
    import pandas
    import polars
    import rdflib
    from rdflib.query import ResultRow
    from rich.console import ConsoleOptions, RenderResult

#: Formats of tables, as ``--format`` takes them; ``table`` is for a terminal.
TABLE_FORMATS = ("table", "csv", "tsv", "json", "xml", "markdown", "html")

_STANDARD = {
    "csv": ox.QueryResultsFormat.CSV,
    "tsv": ox.QueryResultsFormat.TSV,
    "json": ox.QueryResultsFormat.JSON,
    "xml": ox.QueryResultsFormat.XML,
}


# A cell of a table on a terminal is folded at this many columns.
_WIDEST = 44


class Rows(Sequence["ResultRow"]):
    """The rows of a SELECT query (or the one cell of an ASK query), in the query's order."""

    #: The answer of an ASK query; ``None`` for rows.
    answer: bool | None = None

    def __init__(
        self, columns: Sequence[str], solutions: Sequence[tuple[Term | None, ...]]
    ) -> None:
        """Keep engine terms by column; an unbound variable is ``None``."""
        self.columns = tuple(columns)
        self.solutions = solutions

    @classmethod
    def of(cls, result: ox.QuerySolutions | ox.QueryBoolean) -> Rows:
        """Take the rows out of an engine's result."""
        if isinstance(result, ox.QueryBoolean):
            answer = "true" if result else "false"
            literal = ox.Literal(answer, datatype=ox.NamedNode(f"{XSD}boolean"))
            rows = cls(("answer",), [(literal,)])
            rows.answer = bool(result)
            return rows
        columns = [variable.value for variable in result.variables]
        return cls(columns, [tuple(solution) for solution in result])

    def __len__(self) -> int:
        """Return the number of rows."""
        return len(self.solutions)

    def __getitem__(self, index: Any) -> Any:
        """Return a row of rdflib terms (``row.state``, ``row["state"]``); a list for a slice."""
        if isinstance(index, slice):
            return [self._row(solution) for solution in self.solutions[index]]
        return self._row(self.solutions[index])

    def __iter__(self) -> Iterator[ResultRow]:
        """Iterate over the rows as ``rdflib.query.ResultRow``."""
        return map(self._row, self.solutions)

    def __str__(self) -> str:
        """Return the table as text."""
        from io import StringIO

        from rich.console import Console

        buffer = StringIO()
        Console(file=buffer, width=160).print(self)
        return buffer.getvalue()

    def __rich_console__(self, _console: object, options: ConsoleOptions) -> RenderResult:
        """Render for a terminal; rich calls this.

        A column of identifiers of one kind shows their slugs, which commands take too. Columns
        that do not fit are left out from the right, where queries have identifiers, and named
        below the table.
        """
        from rich import box
        from rich.cells import cell_len
        from rich.table import Table

        cells = self._slugs()
        widths = [
            min(max(map(cell_len, (column, *(row[index] for row in cells)))), _WIDEST)
            for index, column in enumerate(self.columns)
        ]
        shown = len(widths)
        while shown > 1 and sum(widths[:shown]) + 3 * shown - 1 > options.max_width:
            shown -= 1
        table = Table(box=box.SIMPLE_HEAD, pad_edge=False, header_style="bold")
        for column, width in zip(self.columns[:shown], widths, strict=False):
            table.add_column(column, overflow="fold", max_width=width)
        for row in cells:
            table.add_row(*row[:shown])
        yield table
        if hidden := self.columns[shown:]:
            yield f"[dim]not shown for lack of room: {', '.join(hidden)}[/dim]"

    def _repr_html_(self) -> str:
        return self.text("html")

    def text(self, format_name: str) -> str:
        """Write the rows in one of ``TABLE_FORMATS``: SPARQL 1.1 results, or a readable table."""
        match format_name:
            case "table":
                return Rows.__str__(self)
            case "markdown" | "html":
                from tabulate import tabulate

                style = "github" if format_name == "markdown" else "html"
                cells = [[_escaped(cell, style) for cell in row] for row in self._cells()]
                rendered: str = tabulate(cells, self.columns, tablefmt=style, disable_numparse=True)
                return rendered + "\n"
        return self._standard(format_name)

    def to_pandas(self) -> pandas.DataFrame:
        """Return a pandas frame of Python values: IRIs as strings, dates, numbers, booleans."""
        module = _installed("pandas")
        frame: pandas.DataFrame = module.DataFrame(self._values(), columns=list(self.columns))
        return frame

    def to_polars(self) -> polars.DataFrame:
        """Return a polars frame of Python values: IRIs as strings, dates, numbers, booleans."""
        module = _installed("polars")
        frame: polars.DataFrame = module.DataFrame(
            self._values(), schema=list(self.columns), orient="row", infer_schema_length=None
        )
        return frame

    def _standard(self, format_name: str) -> str:
        bindings = [
            {
                column: _binding(term)
                for column, term in zip(self.columns, row, strict=True)
                if term is not None
            }
            for row in self.solutions
        ]
        document = json.dumps(
            {"head": {"vars": self.columns}, "results": {"bindings": bindings}}, ensure_ascii=False
        )
        # The engine turns one standard form into the others.
        parsed = ox.parse_query_results(document, format=ox.QueryResultsFormat.JSON)
        assert isinstance(parsed, ox.QuerySolutions)
        data = parsed.serialize(format=_STANDARD[format_name])
        assert data is not None
        return data.decode()

    def _row(self, solution: tuple[Term | None, ...]) -> ResultRow:
        from rdflib.query import ResultRow
        from rdflib.term import Variable

        names = [Variable(column) for column in self.columns]
        values = {
            name: to_rdflib(term)
            for name, term in zip(names, solution, strict=True)
            if term is not None
        }
        return ResultRow(values, names)

    def _values(self) -> list[tuple[object, ...]]:
        return [
            tuple(None if term is None else _python(term) for term in row) for row in self.solutions
        ]

    def _slugs(self) -> list[list[str]]:
        columns = [list(column) for column in zip(*self._cells(), strict=True)]
        for column, terms in zip(columns, zip(*self.solutions, strict=True), strict=True):
            kinds = {
                cell.partition(":")[0] if isinstance(term, ox.NamedNode) else None
                for cell, term in zip(column, terms, strict=True)
                if term is not None
            }
            if len(kinds) == 1 and kinds <= set(KINDS):
                column[:] = [cell.partition(":")[2] for cell in column]
        return [list(row) for row in zip(*columns, strict=True)]

    def _cells(self) -> list[list[str]]:
        return [["" if term is None else _short(term) for term in row] for row in self.solutions]


class Triples(Rows):
    """The triples of a CONSTRUCT or DESCRIBE query: rows of subject, predicate and object."""

    def __init__(self, triples: Sequence[ox.Triple]) -> None:
        """Keep the engine's triples."""
        super().__init__(("subject", "predicate", "object"), [tuple(triple) for triple in triples])
        self.triples = triples

    def __str__(self) -> str:
        """Return the triples as Turtle."""
        return self.text("turtle")

    def text(self, format_name: str) -> str:
        """Write the triples in an RDF format, or as rows in one of ``TABLE_FORMATS``."""
        if format_name not in FORMATS:
            return super().text(format_name)
        quads = format_name in ("nquads", "trig")
        statements = [ox.Quad(*triple) for triple in self.triples] if quads else self.triples
        return dump(statements, format_name).decode()

    def to_graph(self) -> rdflib.Graph:
        """Return an ``rdflib.Graph`` of the triples."""
        import rdflib

        graph = rdflib.Graph()
        for subject, predicate, value in self:
            graph.add((subject, predicate, value))
        return graph


def _installed(name: str) -> Any:
    from importlib import import_module

    try:
        return import_module(name)
    except ModuleNotFoundError:
        raise CstoKgError(f"{name} is not installed: pip install 'csto-kg[{name}]'") from None


def _binding(term: Term) -> dict[str, str]:
    """Write a term as SPARQL 1.1 Query Results JSON Format does (section 3.2.2)."""
    match term:
        case ox.NamedNode():
            return {"type": "uri", "value": term.value}
        case ox.BlankNode():
            return {"type": "bnode", "value": term.value}
        case ox.Literal() if term.language:
            return {"type": "literal", "value": term.value, "xml:lang": term.language}
        case ox.Literal():
            return {"type": "literal", "value": term.value, "datatype": term.datatype.value}
    raise CstoKgError(f"{term}: quoted triples have no form in SPARQL 1.1 results")


def _short(term: Term) -> str:
    if isinstance(term, ox.NamedNode):
        return compact(term.value)
    return term.value if isinstance(term, ox.Literal) else str(term)


def _python(term: Term) -> object:
    if isinstance(term, ox.Literal) and (read := _READERS.get(term.datatype.value)):
        try:
            return read(term.value)
        except ValueError:
            return term.value
    return str(term) if isinstance(term, ox.BlankNode | ox.Triple) else term.value


def _date(text: str) -> object:
    from datetime import date

    return date.fromisoformat(text)


_READERS: dict[str, Callable[[str], object]] = {
    f"{XSD}integer": int,
    f"{XSD}decimal": float,
    f"{XSD}double": float,
    f"{XSD}boolean": lambda text: text in ("true", "1"),
    f"{XSD}date": _date,
}


def _escaped(cell: str, style: str) -> str:
    return cell.replace("|", "\\|").replace("\n", " ") if style == "github" else cell
