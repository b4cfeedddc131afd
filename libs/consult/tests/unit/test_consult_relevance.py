import pytest
from consult.context.relevance import concerning, measure, terms
from longitude.record.v1.context_pb2 import Passage


def passage(passage_id: str, title: str, text: str, population: str = "") -> Passage:
    return Passage(passage_id=passage_id, title=title, text=text, population=population)


METFORMIN = passage("metformin", "Metformin and kidney function", "Metformin is stopped below an eGFR of 30.")
CONTRAST = passage("contrast", "Metformin around contrast", "Metformin is paused for iodinated contrast.")
STATIN = passage("statin", "Statins in kidney disease", "A statin is given over the age of 50.")
LIBRARY = [STATIN, CONTRAST, METFORMIN]


def ids(question: str, passages: list[Passage]) -> list[str]:
    return [each.passage_id for each in concerning(question, passages)]


def test_the_passage_that_holds_what_is_asked_concerns_the_question() -> None:
    assert ids("Below which eGFR is metformin stopped?", LIBRARY) == ["metformin"]
    assert ids("Is metformin paused for contrast?", LIBRARY) == ["contrast"]


@pytest.mark.parametrize(
    "question",
    [
        "Which dose of colchicine is safe in gout?",
        "What has changed since the last visit?",
        "What should be done?",
        "?",
    ],
)
def test_nothing_concerns_a_question_about_what_no_passage_has(question: str) -> None:
    assert ids(question, LIBRARY) == []


def test_a_word_that_no_passage_has_outweighs_the_words_that_all_have() -> None:
    assert ids("Can metformin be given in porphyria?", LIBRARY) == []


def test_a_passage_whose_title_says_it_comes_before_one_that_mentions_it() -> None:
    mention = passage("a-mention", "Contrast", "Statins and kidney disease are mentioned.")
    assert ids("Statins in kidney disease", [mention, *LIBRARY]) == ["statin"]


def test_a_passage_about_more_than_is_asked_comes_after_one_about_just_that() -> None:
    narrow = passage("z-narrow", "Metformin and eGFR", "Metformin needs an eGFR.")
    wide = passage("a-wide", "Metformin, eGFR and iodinated contrast in radiology", "Metformin needs an eGFR.")
    assert ids("Does the eGFR allow metformin?", [wide, narrow, STATIN]) == ["z-narrow"]


def test_the_order_of_the_library_does_not_matter() -> None:
    question = "Metformin and kidney function"
    assert measure(question, LIBRARY) == measure(question, LIBRARY[::-1])


def test_words_are_compared_without_their_endings() -> None:
    assert terms("defined stages") == terms("definition of staging")
    assert terms("stopped") == terms("stop")
    assert terms("hyperkalaemia") != terms("hypertension")


def test_no_passages_concern_nothing() -> None:
    assert concerning("metformin", []) == []


def test_a_passage_about_another_drug_does_not_concern_the_question() -> None:
    weight = passage("weight", "Weight loss in obesity", "Adults with obesity are offered help to lose weight.")
    assert ids("Is weight loss in obesity helped?", [weight]) == ["weight"]
    assert ids("Is semaglutide for weight loss in obesity?", [weight]) == []


def test_a_title_may_name_the_class_of_the_drug_asked_about() -> None:
    opioid = passage("opioid", "Opioids in head injury", "Opioids such as oxycodone hide the course of a head injury.")
    other = passage("other", "Statins in head injury", "Statins are not oxycodone, and do not hide a head injury.")
    assert ids("Oxycodone in head injury", [opioid, other]) == ["opioid"]


def test_a_title_about_a_drug_does_not_answer_a_question_that_names_none() -> None:
    assert ids("Kidney disease over 50", [STATIN]) == []


@pytest.mark.parametrize("narrow", ["screening", "in pregnancy", "in children"])
def test_what_narrows_a_title_is_asked_for(narrow: str) -> None:
    about = passage("about", f"Coeliac disease {narrow}", f"Coeliac disease {narrow} is looked for.")
    assert ids(f"Coeliac disease {narrow}", [about]) == ["about"]
    assert ids("Coeliac disease", [about]) == []


def test_what_narrows_a_question_is_in_the_passage() -> None:
    about = passage("about", "Antiepileptic drugs", "Antiepileptic drugs are stopped gradually.")
    assert ids("Antiepileptic drugs in pregnancy", [about]) == []


def test_a_passage_whose_title_has_no_word_of_the_question_does_not_concern_it() -> None:
    about = passage("about", "Powder inhalers", "Anaphylaxis was reported.")
    assert ids("Was anaphylaxis reported?", [about]) == []


def test_a_title_that_names_the_class_alone_needs_no_further_word_of_the_question() -> None:
    boxed = passage("boxed", "Boxed warning of NSAIDs", "NSAIDs such as diclofenac raise the risk of stroke.")
    other = passage("other", "Boxed warning of statins", "Statins, not diclofenac, do not raise the risk of stroke.")
    assert ids("Does diclofenac raise the risk of stroke?", [boxed, other]) == ["boxed"]


@pytest.mark.parametrize(
    ("population", "youngest", "oldest"),
    [
        ("men of 65 to 75 years who have ever smoked", 65, 75),
        ("women of 75 years or older", 75, 99),
        ("women of 65 years and older", 65, 99),
        ("women older than 65 years", 66, 99),
        ("women over 35 years who smoke", 36, 99),
        ("women younger than 21 years", 10, 20),
    ],
)
@pytest.mark.parametrize("words", ["Bone scan at {}?", "Has a woman of {} a bone scan?", "A bone scan, {} years old"])
def test_an_age_that_is_asked_about_is_one_of_the_population(
    words: str, population: str, youngest: int, oldest: int
) -> None:
    about = passage("about", "Bone scan", "A woman has a bone scan.", population)
    asked = {age: ids(words.format(age), [about, *LIBRARY]) for age in range(10, 100)}
    assert [age for age, answer in asked.items() if answer] == list(range(youngest, oldest + 1))


@pytest.mark.parametrize("question", ["A bone scan at 40 mg?", "A bone scan at 40 %", "A bone scan of 40"])
def test_a_number_that_is_no_age_is_a_word(question: str) -> None:
    about = passage("about", "Bone scan", "A bone scan.", "adults of 18 to 75 years")
    assert ids(question, [about, *LIBRARY]) == []


def test_who_asks_about_a_person_of_an_age_asks_what_is_due_at_it() -> None:
    about = passage("about", "Bone density screening", "Bone density is measured.", "adults of 60 to 75 years")
    assert ids("Bone density at 66", [about, *LIBRARY]) == ["about"]
    assert ids("Bone density", [about, *LIBRARY]) == []
