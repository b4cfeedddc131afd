"""Calls of tools: what is sent, and how the answer joins the sources."""

import json

from longitude.memory.v1.memory_service_pb2 import GetContextResponse
from longitude.reasoning.v1.episode_pb2 import ToolCall

from harness.actions import Look
from harness.episode import digest
from harness.protocol import CallTool, Failed, ToolResult
from harness.session import Session
from harness.sources import Sources, SourcesRefusedError

LONGEST_RESULT = 8  # lines of one tool's answer that agents are shown
LONGEST_LINE = 400  # characters


def call_of(action: Look, role: str, sources: Sources) -> CallTool:
    """The call about the fact that the action names."""
    fact = sources.facts[action.fact_id]
    arguments = {
        "query": fact.code.display or fact.text,
        "fact_id": fact.fact_id,
        "system": fact.code.system,
        "code": fact.code.code,
    }
    return CallTool(role, action.tool, arguments, action.purpose)


def take_result(call: CallTool, answer: ToolResult | Failed, session: Session) -> str:
    """Records the call; what it found becomes sources. Returns what the agent reads of it."""
    step = ToolCall(role=call.role, tool=call.tool, purpose=call.purpose)
    step.arguments = json.dumps(dict(call.arguments), sort_keys=True, ensure_ascii=False)
    if isinstance(answer, Failed):
        step.error = answer.reason
        session.record(step)
        session.degrade(call.role, f"{call.tool} {answer.reason}")
        return "No answer."
    step.result.CopyFrom(answer.context)
    step.result_sha256 = digest(answer.context)
    before = len(session.sources.lines)
    try:
        session.sources.add_context(_bounded(answer.context))
    except SourcesRefusedError as error:
        step.error = str(error)
    session.record(step)
    return "Found:" if len(session.sources.lines) > before else "Nothing new."


def _bounded(context: GetContextResponse) -> GetContextResponse:
    """At most so many lines of at most so many characters: a tool cannot fill the model's context."""
    bounded = GetContextResponse(facts=context.facts, passages=context.passages)
    for line in context.lines[:LONGEST_RESULT]:
        bounded.lines.add(text=line.text[:LONGEST_LINE], fact_id=line.fact_id, passage_id=line.passage_id)
    return bounded
