"""An action as the record holds it: typed, with the ids of everything it names."""

from collections.abc import Callable, Mapping
from typing import Any

from grounding.kinds import KINDS
from longitude.reasoning.v1 import episode_pb2
from longitude.reasoning.v1.episode_pb2 import Action as Typed
from longitude.record.v1.fact_pb2 import CodedConcept

from harness.actions import (
    Action,
    AskPhysician,
    Call,
    Doubt,
    Finish,
    HandOver,
    ProposalKind,
    Propose,
    QuestionPurpose,
    Say,
    Show,
    Think,
    Write,
)


def to_proto(action: Action) -> Typed:
    """The one way from an action to the record."""
    return _TYPED[type(action)](action)


_PROPOSED: Mapping[ProposalKind, "episode_pb2.ProposalKind.ValueType"] = {
    ProposalKind.REVIEW_MEDICATION: episode_pb2.PROPOSAL_KIND_REVIEW_MEDICATION,
    ProposalKind.REPEAT_RESULT: episode_pb2.PROPOSAL_KIND_REPEAT_RESULT,
    ProposalKind.CLARIFY_ALLERGY: episode_pb2.PROPOSAL_KIND_CLARIFY_ALLERGY,
    ProposalKind.REVIEW_PROBLEM: episode_pb2.PROPOSAL_KIND_REVIEW_PROBLEM,
}
_ASKED: Mapping[QuestionPurpose, "episode_pb2.QuestionPurpose.ValueType"] = {
    QuestionPurpose.CONFIRMATION: episode_pb2.QUESTION_PURPOSE_CONFIRMATION,
    QuestionPurpose.REACTION: episode_pb2.QUESTION_PURPOSE_REACTION,
    QuestionPurpose.ADHERENCE: episode_pb2.QUESTION_PURPOSE_ADHERENCE,
    QuestionPurpose.SOURCE: episode_pb2.QUESTION_PURPOSE_SOURCE,
}


def _say(action: Say) -> Typed:
    choice = action.choice
    made = Typed.Say(
        kind=KINDS[choice.kind].proto,
        fact_ids=choice.fact_ids,
        passage_id=choice.passage_id,
        calculation=choice.calculation,
    )
    if choice.concept is not None:
        made.code.CopyFrom(CodedConcept(system=choice.concept.system, code=choice.concept.code))
    return Typed(say=made)


def _propose(action: Propose) -> Typed:
    kind = _PROPOSED[action.kind]
    return Typed(propose=Typed.Propose(kind=kind, fact_ids=action.fact_ids, passage_ids=action.passage_ids))


def _call(action: Call) -> Typed:
    return Typed(
        call=Typed.Call(
            tool=action.tool, fact_id=action.fact_id, purpose=action.purpose, would_change=action.would_change
        )
    )


def _ask(action: AskPhysician) -> Typed:
    return Typed(ask_physician=Typed.AskPhysician(fact_id=action.fact_id, purpose=_ASKED[action.purpose]))


_TYPED: Mapping[type[Action], Callable[[Any], Typed]] = {
    Say: _say,
    Propose: _propose,
    Call: _call,
    AskPhysician: _ask,
    HandOver: lambda action: Typed(hand_over=Typed.HandOver(role=action.role)),
    Doubt: lambda action: Typed(doubt=Typed.Doubt(number=action.number)),
    Write: lambda action: Typed(write=Typed.Write(tokens=action.tokens, fact_ids=action.fact_ids)),
    Show: lambda action: Typed(show=Typed.Show(number=action.number)),
    Think: lambda action: Typed(think=Typed.Think(tokens=action.tokens)),
    Finish: lambda _: Typed(finish=Typed.Finish()),
}
