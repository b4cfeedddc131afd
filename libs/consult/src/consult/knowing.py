"""What the rows of medical knowledge say of a record and of the drugs that a question asks about.

Guarantee: a row speaks of what may be taken now, or of a drug that the question asks to be given or an order proposes;
what it says cites the row itself, so that the gate checks its words like those of any other passage.
"""

from collections.abc import Iterator, Sequence

from grounding import Sources, facts
from grounding.reading import names
from knowledge import Asked, Finding, Knowledge, evaluate
from knowledge.record import names_of
from longitude.record.v1 import fact_pb2 as pb
from longitude.record.v1.fact_pb2 import ClinicalFact
from terminology import drug_classes, drugs

from consult.answering.inquiry import Form, Inquiry, Mention, inquire
from consult.answering.reconciliation import Standing, may_be_taken, reconcile


def findings(sources: Sources, question: str, knowledge: Knowledge, proposed: Sequence[Asked] = ()) -> list[Finding]:
    """What the rows say, the most urgent first. `proposed`: drugs of proposed orders; one that is taken already is
    spoken of as taken.
    """
    orders = taken(sources)
    asked = list(_asked(inquire(question, sources), orders)) if question else []
    own = _in_use(orders)
    return evaluate(knowledge, sources, orders, [*asked, *(each for each in proposed if each.name not in own)])


def taken(sources: Sources) -> list[ClinicalFact]:
    """The newest order of each drug that may be taken now; none that is on hold, old or disputed."""
    in_force = {fact.fact_id for fact in sources.active(pb.FACT_KIND_MEDICATION) if not facts.is_absent(fact)}
    standing = (Standing.CURRENT, Standing.NOT_RENEWED)
    known = [each for each in reconcile(sources) if each.standing in standing and may_be_taken(each, sources.today)]
    return [fact for each in known for fact in each.entries if fact.fact_id in in_force]


def _asked(inquiry: Inquiry, orders: Sequence[ClinicalFact]) -> Iterator[Asked]:
    """Drugs and classes that the question asks to be given, beside the orders that are taken now."""
    if not inquiry.asks(Form.SUITABILITY):
        return
    in_use = _in_use(orders)
    for mention in inquiry.drugs:
        if names.CLASS in mention.kinds:
            yield from _of_class(mention)
        else:
            meant = (each for each in drugs.ingredients_in(mention.text) if each.name not in in_use)
            yield from (Asked(each.name, names_of(each)) for each in meant)


def _in_use(orders: Sequence[ClinicalFact]) -> frozenset[str]:
    """The names of the ingredients that are taken now."""
    return frozenset(each.name for fact in orders for each in facts.about(fact).ingredients)


def _of_class(mention: Mention) -> Iterator[Asked]:
    """A class is itself and the classes that hold it."""
    known = drug_classes.class_named(mention.text)
    if known:
        yield Asked(known.name, frozenset(each.id for each in drug_classes.with_wider((known.id,))))
