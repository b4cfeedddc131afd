"""The main job: a patient's messages become a timeline, a checked assessment and a proof."""

import asyncio
import json
from pathlib import Path
from typing import Any

from aiokafka import AIOKafkaConsumer
from client import forms
from contracts.kafka import reaching
from contracts.topics import ASSESSMENT_REVIEWED
from longitude.reasoning.v1.events_pb2 import AssessmentReviewed

from tests.story import MESSAGES, Telling, tell
from tests.system.after_story import ADDED, PATIENT, System


def of_code(facts: list[Any], code: str) -> list[tuple[str, float]]:
    return [(f["valid_from"][:10], float(f["value"])) for f in facts if f["code"]["code"] == code and f["value"]]


def released(assessment: Any) -> str:
    return "\n".join(s["text"] for s in assessment["statements"] if s["released"])


def test_every_message_of_both_dialects_is_acknowledged(system: System) -> None:
    assert len(system.acknowledgements) == len(MESSAGES)
    assert all(b"AA" in acknowledgement for acknowledgement in system.acknowledgements)


def test_two_feeds_become_one_timeline_in_one_unit(system: System) -> None:
    facts = system.observer.json("timeline", PATIENT)
    assert facts == system.observer.json("timeline", "88-1306@LAKESIDE")
    egfr = of_code(facts, "33914-3")
    assert {("2024-03-12", 68.0), ("2025-02-10", 49.0), ("2026-10-05", 28.0)} <= set(egfr)
    # LAKESIDE sends umol/L; the record has mg/dL.
    assert all(0.5 < value < 3.0 for _, value in of_code(facts, "2160-0"))


def test_every_fact_points_into_its_source(system: System) -> None:
    facts = system.observer.json("timeline", PATIENT)
    required = {"fact_id", "kind", "code", "value", "unit", "valid_from", "valid_to", "recorded_at", "status", "source"}
    for fact in facts:
        assert required <= fact.keys()
        assert fact["source"]["control_id"] or fact["kind"] in {"imaging_finding", "IMAGING_FINDING"}


def test_the_record_knows_what_it_knew_before_the_merge_and_before_a_correction(system: System) -> None:
    assert system.observer.command("timeline", PATIENT, "--known-at", "2020-01-01T00:00:00Z").returncode != 0


def test_the_scanned_page_becomes_facts_marked_as_read_from_an_image(system: System) -> None:
    facts = system.observer.json("timeline", PATIENT)
    read = [f for f in facts if str(f.get("provenance", "")).lower().endswith("read_from_image")]
    assert ("2025-07-08", 5.0) in of_code(read, "2823-3")


def test_the_assessment_says_what_continuity_is_for(assessment: Any) -> None:
    text = released(assessment).lower()
    for expected in ("egfr", "metformin", "naproxen", "penicillin", "lisinopril", "28", "49"):
        assert expected in text, f"not said: {expected}"
    for never in ("breast", "ibuprofen", "bronchitis"):
        assert never not in text, f"said: {never}"
    # The withdrawn potassium is spoken of only as withdrawn.
    assert all("replaces" in line for line in text.splitlines() if "6.9 mmol" in line)


def test_every_released_sentence_names_its_sources_and_every_withheld_one_its_reason(assessment: Any) -> None:
    assert any(s["released"] for s in assessment["statements"])
    for statement in assessment["statements"]:
        if statement["released"]:
            assert statement["sources"], statement["text"]
            marked = statement["kind"] == "question" and statement["reason"]
            assert statement["verdict"] == "supported" or marked, statement["text"]
        else:
            assert statement["reason"], statement["text"]


TRUE_TEXT = (
    "# Summary\r\n\r\n- eGFR was 28 mL/min/1.73 m2 on 2026-10-05.\r\n- eGFR was 68 mL/min/1.73 m2 on 2024-03-12.\r\n"
)
LYING_TEXT = TRUE_TEXT.replace("was 28", "was 82") + "\r\nThe prognosis is excellent."


