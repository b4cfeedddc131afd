"""What is dangerous about a record now: the rows of medical knowledge, and the allergies that terminology knows.

Guarantees: a danger is named by its row and by what that speaks about, so that it is the same danger however often its
facts are stated again. What it rests on is told without what is said again and again. It passed the gate. Whatever
would not be there, or not so, without facts of a sensitive category is sensitive, cited or not.
"""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from grounding import Sources, Statement, Verifier, facts
from knowledge import Finding
from knowledge.terms import Urgency
from longitude.reasoning.v1 import assessment_pb2 as wire
from longitude.record.v1 import fact_pb2 as pb
from longitude.record.v1.fact_pb2 import ClinicalFact, FactKind, PatientKey
from terminology import sensitivity

from consult import kept
from consult.drafting import Drafted, draft
from consult.gate import gate
from consult.record import Record
from consult.rules import allergy

# Which no row states: the allergens and cross-reactions of terminology.
ALLERGY = f"rules/{allergy.drug_of_an_allergic_class.__name__}"
_ALLERGY_SOURCE = "allergens and cross-reactions of terminology"
# What may interrupt somebody.
PRESSING = (Urgency.CONTRAINDICATED, Urgency.URGENT)
# What a danger is about, where it is about any of these; a value beside a drug supports, and does not name it.
_NAMING = (pb.FACT_KIND_MEDICATION, pb.FACT_KIND_ALLERGY)
_AT_A_TIME = (pb.FACT_KIND_RESULT, pb.FACT_KIND_PROCEDURE, pb.FACT_KIND_IMMUNIZATION, pb.FACT_KIND_DOCUMENT)
# The row and patients name it.
_NOT_NAMING = (pb.FACT_KIND_PROBLEM, pb.FACT_KIND_DEMOGRAPHIC)


@dataclass(frozen=True, slots=True)
class Danger:
    """`row` is family and id; `subject` what it speaks about, `cause` the newest result or drug behind it. `patient`:
    as whom its newest fact names; None where it is about none. `supports`: what its facts say.
    """

    row: str
    version: int
    subject: str
    cause: str
    patient: PatientKey | None
    urgency: Urgency
    text: str
    citations: tuple[wire.Citation, ...]
    supports: tuple[str, ...]
    source: str
    sensitive: bool = False

    @property
    def name(self) -> tuple[str, str]:
        return self.row, self.subject


@dataclass(frozen=True, slots=True)
class _Seen:
    """A danger before it is told: what speaks, and about which facts."""

    row: str
    version: int
    urgency: Urgency
    source: str
    statement: Statement
    about: tuple[ClinicalFact, ...]
    names: frozenset[str]
    rests_on: tuple[ClinicalFact, ...]

    @property
    def name(self) -> tuple[str, str]:
        return self.row, self.subject

    @property
    def subject(self) -> str:
        naming = [each for each in self.about if each.kind in _NAMING]
        naming = naming or [each for each in self.about if each.kind not in _NOT_NAMING]
        return " + ".join(sorted({*map(_name, naming), *self.names}))

    @property
    def supports(self) -> tuple[str, ...]:
        named = {each.fact_id for each in self.about if each.kind not in _NOT_NAMING}
        return tuple(sorted({_says(each, is_named=each.fact_id in named) for each in self.rests_on}))

    @property
    def state(self) -> tuple[object, ...]:
        return self.row, self.subject, self.urgency, self.supports


def dangers(record: Record, passed: Collection[str] = frozenset()) -> list[Danger]:
    """The most urgent first, each once. `passed`: texts about this patient that the gate released before; what is told
    in the same words is not judged again.
    """
    return _dangers(record, passed, frozenset(), first=False)[0]


def pressing(
    record: Record, passed: Collection[str], opened: Collection[tuple[str, str]] = frozenset()
) -> tuple[list[Danger], frozenset[tuple[str, str]]]:
    """The same without what the gate has still to judge and presses nobody, and the names of that. `opened`: names of
    which a concern is open; that is judged now, so that it says no more than is so.
    """
    return _dangers(record, passed, opened, first=True)


def _dangers(
    record: Record, passed: Collection[str], opened: Collection[tuple[str, str]], *, first: bool
) -> tuple[list[Danger], frozenset[tuple[str, str]]]:
    sources = record.sources()
    seen = _seen(sources)
    open_to_all = _without_sensitive(record)
    plain = {each.state for each in _seen(open_to_all.sources()).values()} if open_to_all else None
    drafted = [(each, draft(each.statement, sources, wire.AUTHOR_RULE, each.row)) for each in seen.values()]
    told = [(each, one) for each, one in drafted if one is not None]
    waits = {each.name for each, one in told if first and each.name not in opened and _may_wait(each, one, passed)}
    told = [(each, one) for each, one in told if each.name not in waits]
    released = _released([one for _, one in told], sources, passed)
    listed = [
        _danger(each, one, sensitive=plain is not None and (each.state not in plain or _tells_sensitive(each)))
        for each, one in told
        if one.rendered.text in released
    ]
    return listed, frozenset(waits)


def _tells_sensitive(seen: _Seen) -> bool:
    """It would be there without what is sensitive, and shows it: the one of several problems that its words name."""
    return any(map(sensitivity.of_fact, seen.rests_on))


def _may_wait(seen: _Seen, drafted: Drafted, passed: Collection[str]) -> bool:
    return seen.urgency not in PRESSING and drafted.rendered.text not in passed


