"""Reads a sentence and compares what it asserts with the record and its texts.

Guarantee: a sentence that is not read whole is unsupported, with the word that stopped it, unless a text of these days
has the same words.
"""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import islice, product

from grounding import texts
from grounding.claims import Claim, Verdict, worst
from grounding.comparing import circumstances, mixed, persons
from grounding.comparing.compare import compare
from grounding.comparing.meaning import UnclearError
from grounding.comparing.outcome import Outcome, unsupported
from grounding.comparing.record import Record
from grounding.reading.dates import Interval
from grounding.reading.frames import OTHERWISE
from grounding.reading.grammar import AROUND, LEADS, RELATES
from grounding.reading.nodes import Node
from grounding.sentence import Reading, read

# What stands between who the patient is and that he was seen.
_MARKS = frozenset((",", "(", ")", "),"))
# More ways to read a sentence than these are too many.
_MOST_WAYS = 8

__all__ = ["Reading", "claims", "compared", "read"]


def claims(sentence: str, record: Record) -> list[Claim]:
    return compared(read(sentence, record), record)


def compared(reading: Reading, record: Record) -> list[Claim]:
    """What the record and its texts say of what was read."""
    sentence = reading.sentence
    clauses = tuple(_introduced(reading, record))
    found = _judged(clauses, record) if clauses else [_unread(reading)]
    said = persons.sex(reading.words, record)
    of_sex = [Claim(0, len(sentence), said.check, said.verdict, said.reason, said.fact_ids)] if said else []
    restated = _restated(sentence, [each.verdict for each in (*found, *of_sex)], record)
    if restated is not None:
        # The text that has the very words has its `he` too; a record that states another sex is still another.
        found, said = [restated], None if said is None or said.verdict is Verdict.UNSUPPORTED else said
    return [*found, *(of_sex if said else [])]


def _restated(sentence: str, judged: Sequence[Verdict], record: Record) -> Claim | None:
    """The very words of a text of these days, where neither the facts nor a reading of the texts decide."""
    if Verdict.UNSUPPORTED not in judged or Verdict.CONTRADICTED in judged:
        return None
    outcome = texts.restated(sentence, record)
    return outcome and Claim(0, len(sentence), outcome.check, outcome.verdict, "", outcome.fact_ids)


def _introduced(reading: Reading, record: Record) -> Iterator[Node]:
    """The clauses; who the patient is (a woman of 52 who presented in May), as of the day that is told; what a letter
    lists, as of its day.
    """
    for place, clause in enumerate(reading.clauses):
        following = [each for each in reading.clauses[place + 1 :] if each.kind != "person"][:1]
        behind = reading.clauses[place + 1 : place + 2]
        joined = reading.sentence[clause.end : behind[0].start].split() if behind else []
        seen = [each.kind for each in following] == ["attended"] and set(joined) <= _MARKS
        dated = bool(following) and clause.kind == "person" and (joined[-1:] == ["who"] or seen)
        told = circumstances.of_text(clause, reading.clauses[place - 1 : place])
        yield circumstances.as_of(told, following[0], record) if dated else told


def _judged(clauses: tuple[Node, ...], record: Record) -> list[Claim]:
    """What is said in each way to read the clauses; where these are not judged alike, none of them is taken."""
    ways = list(islice(product(*map(_ways, clauses)), _MOST_WAYS + 1))
    judged = [_of_clauses(way, record) for way in ways]
    if len(ways) <= _MOST_WAYS and len({worst(each) for each in judged}) == 1:
        return judged[0]
    start, end = clauses[0].start, clauses[-1].end
    return [Claim(start, end, "clear", Verdict.UNSUPPORTED, "what belongs together is not clear")]


def _ways(clause: Node) -> tuple[Node, ...]:
    """A clause, and the same with its parts bound otherwise."""
    beside = {role: clause.all(role) for role in AROUND if clause.all(role)}
    others = (
        replace(clause, kinds=each.kinds, sets=each.sets, roles={**each.roles, **beside})
        for each in clause.all(OTHERWISE)
    )
    return (replace(clause, roles={**clause.roles, OTHERWISE: ()}), *others) if clause.all(OTHERWISE) else (clause,)


