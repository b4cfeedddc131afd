"""What a span and an episode are worth, and the two ways to be paid for nothing."""

import random
from dataclasses import replace
from math import log2

import pytest
from consult.rewards import Called, Credit, Item, Known, Prices, Shown, conduct, facts, items, order, reviewed, whole
from consult.rewards.reviewers import Tally, indiscriminate
from longitude.reasoning.v1 import assessment_pb2 as wire

PRICES = Prices()
HIV = Item("hiv", 10, frozenset({"f1"}))
CD4 = Item("cd4", 5, frozenset({"f2", "f3"}))
WRONG = Item("stop it", -5, frozenset({"f9"}))
KNOWN = Known((HIV, CD4, WRONG))


def shown(step: int, *fact_ids: str, on_topic: bool = True, false: bool = False) -> Shown:
    return Shown(step, frozenset(fact_ids), wire.STATEMENT_KIND_PROBLEM, on_topic, false)


# --- items -----------------------------------------------------------------------------------------------------------


def test_a_rubric_is_one_where_all_is_said_and_nothing_forbidden_and_nought_where_only_the_forbidden_is() -> None:
    assert items.rubric([shown(1, "f1"), shown(2, "f3")], KNOWN) == 1.0
    assert items.rubric([shown(1, "f9")], KNOWN) == 0.0
    assert items.rubric([shown(1, "f1")], KNOWN) == pytest.approx((10 + 5) / 20)


def test_an_item_is_said_by_ids_or_by_its_predicate_and_never_by_a_false_statement() -> None:
    by_kind = Item("course", 5, says=lambda one: one.kind == wire.STATEMENT_KIND_TREND)
    assert by_kind.is_in(Shown(1, kind=wire.STATEMENT_KIND_TREND))
    assert not by_kind.is_in(Shown(1, kind=wire.STATEMENT_KIND_LATEST))
    assert not HIV.is_in(shown(1, "f1", false=True))


@pytest.mark.parametrize("weight", [0, 10.5, -11])
def test_a_weight_outside_the_rubric_is_refused(weight: float) -> None:
    with pytest.raises(ValueError, match="weight of x"):
        Item("x", weight)


def test_an_item_is_credited_once_to_the_statement_that_said_it_first() -> None:
    news = items.newly([shown(1, "f2"), shown(2, "f3"), shown(3, "f1", "f2")], KNOWN)
    assert news == ((CD4,), (), (HIV,))
    assert [items.gold_said(each) for each in news] == [0.5, 0.0, 1.0]


def test_what_must_not_be_said_is_worth_its_negative_weight() -> None:
    assert items.danger_said((WRONG,)) == -0.5
    assert items.danger_said((HIV,)) == 0.0


def test_the_end_is_charged_with_what_was_on_offer_and_not_said() -> None:
    assert items.missing_item([shown(1, "f1")], KNOWN) == pytest.approx(-5 / 15)
    assert items.missing_item([shown(1, "f1")], replace(KNOWN, offered=frozenset({"hiv"}))) == 0.0


# --- conduct ---------------------------------------------------------------------------------------------------------


def test_a_repetition_rests_on_nothing_new_in_the_same_kind() -> None:
    first = shown(1, "f1", "f2")
    assert conduct.repeated(shown(2, "f2"), [first], PRICES) == -PRICES.repeated
    assert conduct.repeated(shown(2, "f2", "f5"), [first], PRICES) == 0.0
    assert conduct.repeated(Shown(2, frozenset({"f2"}), wire.STATEMENT_KIND_TREND), [first], PRICES) == 0.0


def test_step_factors_are_severe_of_the_false_and_the_repeated_and_mild_off_the_topic() -> None:
    assert conduct.severity(shown(1, "f1", false=True), [], PRICES) == 0.1
    assert conduct.severity(shown(1, "f1"), [shown(1, "f1")], PRICES) == 0.1
    assert conduct.severity(shown(1, "f1", on_topic=False), [], PRICES) == 0.9
    assert conduct.severity(shown(1, "f1"), [], PRICES) == 1.0


def test_a_call_that_nothing_came_of_is_charged_to_its_own_step_and_to_the_whole() -> None:
    answer = [shown(3, "f1")]
    needless = whole(answer, KNOWN, [Called(2, needed=False)])
    assert Credit(2, -PRICES.needless_call, 0.9) in needless.credits
    assert needless.reward == pytest.approx(whole(answer, KNOWN, [Called(2, needed=True)]).reward * 0.9)


