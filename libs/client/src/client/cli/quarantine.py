"""How evidence comes to speak: imported into quarantine, released by two physicians, withdrawn by one."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Annotated

import typer
from contracts.packages import Package, PackageError, read
from longitude.memory.v1.events_pb2 import DoseConflict
from longitude.memory.v1.memory_service_pb2 import (
    EVIDENCE_STATE_QUARANTINED,
    EVIDENCE_STATE_RELEASED,
    EVIDENCE_STATE_UNSPECIFIED,
    EvidenceEdition,
    EvidenceState,
)
from rich.table import Table

from client import forms, stack
from client.api import MemoryClient
from client.cli.page import ACCENT, BAD, GOOD, QUIET, WARN, row, styled, table
from client.cli.session import Json, print_json, run, screen
from client.terminal import Text

Edition = Annotated[str, typer.Argument(metavar="EDITION", help="As `longitude evidence list` names it.")]
_STYLES = {EVIDENCE_STATE_QUARANTINED: WARN, EVIDENCE_STATE_RELEASED: GOOD}


def load(
    files: Annotated[list[Path], typer.Argument(help="Packages (services/memory/src/memory/evidence/README.md).")],
    *,
    unsigned_local: Annotated[
        bool, typer.Option("--unsigned-local", help="Import passages that nobody signed, as a local file of yours.")
    ] = False,
    json: Json = False,
) -> None:
    """Import packages into quarantine: nothing in them is found before two physicians have released it."""
    run(_load([_package(file) for file in files], unsigned_local=unsigned_local, as_json=json))


async def _load(packages: Iterable[Package], *, unsigned_local: bool, as_json: bool) -> bool:
    new: list[str] = []
    conflicts: list[DoseConflict] = []
    unchanged = 0
    async with MemoryClient.connect(stack.find().endpoint("memory")) as memory:
        for package in packages:
            response = await memory.load_evidence(package.passages, package.manifest, unsigned_local=unsigned_local)
            new += response.edition_ids
            conflicts += response.conflicts
            unchanged += response.unchanged
    if as_json:
        told = [forms.conflict(each) for each in conflicts]
        print_json({"loaded": len(new), "unchanged": unchanged, "edition_ids": new, "conflicts": told})
        return True
    screen().print(f"{len(new)} passages in quarantine, {unchanged} known already")
    for line in conflict_lines(conflicts):
        screen().print(line)
    return True


def _package(file: Path) -> Package:
    try:
        return read(file.read_text(encoding="utf-8"))
    except OSError as error:
        raise typer.BadParameter(f"{file}: {error.strerror}") from None
    except (UnicodeDecodeError, PackageError) as error:
        raise typer.BadParameter(f"{file}: {error}") from None


def list_(
    *,
    quarantined: Annotated[bool, typer.Option("--quarantined", help="Those that wait to be released alone.")] = False,
    json: Json = False,
) -> None:
    """List the editions of passages with their states."""
    run(_list(EVIDENCE_STATE_QUARANTINED if quarantined else EVIDENCE_STATE_UNSPECIFIED, as_json=json))


async def _list(state: EvidenceState.ValueType, *, as_json: bool) -> bool:
    async with MemoryClient.connect(stack.find().endpoint("memory")) as memory:
        editions = await memory.evidence_editions(state)
    if as_json:
        print_json([forms.evidence_edition(each) for each in editions])
    else:
        screen().print(list_page(editions))
    return True


def show(edition_id: Edition, *, json: Json = False) -> None:
    """Show an edition: its words, who signed, imported and approved it, and what stands against it."""
    run(_show(edition_id, as_json=json))


async def _show(edition_id: str, *, as_json: bool) -> bool:
    async with MemoryClient.connect(stack.find().endpoint("memory")) as memory:
        _print([await memory.evidence_edition(edition_id)], as_json=as_json)
    return True


def release(
    edition_ids: Annotated[list[str], typer.Argument(metavar="EDITION...", help="As `list` names them.")],
    *,
    reason: Annotated[str, typer.Option(help="Why, where doses conflict with a limit.")] = "",
    json: Json = False,
) -> None:
    """Approve editions in quarantine as a physician. The second approval, of another person, releases."""
    run(_release(edition_ids, reason, as_json=json))


async def _release(edition_ids: list[str], reason: str, *, as_json: bool) -> bool:
    async with MemoryClient.connect(stack.find().endpoint("memory")) as memory:
        _print(await memory.release_evidence(edition_ids, reason), as_json=as_json)
    return True


def withdraw(
    edition_id: Edition,
    *,
    reason: Annotated[str, typer.Option(help="Shown beside every assessment that cites it.")],
    json: Json = False,
) -> None:
    """Withdraw an edition: nothing cites it any more, and every assessment that did says so."""
    run(_withdraw(edition_id, reason, as_json=json))


async def _withdraw(edition_id: str, reason: str, *, as_json: bool) -> bool:
    async with MemoryClient.connect(stack.find().endpoint("memory")) as memory:
        _print([await memory.withdraw_evidence(edition_id, reason)], as_json=as_json)
    return True


def _print(editions: Iterable[EvidenceEdition], *, as_json: bool) -> None:
    """One is an object, several are a list."""
    told = list(editions)
    if as_json:
        made = [forms.evidence_edition(each) for each in told]
        print_json(made[0] if len(made) == 1 else made)
        return
    for each in told:
        for line in edition_lines(each):
            screen().print(line)


def list_page(editions: list[EvidenceEdition]) -> Table:
    """A row for each edition."""
    page = table(f"{len(editions)} editions", "", "edition", "publisher", "about", "")
    for each in editions:
        against = styled(f"{len(each.conflicts)} doses conflict", BAD) if each.conflicts else ""
        state = styled(forms.name_of(EvidenceState, each.state), _STYLES.get(each.state, QUIET))
        row(page, state, each.edition_id, forms.publisher(each.publisher), each.passage.title, against)
    return page


def edition_lines(edition: EvidenceEdition) -> Iterator[Text]:
    """Everything that a person who decides about it needs."""
    passage, state = edition.passage, forms.name_of(EvidenceState, edition.state)
    yield Text.assemble(
        (state, _STYLES.get(edition.state, QUIET)), f"  {edition.edition_id}  ", (passage.title, "bold")
    )
    yield Text(passage.text)
    yield Text(f"{passage.source} · {passage.source_kind} · {passage.published}", style=QUIET)
    package = " ".join(filter(None, (edition.edition, edition.date)))
    importer = (
        f"imported by {edition.imported_by.name}" if edition.HasField("imported_by") else "ships with the product"
    )
    yield Text(" · ".join(filter(None, (forms.publisher(edition.publisher), package, importer))), style=QUIET)
    if edition.replaces:
        yield Text.assemble(("takes the place of ", WARN), edition.replaces)
    yield from conflict_lines(edition.conflicts)
    for each in edition.approvals:
        reason = f": {each.reason}" if each.reason else ""
        yield Text.assemble(("approved ", ACCENT), f"by {each.by.name}{reason}")
    if edition.HasField("withdrawn_at"):
        yield Text.assemble(("withdrawn ", BAD), f"by {edition.withdrawn_by.name}: {edition.withdrawn_reason}")


def conflict_lines(conflicts: Iterable[DoseConflict]) -> Iterator[Text]:
    """Both numbers, and where the limit is from."""
    for each in conflicts:
        condition = f" with {each.condition}" if each.condition else ""
        limit = f"above {each.allowed} {each.unit}{condition} ({each.source})"
        yield Text.assemble((f"conflict {each.edition_id}: ", BAD), f"{each.drug} {each.said} {each.unit}, {limit}")
        if each.source_words:
            yield Text(f"   “{each.source_words}”", style=QUIET)
