"""Every action that exists here and now, in its one spelling: what the grammar is made of."""

from collections.abc import Callable, Iterable, Iterator, Mapping

from harness.actions import ActionRefusedError, ProposalKind
from harness.forms import Form
from harness.guard import ABOUT, WITH_EVIDENCE, decide
from harness.questions import QUESTIONS
from harness.tools import TOOLS
from harness.view import View

_HANDLES = {
    Form.LATEST: "F",
    Form.TREND: "F",
    Form.CHANGE: "F",
    Form.MEDICATION: "F",
    Form.ALLERGY: "F",
    Form.PROBLEM: "F",
    Form.IMAGING: "F",
    Form.EVIDENCE: "E",
    Form.ABSENCE: "N",
    Form.CALCULATION: "K",
}


def menu(view: View) -> tuple[str, ...]:
    """The actions that the guard would let through, `finish` last; never empty."""
    forms = sorted(view.role.forms.get(view.state, frozenset()) - {Form.FINISH})
    return (*(text for form in forms for text in _candidates(form, view) if _passes(text, view)), str(Form.FINISH))


def _passes(text: str, view: View) -> bool:
    try:
        decide(text, view)
    except ActionRefusedError:
        return False
    return True


def _candidates(form: Form, view: View) -> Iterator[str]:
    if form in _HANDLES:
        yield from (f"{form} {handle}" for handle in view.sources.visible(_HANDLES[form], view.shown))
    else:
        yield from _OTHERS[form](view)


def _proposals(view: View) -> Iterator[str]:
    passages = ["", *(f" {handle}" for handle in view.sources.visible("E", view.shown))]
    for kind in ProposalKind:
        for handle in view.sources.about((ABOUT[kind],), view.shown):
            for passage in passages if kind in WITH_EVIDENCE else [""]:
                yield f"propose {kind} {handle}{passage}"


def _calls(view: View) -> Iterator[str]:
    for name in sorted(view.tools & view.role.tools & TOOLS.keys()):
        for purpose, asked in TOOLS[name].purposes.items():
            handles = (f" {handle}" for handle in view.sources.about(asked.kinds, view.shown))
            yield from (f"look {name}{handle} for {purpose}" for handle in (handles if asked.kinds else [""]))


def _questions(view: View) -> Iterator[str]:
    for purpose, kinds in QUESTIONS.items():
        yield from (f"ask_physician {handle} for {purpose}" for handle in view.sources.about(kinds, view.shown))


_OTHERS: Mapping[Form, Callable[[View], Iterable[str]]] = {
    Form.PROPOSE: _proposals,
    Form.LOOK: _calls,
    Form.ASK_PHYSICIAN: _questions,
    Form.WRITE: lambda _: ["write"],
    Form.ASK: lambda view: [f"ask {role}" for role in view.team],
    Form.DOUBT: lambda view: [f"doubt S{number}" for number in range(1, view.drafted + 1)],
}
