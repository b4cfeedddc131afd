"""Whether an action may be done here and now. The grammar offers only what passes; execution asks again.

A decoded text is parsed strictly (no spelling but the canonical one) and resolved against role, state and sources into
a typed action. Everything that does not resolve raises ActionRefusedError; nothing is corrected or guessed.
"""

import re
from collections.abc import Callable, Mapping

from longitude.reasoning.v1 import episode_pb2
from longitude.record.v1.fact_pb2 import CodedConcept, FactKind

from harness import actions, named
from harness.actions import (
    Action,
    ActionRefusedError,
    AskPhysician,
    Call,
    HandOver,
    ProposalKind,
    Propose,
    QuestionPurpose,
    Say,
    Write,
)
from harness.forms import Form
from harness.necessity import brings_something, changes, is_answered
from harness.questions import QUESTIONS
from harness.sources import code_of, numeric
from harness.tools import CALCULATE, TOOLS
from harness.view import View

_COMMAND = re.compile(r"[a-z_]+(?: [A-Za-z0-9_]+)*", re.ASCII)
ABOUT = {
    ProposalKind.REVIEW_MEDICATION: FactKind.FACT_KIND_MEDICATION,
    ProposalKind.REPEAT_RESULT: FactKind.FACT_KIND_RESULT,
    ProposalKind.CLARIFY_ALLERGY: FactKind.FACT_KIND_ALLERGY,
    ProposalKind.REVIEW_PROBLEM: FactKind.FACT_KIND_PROBLEM,
}
WITH_EVIDENCE = frozenset({ProposalKind.REVIEW_MEDICATION, ProposalKind.REVIEW_PROBLEM})


def decide(text: str, view: View) -> Action:
    """The action that a decoded text stands for; raises ActionRefusedError."""
    if not _COMMAND.fullmatch(text):
        raise ActionRefusedError("not an action")
    word, *arguments = text.split(" ")
    if word not in _RESOLVE or Form(word) not in view.role.forms.get(view.state, frozenset()):
        raise ActionRefusedError("not an action of this role in this state")
    if key(text) in view.done:
        raise ActionRefusedError("done already")
    return _RESOLVE[Form(word)](arguments, view)


def key(text: str) -> str:
    """What makes two actions the same: the evidence of a proposal and the purpose of a reading call do not."""
    words = text.split(" ")
    if words[0] == Form.PROPOSE or (words[0] == Form.LOOK and words[1:2] != [CALCULATE]):
        return " ".join(words[:3])
    return text


def _one(arguments: list[str]) -> str:
    if len(arguments) != 1:
        raise ActionRefusedError("wrong number of words")
    return arguments[0]


def _latest(arguments: list[str], view: View) -> Action:
    return Say(actions.Latest(named.newest(_one(arguments), view)[0].fact_id))


def _trend(arguments: list[str], view: View) -> Action:
    fact, results = named.newest(_one(arguments), view)
    values = numeric(results)
    if len(values) < 2 or values[-1].fact_id != fact.fact_id:
        raise ActionRefusedError("fewer than two values")
    return Say(actions.Trend(code_of(fact), tuple(value.fact_id for value in values)))


def _change(arguments: list[str], view: View) -> Action:
    handle = _one(arguments)
    fact = named.fact(handle, view)
    if not view.sources.is_new(fact):
        raise ActionRefusedError("not new")
    if fact.kind != FactKind.FACT_KIND_RESULT:
        named.fact(handle, view, *ABOUT.values())
        return Say(actions.Change(code_of(fact), (fact.fact_id,)))
    _, results = named.newest(handle, view)
    before = [result for result in results if not view.sources.is_new(result)]
    if not before:
        raise ActionRefusedError("nothing to compare with")
    return Say(actions.Change(code_of(fact), (before[-1].fact_id, fact.fact_id)))


def _of_kind(
    kind: "FactKind.ValueType", statement: Callable[[str], actions.Statement]
) -> Callable[[list[str], View], Action]:
    def resolve(arguments: list[str], view: View) -> Action:
        return Say(statement(named.fact(_one(arguments), view, kind).fact_id))

    return resolve


def _evidence(arguments: list[str], view: View) -> Action:
    return Say(actions.Evidence(named.passage(_one(arguments), view).passage_id))


def _absence(arguments: list[str], view: View) -> Action:
    found = view.sources.get(_one(arguments), view.shown)
    if not isinstance(found, CodedConcept):
        raise ActionRefusedError("no such absence")
    return Say(actions.Absence(actions.Code(found.system, found.code)))


