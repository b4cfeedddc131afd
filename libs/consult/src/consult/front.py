"""What stands in front of an assessment: what answers the question, said once, bundled, and no more than is read.

Guarantee: of each thing the fullest way is said that the record carries; what is bundled was supported alone and is
verified again as a whole.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

from grounding import Sources, Statement, Verdict, Verifier, render
from grounding import keys as keys_
from grounding.kinds import absence
from grounding.statements import Words
from knowledge.terms import Urgency
from longitude.reasoning.v1 import assessment_pb2 as wire

from consult.answering import Answer
from consult.drafting import UNSAYABLE, Drafted, draft

# Who says what answers the question.
ANSWER = "answer"
# Statements in front, characters of all of them, and of one bundle with how many things it tells.
MOST, CHARACTERS = 6, 640
_OF_BUNDLE, _IN_BUNDLE = 260, 3
# Alerts before the answer that have a place whatever else is told, passages behind it.
_ALERTS, _PASSAGES = 2, 1
# The kind of source that stands beside no answer by itself.
_OPINION = "expert"
# Concepts that a passage shares with the answer: the drug, and one more.
_SHARED = 2
_BUNDLED = frozenset(
    {
        wire.STATEMENT_KIND_MEDICATION,
        wire.STATEMENT_KIND_PROBLEM,
        wire.STATEMENT_KIND_EVENT,
        wire.STATEMENT_KIND_LATEST,
        wire.STATEMENT_KIND_TREND,
    }
)


@dataclass(slots=True)
class _Bundle:
    """Statements of one kind that are told together."""

    drafted: list[Drafted]

    @property
    def length(self) -> int:
        return sum(map(self.more, self.drafted[1:]), len(self.drafted[0].rendered.text))

    def more(self, other: Drafted) -> int:
        """How much longer it grows by another: what is missing is listed, and anything else told whole."""
        listed = absence.missing(other.rendered.statement)
        return len(listed) + len(", ") if listed else len(other.rendered.text)

    def takes(self, other: Drafted) -> bool:
        own, taken = self.drafted[0].rendered.statement, other.rendered.statement
        fits = len(self.drafted) < _IN_BUNDLE and self.length + self.more(other) <= _OF_BUNDLE
        if taken.kind == wire.STATEMENT_KIND_ABSENCE:
            return fits and bool(absence.missing(own) and absence.missing(taken))
        return own.kind == taken.kind and taken.kind in _BUNDLED and fits


def put_in_front(answered: Answer, rules: Sequence[Drafted], sources: Sources, verifier: Verifier) -> list[Drafted]:
    """What answers the question by rules, in front as far as there is room."""
    ways = (fullest(each, sources, verifier) for each in answered.told)
    return arranged(answered, bundled(filter(None, ways), sources, verifier), rules, sources)


def arranged(answered: Answer, answers: Sequence[Drafted], rules: Sequence[Drafted], sources: Sources) -> list[Drafted]:
    """Alerts about the drugs that the question names, what answers it, a passage beside it; then everything else."""
    touching: dict[tuple[str, str], Drafted] = {}
    for each in rules:
        if _is_alert(each, answered.considered) and _is_pressing(each):
            touching.setdefault((each.row or each.author_name, each.rendered.statement.fact_ids[-1]), each)
    passages = [each for each in rules if _is_evidence(each) and _is_about(each, answered, sources)][:_PASSAGES]
    # An alert says itself why.
    told = [each for each in answers if each.front and not (touching and _is_evidence(each))]
    alerts = list(touching.values())[: max(_ALERTS, MOST - len(told) - len(passages))]
    room = MOST - len(alerts) - len(passages)
    front = [*alerts, *told[:room], *passages]
    chosen = {id(each) for each in front}
    behind = [each for each in (*answers, *rules) if id(each) not in chosen]
    return [*(replace(each, front=True) for each in front), *(replace(each, front=False) for each in behind)]


def _is_alert(drafted: Drafted, considered: frozenset[str]) -> bool:
    statement = drafted.rendered.statement
    touches = bool(drafted.asked) or not considered.isdisjoint(statement.fact_ids)
    return statement.kind == wire.STATEMENT_KIND_ALERT and touches


def _is_pressing(drafted: Drafted) -> bool:
    """Whether an alert is worth a place in front: of rows that tell what may wait, none is."""
    return drafted.urgency is not Urgency.ROUTINE


def _is_evidence(drafted: Drafted) -> bool:
    return drafted.rendered.statement.kind == wire.STATEMENT_KIND_EVIDENCE


def _is_about(drafted: Drafted, answered: Answer, sources: Sources) -> bool:
    """Whether a guideline, label or study is about a drug of the question and something more of the answer."""
    cited = [sources.passage(each) for each in drafted.rendered.statement.passage_ids]
    if any(each.source_kind == _OPINION for each in cited):
        return False
    keys = {keys_.of_concept(code) for each in cited for code in each.codes}
    return not answered.drugs.isdisjoint(keys) and len(keys & answered.about) >= _SHARED


def bundled(answers: Iterable[tuple[Drafted, bool]], sources: Sources, verifier: Verifier) -> list[Drafted]:
    """The statements in front, and behind them those that are withheld or too many, in reading order; of each, whether
    it is supported.
    """
    bundles: list[_Bundle] = []
    behind: list[Drafted] = []
    told_of: set[str] = set()
    for drafted, supported in answers:
        statement = drafted.rendered.statement
        own = frozenset(statement.fact_ids)
        # What is missing only cites up to when it was looked for.
        tells = own if statement.kind != wire.STATEMENT_KIND_ABSENCE else frozenset[str]()
        if supported and statement.kind in _BUNDLED and own <= told_of:
            behind.append(drafted)
            continue
        taking = next((each for each in bundles if each.takes(drafted)), None)
        longer = taking.more(drafted) if taking else len(drafted.rendered.text)
        # What a passage says stands beside the answer, as those that memory found do.
        told = sum(each.length for each in bundles if not _is_evidence(each.drafted[0]))
        room = _is_evidence(drafted) or told + longer <= CHARACTERS
        if supported and room and taking:
            taking.drafted.append(drafted)
            told_of |= tells
        elif supported and (room or not bundles) and len(bundles) < MOST:
            bundles.append(_Bundle([drafted]))
            told_of |= tells
        else:
            behind.append(drafted)
    front = [one for bundle in bundles for one in _bundled(bundle.drafted, sources, verifier)][:MOST]
    return [*(replace(each, front=True) for each in front), *behind]


def fullest(ways: Sequence[Statement], sources: Sources, verifier: Verifier) -> tuple[Drafted, bool] | None:
    """The fullest way that is supported, else the fullest that can be drafted; whether it is supported."""
    drafted = [each for way in ways if (each := draft(way, sources, wire.AUTHOR_RULE, ANSWER))]
    supported = next((each for each in drafted if _holds(each, verifier)), None)
    if supported:
        return supported, True
    return (drafted[0], False) if drafted else None


def _holds(drafted: Drafted, verifier: Verifier) -> bool:
    rendered = drafted.rendered
    return verifier.verify(rendered.text, rendered.citations).verdict is Verdict.SUPPORTED


def _bundled(drafted: Sequence[Drafted], sources: Sources, verifier: Verifier) -> Iterator[Drafted]:
    """As one statement, where that is supported too."""
    if len(drafted) > 1:
        try:
            whole = replace(drafted[0], rendered=render(_together(drafted), sources))
        except UNSAYABLE:
            whole = None
        if whole and _holds(whole, verifier):
            yield whole
            return
    yield from drafted


def _together(drafted: Sequence[Drafted]) -> Statement:
    statements = [each.rendered.statement for each in drafted]
    listed = absence.together(statements)
    if listed:
        return listed
    first, *others = statements
    parts = (*first.parts, *(part for each in others for part in (Words("; "), *each.parts)))
    return Statement(first.kind, parts, tuple(fact_id for each in statements for fact_id in each.also))
