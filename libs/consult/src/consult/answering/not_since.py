"""That what a question names was not done again since an operation, the start of a drug or a day, with what was last.

Guarantee: a group of results is missing since a day only where none of its members is of a later one.
"""

import re
from collections.abc import Iterator, Sequence
from datetime import date, timedelta

from grounding import Sources, Statement, facts, keys
from grounding.reading import names
from grounding.reading.tokens import tokens
from grounding.statements import Day, Label, Words
from longitude.reasoning.v1 import assessment_pb2 as wire
from longitude.record.v1 import fact_pb2 as pb
from longitude.record.v1.fact_pb2 import ClinicalFact
from terminology import names as terminology_names

from consult.answering import wording
from consult.answering.finding import Group
from consult.answering.inquiry import Form, Inquiry, Mention
from consult.answering.watching import MOST_RESULTS
from consult.answering.wording import Ways

# Endings and words of operations in the names of procedures.
SURGICAL = re.compile(
    r"ectomy|excision|resection|plasty|bypass|graft|transplant|replacement|amputation|ostomy|operation", re.IGNORECASE
)
_DONE = (pb.FACT_KIND_PROCEDURE, pb.FACT_KIND_RESULT)


def around(inquiry: Inquiry, groups: Sequence[Group], sources: Sources) -> Iterator[Ways]:
    """Of each thing that is named; then from when on it is missing."""
    since = list(_of_operation(groups)) if inquiry.asks(Form.SINCE) else []
    if since:
        yield from since
        return
    start = _start(inquiry, groups)
    days = [first for first, _ in inquiry.days if inquiry.asks(Form.SINCE, Form.ABSENCE)]
    if start is None and not days:
        return
    for mention in inquiry.mentions:
        yield from _missing(mention, start, days, groups, sources)


def only_once(inquiry: Inquiry, groups: Sequence[Group], sources: Sources) -> Iterator[Ways]:
    """That there is no value behind the one that the record has, where a course is asked for."""
    for mention in inquiry.mentions if inquiry.asks(Form.COURSE, Form.EFFECT) else ():
        own = [each for each in _named_by(mention, groups) if each.kind == pb.FACT_KIND_RESULT]
        days = {facts.starts_on(each) for group in own for each in group.entries}
        if len(days) == 1 and None not in days:
            yield (_statement(in_the_singular(mention, sources.today), own[0].newest),)


def missing_of(inquiry: Inquiry, groups: Sequence[Group]) -> list[Group]:
    """The groups of which that is said."""
    start = _start(inquiry, groups)
    days = [first for first, _ in inquiry.days if inquiry.asks(Form.SINCE, Form.ABSENCE)]
    day = _day(start, days)
    if day is None:
        return []
    every = [_named_by(each, groups) for each in inquiry.mentions]
    return [group for own in every if own and all(_ends_before(one, day) for one in own) for group in own]


def _of_operation(groups: Sequence[Group]) -> Iterator[Ways]:
    done = [each for each in groups if each.kind == pb.FACT_KIND_PROCEDURE and each.worth > 0]
    operations = [each.newest for each in done if SURGICAL.search(facts.name_of(each.newest)) and not each.named]
    asked = [each for each in groups if each.named and each.kind in _DONE]
    for reference in operations[:1]:
        day = facts.starts_on(reference)
        for group in asked:
            if day and all((facts.starts_on(each) or date.max) <= day for each in group.entries):
                yield (_statement(facts.name_of(group.newest), reference),)
                yield (wording.events([reference]),)


def _start(inquiry: Inquiry, groups: Sequence[Group]) -> ClinicalFact | None:
    """The first order of a drug that is named, else the beginning of a problem, where what came since is asked for."""
    if not inquiry.asks(Form.SINCE):
        return None
    for kind, name in ((pb.FACT_KIND_MEDICATION, names.DRUG), (pb.FACT_KIND_PROBLEM, names.PROBLEM)):
        keys_ = frozenset().union(*(each.keys for each in inquiry.mentions if name in each.kinds))
        named_ = [each.entries[0] for each in groups if each.kind == kind and not each.keys.isdisjoint(keys_)]
        dated = [each for each in named_ if facts.starts_on(each)]
        if dated:
            return dated[0]
    return None


def _day(start: ClinicalFact | None, days: Sequence[date]) -> date | None:
    if start is not None:
        return facts.starts_on(start)
    return days[0] - timedelta(days=1) if days else None


def _named_by(mention: Mention, groups: Sequence[Group]) -> list[Group]:
    """The results and procedures that a mention names, all members of a panel."""
    if mention.is_drug:
        return []
    return [group for group in groups if group.kind in _DONE and not group.keys.isdisjoint(mention.keys)]


def _ends_before(group: Group, day: date) -> bool:
    return all((facts.starts_on(each) or date.max) <= day for each in group.entries)


def _missing(
    mention: Mention, start: ClinicalFact | None, days: Sequence[date], groups: Sequence[Group], sources: Sources
) -> Iterator[Ways]:
    """`No FBC was found in the record after 2019-02-19.`, and the newest values of before."""
    own, day = _named_by(mention, groups), _day(start, days)
    if not own or day is None or not all(_ends_before(group, day) for group in own):
        return
    newest = max((group.newest for group in own), key=facts.in_time)
    yield (_statement(in_the_singular(mention, sources.today), start or newest),)
    values = [group for group in own if group.kind == pb.FACT_KIND_RESULT and group.newest.HasField("quantity")]
    if values:
        yield (wording.newest_values([group.newest for group in _most_telling(mention, values)]),)
    else:
        yield from (wording.say(group.entries, sources) for group in own[:1])


def _most_telling(mention: Mention, values: Sequence[Group]) -> list[Group]:
    """In the order of the panel that is named."""
    panel = terminology_names.panel(mention.text)
    order = [keys.of_loinc(each.loinc) for each in panel.members] if panel else []
    ranks = [next((n for n, key in enumerate(order) if key in group.keys), len(order)) for group in values]
    return [group for _, group in sorted(zip(ranks, values, strict=True), key=lambda each: each[0])][:MOST_RESULTS]


def in_the_singular(mention: Mention, today: date) -> str:
    """As one is said to be missing: `LFT` of `LFTs`, `statin` of `statins`."""
    one = mention.text.removesuffix("s")
    if one == mention.text or one.endswith("s"):
        return mention.text
    alike = any(isinstance(node.value, frozenset) and node.value <= mention.keys for node in tokens(one, today))
    return one if alike else mention.text


def _statement(what: str, after: ClinicalFact) -> Statement:
    told = (Words("No "), Label(what), Words(" was found in the record after "), Day(after.fact_id))
    return Statement(wire.STATEMENT_KIND_ABSENCE, told)