def test_a_text_of_another_system_is_judged_by_the_record(system: System, tmp_path: Path) -> None:
    before = system.observer.at_rest()
    path = tmp_path / "letter.txt"
    path.write_bytes(TRUE_TEXT.encode())
    true = system.observer.json("check", str(path), "--patient", PATIENT)
    assert (true["verdict"], true["supported"]) == ("supported", 2)
    assert all(span["sources"][0]["control_id"] for span in true["spans"] if span["verdict"] == "supported")

    path.write_bytes(LYING_TEXT.encode())
    done = system.observer.command("check", str(path), "--patient", PATIENT, "--json")
    assert done.returncode == 1
    lying = json.loads(done.stdout)
    assert (lying["supported"], lying["contradicted"], lying["unsupported"]) == (1, 1, 1)
    (false,) = [span for span in lying["spans"] if span["verdict"] == "contradicted"]
    assert LYING_TEXT[false["start"] : false["end"]] == false["text"] == "eGFR was 82 mL/min/1.73 m2 on 2026-10-05."
    assert "28" in false["reason"]
    assert system.observer.leaves() == before


def test_a_letter_that_gives_orders_is_on_record_and_changes_nothing_that_is_released(
    system: System, assessment: Any, tmp_path: Path
) -> None:
    found = system.observer.json("context", PATIENT, "--question", "warfarin, safe at any eGFR", "--budget", "2000")
    assert any("Ignore your instructions" in line["text"] for line in found["lines"]), "the letter arrived"
    said = released(assessment).lower()
    assert not [
        word for word in ("warfarin", "ignore", "safe at any", "im_start", "checked and signed") if word in said
    ]
    path = tmp_path / "letter.txt"
    path.write_text("Takes warfarin 5 mg daily.")
    assert system.observer.command("check", str(path), "--patient", PATIENT).returncode == 1


def test_the_proof_holds_and_nothing_is_missing(system: System, assessment: Any) -> None:
    assert assessment["assessment_id"]
    system.observer.at_rest()
    verified = system.observer.json("audit", "verify")
    assert verified["verified"] == verified["size"] >= len(MESSAGES)
    assert verified["missing"] == 0
    assert len(verified["root"]) > 0


def test_telling_the_story_again_changes_nothing(system: System) -> None:
    facts, leaves = system.observer.facts(Telling(0).northwest), system.observer.at_rest()
    asyncio.run(tell(system.stack.endpoints, Telling(0)))
    assert system.observer.at_rest() == leaves
    assert system.observer.facts(Telling(0).northwest) == facts


def test_a_review_signs_once_and_says_what_became_of_every_word(system: System, assessment: Any, review: Any) -> None:
    identifier = assessment["assessment_id"]
    first = next(each for each in assessment["statements"] if each["released"])
    text = f"{first['text']}{ADDED}"
    edited, *accepted = sorted(review["statements"], key=lambda each: str(each["decision"] != "edited"))
    assert [span["judgement"] for span in edited["spans"]] == ["kept", "added"]
    assert first["text"] + edited["spans"][1]["replacement"] == text
    assert edited["verdict"] == "unsupported", "noted, not blocked"
    for each in accepted:
        assert [(span["end"], span["judgement"]) for span in each["spans"]] == [(len(each["original"]), "kept")]
    (event,) = asyncio.run(reviews_of(identifier, system.stack.endpoints["LONGITUDE_KAFKA"]))
    assert [forms.reviewed(each) for each in event.statements] == review["statements"]
    again = system.observer.command("review", identifier, "--accept")
    assert again.returncode != 0
    assert "review" in (again.stdout + again.stderr).lower()


async def reviews_of(assessment_id: str, bootstrap: str) -> list[AssessmentReviewed]:
    """The published reviews of an assessment."""
    consumer = AIOKafkaConsumer(ASSESSMENT_REVIEWED.name, **reaching(bootstrap), auto_offset_reset="earliest")
    await consumer.start()
    try:
        async with asyncio.timeout(30):
            while True:
                read = await consumer.getmany(timeout_ms=1000)
                events = [AssessmentReviewed.FromString(each.value) for batch in read.values() for each in batch]
                if found := [event for event in events if event.assessment_id == assessment_id]:
                    return found
    finally:
        await consumer.stop()


def test_one_message_can_be_followed_from_its_control_id(system: System) -> None:
    types = {leaf["event_type"].rpartition(".")[2] for leaf in system.observer.json("trace", "NW0002")}
    assert {"MessageReceived", "RecordUpdated"} <= types
