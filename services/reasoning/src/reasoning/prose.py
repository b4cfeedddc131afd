"""One short sentence of the model's own, without a grammar. The gate judges it like everything else.

It shows what the gate is for: a small model's free sentence is usually withheld, with the reason.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass

from grounding import Rendered, Sources, Statement
from grounding.render import citations
from grounding.spans import sentences
from harness import Generate, Generated, ModelPin, Tokenizer
from longitude.reasoning.v1 import assessment_pb2 as wire

from reasoning.adapters.triton import Reasoner, ReasonerRefusedError

ROLE = "diagnostician"
MAX_TOKENS = 40
_STATE = "prose"
_SYSTEM = "You help a physician with one patient."
_TASK = "Sum up what matters most for the question in one short sentence."
# Lines that the sentence is written from, and the characters of each.
_LINES, _CHARACTERS = 6, 140


@dataclass(frozen=True, slots=True)
class Prose:
    """A sentence with the tokens that it was read from and written in, and the facts that it may rest on."""

    text: str
    observation_ids: tuple[int, ...]
    generated: Generated
    fact_ids: tuple[str, ...]

    @property
    def record(self) -> str:
        """The turn as JSON with sorted keys, for the episode: token ids in, token ids and log-probabilities out."""
        turn = {
            "observation_ids": self.observation_ids,
            "action_ids": self.generated.output_ids,
            "log_probs": self.generated.log_probs,
            "finish_reason": self.generated.finish_reason,
        }
        return json.dumps(turn, sort_keys=True)

    def rendered(self, sources: Sources) -> Rendered:
        """As a statement that rests on the facts it was written from."""
        statement = Statement(wire.STATEMENT_KIND_PROSE, (), self.fact_ids)
        return Rendered(statement, self.text, citations(statement, sources))


async def write(
    question: str,
    said: Sequence[wire.Statement],
    tokenizer: Tokenizer,
    reasoner: Reasoner,
    pin: ModelPin,
    seed: int,
) -> Prose | None:
    """A sentence about what was released; None when there is nothing to write about or the model wrote nothing."""
    shown = [statement for statement in said if statement.released][:_LINES]
    lines = [statement.text.partition("“")[0].strip()[:_CHARACTERS] for statement in shown]
    if not lines:
        return None
    ids = _prompt(tokenizer, "\n".join((f"Question: {question}", *lines, _TASK)))
    asked = Generate(ROLE, _STATE, ids, "", MAX_TOKENS, 0.0, 1.0, seed, (tokenizer.end,))
    try:
        generated = await reasoner.generate(asked, pin, lambda _: None)
    except ReasonerRefusedError:
        return None
    text = _first_sentence(tokenizer.decode(each for each in generated.output_ids if each != tokenizer.end))
    cited = (citation.fact_id for statement in shown for citation in statement.citations if citation.fact_id)
    return Prose(text, ids, generated, tuple(dict.fromkeys(cited))) if text else None


def _prompt(tokenizer: Tokenizer, text: str) -> tuple[int, ...]:
    system = tokenizer.turn("system", [tokenizer.encode(_SYSTEM)])
    return (*system, *tokenizer.turn("user", [tokenizer.encode(text)]), *tokenizer.prompt())


def _first_sentence(text: str) -> str:
    plain = " ".join(text.split())
    found = sentences(plain, clauses=False)
    return found[0].of(plain) if found else ""
