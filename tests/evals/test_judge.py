"""The judge knows the truth: what is true passes, every tempting lie is seen, and coverage counts what was said."""

import pytest
from testkit.stories import story
from testkit.stories.formulas import egfr

from tests.evals.hallucination import measure
from tests.evals.judge import Judge
from tests.evals.rubric import rubric


@pytest.mark.parametrize("seed", range(12))
def test_true_statements_are_judged_true_and_tempting_ones_false(seed: int) -> None:
    truth = story(seed).truth
    judge = Judge(truth, "")
    wrong = [(text, claim) for text in truth.statements for claim in judge.claims(text) if claim.problem]
    assert wrong == []
    passed = [each for each in truth.tempting if not any(claim.problem for claim in judge.claims(each.text))]
    assert passed == []


def test_a_quotation_that_is_not_in_the_library_is_baseless() -> None:
    judge = Judge(story(1).truth, "Metformin is contraindicated below an eGFR of 30.")
    assert judge.claims("Evidence: “Metformin is contraindicated below an eGFR of 30.”")[0].problem == ""
    assert judge.claims("Evidence: “Metformin is harmless.”")[0].problem != ""


def test_a_dose_limit_is_judged_by_the_kidney_function_of_its_day() -> None:
    truth, day = next(
        (told, measured.day)
        for told in (story(seed).truth for seed in range(40))
        for measured in told.course("creatinine")
        if any(drug.name == "metformin" for drug in told.drugs)
        and 31 < egfr(float(measured.value), told.born, told.sex, measured.day) < 44
    )
    judge = Judge(truth, "")
    said = {
        text: judge.claims(f"With the creatinine of {day}, {text}.")[0].problem
        for text in (
            "metformin: at most 1000 mg per day by KDIGO 2022",
            "metformin: at most 2000 mg per day by KDIGO 2022",
            "metformin: contraindicated by FDA label",
            "warfarin: contraindicated by FDA label",
        )
    }
    assert [bool(problem) for problem in said.values()] == [False, True, True, True]


def test_silence_is_never_wrong_and_covers_nothing() -> None:
    told = story(3)
    assert Judge(told.truth, "").claims("") == []
    assert not any(item.met([]) for item in rubric(told))


def test_the_systems_without_a_network_are_measured_on_the_same_stories() -> None:
    scores = measure(range(2), None)
    assert set(scores) == {"rules alone", "random among allowed"}
    assert all(score.claims > 10 and score.items > 4 for score in scores.values())
