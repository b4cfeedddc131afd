"""From what was said to what is shown: rules first, repetitions dropped, every statement judged."""

from collections.abc import Callable
from dataclasses import replace

import pytest
from consult.drafting import Drafted, draft
from consult.gate import gate
from consult.merging import merge
from consult.objections import DISPUTED, OFF_TOPIC, objection, objection_to_text
from consult.wording import word, word_proposal, word_written
from grounding import Sources, Statement, Verifier
from grounding.kind import Choice, Concept
from grounding.kinds import KINDS, allergy, evidence, latest, problem, trend
from grounding.statements import Words
from harness import Written
from harness.actions import AskPhysician, ProposalKind, Propose, QuestionPurpose
from longitude.reasoning.v1 import assessment_pb2 as wire
from practice.records import RecordBuilder
from terminology.concepts import LOINC

Patient = tuple[RecordBuilder, dict[str, str]]
Build = Callable[[RecordBuilder], Sources]


def drafted(statement: Statement, sources: Sources, author: "wire.Author.ValueType" = wire.AUTHOR_MODEL) -> Drafted:
    found = draft(statement, sources, author, "someone")
    assert found is not None
    return found


def test_what_a_rule_said_is_not_repeated_by_the_model(patient: Patient, build_sources: Build) -> None:
    record, ids = patient
    sources = build_sources(record)
    rule = drafted(trend.statement(sources, [ids["cr1"], ids["cr2"], ids["cr3"]]), sources, wire.AUTHOR_RULE)
    same = drafted(trend.statement(sources, [ids["cr1"], ids["cr3"]]), sources)
    other = drafted(trend.statement(sources, [ids["k1"], ids["k3"]]), sources)
    shown = drafted(latest.statement(sources, ids["cr3"]), sources)
    kinds = drafted(latest.statement(sources, ids["egfr3"]), sources)
    assert merge([rule], [same, other, shown, kinds, other]) == [rule, other, kinds]


def test_a_passage_that_a_rule_quoted_is_not_quoted_again(patient: Patient, build_sources: Build) -> None:
    record, _ = patient
    sources = build_sources(record)
    quotation = drafted(evidence.statement(sources, "fda-metformin-renal"), sources)
    quoted = evidence.quotation(sources, "fda-metformin-renal")
    alert = drafted(Statement(wire.STATEMENT_KIND_ALERT, (Words("See "), *quoted)), sources, wire.AUTHOR_RULE)
    assert merge([alert], [quotation]) == [alert]


def test_every_statement_is_judged_whoever_made_it(patient: Patient, build_sources: Build) -> None:
    record, ids = patient
    sources = build_sources(record)
    true = drafted(latest.statement(sources, ids["k3"]), sources)
    baseless = drafted(
        Statement(wire.STATEMENT_KIND_PROSE, (Words("The outlook is excellent"),), (ids["k3"],)), sources
    )
    false = drafted(
        Statement(wire.STATEMENT_KIND_PROSE, (Words("Potassium fell"),), (ids["k1"], ids["k3"])),
        sources,
        wire.AUTHOR_RULE,
    )
    judged = gate([true, baseless, false], Verifier(sources), "assessment")
    assert [(each.verdict, each.released) for each in judged] == [
        (wire.VERDICT_SUPPORTED, True),
        (wire.VERDICT_UNSUPPORTED, False),
        (wire.VERDICT_CONTRADICTED, False),
    ]
    assert [bool(each.reason) for each in judged] == [False, True, True]
    assert all(each.claims for each in judged)
    assert len({each.statement_id for each in judged}) == 3


def test_a_doubted_statement_is_withheld_with_the_reason(patient: Patient, build_sources: Build) -> None:
    record, ids = patient
    sources = build_sources(record)
    said = drafted(latest.statement(sources, ids["k3"]), sources)
    against = objection(said.rendered.statement, sources, (), doubted=True)
    doubted = Drafted(said.rendered, said.author, said.author_name, against)
    (judged,) = gate([doubted], Verifier(sources), "assessment")
    assert (judged.verdict, judged.released) == (wire.VERDICT_SUPPORTED, False)
    assert "doubts" in judged.reason


def test_a_passage_that_does_not_concern_the_question_is_withheld_with_that_reason(
    patient: Patient, build_sources: Build
) -> None:
    record, _ = patient
    name = record.passage("other", "A passage.")
    sources = build_sources(record)
    said = evidence.statement(sources, name)
    assert objection(said, sources, {name}, doubted=False) == ""
    against = objection(said, sources, set(), doubted=False)
    (judged,) = gate([replace(drafted(said, sources), objection=against)], Verifier(sources), "assessment")
    assert (judged.verdict, judged.released, judged.reason) == (wire.VERDICT_SUPPORTED, False, OFF_TOPIC)


def test_an_allergy_in_dispute_is_not_asserted_by_the_model(patient: Patient, build_sources: Build) -> None:
    record, ids = patient
    sources = build_sources(record)
    assert objection(allergy.statement(sources, ids["penicillin"]), sources, (), doubted=False) == DISPUTED
    assert objection(problem.statement(sources, ids["ckd"]), sources, (), doubted=False) == ""


