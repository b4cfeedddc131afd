"""Stories are functions of their seed, write readable messages of two hospitals, and lay every trap."""

from collections import Counter
from datetime import date

from testkit.stories import story
from testkit.stories.dialect import LAKESIDE, NORTHWEST
from testkit.stories.formulas import egfr
from testkit.stories.plan import TRAPS


def test_a_seed_gives_the_same_story_and_another_seed_another() -> None:
    assert story(5) == story(5)
    assert story(5).messages != story(6).messages


def test_messages_are_written_in_the_dialect_of_their_hospital() -> None:
    messages = [message for seed in range(10) for message in story(seed).messages]
    northwest = [each for each in messages if each.startswith(b"MSH|^~\\&|")]
    lakeside = [each for each in messages if each.startswith(b"MSH|$%?!|")]
    assert len(northwest) + len(lakeside) == len(messages)
    assert northwest
    assert lakeside
    assert all(each.decode(NORTHWEST.codec).endswith("\r") for each in northwest)
    assert any("umol/L" in each.decode(LAKESIDE.codec) for each in lakeside)


def test_every_trap_is_laid_and_has_its_lie() -> None:
    told = [story(seed) for seed in range(40)]
    laid = Counter(trap for each in told for trap in each.traps)
    tempting = Counter(lie.trap for each in told for lie in each.truth.tempting)
    assert set(laid) == TRAPS
    assert all(tempting[trap] for trap in TRAPS)


def test_no_truth_is_also_a_lie() -> None:
    for seed in range(40):
        truth = story(seed).truth
        assert not set(truth.statements) & {lie.text for lie in truth.tempting}


def test_the_equation_gives_the_published_example() -> None:
    """Creatinine 1.0 mg/dL, 50 years: 69 for a woman and 92 for a man (NKF calculator)."""
    born, day = date(1970, 1, 1), date(2020, 6, 1)
    assert [round(egfr(1.0, born, sex, day)) for sex in "FM"] == [69, 92]