def _of_clauses(clauses: tuple[Node, ...], record: Record) -> list[Claim]:
    origins, films = (tuple(each for clause in clauses for each in clause.all(role)) for role in ("origin", "film"))
    named = texts.Named(origins, films if len(films) == 1 else ())
    found: list[Claim] = []
    told: tuple[Interval, ...] = ()
    before: Node | None = None
    when, late = None, list[Node]()
    for spoken in _subordinate_first([each for clause in clauses for each in mixed.parts(clause, record)]):
        relation = spoken.one(RELATES)
        main = circumstances.at(spoken, when) if when and not relation else spoken
        clause, outcomes = _of_clause(main, before, told, record, named)
        outcomes = outcomes if main is spoken and not relation else [*map(circumstances.unsure, outcomes)]
        held = tuple(fact_id for each in outcomes if each.holds for fact_id in each.fact_ids)
        if relation:
            holds = all(each.holds for each in outcomes)
            when = circumstances.related(relation, clause, held, record) if holds else None
            late += [] if when else [spoken]
            found += (_claim(clause, each) for each in (outcomes if when else ()))
            continue
        found += (_claim(clause, each) for each in outcomes)
        when, before = None, clause
        if not circumstances.stays(clause, told, record, compare):
            told = circumstances.told(clause, held, record)
        found += (claim for each in late for claim in _of_its_day(each, told, record))
        late = []
    found += (_unclear(each) for each in late)
    return found


def _of_its_day(clause: Node, days: tuple[Interval, ...], record: Record) -> Iterator[Claim]:
    """A subordinate clause that tells no time itself, as of the day of the one that it belongs to."""
    if clause.all(RELATES)[0].says("time") != "at" or len(days) != 1:
        yield _unclear(clause)
        return
    dated = circumstances.at(clause, circumstances.day_of(clause, days))
    yield from (_claim(dated, circumstances.unsure(each)) for each in compare(dated, record))


def _unclear(clause: Node) -> Claim:
    return Claim(clause.start, clause.end, "clear", Verdict.UNSUPPORTED, "which time is meant")


def _subordinate_first(clauses: Sequence[Node]) -> list[Node]:
    """The clauses, each of which another tells when it was behind that one."""
    ordered: list[Node] = []
    for clause in clauses:
        relation = clause.one(RELATES)
        ordered.insert(len(ordered) - bool(relation and not relation.says(LEADS)), clause)
    return ordered


def _of_clause(
    clause: Node, before: Node | None, days: tuple[Interval, ...], record: Record, named: texts.Named
) -> tuple[Node, list[Outcome]]:
    """A clause with what it takes from the one before it and from that one's days, and what is said of it."""
    try:
        whole = circumstances.anchored(circumstances.continued(clause, before), days, record, before)
    except UnclearError as error:
        return clause, [unsupported("clear", str(error))]
    outcomes = list(texts.decided(whole, compare(whole, record), record, named))
    beside = circumstances.beside(whole, days)
    if beside and all(each.holds for each in outcomes):
        # `Was sutured in May 2020 and she was given naproxen` tells of one occasion.
        then = compare(beside, record)
        if all(each.holds for each in then):
            return beside, then
        return whole, [unsupported("date", "the record does not say that it was at that time")]
    return _of_day_before(whole, outcomes, days, record) or (whole, outcomes)


def _of_day_before(
    clause: Node, outcomes: list[Outcome], days: tuple[Interval, ...], record: Record
) -> tuple[Node, list[Outcome]] | None:
    """A clause without a time that does not hold now, where it holds on the day that was told before it."""
    if not any(each.verdict is Verdict.CONTRADICTED for each in outcomes):
        return None
    dated = circumstances.undated(clause, days)
    then = compare(dated, record) if dated else []
    return (dated, then) if dated and all(each.holds for each in then) else None


def _unread(reading: Reading) -> Claim:
    stopped, length = reading.stopped, len(reading.sentence)
    start, end = (max(stopped.start, 0), stopped.end) if stopped and stopped.end > 0 else (0, length)
    what = f"“{reading.sentence[start:end]}”" if stopped else "it"
    return Claim(start, end, "reading", Verdict.UNSUPPORTED, f"{what} was not read")


def _claim(clause: Node, outcome: Outcome) -> Claim:
    check, verdict, reason, fact_ids, passage_ids, at = outcome
    return Claim(*(at or (clause.start, clause.end)), check, verdict, reason, fact_ids, passage_ids)
