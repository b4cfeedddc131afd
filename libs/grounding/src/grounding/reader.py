"""Reads a sentence and compares what it asserts with the record and its texts.

Guarantee: a sentence that is not read whole is unsupported, with the word that stopped it, unless a text of these days
has the same words.
"""

from grounding import texts
from grounding.claims import Claim, Verdict
from grounding.comparing import persons
from grounding.comparing.compare import compare
from grounding.comparing.outcome import Outcome
from grounding.comparing.record import Record
from grounding.reading.nodes import Node
from grounding.sentence import Reading, read

__all__ = ["Reading", "claims", "compared", "read"]


def claims(sentence: str, record: Record) -> list[Claim]:
    return compared(read(sentence, record), record)


def compared(reading: Reading, record: Record) -> list[Claim]:
    """What the record and its texts say of what was read."""
    sentence = reading.sentence
    found = _of_clauses(reading.clauses, record) if reading.clauses else _of_words(reading, record)
    said = persons.sex(reading.words, record)
    if said:
        found.append(Claim(0, len(sentence), said.check, said.verdict, said.reason, said.fact_ids))
    return found


def _of_clauses(clauses: tuple[Node, ...], record: Record) -> list[Claim]:
    origins, films = (tuple(each for clause in clauses for each in clause.all(role)) for role in ("origin", "film"))
    named = texts.Named(origins, films if len(films) == 1 else ())
    return [
        _claim(clause, each)
        for clause in clauses
        for each in texts.decided(clause, compare(clause, record), record, named)
    ]


def _of_words(reading: Reading, record: Record) -> list[Claim]:
    restated = texts.restated(reading.sentence, record)
    if restated is not None:
        return [Claim(0, len(reading.sentence), restated.check, restated.verdict, "", restated.fact_ids)]
    return [_unread(reading)]


def _unread(reading: Reading) -> Claim:
    stopped, length = reading.stopped, len(reading.sentence)
    start, end = (max(stopped.start, 0), stopped.end) if stopped and stopped.end > 0 else (0, length)
    what = f"“{reading.sentence[start:end]}”" if stopped else "it"
    return Claim(start, end, "reading", Verdict.UNSUPPORTED, f"{what} was not read")


def _claim(clause: Node, outcome: Outcome) -> Claim:
    check, verdict, reason, fact_ids, passage_ids, at = outcome
    return Claim(*(at or (clause.start, clause.end)), check, verdict, reason, fact_ids, passage_ids)
