"""A consultation from its record to its assessment: prepare, let the model act (consult.driving), conclude.

Rules speak before the model, and the model where it is wanted; what either says is drafted, merged, verified and
released in that order. Pure: serving, training and evaluation do the same with the same values.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from grounding import Sources, Verifier
from harness import RULES, Consultation, ModelPin, Outcome, Tokenizer, episode_digest, serialise
from longitude.reasoning.v1 import assessment_pb2 as wire
from longitude.reasoning.v1.episode_pb2 import Episode, EpisodeInputs
from longitude.record.v1.fact_pb2 import PatientKey

from consult.answering import answer, inquire
from consult.courses import courses
from consult.drafting import Drafted, draft_model, draft_rules
from consult.front import put_in_front
from consult.gate import gate
from consult.identity import Identity
from consult.inputs import Budget, compile_inputs, of_rules_alone
from consult.merging import merge
from consult.questions import questions
from consult.record import Record
from consult.rules import CITED_PASSAGES, speak
from consult.selection import Selection
from consult.understanding import understood
from consult.visits import FORMS, draw, passages, title


class Chooser(StrEnum):
    """Who decides what stands in front of an answer, and whether anybody speaks beside the rules."""

    RULES = "rules"
    EDITOR = "editor"  # the model chooses among what the rules can say
    TEAM = "team"  # the model's roles speak beside the rules


@dataclass(frozen=True, slots=True)
class Prepared:
    """What an episode starts from. `drafted`: what the rules said; `checked`: the same after the gate; `inquiry`: how
    the question was understood. `questions`: back to physician or patient; `courses`: to be drawn. `selection`: where
    the editor chooses, what from.
    """

    identity: Identity
    record: Record
    sources: Sources
    drafted: list[Drafted]
    checked: list[wire.AssessedStatement]
    inputs: EpisodeInputs
    inquiry: wire.Inquiry
    form: "wire.Form.ValueType" = wire.FORM_ANSWER
    specialty: str = ""
    questions: list[wire.QuestionBack] = field(default_factory=list)
    courses: list[wire.Course] = field(default_factory=list)
    selection: Selection | None = None

    @property
    def deliberates(self) -> bool:
        """Whether the model takes part."""
        return self.inputs.flow != RULES.name

    @property
    def front(self) -> list[wire.AssessedStatement]:
        """What stands in front of the answer, whatever the model says."""
        return _front(self.checked)

    @property
    def spoke(self) -> list[str]:
        """The rules that spoke, in reading order."""
        return list(dict.fromkeys(each.author_name for each in self.drafted))

    def begin(self, model: ModelPin, tokenizer: Tokenizer) -> Consultation:
        """The episode, not yet started; InputsRefusedError when it cannot begin."""
        return Consultation(self.identity.episode_id, self.inputs, model, tokenizer, seed=self.identity.seed)

    def after(self, outcome: Outcome) -> Sources:
        """What may be cited at the end: the record, and what tools brought in."""
        brought = tuple(outcome.facts.values()), tuple(outcome.passages.values())
        return self.record.sources(*brought, self.inputs.question)


@dataclass(frozen=True, slots=True)
class Concluded:
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


def prepare(
    question: str,
    record: Record,
    budget: Budget,
    identity: Identity,
    *,
    chooser: Chooser = Chooser.TEAM,
) -> Prepared:
    """The rules speak; their statements, and what can be read and computed, are what the model starts from."""
    sources = record.sources(question=question)
    rules = draft_rules(speak(sources, question, record.concerning, record.signed_at), sources)
    inquiry = inquire(question, sources)
    verifier = Verifier(sources)
    answered = answer(inquiry, sources)
    drafted = merge(put_in_front(answered, rules, sources, verifier))
    checked = gate(drafted, verifier, identity.assessment_id)
    selection = None
    if chooser is Chooser.TEAM:
        inputs = compile_inputs(question, record, sources, checked, budget)
    elif chooser is Chooser.EDITOR:
        selection = Selection.of(answered, rules, [each for each in drafted if each.front], sources, verifier)
        inputs = selection.inputs(question, record)
    else:
        inputs = of_rules_alone(question, record, checked)
    return Prepared(
        identity,
        record,
        sources,
        drafted,
        checked,
        inputs,
        understood(question, inquiry, checked),
        questions=questions(checked, sources, verifier),
        courses=courses(drafted, sources),
        selection=selection,
    )


def prepare_form(form: "wire.Form.ValueType", specialty: str, record: Record, identity: Identity) -> Prepared:
    """A brief, a summary for a specialty or a note: written from the whole record by rules, through the same gate.

    UnknownSpecialtyError.
    """
    asked = title(form, specialty)
    sources = record.sources()
    verifier = Verifier(sources)
    rules = merge(draft_rules(speak(sources, signed_at=record.signed_at), sources))
    drafted = draw(form, specialty, rules, sources, verifier)
    checked = gate(drafted, verifier, identity.assessment_id)
    inputs = of_rules_alone(asked, record, checked)
    back = questions(checked, sources, verifier)
    return Prepared(identity, record, sources, drafted, checked, inputs, wire.Inquiry(), form, specialty, back)


def _front(checked: Iterable[wire.AssessedStatement]) -> list[wire.AssessedStatement]:
    return [each for each in checked if each.front and each.released]


def assess(prepared: Prepared, outcome: Outcome) -> list[wire.AssessedStatement]:
    """Rules and model together through the gate, which the rules alone passed already."""
    if prepared.selection and outcome.shown:
        verifier = Verifier(prepared.sources)
        drafted = merge(prepared.selection.edited(outcome.shown, prepared.sources, verifier))
        return gate(drafted, verifier, prepared.identity.assessment_id)
    if prepared.selection or not prepared.deliberates:
        return prepared.checked
    sources = prepared.after(outcome)
    drafted = merge(prepared.drafted, draft_model(outcome, sources, prepared.inputs))
    return gate(drafted, Verifier(sources), prepared.identity.assessment_id)


def conclude(prepared: Prepared, run: Consultation, patient: PatientKey, pin: ModelPin, at: datetime) -> Concluded:
    """The checked assessment. Each decision of the gate becomes a step of the episode, which is then closed."""
    outcome = run.outcome
    statements = assess(prepared, outcome)
    for statement in statements:
        run.decide("gate", _decision(statement), statement.reason, at=at)
    assessment = wire.Assessment(
        assessment_id=prepared.identity.assessment_id,
        patient=patient,
        question=prepared.inputs.question,
        statements=statements,
        model=f"{pin.name} {pin.sha256[:12]}".strip(),
        episode_id=prepared.identity.episode_id,
        degraded=[*prepared.record.degraded, *_missing_evidence(prepared), *outcome.degraded],
        inquiry=prepared.inquiry,
        form=prepared.form,
        specialty=prepared.specialty,
        questions=prepared.questions,
        courses=prepared.courses,
    )
    assessment.drafted_at.FromDatetime(at)
    if prepared.record.timeline.changed_at:
        assessment.record_changed_at.FromDatetime(prepared.record.timeline.changed_at)
    return Concluded(assessment, run.close(at=at))


def _missing_evidence(prepared: Prepared) -> Iterable[str]:
    """Rules speak without their passages, but not silently so."""
    wanted = CITED_PASSAGES.keys() | (passages().keys() if prepared.form in FORMS else set[str]())
    missing = wanted - {passage.passage_id for passage in prepared.record.passages}
    return [f"evidence: {len(missing)} passages that rules quote were not found in the library"] if missing else []


def _decision(statement: wire.AssessedStatement) -> str:
    return f"{'released' if statement.released else 'withheld'} {statement.statement_id}"
