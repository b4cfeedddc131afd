"""The page of an answer: what answers first, then what must not be missed beside it, then how much is folded away."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence

from longitude.reasoning.v1.assessment_pb2 import AssessedStatement, Assessment, Inquiry, StatementKind, Verdict
from rich.console import Console
from rich.padding import Padding

from client import forms
from client.cli.page import ACCENT, BAD, GOOD, QUIET, WARN, source
from client.terminal import Text

_VERDICT_STYLE = {Verdict.VERDICT_CONTRADICTED: BAD, Verdict.VERDICT_UNSUPPORTED: WARN}
_ALERT, _QUESTION, _PROPOSAL = (
    StatementKind.STATEMENT_KIND_ALERT,
    StatementKind.STATEMENT_KIND_QUESTION,
    StatementKind.STATEMENT_KIND_PROPOSAL,
)
# What rules say unasked, in reading order.
_UNASKED = {_ALERT: "alert", _QUESTION: "question", _PROPOSAL: "proposal"}
_NOT_TO_BE_MISSED = "Not to be missed"
_UNFOLD = "--more shows them"
# Sources of a statement that are shown while the page is folded.
SOURCES_SHOWN = 3


class Page:
    """What a person sees of one question. `more`: everything is unfolded."""

    def __init__(self, console: Console, question: str, *, more: bool = False) -> None:
        self._console = console
        self._question = question
        self._more = more
        self._has_front = False

    @property
    def is_read_by_a_person(self) -> bool:
        return self._console.is_terminal

    def show_front(self, statements: Iterable[AssessedStatement]) -> None:
        """The question and what answers it; once, whoever asks again."""
        if self._has_front:
            return
        self._has_front = True
        self._console.print(Text(self._question, style="bold"))
        for statement in statements:
            self._show(statement, GOOD)

    def show(self, assessment: Assessment) -> None:
        """All of it, behind what stands on the page already."""
        front = [each for each in assessment.statements if each.front]
        self.show_front(front)
        if not front:
            self._console.print(Text(_unanswered(assessment.inquiry), style=WARN))
        self._show_unread(assessment.inquiry)
        released = [each for each in assessment.statements if each.released and not each.front]
        withheld = [each for each in assessment.statements if not each.released]
        self._show_rest(front, released)
        self._show_withheld(withheld)
        for missing in assessment.degraded:
            self._console.print(Text.assemble(("incomplete: ", WARN), missing))
        counts = f"{len(front) + len(released)} released, {len(withheld)} withheld"
        made = " · ".join(filter(None, (f"assessment {assessment.assessment_id}", assessment.model, counts)))
        self._console.print(Text(f"\n{made}", style=QUIET))

    def _show_unread(self, inquiry: Inquiry) -> None:
        if inquiry.unread:
            words = ", ".join(f"“{each}”" for each in inquiry.unread)
            self._console.print(Text.assemble(("not understood: ", WARN), f"{words}; the answer does not concern it"))

    def _show_rest(self, front: Sequence[AssessedStatement], released: Sequence[AssessedStatement]) -> None:
        """Alerts about what the answer rests on; the others, and what else was found, by their count."""
        touching = [each for each in released if each.kind == _ALERT and _touches(each, front)]
        unasked = [each for each in released if each.kind in _UNASKED and each not in touching]
        found = [each for each in released if each.kind not in _UNASKED]
        if self._more or not front:
            self._show_group(_NOT_TO_BE_MISSED, [*touching, *(s for s in unasked if s.kind != _PROPOSAL)], BAD)
            self._show_group("Found beside it", found, GOOD)
            self._show_group("Proposed, for a physician to decide", [s for s in unasked if s.kind == _PROPOSAL], ACCENT)
            return
        self._show_group(_NOT_TO_BE_MISSED, touching, BAD)
        self._fold("\nbeside the question", _counted(unasked), BAD if any(s.kind == _ALERT for s in unasked) else WARN)
        self._fold("more", _plural(len(found), "statement"), QUIET)

    def _show_withheld(self, statements: Sequence[AssessedStatement]) -> None:
        if not self._more:
            self._fold("withheld", _plural(len(statements), "statement"), QUIET)
            return
        if statements:
            self._console.print(Text("\nWithheld", style=f"bold {WARN}"))
        for statement in statements:
            self._console.print(Padding(Text.assemble(("× ", WARN), statement.text), (0, 0, 0, 1)))
            self._console.print(Padding(_why(statement), (0, 0, 0, 3)))

    def _fold(self, title: str, counted: str, style: str) -> None:
        if counted:
            self._console.print(Text.assemble((f"{title}: ", style), counted, (f" ({_UNFOLD})", QUIET)))

    def _show_group(self, title: str, statements: Sequence[AssessedStatement], style: str) -> None:
        if statements:
            self._console.print(Text(f"\n{title}", style=f"bold {style}"))
        for statement in statements:
            self._show(statement, style)

    def _show(self, statement: AssessedStatement, style: str) -> None:
        self._console.print(Padding(Text.assemble(("• ", style), statement.text), (0, 0, 0, 1)))
        if statement.verdict != Verdict.VERDICT_SUPPORTED:
            self._console.print(Padding(_why(statement), (0, 0, 0, 3)))
        self._console.print(Padding(Text(self._rests_on(statement), style=QUIET), (0, 0, 0, 3)))

    def _rests_on(self, statement: AssessedStatement) -> str:
        """Who made it, and the sources: the HL7 field, page or image, or the passage."""
        sources = list(dict.fromkeys(source(citation) for citation in map(forms.citation, statement.citations)))
        shown = sources if self._more else sources[:SOURCES_SHOWN]
        left = len(sources) - len(shown)
        author = f"{forms.statement(statement)['author']} {statement.author_name}".strip()
        return " · ".join([author, *shown, *([f"and {left} more"] if left else [])])


def _unanswered(inquiry: Inquiry) -> str:
    about = f" (about {', '.join(inquiry.about)})" if inquiry.about else ""
    return f"The record has no answer to this as it was understood{about}."


def _touches(statement: AssessedStatement, front: Iterable[AssessedStatement]) -> bool:
    """Whether it rests on a fact that the answer rests on."""
    answered = {citation.fact_id for each in front for citation in each.citations if citation.fact_id}
    return any(citation.fact_id in answered for citation in statement.citations)


def _counted(statements: Iterable[AssessedStatement]) -> str:
    """`3 alerts, 1 question`."""
    counts = Counter(each.kind for each in statements)
    return ", ".join(_plural(counts[kind], word) for kind, word in _UNASKED.items() if counts[kind])


def _plural(count: int, word: str) -> str:
    """Empty for none."""
    return f"{count} {word}{'s' if count > 1 else ''}" if count else ""


def _why(statement: AssessedStatement) -> Text:
    """The verdict and its reason: why it is withheld, or what mark it was released with."""
    verdict = (forms.name_of(Verdict, statement.verdict), _VERDICT_STYLE.get(statement.verdict, QUIET))
    return Text.assemble(verdict, (f": {statement.reason}", QUIET))
