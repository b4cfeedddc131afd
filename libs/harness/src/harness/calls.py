"""Calls of tools: what is sent, and how the answer joins the sources."""

import json

from longitude.reasoning.v1.episode_pb2 import Calculation, ToolCall
from longitude.record.v1.context_pb2 import Context
from longitude.record.v1.fact_pb2 import ClinicalFact

from harness.actions import Call
from harness.episode import digest
from harness.protocol import CallTool, Failed, ToolResult
from harness.session import Session
from harness.sources import Sources, SourcesRefusedError
from harness.tools import calculate

LONGEST_RESULT = 8  # lines of one tool's answer that agents are shown
LONGEST_LINE = 400  # characters


def call_of(action: Call, role: str, sources: Sources) -> CallTool:
    """The call about the fact that the action names."""
    fact = sources.facts.get(action.fact_id, ClinicalFact())
    arguments = {
        "query": fact.code.display or fact.text,
        "fact_id": fact.fact_id,
        "system": fact.code.system,
        "code": fact.code.code,
    }
    calculation = sources.computable(action.fact_id, action.purpose) if action.tool == calculate.NAME else None
    if calculation is not None:
        arguments |= {"calculation": calculation.name, "inputs": " ".join(calculation.fact_ids)}
    return CallTool(role, action.tool, arguments, action.purpose)


def take_result(action: Call, call: CallTool, answer: ToolResult | Failed, session: Session) -> str:
    """Records the call; what it found becomes sources. Returns what the agent reads of it."""
    step = ToolCall(role=call.role, tool=call.tool, purpose=call.purpose, would_change=action.would_change)
    step.arguments = json.dumps(dict(call.arguments), sort_keys=True, ensure_ascii=False)
    if isinstance(answer, Failed):
        step.error = answer.reason
        session.record(step)
        session.degrade(call.role, f"{call.tool} {answer.reason}")
        return "No answer."
    step.result.CopyFrom(answer.context)
    step.calculations.extend(answer.calculations)
    step.result_sha256 = digest(ToolCall(result=answer.context, calculations=answer.calculations))
    before = len(session.sources.lines)
    try:
        session.sources.add_context(_bounded(answer.context))
        _add_value(action, answer.calculations, session.sources)
    except SourcesRefusedError as error:
        step.error = str(error)
    session.record(step)
    return "Found:" if len(session.sources.lines) > before else "Nothing new."


def _add_value(action: Call, computed: tuple[Calculation, ...], sources: Sources) -> None:
    """The value that was asked for, and no other. Of the answer only the words count: the ids are the inputs' own."""
    asked = sources.computable(action.fact_id, action.purpose) if action.tool == calculate.NAME else None
    if [each.name for each in computed] != ([asked.name] if asked else []):
        raise SourcesRefusedError("a tool computed what it was not asked for")
    if asked is not None:
        value = Calculation(text=computed[0].text[:LONGEST_LINE])
        value.MergeFrom(asked)
        sources.add_calculation(value)


def _bounded(context: Context) -> Context:
    """At most so many lines of at most so many characters: a tool cannot fill the model's context."""
    bounded = Context(facts=context.facts, passages=context.passages)
    for line in context.lines[:LONGEST_RESULT]:
        bounded.lines.add(text=line.text[:LONGEST_LINE], fact_id=line.fact_id, passage_id=line.passage_id)
    return bounded