# --- order -----------------------------------------------------------------------------------------------------------


def test_ndcg_is_that_of_its_formula() -> None:
    news = ((), (CD4,), (HIV,))
    expected = (5 / log2(3) + 10 / log2(4)) / (10 / log2(2) + 5 / log2(3))
    assert order.ndcg(news, KNOWN) == pytest.approx(expected)
    assert order.ndcg(((HIV,), (CD4,)), KNOWN) == 1.0
    assert order.ndcg(((),), KNOWN) == 0.0


def test_the_first_statement_answers_or_does_not() -> None:
    assert order.first_answers(((HIV,), ()), KNOWN) == 1.0
    assert order.first_answers(((), (HIV,)), KNOWN) == 0.0
    assert order.first_answers((), KNOWN) == 0.0


# --- the whole -------------------------------------------------------------------------------------------------------


def test_the_best_answer_is_worth_one() -> None:
    rewarded = whole([shown(1, "f1"), shown(2, "f2")], KNOWN, finished=3)
    assert rewarded.reward == pytest.approx(1.0)
    assert rewarded.quality == 1.0
    assert rewarded.facts == 0.0
    assert rewarded.credits == (Credit(1, 1.0), Credit(2, 0.5), Credit(3, 0.0))


def test_what_a_rule_showed_is_nobodys_merit_and_costs_nothing() -> None:
    rewarded = whole([shown(0, "f8", on_topic=False), shown(0, "f1"), shown(1, "f2")], KNOWN)
    assert [credit.episode_step for credit in rewarded.credits] == [1]
    assert rewarded.parts["discount"] == 1.0


def test_where_nothing_is_wanted_silence_is_right_and_talk_is_not() -> None:
    nothing = Known(())
    assert whole([], nothing).reward == 1.0
    assert whole([shown(1, "f5", on_topic=False)], nothing).reward < 1.0


def test_statements_of_one_step_share_one_credit_and_the_severest_decides() -> None:
    rewarded = whole([shown(1, "f1"), shown(1, "f5", on_topic=False)], KNOWN)
    (credit,) = rewarded.credits
    assert credit.severity == 0.9
    assert credit.reward == pytest.approx(1.0 - PRICES.off_topic)


# --- the two hacks, over many cases ----------------------------------------------------------------------------------


def made(seed: int) -> tuple[Known, list[Shown], random.Random]:
    """A question with 1 to 6 items, and an honest answer: some of them, said truly, by one statement each."""
    chance = random.Random(seed)
    wanted = [Item(f"g{i}", chance.choice([2, 5, 8, 10]), frozenset({f"g{i}"})) for i in range(chance.randint(1, 6))]
    unwanted = [Item(f"b{i}", -chance.choice([2, 5, 10]), frozenset({f"b{i}"})) for i in range(chance.randint(0, 3))]
    known = Known((*wanted, *unwanted))
    said = chance.sample(wanted, chance.randint(1, len(wanted)))
    return known, [shown(place, item.name) for place, item in enumerate(said, 1)], chance


def safe(chance: random.Random, number: int, honest: list[Shown]) -> Shown:
    """A true statement that no item asks for: off the topic, on the topic but idle, or said before."""
    if chance.random() < 0.3:
        return replace(chance.choice(honest), episode_step=100 + number)
    return shown(100 + number, f"safe{number}", on_topic=chance.random() < 0.5)


@pytest.mark.parametrize("seed", range(300))
def test_padding_with_safe_claims_is_worth_less_than_the_honest_answer(seed: int) -> None:
    known, honest, chance = made(seed)
    padded = list(honest)
    for number in range(chance.randint(1, 30)):
        before = whole(padded, known)
        first = padded.index(honest[0]) + 1
        padded.insert(chance.randint(first, len(padded)), safe(chance, number, honest))
        after = whole(padded, known)
        assert after.reward < before.reward
        assert after.quality == before.quality


@pytest.mark.parametrize("seed", range(300))
def test_padding_in_front_is_worth_less_too(seed: int) -> None:
    known, honest, chance = made(seed)
    pad = shown(100, "safe", on_topic=chance.random() < 0.5)
    assert whole([pad, *honest], known).reward < whole(honest, known).reward


