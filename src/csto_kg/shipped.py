"""Where the ontology, the data, the saved queries and the shapes' examples are."""

from __future__ import annotations

from pathlib import Path

_PACKAGE = Path(__file__).resolve().parent
# An installed wheel carries the folders inside the package; a checkout has them at its top.
ROOT = _PACKAGE / "shipped" if (_PACKAGE / "shipped").is_dir() else _PACKAGE.parents[1]

#: For each shape a folder with facts that conform, and facts that it alone reports.
EXAMPLES = ROOT / "tests" / "shapes"
ONTOLOGY = ROOT / "ontology"
DATA = ROOT / "data"
SHEETS = DATA / "sheets"
QUERIES = ROOT / "queries"