def _seen(sources: Sources) -> Mapping[tuple[str, str], _Seen]:
    """By name; of several that are told of one thing, the first."""
    by_name: dict[tuple[str, str], _Seen] = {}
    for each in (*_by_allergies(sources), *_by_rows(sources)):
        by_name.setdefault(each.name, each)
    return by_name


def _by_rows(sources: Sources) -> Iterator[_Seen]:
    for finding in kept.findings(sources):
        row = finding.row
        source = f"{row.document.title}, {row.section}, {row.document.year}"
        about, names = _about(finding, sources)
        rests_on = _rests_on(finding.statement, sources)
        name = f"{row.family}/{row.id}"
        yield _Seen(name, row.version, row.urgency, source, finding.statement, about, names, rests_on)


def _by_allergies(sources: Sources) -> Iterator[_Seen]:
    for statement in allergy.drug_of_an_allergic_class(sources):
        relation = allergy.told_of(statement, sources)
        if statement.kind == wire.STATEMENT_KIND_ALERT and relation:
            about = _rests_on(statement, sources)
            yield _Seen(ALLERGY, 1, allergy.urgency(relation), _ALLERGY_SOURCE, statement, about, frozenset(), about)


def _about(finding: Finding, sources: Sources) -> tuple[tuple[ClinicalFact, ...], frozenset[str]]:
    """The facts of its subject, oldest first, and the names beside them."""
    about = [sources.fact(each) for each in finding.subject if sources.has_fact(each)]
    names = finding.subject - {each.fact_id for each in about} - {finding.row.id}
    return tuple(sorted(about, key=facts.in_time)), names


def _rests_on(statement: Statement, sources: Sources) -> tuple[ClinicalFact, ...]:
    """The facts that its words name, oldest first. What it rests on beside them is the search of a whole record."""
    named = replace(statement, also=()).fact_ids
    return tuple(sorted((sources.fact(each) for each in named), key=facts.in_time))


def _name(fact: ClinicalFact) -> str:
    """What a fact is about, however it is coded; of a stay, which one."""
    about = facts.about(fact)
    if fact.kind == pb.FACT_KIND_MEDICATION and about.ingredients:
        return "+".join(sorted(each.name.casefold() for each in about.ingredients))
    if fact.kind == pb.FACT_KIND_ENCOUNTER:
        return f"{facts.name_of(fact).casefold()} {facts.starts_on(fact) or ''}".strip()
    return facts.name_of(fact).casefold()


def _says(fact: ClinicalFact, *, is_named: bool) -> str:
    """`result potassium 6.7 mmol/L 2026-10-05T07:30:00Z`; of what goes on, its end and not when it began. Which of
    several problems or drugs a row shows is no matter, unless the danger is named by it.
    """
    is_told = is_named or fact.kind in _AT_A_TIME
    parts = [FactKind.Name(fact.kind).removeprefix("FACT_KIND_").lower(), *([_name(fact)] * is_told), *_value(fact)]
    if fact.kind in _AT_A_TIME:
        parts += [fact.valid_from.ToJsonString()] if fact.HasField("valid_from") else []
    elif fact.HasField("valid_to"):
        parts.append(f"until {fact.valid_to.ToJsonString()}")
    return " ".join(filter(None, parts))


def _value(fact: ClinicalFact) -> Iterator[str]:
    match fact.WhichOneof("value"):
        case "quantity":
            yield facts.printed_quantity(fact.quantity)
        case "coded":
            yield fact.coded.display or fact.coded.code
        case "text" if fact.kind in (*_AT_A_TIME, pb.FACT_KIND_DEMOGRAPHIC):
            yield fact.text
    yield facts.severity(fact)


def _without_sensitive(record: Record) -> Record | None:
    """The record without its facts of sensitive categories; None where it has none."""
    plain = [each for each in record.timeline.facts if not sensitivity.of_fact(each.fact)]
    if len(plain) == len(record.timeline.facts):
        return None
    return replace(record, timeline=replace(record.timeline, facts=plain))


def _released(drafted: Sequence[Drafted], sources: Sources, passed: Collection[str]) -> set[str]:
    """The texts that pass the gate."""
    new = [each for each in drafted if each.rendered.text not in passed]
    judged = gate(new, Verifier(sources), "") if new else []
    known = {each.rendered.text for each in drafted if each.rendered.text in passed}
    return known | {each.text for each in judged if each.released}


def _danger(seen: _Seen, drafted: Drafted, *, sensitive: bool) -> Danger:
    named = {each.fact_id for each in seen.rests_on}
    newest = (seen.about or seen.rests_on)[-1:]
    return Danger(
        row=seen.row,
        version=seen.version,
        subject=seen.subject,
        cause=_cause(seen),
        patient=newest[0].patient if newest else None,
        urgency=seen.urgency,
        text=drafted.rendered.text,
        citations=tuple(each for each in drafted.rendered.citations if not each.fact_id or each.fact_id in named),
        supports=seen.supports,
        source=seen.source,
        sensitive=sensitive,
    )


def _cause(seen: _Seen) -> str:
    for kind in (pb.FACT_KIND_RESULT, pb.FACT_KIND_MEDICATION):
        newest = [each for each in seen.rests_on if each.kind == kind][-1:]
        if newest:
            return _name(newest[0])
    return seen.subject
