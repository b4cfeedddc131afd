"""Cards of advice (CDS Hooks 2.0, section "Card Attributes").

Guarantee: a card says what the gate released, from which row, and on what it rests; words of the record are text in it
and no markup. What was not looked at has a card of its own.
"""

import re
import unicodedata
import uuid
from collections.abc import Iterable, Iterator
from typing import Any

from longitude.reasoning.v1.advice_pb2 import (
    URGENCY_CONTRAINDICATED,
    URGENCY_IMPORTANT,
    URGENCY_ROUTINE,
    URGENCY_URGENT,
    AdviceFinding,
    AdviseResponse,
    ProposedOrder,
    Urgency,
)
from longitude.reasoning.v1.assessment_pb2 import Citation
from terminology.fhir import OVERRIDE_REASONS

from gateway.domain.cds_hooks.calls import Call
from gateway.domain.rows import ROWS, RULES

# Shorter than 140 characters, as the specification asks for; cards of one answer; sources told on a card.
_SUMMARY, _MOST, _SOURCES = 139, 20, 5
_INDICATORS = {
    URGENCY_CONTRAINDICATED: "critical",
    URGENCY_URGENT: "critical",
    URGENCY_IMPORTANT: "warning",
    URGENCY_ROUTINE: "info",
}
_LABEL = "Longitude"
_ACTING = frozenset({"Cc", "Cf", "Cs", "Zl", "Zp"})
_MARKUP = re.compile(r"([\\`*_{}\[\]()#+!|<>~&])")

Card = dict[str, Any]


def cards(advice: AdviseResponse, call: Call) -> list[Card]:
    """The most urgent first. Without orders: what is said of the record and is more than routine; with orders: what
    concerns those that are shown.
    """
    wanted = [each for each in advice.findings if _is_wanted(each, call)]
    made = [_card(each, call) for each in sorted(wanted, key=lambda each: each.urgency)]
    missing = list(_missing(advice, call))
    if len(made) > _MOST:
        missing.append(f"{len(made) - _MOST} more, none more urgent than these, are not shown.")
    return [*made[:_MOST], *([_not_looked_at(missing)] if missing else [])]


def _is_wanted(finding: AdviceFinding, call: Call) -> bool:
    if call.is_of_orders:
        return not call.shown.isdisjoint(finding.order_ids)
    return finding.urgency != URGENCY_ROUTINE


def _card(finding: AdviceFinding, call: Call) -> Card:
    statement = finding.statement
    drugs = [_text(_drug(each)) for each in call.orders if each.order_id in call.shown & {*finding.order_ids}]
    told = _text(finding.words or statement.text) if drugs else _text(statement.text.partition(" “")[0])
    return {
        "uuid": statement.statement_id,
        "summary": _shortened(f"{', '.join(drugs)}: {told}" if drugs else told),
        "detail": _detail(finding),
        "indicator": _INDICATORS.get(finding.urgency, "warning"),
        "source": {"label": _text(finding.source.title) or _LABEL, "topic": _topic(finding)},
        "overrideReasons": [
            {"system": each.system, "code": each.code, "display": each.display} for each in OVERRIDE_REASONS
        ],
    }


def _topic(finding: AdviceFinding) -> dict[str, str]:
    row, rule = finding.statement.row, finding.statement.author_name
    return {"system": ROWS, "code": row} if row else {"system": RULES, "code": rule}


def _detail(finding: AdviceFinding) -> str:
    """The statement as the gate released it, how an allergy and the drug relate, the source, and the places."""
    statement = finding.statement
    source = ", ".join(filter(None, (finding.source.title, finding.source.section, str(finding.source.year or ""))))
    urgency = Urgency.Name(finding.urgency).removeprefix("URGENCY_").lower()
    lines = [
        statement.text,
        "" if finding.words in statement.text else finding.words,
        f"Source: {source} ({statement.row or statement.author_name}; {urgency})",
        f"Record: {'; '.join(_places(statement.citations))}" if statement.citations else "",
    ]
    return "\n\n".join(_escaped(_text(each)) for each in lines if each)


def _places(citations: Iterable[Citation]) -> list[str]:
    """Where the facts stand: message, segment and field, or the document."""
    cited = [each for each in citations if each.fact_id]
    told = [f"{_place(each)} (fact {each.fact_id})" for each in cited[:_SOURCES]]
    return [*told, f"and {len(cited) - _SOURCES} more"] if len(cited) > _SOURCES else told


def _place(citation: Citation) -> str:
    source = citation.source
    named = (source.control_id, source.segment, source.field) if source.segment else (source.document_id,)
    return " ".join(filter(None, named)) or source.sop_instance_uid or "record"


def _missing(advice: AdviseResponse, call: Call) -> Iterator[str]:
    unknown = {each.order_id for each in advice.orders if not each.drugs} & call.shown
    names = {each.order_id: _drug(each) for each in call.orders}
    yield from (
        f"{names[each]} is no drug that the rows know: only allergies were compared." for each in sorted(unknown)
    )
    yield from (f"{each} names no drug: nothing was looked at." for each in call.unread)
    if advice.withheld:
        yield f"{len(advice.withheld)} findings were withheld: what they say of the record could not be verified."
    yield from advice.degraded


def _not_looked_at(missing: Iterable[str]) -> Card:
    lines = [_text(each) for each in missing]
    return {
        "uuid": str(uuid.uuid4()),
        "summary": _shortened(lines[0] if len(lines) == 1 else "Not everything could be looked at."),
        "detail": "\n".join(f"- {_escaped(each)}" for each in lines),
        "indicator": "info",
        "source": {"label": _LABEL},
    }


def _drug(order: ProposedOrder) -> str:
    return str(order.text or next((each.display or each.code for each in order.codings), ""))


def _text(foreign: str) -> str:
    """In one line, without characters that act on a screen."""
    line = " ".join(foreign.split())
    return "".join("�" if unicodedata.category(each) in _ACTING else each for each in line)


def _escaped(text: str) -> str:
    return _MARKUP.sub(r"\\\1", text)


def _shortened(text: str) -> str:
    """At a word, where it is too long."""
    if len(text) <= _SUMMARY:
        return text
    return text[: _SUMMARY - 1].rpartition(" ")[0] + "…" if " " in text[: _SUMMARY - 1] else text[: _SUMMARY - 1] + "…"
