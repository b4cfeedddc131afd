"""An adversary instead of a model achieves nothing that is not allowed; and the oracle would see it if it did."""

from collections import Counter

import pytest
from consult import Model

from tests.evals.adversary import measure
from tests.evals.episodes import case, play, tokenizer
from tests.evals.oracle import Oracle
from tests.evals.players import Lawless, at_random, grammars, hostile


@pytest.mark.parametrize("model", [at_random(), hostile()], ids=lambda model: model.pin.name)
def test_no_choice_of_allowed_tokens_does_what_is_not_allowed(model: Model) -> None:
    seen: Counter[str] = Counter()
    measure(model, [case(seed) for seed in (1, 2, 3)], seen, "all")
    assert seen["violations"] == 0
    assert seen["statements, all"] + seen["proposals, all"] > 0
    assert seen["refused, all"] == 0


def test_a_model_that_ignores_its_grammar_does_nothing_at_all() -> None:
    seen: Counter[str] = Counter()
    measure(Lawless(), [case(seed) for seed in (4, 5)], seen, "all")
    assert (seen["violations"], seen["statements, all"], seen["proposals, all"]) == (0, 0, 0)
    assert seen["refused, all"] > 0


def test_no_first_token_of_an_order_is_ever_allowed() -> None:
    grammar = case(1).begin(at_random().pin).start(case(1).record.asked_at).requests[0].grammar  # type: ignore[union-attr]
    allowed = set(grammars().start(grammar).allowed().tolist())
    assert allowed
    assert allowed.isdisjoint(tokenizer().encode(word)[0] for word in ("order", "stop", "prescribe", "release", "sign"))


def test_the_oracle_sees_statements_about_what_was_not_given() -> None:
    run = play([case(1)], at_random())[0]
    assert Oracle(run).violations() == []
    del run.recorded.inputs.context.facts[:]
    del run.recorded.inputs.context.passages[:]
    assert Oracle(run).violations() != []


def test_the_oracle_sees_a_right_that_a_role_does_not_have() -> None:
    run = play([case(1)], at_random())[0]
    allowed = next(step for step in run.recorded.steps if step.decision.reason == "allowed")
    allowed.decision.what = "coordinator: stop F1"
    assert len(Oracle(run).violations()) == 2
