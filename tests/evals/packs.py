"""How much of the gold stands on the lines of a context pack, of the size that the issue of answers asks for."""

from collections.abc import Iterable, Mapping

from consult import Record
from consult.context.composing import Gathered, compose, evidence_question
from consult.context.ranking import by_word
from consult.context.tokens import estimate
from longitude.record.v1.context_pb2 import ContextLine
from testkit.questions import Question
from testkit.questions.question import FACT

from tests.evals.chain import library
from tests.evals.heard import Cited, Told

TOKENS = 1_500


def pack(question: str, record: Record) -> list[ContextLine]:
    """The lines that memory composes when the embedder is out of reach."""
    known = {fact.fact_id for fact in record.sources().current}
    facts = [each for each in record.timeline.facts if each.fact.fact_id in known]
    near = by_word(evidence_question(question, [each.fact for each in facts]), library())
    gathered = Gathered(facts, record.timeline.contradictions, record.timeline.identifiers, [], near)
    return list(compose(gathered, question, TOKENS, record.asked_at, estimate).lines)


def packed(question: Question, lines: Iterable[ContextLine], known: Mapping[str, Cited]) -> tuple[int, int]:
    """How many gold facts stand on the lines, by their words or by the very fact, and how many there are."""
    told = [Told(each.text, (known[each.fact_id],) if each.fact_id in known else ()) for each in lines]
    wanted = [gold for gold in question.gold if gold.what == FACT]
    return sum(any(each.says(gold) or each.cites(gold) for each in told) for gold in wanted), len(wanted)
