"""A knowledge graph of security alliances, with SPARQL querying.

``open()`` the shipped graph or your own, ``run`` a saved query, ``validate`` new facts,
``export`` to other stores::

    import csto_kg
    kg = csto_kg.open()
    rows = kg.run("members-on", alliance="csto", date="2000-01-01")
"""

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from csto_kg.bounds import Bounds, Standing, parse_edtf
    from csto_kg.errors import CstoKgError
    from csto_kg.graph import KnowledgeGraph
    from csto_kg.place import open_graph as open
    from csto_kg.results import Rows, Triples

__all__ = [
    "Bounds",
    "CstoKgError",
    "KnowledgeGraph",
    "Rows",
    "Standing",
    "Triples",
    "open",
    "parse_edtf",
]

# Where each name is: read when it is asked for, so that a shell command pays for what it uses.
_HOME = {
    "Bounds": ("bounds", "Bounds"),
    "CstoKgError": ("errors", "CstoKgError"),
    "KnowledgeGraph": ("graph", "KnowledgeGraph"),
    "Rows": ("results", "Rows"),
    "Standing": ("bounds", "Standing"),
    "Triples": ("results", "Triples"),
    "open": ("place", "open_graph"),
    "parse_edtf": ("bounds", "parse_edtf"),
}


def __getattr__(name: str) -> object:
    if name not in _HOME:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    module, attribute = _HOME[name]
    return getattr(import_module(f"{__name__}.{module}"), attribute)