@pytest.mark.parametrize("seed", range(300))
def test_saying_nothing_is_worth_less_than_the_honest_answer(seed: int) -> None:
    known, honest, _ = made(seed)
    silent = whole([], known, finished=1)
    assert silent.reward < whole(honest, known, finished=9).reward
    assert silent.quality < whole(honest, known).quality
    (credit,) = silent.credits
    assert credit.reward == -1.0


@pytest.mark.parametrize("seed", range(100))
def test_safe_claims_do_not_dilute_what_is_false(seed: int) -> None:
    known, honest, chance = made(seed)
    lying = [*honest, shown(50, "g0", false=True)]
    padded = [
        *lying,
        *(shown(100 + n, f"safe{n}", on_topic=chance.random() < 0.5) for n in range(chance.randint(1, 30))),
    ]
    alone = facts.unfactual(lying, items.newly(lying, known))
    assert alone < 0
    assert facts.unfactual(padded, items.newly(padded, known)) == alone


@pytest.mark.parametrize("seed", range(100))
def test_the_reward_stays_between_nought_and_one(seed: int) -> None:
    known, honest, chance = made(seed)
    anything = [*honest, *(shown(60 + n, chance.choice("abg") + str(n), false=chance.random() < 0.5) for n in range(9))]
    rewarded = whole(anything, known, [Called(70, needed=False)], finished=80)
    assert 0 <= rewarded.reward <= 1
    assert -1 <= rewarded.facts <= 0
    assert all(-1 <= credit.reward <= 1 for credit in rewarded.credits)


# --- a review --------------------------------------------------------------------------------------------------------


def span(start: int, end: int, judgement: "wire.Judgement.ValueType") -> wire.ReviewedSpan:
    return wire.ReviewedSpan(start=start, end=end, judgement=judgement)


def judged(step: int, *spans: wire.ReviewedSpan) -> wire.ReviewedStatement:
    return wire.ReviewedStatement(episode_step=step, spans=spans)


def test_what_was_kept_is_worth_more_than_nought_what_was_removed_less_and_an_addition_was_missing() -> None:
    kept, removed = judged(4, span(0, 20, wire.JUDGEMENT_KEPT)), judged(6, span(0, 30, wire.JUDGEMENT_REMOVED))
    assert reviewed([kept, removed]).credits == (Credit(4, 1.0, 1.0), Credit(6, -1.0, 0.1))
    added = judged(4, span(0, 20, wire.JUDGEMENT_KEPT), span(20, 20, wire.JUDGEMENT_ADDED))
    assert reviewed([added]).credits == (Credit(4, 1.0, 1.0),)
    assert reviewed([added]).reward == 0.5 * reviewed([kept]).reward


def test_a_statement_that_was_cut_is_worth_what_was_left_of_it() -> None:
    cut = judged(4, span(0, 15, wire.JUDGEMENT_KEPT), span(15, 20, wire.JUDGEMENT_REPLACED))
    (credit,) = reviewed([cut]).credits
    assert (credit.episode_step, credit.severity) == (4, 0.9)
    assert credit.reward == pytest.approx(0.5)


def test_a_review_credits_steps_of_the_episode_alone_however_its_text_would_be_cut_into_tokens() -> None:
    """Nothing behind the judged statement is touched, and no place in the text becomes a place of a token."""
    one = judged(4, span(0, 7, wire.JUDGEMENT_REMOVED))
    other = judged(8, span(0, 7, wire.JUDGEMENT_KEPT))
    longer = judged(4, span(0, 700, wire.JUDGEMENT_REMOVED))
    assert {credit.episode_step for credit in reviewed([one]).credits} == {4}
    assert reviewed([one, other]).credits[0] == reviewed([longer]).credits[0]


def test_a_rules_statement_is_not_the_models_merit() -> None:
    assert reviewed([judged(0, span(0, 5, wire.JUDGEMENT_KEPT))]).credits == ()


def test_a_reviewer_who_accepts_everything_where_others_do_not_is_named() -> None:
    tallies = {"a": Tally(200, 20), "b": Tally(100, 12), "c": Tally(120, 0), "d": Tally(5, 0)}
    assert indiscriminate(tallies) == ("c",)
    assert indiscriminate({"c": Tally(120, 0)}) == ()
    assert indiscriminate({"c": Tally(120, 0), "e": Tally(90, 0)}) == ()
