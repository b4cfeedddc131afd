"""The `--json` forms: what other programs may rely on, made from the messages of the services."""

from __future__ import annotations

import json
from datetime import UTC
from typing import Any

from contracts.identifiers import format_patient
from google.protobuf.timestamp_pb2 import Timestamp
from longitude.auditing.v1.auditing_service_pb2 import Leaf
from longitude.reasoning.v1.assessment_pb2 import (
    AssessedStatement,
    Assessment,
    Author,
    Citation,
    Claim,
    Judgement,
    ReviewDecision,
    ReviewedSpan,
    ReviewedStatement,
    StatementKind,
    Verdict,
)
from longitude.reasoning.v1.reasoning_service_pb2 import CheckedSpan, CheckResponse
from longitude.record.v1.context_pb2 import Context, Passage, RecordedFact
from longitude.record.v1.fact_pb2 import (
    Assertion,
    ClinicalFact,
    CodedConcept,
    FactKind,
    FactStatus,
    PatientKey,
    Provenance,
    SourcePointer,
)

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
    said = recorded.fact
    return {
        "fact_id": said.fact_id,
        "kind": name_of(FactKind, said.kind),
        "patient": format_patient(said.patient),
        "code": concept(said.code),
        "source_code": concept(said.source_code),
        "value": value_of(said),
        "unit": said.quantity.unit or None,
        "comparator": said.quantity.comparator or None,
        "valid_from": _time(said, "valid_from"),
        "valid_to": _time(said, "valid_to"),
        "recorded_at": _time(recorded, "recorded_at"),
        "superseded_at": _time(recorded, "superseded_at"),
        "status": name_of(FactStatus, said.status),
        "assertion": name_of(Assertion, said.assertion),
        "provenance": name_of(Provenance, said.provenance),
        "confidence": said.confidence,
        "abnormal_flag": said.abnormal_flag or None,
        "encounter_id": said.encounter_id or None,
        "note": said.note or None,
        "source": source(said.source),
    }


def value_of(said: ClinicalFact) -> str | None:
    """What the fact says its concept is: a number, a text, or the name of a concept."""
    kind = said.WhichOneof("value")
    if kind == "quantity":
        return said.quantity.value
    if kind == "text":
        return said.text
    return (said.coded.display or said.coded.code) if kind == "coded" else None


def source(pointer: SourcePointer) -> Form:
    """Where something was read; only what is known."""
    found = {
        "event_id": pointer.event_id,
        "control_id": pointer.control_id,
        "segment": pointer.segment,
        "field": pointer.field,
        "document_id": pointer.document_id,
        "page": pointer.page,
        "sop_instance_uid": pointer.sop_instance_uid,
    }
    always = ("control_id", "segment", "field")
    return {name: value for name, value in found.items() if value or name in always}


def assessment(said: Assessment) -> Form:
    """An assessment with everything the gate decided."""
    return {
        "assessment_id": said.assessment_id,
        "patient": format_patient(said.patient),
        "question": said.question,
        "statements": [statement(one) for one in said.statements],
        "model": said.model,
        "episode_id": said.episode_id,
        "degraded": list(said.degraded),
        "drafted_at": _time(said, "drafted_at"),
    }


def statement(said: AssessedStatement) -> Form:
    """A statement, released or withheld."""
    return {
        "statement_id": said.statement_id,
        "kind": name_of(StatementKind, said.kind),
        "text": said.text,
        "author": name_of(Author, said.author),
        "author_name": said.author_name,
        "verdict": name_of(Verdict, said.verdict),
        "probability": said.probability,
        "abstained": said.abstained,
        "released": said.released,
        "reason": said.reason or None,
        "sources": [citation(one) for one in said.citations],
        "episode_step": said.episode_step,
    }


def citation(said: Citation) -> Form:
    """What a statement rests on."""
    named = {"fact_id": said.fact_id, "passage_id": said.passage_id, "quote": said.quote}
    pointer = source(said.source) if said.HasField("source") else {}
    return {name: value for name, value in named.items() if value} | pointer


def check(patient: PatientKey, text: str, checked: CheckResponse) -> Form:
    """A checked text. Offsets are characters (code points) of the text as it came."""
    return {
        "patient": format_patient(patient),
        "verdict": name_of(Verdict, checked.verdict),
        "supported": checked.supported,
        "contradicted": checked.contradicted,
        "unsupported": checked.unsupported,
        "no_claim": checked.no_claim,
        "spans": [_span(text, one) for one in checked.spans],
    }


def _span(text: str, checked: CheckedSpan) -> Form:
    return {
        "start": checked.start,
        "end": checked.end,
        "text": text[checked.start : checked.end],
        "verdict": name_of(Verdict, checked.verdict),
        "reason": checked.reason or None,
        "sources": [citation(one) for one in checked.citations],
        "claims": [claim(one) for one in checked.claims],
    }


def claim(said: Claim) -> Form:
    """One checkable assertion: what was checked, and what came out."""
    return {
        "start": said.start,
        "end": said.end,
        "check": said.check,
        "verdict": name_of(Verdict, said.verdict),
        "reason": said.reason or None,
        "fact_ids": list(said.fact_ids),
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


def passage(said: Passage, score: float) -> Form:
    """A hit in the evidence library."""
    fields = ("passage_id", "title", "text", "source", "source_kind", "grade", "published", "licence")
    return {"score": score} | {name: getattr(said, name) for name in fields}


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
        "recorded": json.loads(logged.leaf_data)["recorded"],
    }


def reviewed(said: ReviewedStatement) -> Form:
    """A statement as the physician left it: the spans lead from `original` to what is left."""
    return {
        "statement_id": said.statement_id,
        "decision": name_of(ReviewDecision, said.decision),
        "original": said.original,
        "text": said.text or None,
        "comment": said.comment or None,
        "spans": [_reviewed_span(one) for one in said.spans],
        "verdict": name_of(Verdict, said.verdict) if said.verdict else None,
        "verdict_reason": said.verdict_reason or None,
        "episode_step": said.episode_step,
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
