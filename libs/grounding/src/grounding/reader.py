"""Reads a sentence and compares what it asserts with the record.

Guarantee: a sentence that is not read whole is unsupported, with the word that stopped it.
"""

from grounding.claims import Claim, Verdict
from grounding.comparing import persons
from grounding.comparing.compare import compare
from grounding.comparing.record import Record
from grounding.reading import tokens
from grounding.reading.grammar import grammar
from grounding.reading.nodes import Node

_LABELS = frozenset(".!")


def read(sentence: str, record: Record) -> tuple[tuple[Node, ...], Node | None, frozenset[str]]:
    """The assertions of a sentence, or the token that stopped reading; and its words."""
    found = tokens.tokens(sentence, record.today, record.known)
    words = frozenset(token.text for token in found if not token.kinds)
    while found and found[-1].text in (".", "!"):
        found.pop()
    nodes = grammar().phrases(found)
    clauses, at = grammar().clauses_of(nodes)
    if clauses:
        return clauses, None, words
    return (), nodes[min(at, len(nodes) - 1)] if nodes else None, words


def claims(sentence: str, record: Record) -> list[Claim]:
    clauses, stopped, words = read(sentence, record)
    if not clauses:
        start, end = (stopped.start, stopped.end) if stopped else (0, len(sentence))
        what = f"“{sentence[start:end]}”" if stopped else "it"
        return [Claim(start, end, "reading", Verdict.UNSUPPORTED, f"{what} was not read")]
    found = [
        Claim(clause.start, clause.end, each.check, each.verdict, each.reason, each.fact_ids, each.passage_ids)
        for clause in clauses
        for each in compare(clause, record)
    ]
    said = persons.sex(words, record)
    if said:
        found.append(Claim(0, len(sentence), said.check, said.verdict, said.reason, said.fact_ids))
    return found
