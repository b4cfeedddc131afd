"""What is put to a trained model, and what its judgement may change."""

import pytest
from grounding import Judgement, Verdict, Verified, decide, finish
from longitude.reasoning.v1 import assessment_pb2 as wire
from testkit.patients import Patient

SURE = Judgement(supported=0.999, contradicted=0.0, unsupported=0.001)


def judged(verified: Verified) -> Verified:
    return finish(verified, {left.pair: SURE for left in verified.open})


def test_a_sentence_with_unknown_words_alone_is_left_open_with_the_words_of_what_it_cites(patient: Patient) -> None:
    verified = patient.check("Potassium was 5.6 mmol/L on 2026-10-05 because of dehydration.", "k")
    (left,) = verified.open
    assert left.pair.sentence == "Potassium was 5.6 mmol/L on 2026-10-05 because of dehydration."
    assert left.pair.evidence == "potassium 5.6 mmol/L 2026-10-05"


@pytest.mark.parametrize(
    ("text", "cited"),
    [
        ("Creatinine was 1.95 mg/dL on 2026-10-05.", ("cr3",)),
        ("Creatinine was 1.59 mg/dL because of dehydration.", ("cr3",)),
        ("Amoxicillin is active after chemotherapy.", ("amoxicillin",)),
        ("Potassium was 5.6 mmol/L because of dehydration.", ()),
    ],
    ids=["supported", "contradicted", "status contradicted", "nothing cited"],
)
def test_what_the_typed_checks_decide_is_not_put_to_the_model(patient: Patient, text: str, cited: tuple[str]) -> None:
    assert patient.check(text, *cited).open == ()


def test_only_the_open_sentence_of_a_text_is_asked_about(patient: Patient) -> None:
    text = "Potassium was 5.6 mmol/L. The outlook is excellent. Creatinine was 1.59 mg/dL because of dehydration."
    (left,) = patient.check(text, "k", "cr3").open
    assert text[left.start : left.end] == left.pair.sentence == "The outlook is excellent."


def test_a_judgement_lifts_nothing_and_only_lowers_how_sure_a_refusal_is(patient: Patient) -> None:
    before = patient.check("Potassium was 5.6 mmol/L because of dehydration.", "k")
    after = judged(before)
    assert after.verdict is before.verdict is Verdict.UNSUPPORTED
    assert not decide(wire.STATEMENT_KIND_PROSE, after).released
    assert after.probability == pytest.approx(0.001)
    assert before.probability > after.probability
    surer = {left.pair: Judgement(0.0, 0.0, 1.0) for left in before.open}
    assert finish(before, surer).probability == before.probability


def test_a_judgement_touches_no_claim_of_a_typed_check(patient: Patient) -> None:
    before = patient.check("Potassium was 5.6 mmol/L because of dehydration. Creatinine was 1.59 mg/dL.", "k", "cr3")
    after = judged(before)
    assert after.verdict is Verdict.CONTRADICTED
    typed = [claim for claim in before.claims if claim.check != "term"]
    assert [claim for claim in after.claims if claim.check != "term"] == typed
    assert after.probability == before.probability


def test_without_a_judgement_the_verdict_and_its_probability_stand(patient: Patient) -> None:
    before = patient.check("Potassium was 5.6 mmol/L because of dehydration.", "k")
    assert finish(before, {}) == before
