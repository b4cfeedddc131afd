"""`longitude knowledge`: check a file of medical rules, and say which drugs and problems have none.

The rows are in the package `longitude-knowledge`, which `longitude-client[knowledge]` brings.
"""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from longitude.record.v1.fact_pb2 import FACT_KIND_PROBLEM

from client import stack
from client.api import MemoryClient
from client.cli.page import BAD, QUIET, row, styled, table
from client.cli.session import Json, patient_key, print_json, run, screen
from client.errors import ClientError
from client.terminal import Text

if TYPE_CHECKING:
    from collections.abc import Iterable

    from knowledge import Knowledge
    from knowledge.corpus import Concept
    from knowledge.coverage import Covered
    from longitude.record.v1.fact_pb2 import PatientKey

# Rows that a line of the coverage names.
NAMED = 3
_OVERLAY = "A hospital's file of rows, laid over those of the package."

app = typer.Typer(help="Medical rules as data: rows with their sources.", no_args_is_help=True)


@app.command()
def check(file: Annotated[Path, typer.Argument(metavar="FILE", help=_OVERLAY)], *, json: Json = False) -> None:
    """Check a file of rows: its schema, and each row on its own patients. Exit code 0 only if all is right."""
    run(_check(file, as_json=json))


async def _check(file: Path, *, as_json: bool) -> bool:
    try:
        from knowledge import checking  # noqa: PLC0415 - the package need not be there, and its tables take time to read
    except ImportError as error:
        raise _missing() from error
    checked = checking.check(file.name, _text(file))
    if as_json:
        print_json({"rows": checked.rows, "silences": checked.silences, "wrong": list(checked.wrong)})
        return not checked.wrong
    for each in checked.wrong:
        screen().print(Text(each, style=BAD))
    counts = f"{checked.rows} rows added or replaced, {checked.silences} silenced, {len(checked.wrong)} wrong"
    screen().print(Text(counts, style=QUIET))
    return not checked.wrong


@app.command()
def coverage(
    patient: Annotated[
        str, typer.Argument(metavar="[PATIENT]", help="ID@AUTHORITY; without one, what is frequent in primary care.")
    ] = "",
    *,
    corpus: Annotated[Path | None, typer.Option(help="FHIR files in place of a patient: a file or a folder.")] = None,
    overlay: Annotated[Path | None, typer.Option(help=_OVERLAY)] = None,
    json: Json = False,
) -> None:
    """Say which problems and drugs no row is about, those first. Exit code 1 when there is one."""
    run(_coverage(patient_key(patient) if patient else None, corpus, overlay, as_json=json))


@app.command()
def drift(
    *,
    overlay: Annotated[Path | None, typer.Option(help=_OVERLAY)] = None,
    json: Json = False,
) -> None:
    """Name the rows that are past their last day, or whose document was superseded. Exit code 1 when there is one."""
    run(_drift(overlay, as_json=json))


async def _drift(overlay: Path | None, *, as_json: bool) -> bool:
    try:
        from knowledge.drift import drifted  # noqa: PLC0415 - as above
    except ImportError as error:
        raise _missing() from error
    rows = _rows(overlay)
    listed = drifted(rows, datetime.now(UTC).date())
    if as_json:
        print_json([{"row": each.row.name, "reason": each.reason} for each in listed])
    else:
        page = table(f"{len(listed)} of {len(rows)} rows drifted", "row", "why")
        for each in listed:
            row(page, each.row.name, styled(each.reason, BAD))
        screen().print(page)
    return not listed


async def _coverage(patient: PatientKey | None, corpus: Path | None, overlay: Path | None, *, as_json: bool) -> bool:
    try:
        from knowledge import coverage as covering  # noqa: PLC0415 - as above
    except ImportError as error:
        raise _missing() from error
    rows = _rows(overlay)
    listed = _of_corpus(corpus) if corpus else await _of_record(patient)
    covered = covering.once([covering.covered(rows, kind, concept) for kind, concept in listed])
    if as_json:
        print_json([{"name": each.name, "kind": _kind(each), "rows": list(each.rows)} for each in covered])
    else:
        page = table(_title(covered, rows), "", "about", ">rows", "")
        for each in covered:
            more = " …" if len(each.rows) > NAMED else ""
            named = styled(", ".join(each.rows[:NAMED]) + more, QUIET) if each.rows else styled("none", BAD)
            row(page, styled(_kind(each), QUIET), each.name, str(len(each.rows)), named)
        screen().print(page)
    return all(each.rows for each in covered)


def _rows(overlay: Path | None) -> Knowledge:
    from knowledge import RowError, shipped  # noqa: PLC0415 - as above
    from knowledge.library import overlaid  # noqa: PLC0415 - as above

    try:
        return overlaid(shipped(), overlay.name, _text(overlay)) if overlay else shipped()
    except RowError as error:
        raise ClientError(str(error)) from None


def _of_corpus(path: Path) -> Iterable[Concept]:
    from knowledge.corpus import CorpusError, concepts  # noqa: PLC0415 - as above

    try:
        return concepts(path)
    except (CorpusError, UnicodeDecodeError) as error:
        raise ClientError(str(error)) from None
    except OSError as error:
        raise ClientError(f"{path}: {error.strerror}") from None


async def _of_record(patient: PatientKey | None) -> Iterable[Concept]:
    async with MemoryClient.connect(stack.find().endpoint("memory")) as memory:
        covered = await memory.evidence_coverage(patient)
    return [(each.kind, each.concept) for each in covered.subjects]


def _title(covered: list[Covered], rows: Knowledge) -> str:
    many = sum(bool(each.rows) for each in covered)
    compared = sum(each.checked is not None for each in rows)
    return (
        f"{many} of {len(covered)} problems and drugs have a row, of {len(rows)}; {compared} compared with their text"
    )


def _kind(covered: Covered) -> str:
    return "problem" if covered.kind == FACT_KIND_PROBLEM else "drug"


def _text(file: Path) -> str:
    try:
        return file.read_text(encoding="utf-8")
    except UnicodeDecodeError:
        raise ClientError(f"{file}: not UTF-8") from None
    except OSError as error:
        raise ClientError(f"{file}: {error.strerror}") from None


def _missing() -> ClientError:
    return ClientError("the rows are not installed: install longitude-client[knowledge]")
