"""What the model reads. The beginning is the same for every role, so that its keys and values are computed once."""

from collections.abc import Iterable

from harness.roles import Role
from harness.states import State
from harness.words import HINTS, Act

SYSTEM = "You help a physician with one patient. Reply with one action and the number of a line."

# What a role reads before its one free turn.
WRITING = "Sum up what matters most for the question in one short sentence."

# What an editor reads before its scratch.
THINKING = "Think: what does the question need?"


def opening(question: str) -> str:
    return f"Question: {question}\nRecord:\n"


def briefing(role: Role, state: State, lines: Iterable[str], *, thinks: bool = False) -> str:
    """What is new for a role that begins, or goes on in another state. `thinks`: it may write a scratch."""
    words = role.words[state] - (frozenset() if thinks else {Act.THINK})
    actions = ", ".join(hint for word, hint in HINTS.items() if word in words)
    return "".join(f"{line}\n" for line in (*lines, role.task, f"Actions: {actions}."))


def after(answer: str, lines: Iterable[str]) -> str:
    """What a role reads after its action."""
    return "".join(f"{line}\n" for line in (answer, *lines)) + "Next action?"
