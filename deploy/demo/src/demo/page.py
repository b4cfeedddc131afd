"""The page at the end: what a person reads after the demo, from the timeline to the commands to try next."""

from collections.abc import Iterator, Sequence

from client.forms import Form
from contracts.identifiers import format_patient
from longitude.reasoning.v1 import assessment_pb2 as pb
from rich import box
from rich.console import Console, Group
from rich.padding import Padding
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

from demo import timeline
from demo.access import PATIENT, Access, View
from demo.deciding import QUESTION, REVIEWER
from demo.ordering import DRUG
from demo.outcome import Outcome
from demo.record import place

MARKS = {
    pb.STATEMENT_KIND_ALERT: ("!", "bold red"),
    pb.STATEMENT_KIND_QUESTION: ("?", "bold yellow"),
    pb.STATEMENT_KIND_PROPOSAL: ("→", "bold cyan"),
}
ANSWER, OTHERWISE = "In front", "Beside that"
# Headings in reading order, and the kinds of statements under each that do not stand in front.
SECTIONS: dict[str, set[pb.StatementKind.ValueType]] = {
    ANSWER: set(),
    "Not to be missed": {pb.STATEMENT_KIND_ALERT, pb.STATEMENT_KIND_PROPOSAL},
    "For you to decide": {pb.STATEMENT_KIND_QUESTION},
    "Course": {pb.STATEMENT_KIND_TREND, pb.STATEMENT_KIND_CALCULATION},
    "What changed": {pb.STATEMENT_KIND_CHANGE},
    OTHERWISE: set(),
}
AUTHORS = {pb.AUTHOR_RULE: "rule", pb.AUTHOR_MODEL: "model"}
TRY_NEXT = (
    "longitude timeline NW-204417@NORTHWEST --valid-at 2025-02-11T00:00:00Z",
    'longitude ask 88-1306@LAKESIDE "Which painkiller is safe?"',
    "longitude worklist --urgency routine",
    "longitude audit verify",
    f"longitude audit access {format_patient(PATIENT)}",
)
SOURCES_SHOWN = 4


def draw(console: Console, outcome: Outcome) -> None:
    """Print all of it."""
    console.print()
    console.rule("[bold]Renée Testperson[/bold], who does not exist")
    console.print(Padding(timeline.trends(outcome.record), (1, 0)))
    console.print(timeline.course(outcome.record))
    console.print(timeline.film(outcome.study))
    console.print(Padding(_assessment(outcome), (1, 0)))
    console.print(_unasked(outcome))
    console.print(Padding(_cards(outcome), (0, 0, 1, 0)))
    if outcome.access is not None:
        console.print(Padding(access(outcome.access), (0, 0, 1, 0)))
    console.print(_proof(outcome))
    console.print(Padding(_times(outcome), (1, 0)))
    console.print(_next())


def _assessment(outcome: Outcome) -> Panel:
    parts = [_section(title, [s for s in outcome.released() if _title(s) == title]) for title in SECTIONS]
    incomplete = [Text(f"incomplete: {part}", style="yellow") for part in outcome.assessment.degraded]
    body = Group(*(part for part in parts if part), _withheld(outcome.withheld()), *incomplete)
    return Panel(body, title=f"[bold]{QUESTION}[/bold]", box=box.ROUNDED, padding=(1, 2))


def _title(statement: pb.AssessedStatement) -> str:
    """The heading under which a statement stands."""
    if statement.front:
        return ANSWER
    return next((title for title, kinds in SECTIONS.items() if statement.kind in kinds), OTHERWISE)


def _section(title: str, statements: Sequence[pb.AssessedStatement]) -> Table | None:
    if not statements:
        return None
    table = Table(box=None, title=title, title_justify="left", title_style="bold", show_header=False, padding=(0, 1))
    for statement in statements:
        mark, style = MARKS.get(statement.kind, ("·", "default"))
        told = Text.assemble((statement.text, style), "\n", (f"{_author(statement)}: {sources(statement)}", "dim"))
        if statement.verdict != pb.VERDICT_SUPPORTED:
            told.append(f"\nput with a mark: {statement.reason}", "yellow")
        table.add_row(Text(mark, style=style), told)
    table.add_row("", "")
    return table


def _withheld(statements: Sequence[pb.AssessedStatement]) -> Table:
    table = Table(
        box=None, title="Withheld", title_justify="left", title_style="bold", show_header=False, padding=(0, 1)
    )
    for statement in statements:
        told = Text.assemble(
            (statement.text, "strike dim"), "\n", (f"{_author(statement)}: {statement.reason}", "yellow")
        )
        table.add_row(Text("✗", style="dim"), told)
    if not statements:
        table.add_row("", Text("nothing", style="dim"))
    return table


def _author(statement: pb.AssessedStatement) -> str:
    return f"{AUTHORS.get(statement.author, 'unknown')} {statement.author_name}".strip()


def sources(statement: pb.AssessedStatement) -> str:
    """The pointers of a statement: HL7 fields, characters of letters, films, evidence passages."""
    told = list(dict.fromkeys(filter(None, (c.passage_id or place(c.source) for c in statement.citations))))
    more = len(told) - SOURCES_SHOWN
    return "; ".join(told[:SOURCES_SHOWN]) + (f" and {more} more" if more > 0 else "")


