import numpy as np
import pytest
from engine.grammar import GrammarError, Grammars
from engine.productive import endless_rules
from hypothesis import given
from hypothesis import strategies as st

END = 1


def walk(grammars: Grammars, ebnf: str, seed: int, limit: int = 200) -> list[int]:
    """Random allowed tokens until the end."""
    state, random, taken = grammars.start(ebnf), np.random.default_rng(seed), []
    while not state.ended:
        taken.append(int(random.choice(state.allowed())))
        state.accept(taken[-1])
        assert len(taken) < limit
    return taken


def test_token_grammars_allow_exactly_their_spellings(grammars: Grammars) -> None:
    ebnf = "root ::= (Token(10) Token(11)) | (Token(10) Token(12)) | (Token(13))"
    found = {tuple(walk(grammars, ebnf, seed)) for seed in range(40)}
    assert found == {(10, 11, END), (10, 12, END), (13, END)}


@pytest.mark.parametrize(
    "ebnf",
    [
        'root ::= "a" root',
        'root ::= x | "b"\nx ::= "a" x',
        "root ::= x\nx ::= y\ny ::= x",
        "root ::= []",
        'root ::= "a" ("b" | root) dead\ndead ::= dead "x"',
    ],
)
def test_a_grammar_without_a_way_out_is_an_error(grammars: Grammars, ebnf: str) -> None:
    with pytest.raises(GrammarError, match="no way out"):
        grammars.start(ebnf)


@pytest.mark.parametrize("ebnf", ['root ::= "a', "root ::= missing", "other ::= [a-z]", ""])
def test_a_grammar_that_cannot_be_compiled_says_so(grammars: Grammars, ebnf: str) -> None:
    with pytest.raises(GrammarError, match="cannot be compiled"):
        grammars.start(ebnf)


@pytest.mark.parametrize(
    "ebnf",
    [
        'root ::= "a" root | "b"',
        'root ::= [a-z]{1,5} (" " root)?',
        'root ::= x{0,3} "z"\nx ::= [0-9]',
        'root ::= "]" | "\\"::= x" | [\\]]',
        "root ::= (Token(4) root) | Token(5, 6)",
    ],
)
def test_a_grammar_that_can_end_compiles(grammars: Grammars, ebnf: str) -> None:
    assert len(grammars.start(ebnf).allowed())


def test_quoted_text_is_not_taken_for_a_rule() -> None:
    assert endless_rules('root ::= (("| root" [a|root] Token(3, 4)))\n') == []


@given(st.integers(0, 10_000))
def test_every_walk_through_a_bounded_grammar_comes_to_its_end(grammars: Grammars, seed: int) -> None:
    assert walk(grammars, 'root ::= item{1,6}\nitem ::= [a-f]{1,4} " "', seed)[-1] == END


def test_a_token_that_is_not_allowed_is_not_accepted(grammars: Grammars) -> None:
    with pytest.raises(GrammarError):
        grammars.start("root ::= (Token(9))").accept(8)


def test_only_the_last_grammars_are_kept(tokenizer: object) -> None:
    grammars = Grammars(tokenizer, 320, [END], kept=2)  # type: ignore[arg-type]
    for token in range(5, 10):
        grammars.start(f"root ::= (Token({token}))")
    assert len(grammars._compiled) == 2
