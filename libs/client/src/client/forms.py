"""The `--json` forms: what other programs may rely on, made from the messages of the services."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable
from datetime import UTC
from typing import Any

from contracts.identifiers import format_patient
from google.protobuf.timestamp_pb2 import Timestamp
from longitude.auditing.v1.auditing_service_pb2 import Leaf
from longitude.memory.v1.events_pb2 import Actor, DoseConflict
from longitude.memory.v1.memory_service_pb2 import EvidenceEdition, EvidenceState, GetEvidenceCoverageResponse
from longitude.reasoning.v1.advice_pb2 import AdviceFinding, AdviseResponse, Urgency
from longitude.reasoning.v1.assessment_pb2 import (
    FORM_ANSWER,
    Addressee,
    AssessedStatement,
    Assessment,
    Author,
    Citation,
    Claim,
    Course,
    DriftedRow,
    Inquiry,
    Judgement,
    Notice,
    QuestionBack,
    ReviewDecision,
    ReviewedSpan,
    ReviewedStatement,
    StatementKind,
    Verdict,
)
from longitude.reasoning.v1.assessment_pb2 import Form as WrittenForm
from longitude.reasoning.v1.concern_pb2 import Concern, ConcernAction, ConcernState
from longitude.reasoning.v1.prepared_pb2 import Occasion, PreparedForm
from longitude.reasoning.v1.reasoning_service_pb2 import Assertion as ReadAssertion
from longitude.reasoning.v1.reasoning_service_pb2 import CheckedSpan, CheckResponse, CheckSummary
from longitude.record.v1.context_pb2 import Context, Passage, PassageRelease, RecordedFact
from longitude.record.v1.fact_pb2 import (
    Assertion,
    ClinicalFact,
    CodedConcept,
    Dosage,
    FactKind,
    FactStatus,
    PatientKey,
    Provenance,
    SourcePointer,
)

from client.documents import TEXT, Document

Form = dict[str, Any]


def time_text(stamp: Timestamp) -> str:
    """ISO 8601 in UTC, to the second or finer as the stamp is."""
    return stamp.ToDatetime(tzinfo=UTC).isoformat().replace("+00:00", "Z")


def concept(code: CodedConcept) -> Form:
    """A coded concept."""
    return {"system": code.system, "code": code.code, "display": code.display}


def name_of(enum: Any, number: int) -> str:
    """`FACT_KIND_RESULT` of FactKind -> `result`."""
    own, zero = enum.Name(number), enum.Name(0)
    return str(own.removeprefix(zero.removesuffix("UNSPECIFIED")).lower())


def fact(recorded: RecordedFact) -> Form:
    """A fact of the timeline. Numbers are decimal strings, so that no digit is invented or lost."""
    clinical = recorded.fact
    return {
        "fact_id": clinical.fact_id,
        "kind": name_of(FactKind, clinical.kind),
        "patient": format_patient(clinical.patient),
        "code": concept(clinical.code),
        "source_code": concept(clinical.source_code),
        "value": value_of(clinical),
        "unit": clinical.quantity.unit or None,
        "comparator": clinical.quantity.comparator or None,
        "valid_from": _time(clinical, "valid_from"),
        "valid_to": _time(clinical, "valid_to"),
        "stated_at": _time(clinical, "stated_at"),
        "recorded_at": _time(recorded, "recorded_at"),
        "superseded_at": _time(recorded, "superseded_at"),
        "status": name_of(FactStatus, clinical.status),
        "assertion": name_of(Assertion, clinical.assertion),
        "provenance": name_of(Provenance, clinical.provenance),
        "confidence": clinical.confidence,
        "abnormal_flag": clinical.abnormal_flag or None,
        "encounter_id": clinical.encounter_id or None,
        "note": clinical.note or None,
        "about": concept(clinical.about) if clinical.HasField("about") else None,
        "severity": concept(clinical.severity) if clinical.HasField("severity") else None,
        "comments": list(clinical.comments),
        "dosages": [_dosage(each) for each in dosages(clinical)],
        "carried_from": list(recorded.carried_from),
        "source": source(clinical.source),
    }


def dosages(clinical: ClinicalFact) -> list[Dosage]:
    """Every dose of an order: most have one, a taper or an insulin several."""
    return [*([clinical.dosage] if clinical.HasField("dosage") else []), *clinical.further_dosages]


def _dosage(dosage: Dosage) -> Form:
    return {
        "dose": dosage.dose.value or None,
        "dose_high": dosage.dose_high.value or None,
        "unit": dosage.dose.unit or dosage.dose_high.unit or None,
        "route": dosage.route or None,
        "frequency": dosage.frequency or None,
        "instruction": dosage.instruction or None,
        "valid_from": _time(dosage, "valid_from"),
        "valid_to": _time(dosage, "valid_to"),
    }


def value_of(clinical: ClinicalFact) -> str | None:
    """What the fact says its concept is: a number, a text, or the name of a concept."""
    kind = clinical.WhichOneof("value")
    if kind == "quantity":
        return clinical.quantity.value
    if kind == "text":
        return clinical.text
    return (clinical.coded.display or clinical.coded.code) if kind == "coded" else None


def source(pointer: SourcePointer) -> Form:
    """Where something was read; only what is known."""
    fields = {
        "event_id": pointer.event_id,
        "control_id": pointer.control_id,
        "segment": pointer.segment,
        "field": pointer.field,
        "document_id": pointer.document_id,
        "page": pointer.page,
        "sop_instance_uid": pointer.sop_instance_uid,
    }
    always = ("control_id", "segment", "field")
    return {name: value for name, value in fields.items() if value or name in always}


def assessment(drafted: Assessment, notices: Iterable[Notice] = (), drifted: Iterable[DriftedRow] = ()) -> Form:
    """An assessment with everything the gate decided. `notices`: of cited evidence that was withdrawn since; `drifted`:
    rows that would not speak so now.
    """
    return {
        "assessment_id": drafted.assessment_id,
        "patient": format_patient(drafted.patient),
        "question": drafted.question,
        "statements": [statement(one) for one in drafted.statements],
        "model": drafted.model,
        "episode_id": drafted.episode_id,
        "degraded": list(drafted.degraded),
        "inquiry": inquiry(drafted.inquiry),
        "form": name_of(WrittenForm, drafted.form or FORM_ANSWER),
        "specialty": drafted.specialty or None,
        "questions": [question_back(one) for one in drafted.questions],
        "courses": [course(one) for one in drafted.courses],
        "drafted_at": _time(drafted, "drafted_at"),
        "record_changed_at": _time(drafted, "record_changed_at"),
        "notices": [notice(one) for one in notices],
        "drifted": [drifted_row(one) for one in drifted],
    }


def drifted_row(row: DriftedRow) -> Form:
    """A row that spoke in an assessment and would not speak so now."""
    return {"row": row.row, "reason": row.reason, "statement_ids": list(row.statement_ids)}


def notice(withdrawn: Notice) -> Form:
    """Cited evidence that was withdrawn after the assessment was written."""
    return {
        "edition_id": withdrawn.edition_id,
        "passage_id": withdrawn.passage_id,
        "title": withdrawn.title,
        "reason": withdrawn.reason,
        "withdrawn_by": withdrawn.withdrawn_by,
        "withdrawn_at": _time(withdrawn, "withdrawn_at"),
        "statement_ids": list(withdrawn.statement_ids),
    }


def question_back(asked: QuestionBack) -> Form:
    """A question back, why it is put, and what its answer would change."""
    return {
        "to": name_of(Addressee, asked.to),
        "text": asked.text,
        "because": asked.because,
        "would_change": asked.would_change,
        "statement_ids": list(asked.statement_ids),
        "sources": [citation(one) for one in asked.citations],
    }


def course(drawn: Course) -> Form:
    """The values of a result over time."""
    points = [
        {"at": _time(one, "at"), "value": one.value, "fact_id": one.fact_id, "turning": one.turning}
        for one in drawn.points
    ]
    return {"name": drawn.name, "unit": drawn.unit, "points": points}


def inquiry(understood: Inquiry) -> Form:
    """How the question was understood."""
    return {"about": list(understood.about), "forms": list(understood.forms), "unread": list(understood.unread)}


def statement(assessed: AssessedStatement) -> Form:
    """A statement, released or withheld; `front` where it answers, the others are folded away."""
    return {
        "statement_id": assessed.statement_id,
        "kind": name_of(StatementKind, assessed.kind),
        "text": assessed.text,
        "author": name_of(Author, assessed.author),
        "author_name": assessed.author_name,
        "row": assessed.row,
        "verdict": name_of(Verdict, assessed.verdict),
        "abstained": assessed.abstained,
        "released": assessed.released,
        "front": assessed.front,
        "section": assessed.section or None,
        "reason": assessed.reason or None,
        "sources": [citation(one) for one in assessed.citations],
        "episode_step": assessed.episode_step,
    }


def citation(cited: Citation) -> Form:
    """What a statement rests on."""
    named = {"fact_id": cited.fact_id, "passage_id": cited.passage_id, "quote": cited.quote}
    pointer = source(cited.source) if cited.HasField("source") else {}
    said = {"release": release(cited.release)} if cited.HasField("release") else {}
    return {name: value for name, value in named.items() if value} | pointer | said


def release(made: PassageRelease) -> Form:
    """Who published a passage and who released it; nobody approved here what ships with the product."""
    return {
        "edition_id": made.edition_id,
        "publisher": made.publisher or None,
        "edition": made.edition or None,
        "date": made.date or None,
        "approved_by": list(made.approved_by),
        "released_at": _time(made, "released_at"),
    }


def advice(patient: PatientKey, given: AdviseResponse) -> Form:
    """What is said of a record and of proposed orders; how each order was read."""
    return {
        "advice_id": given.advice_id,
        "patient": format_patient(patient),
        "findings": [finding(one) for one in given.findings],
        "withheld": [statement(one) for one in given.withheld],
        "orders": [{"order_id": one.order_id, "drugs": list(one.drugs)} for one in given.orders],
        "degraded": list(given.degraded),
    }


def finding(one: AdviceFinding) -> Form:
    """A released statement with how urgent it is, which orders it concerns, and from which document it was written."""
    return statement(one.statement) | {
        "urgency": name_of(Urgency, one.urgency),
        "order_ids": list(one.order_ids),
        "words": one.words or None,
        "document": {
            "title": one.source.title,
            "section": one.source.section or None,
            "year": one.source.year or None,
            "kind": one.source.kind or None,
            "grade": one.source.grade or None,
        },
    }


def prepared(ready: PreparedForm) -> Form:
    """A brief or a summary that is ready, for `longitude worklist --json`."""
    return {
        "patient": format_patient(ready.patient),
        "form": name_of(WrittenForm, ready.form),
        "specialty": ready.specialty or None,
        "occasion": name_of(Occasion, ready.occasion),
        "at": time_text(ready.at),
        "made_at": time_text(ready.made_at),
        "record_changed_at": time_text(ready.record_changed_at),
    }


def concern(seen: Concern) -> Form:
    """One concern, for `longitude worklist --json`."""
    act = seen.act
    return {
        "concern_id": seen.concern_id,
        "patient": format_patient(seen.patient),
        "row": seen.row,
        "version": seen.version,
        "subject": seen.subject,
        "cause": seen.cause,
        "urgency": name_of(Urgency, seen.urgency),
        "state": name_of(ConcernState, seen.state),
        "revision": seen.revision,
        "interruptive": seen.interruptive,
        "text": seen.text,
        "source": seen.source,
        "supports": list(seen.supports),
        "sources": [citation(each) for each in seen.citations],
        "opened_at": time_text(seen.opened_at),
        "changed_at": time_text(seen.changed_at),
        "drift": seen.drift or None,
        "resolved_at": _time(seen, "resolved_at"),
        "act": {
            "action": name_of(ConcernAction, act.action),
            "by": act.by.name or act.by.subject,
            "reason": act.reason,
            "acted_at": time_text(act.acted_at),
            "until": _time(act, "until"),
        }
        if seen.HasField("act")
        else None,
    }


def check(patient: PatientKey, document: Document, checked: CheckResponse) -> Form:
    """A checked text. Offsets are characters (code points) of the text as it came; of a document of another format, of
    `text`, what a reader sees of it.
    """
    places = Places()
    return {
        "patient": format_patient(patient),
        "format": document.format,
        "text": None if document.format == TEXT else document.text,
        **check_summary(checked),
        "spans": [span(document.text, one, places) for one in checked.spans],
    }


def check_summary(checked: CheckResponse | CheckSummary) -> Form:
    return {
        "verdict": name_of(Verdict, checked.verdict),
        "supported": checked.supported,
        "contradicted": checked.contradicted,
        "unsupported": checked.unsupported,
        "no_claim": checked.no_claim,
        "degraded": list(checked.degraded),
    }


class Places:
    """Where a sentence stands for a reader: under which leading lines, and the how many-th there."""

    def __init__(self) -> None:
        self._counts: Counter[tuple[str, ...]] = Counter()

    def next(self, checked: CheckedSpan) -> int:
        sections = tuple(checked.sections)
        self._counts[sections] += 1
        return self._counts[sections]


def span(text: str, checked: CheckedSpan, places: Places) -> Form:
    return {
        "start": checked.start,
        "end": checked.end,
        "text": text[checked.start : checked.end],
        "sections": list(checked.sections),
        "sentence": places.next(checked),
        "verdict": name_of(Verdict, checked.verdict),
        "reason": checked.reason or None,
        "sources": [citation(one) for one in checked.citations],
        "claims": [claim(one) for one in checked.claims],
        "assertions": [assertion(one) for one in checked.assertions],
    }


def assertion(read: ReadAssertion) -> Form:
    """As what a part of a sentence was read: its kind, and what it says of which part."""
    return {
        "start": read.start,
        "end": read.end,
        "kind": read.kind,
        "arguments": [{"name": one.name, "text": one.text} for one in read.arguments],
    }


def claim(checked: Claim) -> Form:
    """One checkable assertion: what was checked, and what came out."""
    return {
        "start": checked.start,
        "end": checked.end,
        "check": checked.check,
        "verdict": name_of(Verdict, checked.verdict),
        "reason": checked.reason or None,
        "fact_ids": list(checked.fact_ids),
    }


def context(pack: Context, budget: int) -> Form:
    """A context pack, line by line."""
    lines = [
        {
            "text": line.text,
            "fact_id": line.fact_id or None,
            "passage_id": line.passage_id or None,
            "tokens": line.tokens,
        }
        for line in pack.lines
    ]
    return {"tokens": pack.tokens, "budget": budget, "omitted": pack.omitted, "lines": lines}


def passage(evidence: Passage, score: float) -> Form:
    """A hit in the evidence library."""
    return (
        {"score": score}
        | _passage(evidence)
        | {"release": release(evidence.release) if evidence.HasField("release") else None}
    )


def _passage(evidence: Passage) -> Form:
    fields = ("passage_id", "title", "text", "source", "source_kind", "grade", "published", "licence")
    return {name: getattr(evidence, name) for name in fields}


def evidence_edition(edition: EvidenceEdition) -> Form:
    """One text of one publisher, and what became of it."""
    withdrawn = edition.HasField("withdrawn_at")
    return {
        "edition_id": edition.edition_id,
        "state": name_of(EvidenceState, edition.state),
        "publisher": edition.publisher or None,
        "edition": edition.edition or None,
        "date": edition.date or None,
        "imported_by": _actor(edition.imported_by) if edition.HasField("imported_by") else None,
        "imported_at": _time(edition, "imported_at"),
        "approvals": [
            _actor(one.by) | {"reason": one.reason or None, "approved_at": _time(one, "approved_at")}
            for one in edition.approvals
        ],
        "released_at": _time(edition, "released_at"),
        "withdrawn_by": _actor(edition.withdrawn_by) if withdrawn else None,
        "withdrawn_reason": edition.withdrawn_reason or None,
        "withdrawn_at": _time(edition, "withdrawn_at"),
        "conflicts": [conflict(one) for one in edition.conflicts],
        "replaces": edition.replaces or None,
        "passage": _passage(edition.passage),
    }


def conflict(dose: DoseConflict) -> Form:
    """A dose above a limit: both numbers, as decimal strings, and the words that they are from."""
    fields = ("edition_id", "drug", "said", "allowed", "unit", "words", "source", "condition", "source_words")
    return {name: getattr(dose, name) for name in fields}


def publisher(name: str) -> str:
    """Who answers for a text, as a person is told."""
    return name or "unsigned, local"


def _actor(person: Actor) -> Form:
    return {"issuer": person.issuer, "subject": person.subject, "name": person.name}


def coverage(covered: GetEvidenceCoverageResponse) -> Form:
    """The problems and drugs asked about, each with the passages about it."""
    subjects = [
        {
            "kind": name_of(FactKind, each.kind),
            "system": each.concept.system,
            "code": each.concept.code,
            "display": each.concept.display,
            "passage_ids": list(each.passage_ids),
        }
        for each in covered.subjects
    ]
    return {"passages": covered.passages, "subjects": subjects}


def leaf(logged: Leaf) -> Form:
    """A leaf of the log."""
    return {
        "index": logged.index,
        "event_id": logged.event_id,
        "event_type": logged.event_type,
        "causation_id": logged.causation_id or None,
        "topic": logged.topic,
        "partition": logged.partition,
        "offset": logged.offset,
        "payload_sha256": logged.payload_sha256.hex(),
        "signature": logged.signature or None,
        "signer": logged.signer or None,
        "recorded": json.loads(logged.leaf_data)["recorded"],
    }


def reviewed(judged: ReviewedStatement) -> Form:
    """A statement as the physician left it: the spans lead from `original` to what is left."""
    return {
        "statement_id": judged.statement_id,
        "decision": name_of(ReviewDecision, judged.decision),
        "original": judged.original,
        "text": judged.text or None,
        "comment": judged.comment or None,
        "spans": [_reviewed_span(one) for one in judged.spans],
        "verdict": name_of(Verdict, judged.verdict) if judged.verdict else None,
        "verdict_reason": judged.verdict_reason or None,
        "episode_step": judged.episode_step,
    }


def _reviewed_span(span: ReviewedSpan) -> Form:
    return {
        "start": span.start,
        "end": span.end,
        "judgement": name_of(Judgement, span.judgement),
        "replacement": span.replacement or None,
    }


def _time(message: Any, field: str) -> str | None:
    return time_text(getattr(message, field)) if message.HasField(field) else None
