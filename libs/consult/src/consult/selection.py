"""What the editor chooses from: statements that rules made for an answer, each supported alone; and what it chose.

Guarantee: allergies to a drug of the question are shown whatever is chosen, and where nothing is chosen, what the rules
put in front stands.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date

from grounding import Sources, Verifier
from harness import SELECT, Shown
from longitude.reasoning.v1.episode_pb2 import Candidate, EpisodeInputs, Policy
from longitude.record.v1 import fact_pb2 as pb
from longitude.record.v1.context_pb2 import Context

from consult.answering import Answer, wording
from consult.answering.finding import Group
from consult.answering.wording import SOCIAL, Ways
from consult.drafting import Drafted
from consult.front import arranged, bundled, fullest
from consult.record import Record

# Statements that are offered beside those that are shown in any case: one letter each.
MOST = 24
_TREATED = frozenset({pb.FACT_KIND_ALLERGY, pb.FACT_KIND_MEDICATION, pb.FACT_KIND_PROBLEM})
# Tokens of question and candidates that the editor reads.
_TOKENS = 1000


@dataclass(frozen=True, slots=True)
class Choice:
    """A statement that may be shown, said in the fullest way that is supported. `front`: by rules it is."""

    drafted: Drafted
    mandatory: bool
    front: bool = False


@dataclass(frozen=True, slots=True)
class Selection:
    """What is offered, in the order of the rules, nothing twice; what is shown in any case first."""

    answered: Answer
    rules: Sequence[Drafted]
    offered: tuple[Choice, ...]

    @classmethod
    def of(
        cls,
        answered: Answer,
        rules: Sequence[Drafted],
        front: Sequence[Drafted],
        sources: Sources,
        verifier: Verifier,
    ) -> "Selection":
        """`rules`: what they said beside the answer; `front`: what stands in front by rules."""
        in_front = {fact_id for each in front for fact_id in each.rendered.statement.fact_ids}
        there: dict[str, Choice] = {}
        for ways in _ways(answered, sources):
            drafted, supported = fullest(ways, sources, verifier) or (None, False)
            if drafted and supported:
                own = frozenset(drafted.rendered.statement.fact_ids)
                is_shown = bool(own) and own <= in_front
                there.setdefault(drafted.rendered.text, Choice(drafted, ways in answered.concerning, is_shown))
            if sum(not each.mandatory for each in there.values()) >= MOST:
                break
        return cls(answered, rules, tuple(sorted(there.values(), key=lambda each: not each.mandatory)))

    def inputs(self, question: str, record: Record) -> EpisodeInputs:
        """What the episode of the editor starts from: the candidates, and the facts that they rest on."""
        candidates = [_candidate(each) for each in self.offered]
        used = {fact_id for each in candidates for fact_id in each.fact_ids}
        context = Context(facts=[each for each in record.timeline.facts if each.fact.fact_id in used])
        policy = Policy(context_tokens=_TOKENS)
        return EpisodeInputs(question=question, context=context, flow=SELECT.name, policy=policy, candidates=candidates)

    def edited(self, shown: Sequence[Shown], sources: Sources, verifier: Verifier) -> list[Drafted]:
        """The answer with what the editor chose in front, in its order, and everything else behind it."""
        chosen = [each.drafted for each in self.offered if each.mandatory]
        chosen += [replace(self.offered[each.number - 1].drafted, step=each.step) for each in shown]
        told = bundled(((each, True) for each in chosen), sources, verifier)
        texts = {each.rendered.text for each in chosen}
        behind = [each.drafted for each in self.offered if each.drafted.rendered.text not in texts]
        return arranged(self.answered, [*told, *behind], self.rules, sources)


def _ways(answered: Answer, sources: Sources) -> Iterator[Ways]:
    """Those that the rules composed, then of everything else that finding brought, the most concerning first."""
    yield from answered.concerning
    yield from answered.told
    told = {fact_id for ways in answered.told for fact_id in ways[0].fact_ids}
    # What concerns nobody's words may still matter to who is treated: what is taken, and what is wrong.
    for group in sorted(answered.groups, key=lambda each: (-each.worth, not _matters(each, sources.today))):
        if group.newest.fact_id not in told and (ways := wording.say(group.entries, sources, whole=group.named)):
            yield ways


def _matters(group: Group, today: date) -> bool:
    """Whether it is an allergy, or a problem or drug that goes on."""
    return group.kind in _TREATED and SOCIAL not in group.keys and group.goes_on(today)


def _candidate(choice: Choice) -> Candidate:
    rendered = choice.drafted.rendered
    return Candidate(
        text=rendered.text, fact_ids=rendered.statement.fact_ids, mandatory=choice.mandatory, front=choice.front
    )
