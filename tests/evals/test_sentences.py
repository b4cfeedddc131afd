"""Sentences are counted as what was judged at their place, the worst of it; a passed false one is never lost."""

import pytest

from tests.evals.sentences import (
    AUTHORED,
    VERDICTS,
    Found,
    Judged,
    Sentence,
    by_check,
    by_kind,
    in_documents,
    judged,
    read,
    shares,
)

TRUE = Sentence("P1@TEST", "Rest in bed.", truth=True, kind="advice")
FALSE = Sentence("P1@TEST", "No rest.", truth=False, kind="advice")


def test_a_sentence_has_the_worst_verdict_of_the_spans_at_its_place() -> None:
    spans = [
        Found(0, 4, "supported", ""),
        Found(5, 12, "unsupported", "reading: x"),
        Found(14, 20, "contradicted", "y"),
    ]
    assert judged(TRUE, spans, 0) == Judged(TRUE, "unsupported", "reading: x")
    assert judged(FALSE, spans, 14).verdict == "contradicted"
    assert judged(TRUE, [], 0).verdict == "no_claim"


def test_in_a_document_each_sentence_has_its_own_place_and_its_own_patient() -> None:
    other = Sentence("P2@TEST", "Rest.", truth=True, kind="advice")
    seen: list[tuple[str, str]] = []

    def checks(texts: object) -> list[list[Found]]:
        assert isinstance(texts, list)
        seen.extend(texts)
        return [[Found(0, 12, "supported", ""), Found(14, 22, "contradicted", "z: no")], [Found(0, 5, "no_claim", "")]]

    found = in_documents([TRUE, other, FALSE], checks)
    assert seen == [("P1@TEST", "Rest in bed.\n\nNo rest.\n\n"), ("P2@TEST", "Rest.\n\n")]
    assert [(each.sentence, each.verdict) for each in found] == [
        (TRUE, "supported"), (FALSE, "contradicted"), (other, "no_claim")
    ]  # fmt: skip


@pytest.mark.parametrize("verdict", ["supported", "no_claim"])
def test_a_false_sentence_that_is_supported_or_asserts_nothing_has_passed(verdict: str) -> None:
    told = [Judged(TRUE, "unsupported", "reading: x"), Judged(FALSE, verdict, ""), Judged(FALSE, "contradicted", "z")]
    figures = shares(told)
    assert (figures["true_unsupported"], figures["false_passed"], figures["false_contradicted"]) == (1.0, 0.5, 0.5)
    assert sum(figures[f"false_{each}"] for each in VERDICTS) == 1.0
    assert by_kind(told) == {"false_passed advice": 0.5, "true_supported advice": 0.0}
    assert by_check(told) == {"refused reading": 1.0}


def test_the_authored_set_has_as_many_of_both_and_each_once() -> None:
    sentences = read(AUTHORED)
    assert len({each.text for each in sentences}) == len(sentences)
    counts = [sum(each.truth is truth for each in sentences) for truth in (True, False)]
    assert min(counts) >= 40
