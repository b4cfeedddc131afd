"""The same network without source-bound decoding: it is shown the same record and question and writes what it likes."""

from collections.abc import Sequence

from harness import Generate

from tests.evals.episodes import Case, tokenizer
from tests.evals.players import Engine

TOKENS = 90
SYSTEM = (
    "You help a physician with one patient. Answer from the record in short factual sentences with values and dates."
)


def write(cases: Sequence[Case], engine: Engine) -> list[str]:
    """One text per case, greedy."""
    return [tokenizer().decode(ids).replace("<|im_end|>", "") for ids in engine.write([_asked(each) for each in cases])]


def _asked(owner: Case) -> Generate:
    words = tokenizer()
    record = "\n".join(line.text for line in owner.prepared.inputs.context.lines)
    findings = "\n".join(finding.text for finding in owner.prepared.inputs.findings)
    user = f"Record:\n{record}\n{findings}\nQuestion: {owner.story.question}"
    ids = [*words.turn("system", [words.encode(SYSTEM)]), *words.turn("user", [words.encode(user)]), *words.prompt()]
    return Generate("writer", "draft", tuple(ids), "", TOKENS, 0.0, 1.0, owner.story.seed, (words.end,))
