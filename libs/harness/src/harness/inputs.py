"""Checks what an episode starts from and fills in the defaults of its policy."""

from datetime import UTC

from longitude.reasoning.v1.episode_pb2 import EpisodeInputs, Policy

from harness.flows import FLOWS, FOLLOW_UP, SELECT, Flow
from harness.protocol import InputsRefusedError
from harness.sources import Sources, SourcesRefusedError

LONGEST_QUESTION = 2000
LONGEST_PROSE = 60  # tokens: a sentence
LONGEST_THOUGHT = 128
DEFAULT = Policy(temperature=0.0, top_p=1.0, window=2048, context_tokens=1200, seconds=300)


def flow_of(inputs: EpisodeInputs) -> Flow:
    name = inputs.flow or FOLLOW_UP.name
    if name not in FLOWS:
        raise InputsRefusedError(f"unknown flow {name!r}: one of {', '.join(sorted(FLOWS))}")
    return FLOWS[name]


def policy_of(inputs: EpisodeInputs) -> Policy:
    """The policy with defaults where it says nothing; free text and scratch are never a default."""
    asked, default = inputs.policy, DEFAULT
    return Policy(
        temperature=asked.temperature,
        top_p=asked.top_p or default.top_p,
        window=asked.window or default.window,
        context_tokens=asked.context_tokens or default.context_tokens,
        seconds=asked.seconds or default.seconds,
        prose_tokens=min(asked.prose_tokens, LONGEST_PROSE),
        think_tokens=min(asked.think_tokens, LONGEST_THOUGHT),
    )


def check_question(question: str) -> None:
    if not question.strip():
        raise InputsRefusedError("the question is empty")
    if len(question) > LONGEST_QUESTION:
        raise InputsRefusedError(f"the question has more than {LONGEST_QUESTION} characters")


def sources_of(inputs: EpisodeInputs, flow: Flow) -> Sources:
    """The sources that the inputs bring; a first visit has nothing to compare with."""
    since = inputs.since.ToDatetime(tzinfo=UTC) if inputs.HasField("since") and flow.comparing else None
    sources = Sources(since)
    try:
        sources.know(inputs.context)
        if flow is SELECT:
            sources.offer(inputs.candidates)
        else:
            sources.add_candidates(inputs)
            sources.add_context(inputs.context)
    except SourcesRefusedError as error:
        raise InputsRefusedError(str(error)) from error
    return sources