def _cards(outcome: Outcome) -> Panel:
    rows = Table.grid(padding=(0, 2))
    for card in outcome.cards:
        style = {"critical": "bold red", "warning": "bold yellow"}.get(card["indicator"], "dim")
        rows.add_row(Text(card["indicator"], style=style), Text(f"{card['summary']}\n{card['source']['label']}"))
    title = f"[bold]Cards while {DRUG} is signed (CDS Hooks)[/bold]"
    return Panel(rows, title=title, box=box.ROUNDED, padding=(0, 2))


def _unasked(outcome: Outcome) -> Panel:
    """What was seen of another patient without a question."""
    watched = outcome.watched
    told = Text(watched.opened.text if watched.opened else "nothing", style="bold red" if watched.opened else "dim")
    after = f"{watched.seconds:.1f} s after the message" + (", closed by the repeat" if watched.closed else "")
    return Panel(Group(told, Text(after, style="dim")), title="[bold]Before anybody asked[/bold]", box=box.ROUNDED)


def access(seen: Access) -> Panel:
    """Who asked for a record with something closed in it, what they saw, and what the log has of it."""
    told = Table.grid(padding=(0, 2))
    for mark, style, role, what, because in _scenes(seen):
        who = Text.assemble((seen.names[role], "bold"), f", {role}")
        told.add_row(Text(mark, style=style), who, Text.assemble(what, "\n", (because, "dim")))
    log = Table(box=box.SIMPLE_HEAD, title="The log of looks", title_justify="left", title_style="bold")
    for heading in ("leaf", "when", "who", "asked", "for", "saw", ""):
        log.add_column(heading, no_wrap=heading != "saw")
    for each in seen.looks:
        log.add_row(*_look(each))
    proven = f"✓ {len(seen.looks)} looks, the refused one too: each proven, hash by hash, to be under the signed root"
    body = Group(told, log, Text(proven, style="green"))
    title = f"[bold]Who may look at {format_patient(PATIENT)}, and who did[/bold]"
    return Panel(body, title=title, box=box.ROUNDED, padding=(1, 2))


def _scenes(access: Access) -> Iterator[tuple[str, str, str, str, str]]:
    """Mark, its style, role, what happened, and why."""
    yield "✗", "bold red", "researcher", "is refused", access.refused
    yield (
        "·",
        "default",
        "nurse",
        f"sees {_saw(access.closed)}",
        "what nobody opened stays closed, counted and not told",
    )
    opened = f"opens {' '.join(access.opening.categories)} and sees {_saw(access.widened)}: {', '.join(access.opened)}"
    yield "+", "bold cyan", "nurse", opened, f"“{access.opening.reason}”, until it is ended, an hour at most"
    glass = access.reviewed
    yield "!", "bold red", "physician", f"breaks the glass and sees {_saw(access.broken)}", f"“{glass.reason}”"
    yield (
        "",
        "default",
        "physician",
        access.broken.banner,
        f"ended; a review by who broke it is refused: {access.own_review}",
    )
    verdict = "justified" if glass.justified else "unjustified"
    yield "✓", "green", "auditor", f"reviews the broken glass: {verdict}", f"“{glass.comment}”"


def _saw(view: View) -> str:
    closed = f", {view.left_out} closed" if view.left_out else ", none closed"
    return f"{len(view.shown)} facts{closed}"


def _look(one: Form) -> tuple[str | Text, ...]:
    is_shown = one["outcome"] == "shown"
    left_out = f", {one['left_out']} left out" if one["left_out"] else ""
    saw = " ".join([f"{one['shown']} facts{left_out}", *one["categories"]]) if is_shown else ""
    return (
        str(one["leaf"]),
        one["looked_at"][11:19],
        one["subject"],
        one["rpc"],
        one["purpose"] or "",
        saw,
        Text(one["outcome"], style="green" if is_shown else "bold red"),
    )


def _proof(outcome: Outcome) -> Panel:
    proof, report = outcome.proof, outcome.report
    rows = Table.grid(padding=(0, 2))
    rows.add_row("signed by", REVIEWER)
    rows.add_row("review", outcome.review_id)
    rows.add_row("leaf", f"{proof.leaf.index} of {proof.head.size}, SHA-256 {proof.leaf_hash.hex()[:16]}…")
    rows.add_row("path", f"{len(proof.steps)} hashes, recomputed here, end in the signed root")
    rows.add_row("root", f"{report.root.hex()[:32]}… ({report.origin})")
    rows.add_row("whole log", f"{report.verified} records of Kafka hashed again, {report.missing} without a leaf")
    rows.add_row("sent again", f"{report.redelivered} records recognised as the same events")
    return Panel(rows, title="[bold]Signed and proved[/bold]", box=box.ROUNDED, padding=(0, 2))


def _times(outcome: Outcome) -> Table:
    longest = max(outcome.seconds.values())
    table = Table.grid(padding=(0, 2))
    for name, seconds in outcome.seconds.items():
        bar = "█" * max(1, round(30 * seconds / longest))
        table.add_row(Text(name), Text(f"{seconds:.1f} s", justify="right"), Text(bar, style="blue"))
    table.add_row(Text("together", style="bold"), Text(f"{sum(outcome.seconds.values()):.1f} s", style="bold"))
    return table


def _next() -> Group:
    return Group(
        Text("Try next", style="bold"), *(Text(f"  .venv/bin/{command}", style="cyan") for command in TRY_NEXT)
    )
