"""Where the ontology, the data and the saved queries are that come with the package."""

from __future__ import annotations

from pathlib import Path

_PACKAGE = Path(__file__).resolve().parent
# An installed wheel carries the three folders inside the package; a checkout has them at its top.
ROOT = _PACKAGE / "shipped" if (_PACKAGE / "shipped").is_dir() else _PACKAGE.parents[1]

ONTOLOGY = ROOT / "ontology"
DATA = ROOT / "data"
SHEETS = DATA / "sheets"
QUERIES = ROOT / "queries"