def _calculation(arguments: list[str], view: View) -> Action:
    found = view.sources.get(_one(arguments), view.shown)
    if not isinstance(found, episode_pb2.Calculation):
        raise ActionRefusedError("no such calculation")
    return Say(actions.Calculation(found.name, tuple(found.fact_ids)))


def _propose(arguments: list[str], view: View) -> Action:
    if len(arguments) not in (2, 3) or arguments[0] not in set(ProposalKind):
        raise ActionRefusedError("not a proposal")
    kind = ProposalKind(arguments[0])
    fact = named.fact(arguments[1], view, ABOUT[kind])
    if kind is ProposalKind.REPEAT_RESULT:
        named.newest(arguments[1], view)
    if arguments[2:] and kind not in WITH_EVIDENCE:
        raise ActionRefusedError("a proposal of this kind has no evidence")
    passages = tuple(named.passage(handle, view).passage_id for handle in arguments[2:])
    return Propose(kind, (fact.fact_id,), passages)


def _look(arguments: list[str], view: View) -> Action:
    if len(arguments) not in (3, 4) or arguments[-2] != "for":
        raise ActionRefusedError("not a call")
    name, purpose = arguments[0], arguments[-1]
    if name not in TOOLS or name not in view.tools & view.role.tools or not view.calls_left:
        raise ActionRefusedError("no such tool here")
    if purpose not in TOOLS[name].purposes:
        raise ActionRefusedError("not a purpose of this tool")
    fact_id = _subject(arguments[1:-2], TOOLS[name].purposes[purpose].kinds, view)
    would_change = changes(TOOLS[name].purposes[purpose], view.role, view.state)
    if not would_change or not brings_something(name, fact_id, purpose, view.sources):
        raise ActionRefusedError("a call that could change nothing")
    return Call(name, fact_id, purpose, would_change)


def _subject(handles: list[str], kinds: frozenset["FactKind.ValueType"], view: View) -> str:
    """The id of the fact that a call is about; empty for a call about the whole record."""
    if bool(handles) != bool(kinds):
        raise ActionRefusedError("not a call")
    return named.fact(handles[0], view, *kinds).fact_id if handles else ""


def _ask_physician(arguments: list[str], view: View) -> Action:
    if len(arguments) != 3 or arguments[1] != "for" or arguments[2] not in set(QuestionPurpose):
        raise ActionRefusedError("not a question")
    purpose = QuestionPurpose(arguments[2])
    fact = named.fact(arguments[0], view, *QUESTIONS[purpose])
    if is_answered(purpose, fact, view.sources):
        raise ActionRefusedError("the record answers it, or it is asked already")
    return AskPhysician(fact.fact_id, purpose)


def _write(arguments: list[str], view: View) -> Action:
    if arguments or not view.prose or not view.grounds:
        raise ActionRefusedError("nothing to write, or not allowed")
    return Write(view.prose, view.grounds)


def _ask(arguments: list[str], view: View) -> Action:
    if _one(arguments) not in view.team:
        raise ActionRefusedError("no such role here")
    return HandOver(arguments[0])


def _doubt(arguments: list[str], view: View) -> Action:
    if _one(arguments) not in {f"S{number}" for number in range(1, view.drafted + 1)}:
        raise ActionRefusedError("no such statement")
    return actions.Doubt(int(arguments[0][1:]))


def _finish(arguments: list[str], view: View) -> Action:  # noqa: ARG001 - every resolver has this shape
    if arguments:
        raise ActionRefusedError("wrong number of words")
    return actions.Finish()


_RESOLVE: Mapping[str, Callable[[list[str], View], Action]] = {
    Form.LATEST: _latest,
    Form.TREND: _trend,
    Form.CHANGE: _change,
    Form.MEDICATION: _of_kind(FactKind.FACT_KIND_MEDICATION, actions.Medication),
    Form.ALLERGY: _of_kind(FactKind.FACT_KIND_ALLERGY, actions.Allergy),
    Form.PROBLEM: _of_kind(FactKind.FACT_KIND_PROBLEM, actions.Problem),
    Form.IMAGING: _of_kind(FactKind.FACT_KIND_IMAGING_FINDING, actions.Imaging),
    Form.EVIDENCE: _evidence,
    Form.ABSENCE: _absence,
    Form.CALCULATION: _calculation,
    Form.PROPOSE: _propose,
    Form.LOOK: _look,
    Form.ASK_PHYSICIAN: _ask_physician,
    Form.WRITE: _write,
    Form.ASK: _ask,
    Form.DOUBT: _doubt,
    Form.FINISH: _finish,
}
