"""A text of another system: each sentence with its verdict, its reason and where the record says so or otherwise."""

from collections.abc import Callable, Sequence
from itertools import pairwise

import pytest
from grounding import Piece, Sources, TooManySentencesError
from hypothesis import example, given, settings
from hypothesis import strategies as st
from longitude.reasoning.v1 import assessment_pb2 as wire
from longitude.reasoning.v1.reasoning_service_pb2 import CheckedSpan, CheckResponse
from longitude.record.v1.context_pb2 import Note, Passage
from practice.records import RecordBuilder
from reasoning.domain.checking import Checking, quotations, unread
from testkit.kidneys import failing_kidneys, sources_of

Patient = tuple[RecordBuilder, dict[str, str]]
Build = Callable[[RecordBuilder], Sources]

LABEL = "Metformin is contraindicated when eGFR is below 30 mL/min/1.73 m2."
LETTER = (
    "# Summary\r\n\r\nPotassium was 5.6 mmol/L on 2026-10-05.\r\n"
    "- Takes metformin 500 mg twice daily. Prognosis is poor."
)


def check(parts: Sequence[str], sources: Sources, degraded: Sequence[str] = ()) -> CheckResponse:
    """A text in these parts; the passages of these sources are what the evidence library has."""
    checking = Checking(lambda passages: with_passages(sources, passages), degraded)
    spans = [span for part in parts for span in judged(checking, checking.feed(part), sources)]
    spans += judged(checking, checking.end(), sources)
    summary = checking.summary()
    return CheckResponse(
        verdict=summary.verdict,
        spans=spans,
        supported=summary.supported,
        contradicted=summary.contradicted,
        unsupported=summary.unsupported,
        no_claim=summary.no_claim,
        degraded=summary.degraded,
    )


def with_passages(sources: Sources, passages: Sequence[Passage]) -> Sources:
    return Sources.of(sources.as_of, sources.recorded, passages, sources.contradictions, sources.identifiers)


def judged(checking: Checking, pieces: Sequence[Piece], sources: Sources) -> list[CheckedSpan]:
    """As the service does it: a search for what is quoted, then the verdicts."""
    quoted = {
        words: [passage for passage in sources.passages if words in passage.text] for words in checking.wanted(pieces)
    }
    return checking.spans(pieces, quoted)


def counts(checked: CheckResponse) -> tuple[int, int, int, int]:
    return checked.supported, checked.contradicted, checked.unsupported, checked.no_claim


def test_each_sentence_points_to_what_it_rests_on_or_to_what_the_record_says(
    patient: Patient, build_sources: Build
) -> None:
    record, ids = patient
    checked = check([LETTER], build_sources(record))
    assert (checked.verdict, counts(checked)) == (wire.VERDICT_CONTRADICTED, (1, 1, 1, 1))
    heading, potassium, metformin, prognosis = checked.spans
    assert [LETTER[span.start : span.end] for span in (heading, metformin)] == [
        "Summary",
        "Takes metformin 500 mg twice daily.",
    ]
    assert potassium.citations[0].fact_id == ids["k3"]
    assert potassium.citations[0].source.segment
    assert "5.6 mmol/L" in potassium.citations[0].quote
    assert metformin.reason.startswith("dose: the record has 1000 mg")
    assert [each.kind for each in metformin.assertions] == ["takes"]
    assert ("drug", "metformin") in {(one.name, one.text) for one in metformin.assertions[0].arguments}
    assert metformin.citations[0].fact_id == ids["metformin"]
    assert [list(each.sections) for each in checked.spans] == [[], ["Summary"], ["Summary"], ["Summary"]]
    assert (prognosis.verdict, list(prognosis.citations)) == (wire.VERDICT_UNSUPPORTED, [])
    assert (prognosis.reason.partition(":")[0], list(prognosis.assertions)) == ("reading", [])


def test_a_quotation_rests_on_its_passage(patient: Patient, build_sources: Build) -> None:
    record, _ = patient
    checked = check([f"“{LABEL}” “Metformin is safe.”"], build_sources(record))
    assert counts(checked)[1] == 1
    assert "fda-metformin-renal" in {each.passage_id for span in checked.spans for each in span.citations}
    assert quotations(f"“{LABEL}” “{LABEL}” “   ”") == (LABEL,)


def test_a_text_that_claims_nothing_is_not_supported(patient: Patient, build_sources: Build) -> None:
    checked = check(["# Plan\n\nWhat next?"], build_sources(patient[0]))
    assert (checked.verdict, counts(checked)) == (wire.VERDICT_UNSUPPORTED, (0, 0, 0, 2))


def test_an_answer_says_that_only_the_newest_texts_were_read(patient: Patient, build_sources: Build) -> None:
    notes = [Note(fact_id=str(number)) for number in range(1_200)]
    missing = unread(notes, are_all=False)
    assert list(check([LETTER], build_sources(patient[0]), missing).degraded) == missing
    assert missing == ["notes: only the texts of the 1,200 newest documents were read"]
    assert unread(notes, are_all=True) == []


def test_the_answer_is_bounded_whatever_the_text(patient: Patient, build_sources: Build) -> None:
    sources = build_sources(patient[0])
    checked = check(["Creatinine potassium metformin eGFR. " * 1_000], sources)
    assert max(len(span.citations) for span in checked.spans) <= 10
    assert max(len(claim.fact_ids) for span in checked.spans for claim in span.claims) <= 5
    with pytest.raises(TooManySentencesError, match="more than 2,000"):
        check(["a. " * 2_001], sources)


QUOTING = (
    "No hemoglobin was found.\n\n# Medication\nHe takes metformin 1000 mg twice daily. The label says "
    f"“{LABEL}” Potassium was 5.6 mmol/L on 2026-10-05.\n- No hemoglobin was found\n- “{LABEL}”\n- “Metformin is safe.”"
)


@given(data=st.data())
@settings(max_examples=60, deadline=None)
@example(data=None)
def test_a_text_that_comes_bit_by_bit_has_the_answer_of_the_whole(data: st.DataObject | None) -> None:
    """Also where a passage is quoted late: it is looked at from that sentence on, in both."""
    text = f"{LETTER}\n\n{QUOTING}"
    cuts = data.draw(st.lists(st.integers(0, len(text)), max_size=12)) if data else range(len(text))
    parts = [text[start:end] for start, end in pairwise(sorted({0, *cuts, len(text)}))]
    assert check(parts, SOURCES) == WHOLE


def test_at_most_twenty_quotations_of_a_text_are_looked_up(patient: Patient, build_sources: Build) -> None:
    checking = Checking(lambda _: build_sources(patient[0]))
    wanted = [checking.wanted(checking.feed(f"“Passage number {number}”\n\n")) for number in range(30)]
    assert sum(map(len, wanted)) == 20
    assert checking.wanted(checking.feed("“Passage number 3”\n\n")) == ()


SOURCES = sources_of(failing_kidneys()[0])
WHOLE = check([f"{LETTER}\n\n{QUOTING}"], SOURCES)
