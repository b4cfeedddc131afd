"""From a question to a checked assessment: record, rules, episode, gate. Nothing is stored here."""

import asyncio
from collections.abc import Iterable
from dataclasses import dataclass

from grounding import Sources, Statement, Verifier
from harness import Consultation, ModelPin
from harness.episode import episode_digest, serialise
from harness.protocol import InputsRefusedError, Outcome, Proposed, Said
from longitude.reasoning.v1 import assessment_pb2 as wire
from longitude.reasoning.v1.episode_pb2 import Episode
from longitude.reasoning.v1.reasoning_service_pb2 import AskRequest, Progress
from servicekit.errors import InvalidInputError, UnavailableError

from reasoning.domain import rules
from reasoning.domain.assessment import Identity
from reasoning.domain.drafting import UNSAYABLE, Drafted, assess, draft, merge
from reasoning.domain.inputs import Prepared, prepare
from reasoning.domain.objections import objection, objection_to_text
from reasoning.domain.record import Record, SignedAssessment
from reasoning.domain.rules.followup import since_last_signed
from reasoning.domain.wording import word, word_proposal, word_written
from reasoning.driver import Driver, OnProgress, now
from reasoning.parts import Parts
from reasoning.runs import Report
from reasoning.tools import Tools


@dataclass(frozen=True, slots=True)
class Made:
    """An assessment with the episode it came from."""

    assessment: wire.Assessment
    episode: Episode

    @property
    def object(self) -> bytes:
        return serialise(self.episode)

    @property
    def object_key(self) -> str:
        """Addressed by content: another run of the same request does not overwrite it."""
        return f"{self.episode.episode_id}/{episode_digest(self.episode)}"


async def consult(request: AskRequest, identity: Identity, parts: Parts, report: Report) -> Made:
    """UnavailableError when Triton or memory does not answer, or not in time: nothing is half released."""
    seconds = parts.limits.seconds
    try:
        async with asyncio.timeout(seconds):
            return await _consult(request, identity, parts, report)
    except TimeoutError as error:
        raise UnavailableError(f"the assessment took longer than {seconds:g} seconds; ask again") from error


async def _consult(request: AskRequest, identity: Identity, parts: Parts, report: Report) -> Made:
    pin = await parts.reasoner.pin()
    report(Progress(role="memory", action="read"))
    record = await read_record(request, parts)
    sources = record.sources()
    said = speak(record, sources, report, request.question)
    checked = assess(said, Verifier(sources), identity.assessment_id)
    limits = parts.limits
    prepared = prepare(request.question, record, sources, checked, limits.context_tokens, limits.prose_tokens)
    run = _begin(identity, prepared, pin, parts)
    driver = Driver(parts.reasoner, Tools(parts.memory, request.patient, record), pin, _reporting(report))
    outcome = await driver.drive(run)
    report(Progress(role="gate", action="verify"))
    sources = record.sources(tuple(outcome.facts.values()), tuple(outcome.passages.values()))
    drafted = merge(said, _of_model(outcome, sources, prepared))
    statements = assess(drafted, Verifier(sources), identity.assessment_id)
    degraded = (*_missing_evidence(record), *outcome.degraded)
    return _conclude(request, identity, statements, degraded, run, pin)


async def read_record(request: AskRequest, parts: Parts) -> Record:
    """Timeline, context and evidence from memory; the last signed assessment from our own store."""
    asked_at = now()
    timeline = await parts.memory.timeline(request.patient)
    context, passages, signed = await asyncio.gather(
        parts.memory.context(request.patient, request.question, parts.limits.context_tokens),
        parts.memory.passages(rules.CITED_PASSAGES),
        parts.store.last_signed(timeline.identifiers),
    )
    last = next((SignedAssessment(each[0], each[1]) for each in signed if _was_signed(each[2].decision)), None)
    return Record(timeline, context, passages, asked_at, last)


def speak(record: Record, sources: Sources, report: Report, question: str = "") -> list[Drafted]:
    """What the rules say."""
    concerning = [passage.passage_id for passage in record.context.passages]
    spoken = [(each.rule, each.statement) for each in rules.speak(sources, question, concerning)]
    if record.signed is not None:
        spoken += [("since_last_signed", each) for each in since_last_signed(sources, record.signed.signed_at)]
    for name in dict.fromkeys(name for name, _ in spoken):
        report(Progress(role="rules", action=name))
    drafted = (draft(statement, sources, wire.AUTHOR_RULE, name) for name, statement in spoken)
    return merge([each for each in drafted if each is not None], ())


def _begin(identity: Identity, prepared: Prepared, pin: ModelPin, parts: Parts) -> Consultation:
    try:
        return Consultation(identity.episode_id, prepared.inputs, pin, parts.tokenizer, seed=identity.seed)
    except InputsRefusedError as error:
        raise InvalidInputError(str(error)) from error


def _conclude(
    request: AskRequest,
    identity: Identity,
    statements: list[wire.Statement],
    degraded: tuple[str, ...],
    run: Consultation,
    pin: ModelPin,
) -> Made:
    """Each decision of the gate becomes a step of the episode, which is then closed."""
    at = now()
    for statement in statements:
        run.decide("gate", _decision(statement), statement.reason, at=at)
    assessment = wire.Assessment(
        assessment_id=identity.assessment_id,
        patient=request.patient,
        question=request.question,
        statements=statements,
        model=f"{pin.name} {pin.sha256[:12]}",
        episode_id=identity.episode_id,
        degraded=degraded,
    )
    assessment.drafted_at.FromDatetime(at)
    return Made(assessment, run.close(at=at))


def _of_model(outcome: Outcome, sources: Sources, prepared: Prepared) -> Iterable[Drafted]:
    """The model's statements and proposals in words; what its facts do not carry is not said."""
    concerning = {passage.passage_id for passage in prepared.inputs.context.passages}
    for said in outcome.statements:
        try:
            statement = word(said.choice, sources)
        except UNSAYABLE:
            continue
        against = objection(statement, sources, concerning, doubted=said.doubted)
        yield from _drafted(statement, sources, said, against)
    for proposed in outcome.proposals:
        statement = word_proposal(proposed.proposal, sources)
        against = objection(statement, sources, concerning, doubted=proposed.doubted)
        yield from _drafted(statement, sources, proposed, against)
    for written in outcome.written:
        rendered = word_written(written, sources)
        if rendered is not None:
            yield Drafted(rendered, wire.AUTHOR_MODEL, written.role, objection_to_text(rendered.text), written.step)


def _drafted(statement: Statement, sources: Sources, said: Said | Proposed, against: str) -> Iterable[Drafted]:
    found = draft(statement, sources, wire.AUTHOR_MODEL, said.role)
    if found is not None:
        yield Drafted(found.rendered, found.author, found.author_name, against, said.step)


def _missing_evidence(record: Record) -> list[str]:
    """Rules speak without their passages, but not silently so."""
    missing = rules.CITED_PASSAGES.keys() - {passage.passage_id for passage in record.passages}
    return [f"evidence: {len(missing)} passages that rules quote were not found in the library"] if missing else []


def _decision(statement: wire.Statement) -> str:
    return f"{'released' if statement.released else 'withheld'} {statement.statement_id}"


def _was_signed(decision: "wire.ReviewDecision.ValueType") -> bool:
    return decision in (wire.REVIEW_DECISION_ACCEPTED, wire.REVIEW_DECISION_EDITED)


def _reporting(report: Report) -> OnProgress:
    return lambda told: report(Progress(role=told.role, action=told.action, tokens=told.tokens))
