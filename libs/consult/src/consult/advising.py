"""What rules and rows say of a record and of orders that somebody proposes, before anything is ordered.

Rows speak of a proposed drug as of one that a question asks to be given, and everything goes through the gate.
Guarantee: nothing is said of an order that the gate does not release; an order that nobody can read is named.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import product

from grounding import Sources, Verdict, Verifier, facts, relations
from knowledge import Asked, Row
from knowledge.record import names_of
from knowledge.terms import Urgency
from longitude.reasoning.v1 import advice_pb2 as pb
from longitude.reasoning.v1 import assessment_pb2 as wire
from longitude.record.v1.fact_pb2 import FACT_KIND_MEDICATION, CodedConcept
from terminology import drug_classes, drugs
from terminology import sources as documents
from terminology.allergens import Relation
from terminology.cross_reactions import CrossReaction

from consult import kept
from consult.drafting import Drafted, draft, draft_rules
from consult.gate import gate
from consult.record import Record
from consult.rules import RULES, allergy, speak

_ALLERGY = allergy.drug_of_an_allergic_class.__name__
_SOURCES = {rule.name: rule.source for rule in RULES}


@dataclass(frozen=True, slots=True)
class Order:
    """A proposed order as it was read. `concepts`: one for each ingredient, or what was sent where there is none."""

    order_id: str
    asked: tuple[Asked, ...]
    concepts: tuple[CodedConcept, ...]

    @property
    def names(self) -> frozenset[str]:
        """By what findings point to it."""
        return frozenset((*(each.name for each in self.asked), *map(_name, self.concepts)))


@dataclass(frozen=True, slots=True)
class _Told:
    """A draft, and where it is about a proposed drug and an allergy, how they relate."""

    drafted: Drafted
    relation: Relation | None = None


def read(proposed: pb.ProposedOrder) -> Order:
    """By every coding and the text; a text may name a class."""
    sent = [*proposed.codings, *([CodedConcept(display=proposed.text)] if proposed.text else [])]
    known = tuple(dict.fromkeys(each for concept in sent for each in drugs.ingredients_of(concept)))
    if known:
        asked = tuple(Asked(each.name, names_of(each), proposed=True) for each in known)
        return Order(proposed.order_id, asked, tuple(map(drugs.concept_of, known)))
    classes = filter(None, (drug_classes.class_named(each.display) for each in sent))
    meant = {each.name: frozenset(one.id for one in drug_classes.with_wider((each.id,))) for each in classes}
    asked = tuple(Asked(name, names, proposed=True) for name, names in meant.items())
    return Order(proposed.order_id, asked, tuple(sent))


def _name(concept: CodedConcept) -> str:
    return concept.display or concept.code


def advise(record: Record, proposed: Sequence[pb.ProposedOrder], advice_id: str) -> pb.AdviseResponse:
    """Every alert about the record and the proposed orders that the gate releases, and what it withheld."""
    orders = [read(each) for each in proposed]
    sources = record.sources(proposed=tuple({one.name: one for each in orders for one in each.asked}.values()))
    verifier = Verifier(sources)
    told = list(_told(sources, orders, verifier))
    checked = gate([each.drafted for each in told], verifier, advice_id)
    rows = {each.row.name: each.row for each in kept.findings(sources)}
    pairs = list(zip(told, checked, strict=True))
    findings = [_finding(one, statement, orders, sources, rows) for one, statement in pairs if statement.released]
    return pb.AdviseResponse(
        advice_id=advice_id,
        findings=sorted(findings, key=lambda each: (not each.order_ids, each.urgency)),
        withheld=[statement for _, statement in pairs if not statement.released],
        orders=[pb.ReadOrder(order_id=each.order_id, drugs=[one.name for one in each.asked]) for each in orders],
        degraded=_left_out(record.timeline.left_out),
    )


def _told(sources: Sources, orders: Iterable[Order], verifier: Verifier) -> Iterator[_Told]:
    """Allergies to what is proposed, then the alerts of rules and rows; the same words once, for all their drugs."""
    alerts = [each for each in speak(sources) if each.statement.kind == wire.STATEMENT_KIND_ALERT]
    drafted = draft_rules(alerts, sources)
    together: dict[tuple[str, Relation | None], _Told] = {}
    for one in (*_allergies(sources, orders, drafted, verifier), *map(_Told, drafted)):
        key = (one.drafted.rendered.text, one.relation)
        before = together.setdefault(key, one)
        asked = tuple(dict.fromkeys((*before.drafted.asked, *one.drafted.asked)))
        together[key] = replace(before, drafted=replace(before.drafted, asked=asked))
    yield from together.values()


def _allergies(
    sources: Sources, orders: Iterable[Order], rules: Iterable[Drafted], verifier: Verifier
) -> Iterator[_Told]:
    """Of a drug that is taken the rule itself speaks, where that is supported."""
    known = {pair for each in rules if each.author_name == _ALLERGY for pair in _pairs(each, sources, verifier)}
    for name, concept in {_name(each): each for order in orders for each in order.concepts}.items():
        for statement, relation in allergy.against_a_proposed_drug(sources, concept):
            drafted = draft(statement, sources, wire.AUTHOR_RULE, _ALLERGY)
            if drafted and known.isdisjoint((name, each) for each in statement.fact_ids):
                yield _Told(replace(drafted, asked=(name,)), relation)


def _pairs(drafted: Drafted, sources: Sources, verifier: Verifier) -> Iterator[tuple[str, str]]:
    """Each drug with each fact of a statement that is supported."""
    rendered = drafted.rendered
    if verifier.verify(rendered.text, rendered.citations).verdict is Verdict.SUPPORTED:
        yield from product(_taken(drafted, sources), rendered.statement.fact_ids)


def _taken(drafted: Drafted, sources: Sources) -> list[str]:
    """The ingredients of the orders that a statement rests on."""
    cited = (sources.fact(each) for each in drafted.rendered.statement.fact_ids)
    return [one.name for fact in cited if fact.kind == FACT_KIND_MEDICATION for one in facts.about(fact).ingredients]


def _finding(
    one: _Told,
    statement: wire.AssessedStatement,
    orders: Sequence[Order],
    sources: Sources,
    rows: Mapping[str, Row],
) -> pb.AdviceFinding:
    row = rows.get(statement.row)
    relation = one.relation or _relation(one.drafted, sources)
    cross = one.relation.cross_reaction if one.relation else None
    return pb.AdviceFinding(
        statement=statement,
        urgency=pb.Urgency.Value(f"URGENCY_{_urgency(row, relation).name}"),
        order_ids=_concerned(one.drafted, orders, sources),
        words=row.words if row else relations.words(cross) if cross else "",
        source=_source(row, one.drafted, cross),
    )


def _urgency(row: Row | None, relation: Relation | None) -> Urgency:
    """Of the row; of an allergy by how the drug relates to it; important of any other rule."""
    if row:
        return row.urgency
    return allergy.urgency(relation) if relation else Urgency.IMPORTANT


def _relation(drafted: Drafted, sources: Sources) -> Relation | None:
    """How the drug that is taken relates to the allergy, where the rule of allergies told of both."""
    return allergy.told_of(drafted.rendered.statement, sources) if drafted.author_name == _ALLERGY else None


def _concerned(drafted: Drafted, orders: Iterable[Order], sources: Sources) -> list[str]:
    """The orders of a drug that is told of: as proposed, or as taken already."""
    about = {*drafted.asked, *_taken(drafted, sources)}
    return [each.order_id for each in orders if not about.isdisjoint(each.names)]


def _source(row: Row | None, drafted: Drafted, cross: CrossReaction | None) -> pb.AdviceSource:
    if row:
        document = row.document
        return pb.AdviceSource(
            title=document.title, section=row.section, year=document.year, kind=document.kind, grade=row.grade
        )
    if cross:
        return pb.AdviceSource(title="; ".join(documents.known()[each].document for each in cross.sources))
    return pb.AdviceSource(title=_SOURCES[drafted.author_name])


def _left_out(count: int) -> list[str]:
    return [f"record: {count} entries are not open to you and were not looked at"] if count else []
