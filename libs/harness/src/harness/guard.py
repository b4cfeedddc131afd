"""Whether an action may be done here and now. The grammar offers only what passes; execution asks again.

A decoded text is parsed strictly (no spelling but the canonical one) and resolved against role, state and sources into
a typed action. Everything that does not resolve raises ActionRefusedError; nothing is corrected or guessed.
"""

import re
from collections.abc import Callable, Mapping

from grounding.kind import SORTS, NotSayableError
from grounding.kinds import KINDS
from longitude.record.v1.fact_pb2 import FactKind

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
from harness.necessity import changes, is_answered
from harness.questions import QUESTIONS
from harness.tools import TOOLS, calculate
from harness.view import View
from harness.words import Act

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
    if word not in view.role.words.get(view.state, frozenset()):
        raise ActionRefusedError("not an action of this role in this state")
    if key(text) in view.done:
        raise ActionRefusedError("done already")
    return _say(word, arguments, view) if word in KINDS else _ACTS[word](arguments, view)


def key(text: str) -> str:
    """What makes two actions the same: the evidence of a proposal and the purpose of a reading call do not."""
    words = text.split(" ")
    if words[0] == Act.PROPOSE or (words[0] == Act.LOOK and words[1:2] != [calculate.NAME]):
        return " ".join(words[:3])
    return text


def _one(arguments: list[str]) -> str:
    if len(arguments) != 1:
        raise ActionRefusedError("wrong number of words")
    return arguments[0]


def _say(word: str, arguments: list[str], view: View) -> Action:
    kind = KINDS[word]
    source = named.source(_one(arguments), SORTS[kind.handle], view)
    try:
        return Say(kind.choose(source, view.sources))
    except NotSayableError as error:
        raise ActionRefusedError(str(error)) from error


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
    if not would_change or not TOOLS[name].brings(name, fact_id, purpose, view.sources):
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


def _show(arguments: list[str], view: View) -> Action:
    number = view.sources.candidate(_one(arguments))
    if number is None:
        raise ActionRefusedError("no such candidate")
    return actions.Show(number)


def _think(arguments: list[str], view: View) -> Action:
    if arguments or not view.thought:
        raise ActionRefusedError("nothing to think about, or not allowed")
    return actions.Think(view.thought)


def _finish(arguments: list[str], view: View) -> Action:  # noqa: ARG001 - every resolver has this shape
    if arguments:
        raise ActionRefusedError("wrong number of words")
    return actions.Finish()


_ACTS: Mapping[str, Callable[[list[str], View], Action]] = {
    Act.PROPOSE: _propose,
    Act.LOOK: _look,
    Act.ASK_PHYSICIAN: _ask_physician,
    Act.WRITE: _write,
    Act.ASK: _ask,
    Act.DOUBT: _doubt,
    Act.SHOW: _show,
    Act.THINK: _think,
    Act.FINISH: _finish,
}
