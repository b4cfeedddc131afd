"""What the model reads. The beginning is the same for every role, so that its keys and values are computed once."""

from collections.abc import Iterable

from harness.forms import Form
from harness.roles import Role
from harness.states import State

SYSTEM = "You help a physician with one patient. Reply with one action and the number of a line."

# What a role reads before its one free turn.
WRITING = "Sum up what matters most for the question in one short sentence."

_HINTS = {
    Form.LATEST: "latest F",
    Form.TREND: "trend F",
    Form.CHANGE: "change F",
    Form.MEDICATION: "medication F",
    Form.ALLERGY: "allergy F",
    Form.PROBLEM: "problem F",
    Form.IMAGING: "imaging F",
    Form.EVIDENCE: "evidence E",
    Form.ABSENCE: "absence N",
    Form.CALCULATION: "calculate K",
    Form.PROPOSE: "propose review F E",
    Form.LOOK: "look up F",
    Form.ASK_PHYSICIAN: "ask_physician F",
    Form.WRITE: "write",
    Form.ASK: "ask role",
    Form.DOUBT: "doubt S",
    Form.FINISH: "finish",
}


def opening(question: str) -> str:
    return f"Question: {question}\nRecord:\n"


def briefing(role: Role, state: State, lines: Iterable[str]) -> str:
    """What is new for a role that begins, or goes on in another state."""
    actions = ", ".join(_HINTS[form] for form in _HINTS if form in role.forms[state])
    return "".join(f"{line}\n" for line in (*lines, role.task, f"Actions: {actions}."))


def after(answer: str, lines: Iterable[str]) -> str:
    """What a role reads after its action."""
    return "".join(f"{line}\n" for line in (answer, *lines)) + "Next action?"
