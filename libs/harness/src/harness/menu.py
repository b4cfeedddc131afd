"""Every action that exists here and now, in its one spelling: what the grammar is made of."""

from collections.abc import Iterator

from harness.actions import ActionRefusedError, Form, ProposalKind
from harness.guard import WITH_EVIDENCE, View, decide
from harness.tools import TOOLS

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
    elif form is Form.PROPOSE:
        yield from _proposals(view)
    elif form is Form.LOOK:
        yield from _calls(view)
    elif form is Form.ASK:
        yield from (f"ask {role}" for role in view.team)
    elif form is Form.DOUBT:
        yield from (f"doubt S{number}" for number in range(1, view.drafted + 1))


def _proposals(view: View) -> Iterator[str]:
    passages = ["", *(f" {handle}" for handle in view.sources.visible("E", view.shown))]
    for kind in ProposalKind:
        for handle in view.sources.visible("F", view.shown):
            for passage in passages if kind in WITH_EVIDENCE else [""]:
                yield f"propose {kind} {handle}{passage}"


def _calls(view: View) -> Iterator[str]:
    for name in sorted(view.tools & view.role.tools & TOOLS.keys()):
        for handle in view.sources.visible("F", view.shown):
            yield from (f"look {name} {handle} for {purpose}" for purpose in TOOLS[name].purposes)
