"""Productions are data: each row reads its own example, and its example of what it is not it does not read."""

from datetime import date

import pytest
from grounding.lexicon import Names
from grounding.reading import names, tokens
from grounding.reading.grammar import ADJUNCT, AIM, HEAD, JOINT, LEAD, RELATES, TAIL, Production, grammar, productions
from grounding.reading.nodes import Node

TODAY = date(2026, 10, 7)
CLAUSES = list(grammar().clauses)
BESIDE = [*grammar().besides, *grammar().subordinates]
PHRASES = [each for level in grammar().levels for each in level]


def _known() -> tokens.Known:
    """Names of the kinds that only a record brings."""
    own = {
        "consult note": names.DOCUMENT,
        "latex": names.ALLERGEN,
        "colonoscopy": names.PROCEDURE,
        "colonoscopies": names.PROCEDURE,
        "lung opacity on chest film": names.IMAGING,
        "pleural effusion": names.IMAGING,
        "no known allergy": names.ALLERGEN,
        "Escherichia coli": names.ORGANISM,
        "clear": names.ANSWER,
        "anaphylaxis": names.ANSWER,
    }
    found = Names()
    for name in own:
        found.add(name, frozenset({f"own|{name}"}))
    return tokens.Known(found, {f"own|{name}": frozenset({kind}) for name, kind in own.items()})


KNOWN = _known()


def read(text: str) -> tuple[Node, ...]:
    found = tokens.tokens(text, TODAY, KNOWN)
    while found and found[-1].text in (".", "!"):
        found.pop()
    return grammar().clauses_of(grammar().phrases(found))[0]


def phrases(text: str) -> list[Node]:
    def every(node: Node) -> list[Node]:
        return [node, *(inner for part in node.parts for inner in every(part))]

    return [inner for node in grammar().phrases(tokens.tokens(text, TODAY, KNOWN)) for inner in every(node)]


@pytest.mark.parametrize("row", CLAUSES, ids=[f"{row.kind} {row.line}" for row in CLAUSES])
def test_a_clause_reads_its_example_and_not_its_counterexample(row: Production) -> None:
    assert row.reads, "every row has a sentence that it reads"
    assert row.kind in {clause.kind for clause in read(row.reads)}, row.reads
    assert not row.never or row.kind not in {clause.kind for clause in read(row.never)}, row.never


def _beside(text: str) -> list[Node]:
    return [each for clause in read(text) for role in (ADJUNCT, LEAD, AIM, RELATES) for each in clause.all(role)]


@pytest.mark.parametrize("row", BESIDE, ids=[f"{row.kind} {row.line}" for row in BESIDE])
def test_a_row_beside_a_clause_reads_its_example_and_not_its_counterexample(row: Production) -> None:
    assert _beside(row.reads), row.reads
    assert row.never, "every row has a sentence that it does not read"
    assert not _beside(row.never), row.never


@pytest.mark.parametrize("row", PHRASES, ids=[f"{row.kind} {row.line}" for row in PHRASES])
def test_a_phrase_reads_its_example(row: Production) -> None:
    assert row.kinds & frozenset().union(*(node.kinds for node in phrases(row.reads))), row.reads


def test_every_row_is_read_from_the_tables() -> None:
    kinds = {row.kind for row in productions()}
    assert {JOINT, HEAD, TAIL} <= {row.kind for row in (*grammar().joints, *grammar().heads, *grammar().tails)}
    assert {"measured", "takes", "problem"} <= kinds
