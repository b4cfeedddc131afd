"""What the engine recorded of a generation, as a turn to learn from: the grammar is walked along the tokens."""

from collections.abc import Sequence

from engine import Chunk
from engine.grammar import GrammarState

from training.samples import Ids, Turn


def turn(observation_ids: Sequence[int], answer: Chunk, grammar: GrammarState | None) -> Turn:
    """`grammar` is a fresh state of the one that the tokens were chosen under; None: everything was allowed."""
    return Turn(
        tuple(observation_ids),
        tuple(answer.output_ids),
        tuple(answer.log_probs),
        tuple(answer.allowed_mass),
        tuple(answer.forced),
        allowed(answer.output_ids, grammar) if grammar else (),
    )


def allowed(action_ids: Sequence[int], grammar: GrammarState) -> tuple[Ids, ...]:
    """What the grammar allowed at each token; GrammarError at the first that it did not."""
    ways = []
    for token in action_ids:
        ways.append(tuple(grammar.allowed().tolist()))
        grammar.accept(token)
    return tuple(ways)
