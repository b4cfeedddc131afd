"""The page of an answer: what answers first, then what must not be missed beside it, then how much is folded away."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime

from longitude.reasoning.v1.assessment_pb2 import (
    Addressee,
    AssessedStatement,
    Assessment,
    Course,
    DriftedRow,
    Form,
    Inquiry,
    Notice,
    QuestionBack,
    StatementKind,
    Verdict,
)
from rich.console import Console
from rich.padding import Padding
from rich.table import Table

from client import drawing, forms
from client.cli.page import ACCENT, BAD, GOOD, QUIET, WARN, age, source
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
# Forms of a question that ask for a course, which is then drawn.
_COURSES = frozenset({"course", "effect"})
# What a physician fills in.
_BLANK = "_" * 24
# Sources of a statement that are shown while the page is folded.
SOURCES_SHOWN = 3


class Page:
    """What a person sees of one question, or of a form under its title. `more`: everything is unfolded."""

    def __init__(self, console: Console, question: str, *, more: bool = False) -> None:
        self._console = console
        self._question = question
        self._more = more
        self._has_front = False
        self._section = ""

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

    def show(self, assessment: Assessment, notices: Iterable[Notice] = (), drifted: Iterable[DriftedRow] = ()) -> None:
        """All of it, behind what stands on the page already. `notices`: of cited evidence that was withdrawn since;
        `drifted`: rows that would not speak so now.
        """
        front = [each for each in assessment.statements if each.released and each.front]
        self.show_front(front)
        for line in (*notice_lines(notices), *drift_lines(drifted)):
            self._console.print(line)
        if not front:
            self._console.print(Text(_unanswered(assessment.inquiry), style=WARN))
        if not _COURSES.isdisjoint(assessment.inquiry.forms):
            self._show_courses(assessment.courses[:1])
        self._show_unread(assessment.inquiry)
        self._show_questions(assessment.questions)
        released = [each for each in assessment.statements if each.released and not each.front]
        withheld = [each for each in assessment.statements if not each.released]
        touching = [each for each in released if each.kind == _ALERT and _touches(each, front)]
        unasked = [each for each in released if each.kind in _UNASKED and each not in touching]
        others = [each for each in released if each.kind not in _UNASKED]
        if self._more:
            self._unfold(touching, unasked, others, withheld)
        else:
            self._show_group(_NOT_TO_BE_MISSED, touching, BAD)
            self._fold(unasked, others, withheld)
        for missing in assessment.degraded:
            self._console.print(Text.assemble(("incomplete: ", WARN), missing))
        counts = f"{len(front) + len(released)} released, {len(withheld)} withheld"
        made = " · ".join(filter(None, (f"assessment {assessment.assessment_id}", assessment.model, counts)))
        self._console.print(Text(f"\n{made}", style=QUIET))
        if assessment.form not in (Form.FORM_UNSPECIFIED, Form.FORM_ANSWER):
            self._console.print(Text(_written(assessment, datetime.now(UTC)), style=QUIET))

    def _show_questions(self, questions: Sequence[QuestionBack]) -> None:
        """What to ask, whom, why, and what it would change."""
        if questions:
            self._console.print(Text("\nTo ask", style=f"bold {ACCENT}"))
        for each in questions:
            self._print_item("?", ACCENT, f"{each.text} ({forms.name_of(Addressee, each.to)})")
            # A form has said already what the question rests on.
            reasons = (each.would_change,) if self._section and not self._more else (each.because, each.would_change)
            self._console.print(Padding(Text(" ".join(reasons), style=QUIET), (0, 0, 0, 3)))

    def _show_courses(self, courses: Iterable[Course]) -> None:
        """Pictures, where the terminal has the characters."""
        if "utf" in self._console.encoding.lower():
            for each in courses:
                told = "\n".join(drawing.lines(each))
                self._console.print(Padding(Text(f"\n{told}" if told else ""), (0, 0, 0, 3)))

    def _show_unread(self, inquiry: Inquiry) -> None:
        if inquiry.unread:
            words = ", ".join(f"“{each}”" for each in inquiry.unread)
            self._console.print(Text.assemble(("\nnot understood: ", WARN), f"{words}; the answer does not concern it"))

    def _unfold(
        self,
        touching: Sequence[AssessedStatement],
        unasked: Sequence[AssessedStatement],
        others: Sequence[AssessedStatement],
        withheld: Sequence[AssessedStatement],
    ) -> None:
        self._show_group(_NOT_TO_BE_MISSED, [*touching, *(each for each in unasked if each.kind != _PROPOSAL)], BAD)
        self._show_group("Found beside it", others, GOOD)
        proposed = [each for each in unasked if each.kind == _PROPOSAL]
        self._show_group("Proposed, for a physician to decide", proposed, ACCENT)
        if withheld:
            self._console.print(Text("\nWithheld", style=f"bold {WARN}"))
        for statement in withheld:
            self._print_item("×", WARN, statement.text)
            self._console.print(Padding(_why(statement), (0, 0, 0, 3)))

    def _fold(
        self,
        unasked: Sequence[AssessedStatement],
        others: Sequence[AssessedStatement],
        withheld: Sequence[AssessedStatement],
    ) -> None:
        """What the question does not touch in one line, and the rest in another."""
        left = _listed([_plural(len(others), "statement"), f"{len(withheld)} withheld" if withheld else ""])
        urgent = BAD if any(each.kind == _ALERT for each in unasked) else WARN
        beside = "beside it" if self._section else "beside the question"
        lines = [(beside, _counted(unasked), urgent), ("more", left, QUIET)]
        told = [line for line in lines if line[1]]
        if told:
            self._console.print()
        for title, counted, style in told:
            self._console.print(Text.assemble((f"{title}: ", style), counted, (" (--more shows them)", QUIET)))

    def _show_group(self, title: str, statements: Sequence[AssessedStatement], style: str) -> None:
        if statements:
            self._console.print(Text(f"\n{title}", style=f"bold {style}"))
            # Behind a title the section of the first statement is not said again.
            self._section = statements[0].section
        for statement in statements:
            self._show(statement, style)

    def _show(self, statement: AssessedStatement, style: str) -> None:
        self._show_heading(statement.section)
        if statement.kind == StatementKind.STATEMENT_KIND_BLANK:
            self._print_item("□", ACCENT, f"{statement.text} {_BLANK}")
            return
        self._print_item("•", style, statement.text if self._more else _shortened(statement))
        if statement.verdict != Verdict.VERDICT_SUPPORTED:
            self._console.print(Padding(_why(statement), (0, 0, 0, 3)))
        if self._more or not statement.section:
            self._console.print(Padding(Text(self._rests_on(statement), style=QUIET), (0, 0, 0, 3)))

    def _show_heading(self, section: str) -> None:
        """The section of a form, once; its sources are shown where everything is unfolded."""
        if section and section != self._section:
            self._console.print(Text(section, style="bold"))
        self._section = section

    def _print_item(self, mark: str, style: str, text: str) -> None:
        """The lines that follow stand under the first."""
        item = Table.grid(padding=(0, 1, 0, 0))
        item.add_row(Text(mark, style=style), Text(text))
        self._console.print(Padding(item, (0, 0, 0, 1)))

    def _rests_on(self, statement: AssessedStatement) -> str:
        """Who made it, and the sources: the passage, the HL7 field, page or image."""
        cited = sorted(map(forms.citation, statement.citations), key=lambda each: "passage_id" not in each)
        sources = list(dict.fromkeys(map(source, cited)))
        shown = sources if self._more else sources[:SOURCES_SHOWN]
        left = len(sources) - len(shown)
        row = f"({statement.row})" if statement.row else ""
        author = " ".join(filter(None, (forms.statement(statement)["author"], statement.author_name, row)))
        return " · ".join([author, *shown, *([f"and {left} more"] if left else [])])


def notice_lines(notices: Iterable[Notice]) -> Iterator[Text]:
    """What was withdrawn, why, by whom and when, and how much of the assessment rests on it."""
    for each in notices:
        rests = f" · {_plural(len(each.statement_ids), 'statement')} here" if each.statement_ids else ""
        told = f"{each.title} ({each.passage_id}): {each.reason} · {each.withdrawn_by}, "
        day = forms.time_text(each.withdrawn_at)[:10]
        yield Text.assemble(("evidence withdrawn: ", f"bold {BAD}"), f"{told}{day}{rests}")


def _written(assessment: Assessment, now: datetime) -> str:
    """How old it is, and of which state of the record."""
    ago = f"written {age(now - assessment.drafted_at.ToDatetime(tzinfo=UTC))} ago"
    state = forms.time_text(assessment.record_changed_at)[:19].replace("T", " ")
    return f"{ago}, of the record as of {state} UTC" if assessment.HasField("record_changed_at") else ago


def drift_lines(drifted: Iterable[DriftedRow]) -> Iterator[Text]:
    """Which row, why, and how much of the assessment it made."""
    for each in drifted:
        told = f"{each.row}: {each.reason} · {_plural(len(each.statement_ids), 'statement')} here"
        yield Text.assemble(("knowledge drifted: ", f"bold {WARN}"), told)


def _unanswered(inquiry: Inquiry) -> str:
    about = f" (about {', '.join(inquiry.about)})" if inquiry.about else ""
    return f"The record has no answer to this as it was understood{about}."


def _shortened(statement: AssessedStatement) -> str:
    """Without the evidence that an alert quotes, and without where a quotation is from; both are read where everything
    is unfolded.
    """
    if statement.kind == StatementKind.STATEMENT_KIND_EVIDENCE:
        return statement.text
    if statement.section and statement.kind != _ALERT:
        quotation, mark, origin = statement.text.rpartition("”")
        return quotation + mark if origin.startswith(" (") else statement.text
    return statement.text.partition(" “")[0]


def _touches(statement: AssessedStatement, front: Iterable[AssessedStatement]) -> bool:
    """Whether it rests on a fact that the answer rests on."""
    answered = {citation.fact_id for each in front for citation in each.citations if citation.fact_id}
    return any(citation.fact_id in answered for citation in statement.citations)


def _counted(statements: Iterable[AssessedStatement]) -> str:
    """`3 alerts, 1 question`."""
    counts = Counter(each.kind for each in statements)
    return _listed([_plural(counts[kind], word) for kind, word in _UNASKED.items()])


def _listed(parts: Iterable[str]) -> str:
    return ", ".join(filter(None, parts))


def _plural(count: int, word: str) -> str:
    """Empty for none."""
    return f"{count} {word}{'s' if count > 1 else ''}" if count else ""


def _why(statement: AssessedStatement) -> Text:
    """The verdict and its reason: why it is withheld, or what mark it was released with."""
    verdict = (forms.name_of(Verdict, statement.verdict), _VERDICT_STYLE.get(statement.verdict, QUIET))
    return Text.assemble(verdict, (f": {statement.reason}", QUIET))
