"""Every action that exists here and now, in its one spelling: what the grammar is made of."""

from collections.abc import Callable, Iterable, Iterator, Mapping

from grounding.kinds import KINDS

from harness.actions import ActionRefusedError, ProposalKind
from harness.guard import ABOUT, WITH_EVIDENCE, decide
from harness.questions import QUESTIONS
from harness.tools import TOOLS
from harness.view import View
from harness.words import Act


def menu(view: View) -> tuple[str, ...]:
    """The actions that the guard would let through, `finish` last; never empty."""
    words = sorted(view.role.words.get(view.state, frozenset()) - {Act.FINISH})
    return (*(text for word in words for text in _candidates(word, view) if _passes(text, view)), str(Act.FINISH))


def _passes(text: str, view: View) -> bool:
    try:
        decide(text, view)
    except ActionRefusedError:
        return False
    return True


def _candidates(word: str, view: View) -> Iterator[str]:
    if word in KINDS:
        yield from (f"{word} {handle}" for handle in view.sources.visible(KINDS[word].handle, view.shown))
    else:
        yield from _ACTS[word](view)


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


_ACTS: Mapping[str, Callable[[View], Iterable[str]]] = {
    Act.PROPOSE: _proposals,
    Act.LOOK: _calls,
    Act.ASK_PHYSICIAN: _questions,
    Act.WRITE: lambda _: ["write"],
    Act.ASK: lambda view: [f"ask {role}" for role in view.team],
    Act.SHOW: lambda view: [f"show {handle}" for handle in view.sources.candidates],
    Act.THINK: lambda _: ["think"],
    Act.DOUBT: lambda view: [f"doubt S{number}" for number in range(1, view.drafted + 1)],
}
