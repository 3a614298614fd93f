from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from itertools import chain
from pathlib import Path

import pytest
from pyoxigraph import Quad

import csto_kg
from csto_kg import KnowledgeGraph
from tests.servers import (  # noqa: F401
    endpoint,
    jena,
    oxigraph,
    replicas,
    second_oxigraph,
    virtuoso,
)

ROOT = Path(__file__).parents[1]
SHARED = ROOT.parent / "shared"

Run = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture(scope="session")
def kg() -> KnowledgeGraph:
    return csto_kg.open()


def quads(graph: KnowledgeGraph) -> set[Quad]:
    """What the sources say, in their named graphs."""
    found = (graph.store.quads_for_pattern(None, None, None, name) for name in graph.graphs())
    return set(chain.from_iterable(found))


@pytest.fixture
def article() -> Path:
    """A copy of the first source's text, which is not part of the project."""
    copies = sorted((SHARED / "article").glob("*.txt"))
    if not copies:
        pytest.skip("no copy of the article here")
    return copies[0]


@pytest.fixture(scope="session")
def csto() -> Run:
    """Run the installed command as a user does; returns what it printed and its exit code."""
    command = Path(sys.executable).parent / "csto-kg"

    def run(*arguments: str, **settings: object) -> subprocess.CompletedProcess[str]:
        return subprocess.run(  # type: ignore[call-overload,no-any-return]
            [command, *arguments], capture_output=True, text=True, check=False, **settings
        )

    return run