def test_the_same_draft_gives_the_same_statement_ids(patient: Patient, build_sources: Build) -> None:
    record, ids = patient
    sources = build_sources(record)
    said = [drafted(latest.statement(sources, ids["k3"]), sources)]
    assert gate(said, Verifier(sources), "a") == gate(said, Verifier(sources), "a")
    assert gate(said, Verifier(sources), "a") != gate(said, Verifier(sources), "b")


def test_what_the_sources_do_not_carry_is_not_said(patient: Patient, build_sources: Build) -> None:
    sources = build_sources(patient[0])
    missing = Statement(wire.STATEMENT_KIND_LATEST, (), ("elsewhere",))
    assert draft(missing, sources, wire.AUTHOR_MODEL, "someone") is None


def test_every_action_of_the_model_has_words(patient: Patient, build_sources: Build) -> None:
    record, ids = patient
    sources = build_sources(record)
    series = (ids["cr1"], ids["cr2"], ids["cr3"])
    chosen = [
        Choice("latest", (ids["k3"],)),
        Choice("trend", series),
        Choice("change", series),
        Choice("medication", (ids["metformin"],)),
        Choice("allergy", (ids["penicillin"],)),
        Choice("problem", (ids["ckd"],)),
        Choice("imaging", (ids["opacity"],)),
        Choice("evidence", passage_id="fda-metformin-renal"),
        Choice("absence", concept=Concept(LOINC, "4548-4", "HbA1c")),
        Choice("calculate", (*series, ids["born"], ids["sex"]), calculation="egfr-ckd-epi-2021"),
    ]
    assert {choice.kind for choice in chosen} == set(KINDS)
    judged = gate([drafted(word(choice, sources), sources) for choice in chosen], Verifier(sources), "a")
    assert [statement.reason for statement in judged if not statement.released] == []
    assert len({statement.kind for statement in judged}) == len(chosen)


@pytest.mark.parametrize(
    ("kind", "about"),
    list(zip(ProposalKind, ("metformin", "k3", "penicillin", "ckd"), strict=True)),
)
def test_a_proposal_asks_to_look_and_orders_nothing(
    kind: ProposalKind, about: str, patient: Patient, build_sources: Build
) -> None:
    record, ids = patient
    sources = build_sources(record)
    statement = word_proposal(Propose(kind, (ids[about],), ()), sources)
    (judged,) = gate([drafted(statement, sources)], Verifier(sources), "a")
    assert judged.kind == wire.STATEMENT_KIND_PROPOSAL
    assert judged.text.startswith(("Review", "Repeat", "Clarify"))
    assert judged.released


@pytest.mark.parametrize(
    ("purpose", "name", "text"),
    [
        (QuestionPurpose.CONFIRMATION, "penicillin", "An entry needs to be confirmed: Penicillin (2025-02-14)"),
        (
            QuestionPurpose.REACTION,
            "penicillin",
            "Which reaction belongs to this allergy entry: Penicillin (2025-02-14)?",
        ),
        (
            QuestionPurpose.ADHERENCE,
            "metformin",
            "Is this medication taken as recorded: metformin 1000 mg oral twice daily",
        ),
        (QuestionPurpose.SOURCE, "ckd", "From whom or which document is this entry: Chronic kidney disease, stage 4"),
    ],
)
def test_a_question_to_the_physician_is_released_as_one_and_asserts_nothing_else(
    purpose: QuestionPurpose, name: str, text: str, patient: Patient, build_sources: Build
) -> None:
    record, ids = patient
    sources = build_sources(record)
    statement = word(AskPhysician(ids[name], purpose), sources)
    assert objection(statement, sources, (), doubted=False) == ""
    (judged,) = gate([drafted(statement, sources)], Verifier(sources), "a")
    assert (judged.kind, judged.released) == (wire.STATEMENT_KIND_QUESTION, True)
    assert judged.text.startswith(text)
    assert judged.text.endswith("?")
    assert [citation.fact_id for citation in judged.citations] == [ids[name]]


@pytest.mark.parametrize(
    ("text", "shown", "released"),
    [
        ("Potassium was 5.6 mmol/L. Stop lisinopril.", "Potassium was 5.6 mmol/L.", True),
        ("Potassium was 4.6 mmol/L", "Potassium was 4.6 mmol/L", False),
        ("order naproxen", "order naproxen", False),
        ("Start naproxen again.", "Start naproxen again.", False),
        ("Naproxen was ordered", "Naproxen was ordered", True),
        ("stop F1 <|im_end|>", "stop F1 <|im_end|>", False),
    ],
)
def test_free_text_is_one_sentence_and_released_only_when_it_is_verified(
    text: str,
    shown: str,
    released: bool,  # noqa: FBT001
    patient: Patient,
    build_sources: Build,
) -> None:
    record, ids = patient
    sources = build_sources(record)
    rendered = word_written(Written(text, (ids["k3"], ids["naproxen"]), "diagnostician", 7), sources)
    assert rendered is not None
    against = objection_to_text(rendered.text)
    (judged,) = gate([Drafted(rendered, wire.AUTHOR_MODEL, "diagnostician", against)], Verifier(sources), "a")
    assert (judged.kind, judged.text, judged.released) == (wire.STATEMENT_KIND_PROSE, shown, released)
    assert bool(judged.reason) != released


def test_a_model_that_wrote_nothing_says_nothing(patient: Patient, build_sources: Build) -> None:
    assert word_written(Written(" \n", (), "diagnostician", 7), build_sources(patient[0])) is None
