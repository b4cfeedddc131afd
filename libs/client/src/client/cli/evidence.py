"""`longitude evidence`: load passages into the evidence library, search it, and say what it says nothing of."""

from __future__ import annotations

import json as json_text
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Annotated

import typer
from google.protobuf import json_format
from longitude.memory.v1.memory_service_pb2 import GetEvidenceCoverageResponse, SearchEvidenceRequest
from longitude.record.v1.context_pb2 import Passage
from longitude.record.v1.fact_pb2 import FACT_KIND_PROBLEM, PatientKey
from rich.table import Table

from client import forms, stack
from client.api import MemoryClient
from client.cli.page import BAD, QUIET, row, styled, table
from client.cli.session import Json, patient_key, print_json, run, screen
from client.errors import ClientError
from client.terminal import Text

BATCH = 100
# Passage ids that a row of the coverage names.
NAMED = 3

app = typer.Typer(help="The evidence library: guidelines, drug labels, trials.", no_args_is_help=True)


@app.command()
def load(
    files: Annotated[list[Path], typer.Argument(help="JSON lines, one passage a line (services/memory/README.md).")],
    *,
    json: Json = False,
) -> None:
    """Load or replace passages."""
    run(_load(files, as_json=json))


async def _load(files: Sequence[Path], *, as_json: bool) -> bool:
    passages = [passage for file in files for passage in _passages(file)]
    counts = {"loaded": 0, "unchanged": 0}
    async with MemoryClient.connect(stack.find().endpoint("memory")) as memory:
        for first in range(0, len(passages), BATCH):
            response = await memory.load_evidence(passages[first : first + BATCH])
            counts["loaded"] += response.loaded
            counts["unchanged"] += response.unchanged
    if as_json:
        print_json(counts)
    else:
        screen().print(f"{counts['loaded']} passages loaded, {counts['unchanged']} unchanged")
    return sum(counts.values()) == len(passages)


def _passages(file: Path) -> Iterator[Passage]:
    try:
        lines = file.read_text(encoding="utf-8").splitlines()
    except OSError as error:
        raise ClientError(f"{file}: {error.strerror}") from None
    for number, line in enumerate(lines, 1):
        if not line.strip():
            continue
        try:
            yield json_format.ParseDict(json_text.loads(line), Passage())
        except (ValueError, json_format.ParseError) as error:
            raise ClientError(f"{file}:{number}: not a passage: {error}") from None


@app.command()
def search(
    query: Annotated[str, typer.Argument(help="What is asked, in words.")],
    *,
    population: Annotated[str, typer.Option(help="PICO: who.")] = "",
    intervention: Annotated[str, typer.Option(help="PICO: what is done.")] = "",
    comparison: Annotated[str, typer.Option(help="PICO: against what.")] = "",
    outcome: Annotated[str, typer.Option(help="PICO: to what end.")] = "",
    limit: Annotated[int, typer.Option(min=1, max=100)] = 5,
    json: Json = False,
) -> None:
    """Find passages, best first. Exit code 1 when there is none."""
    request = SearchEvidenceRequest(
        query=query,
        population=population,
        intervention=intervention,
        comparison=comparison,
        outcome=outcome,
        limit=limit,
    )
    run(_search(request, as_json=json))


async def _search(request: SearchEvidenceRequest, *, as_json: bool) -> bool:
    async with MemoryClient.connect(stack.find().endpoint("memory")) as memory:
        hits = await memory.search_evidence(request)
    if as_json:
        print_json([forms.passage(hit.passage, hit.score) for hit in hits])
        return bool(hits)
    console = screen()
    for hit in hits:
        found = hit.passage
        grade = f" · {found.grade}" if found.grade else ""
        console.print(Text.assemble((found.title, "bold"), (f"  {hit.score:.2f}", QUIET)))
        console.print(Text(found.text))
        console.print(Text(f"{found.passage_id} · {found.source}{grade} · {found.published}\n", style=QUIET))
    return bool(hits)


@app.command()
def coverage(
    patient: Annotated[
        str, typer.Argument(metavar="[PATIENT]", help="ID@AUTHORITY; without one, what is frequent in primary care.")
    ] = "",
    *,
    json: Json = False,
) -> None:
    """Say which problems and drugs the library has no passage about, those first. Exit code 1 when there is one."""
    run(_coverage(patient_key(patient) if patient else None, as_json=json))


async def _coverage(patient: PatientKey | None, *, as_json: bool) -> bool:
    async with MemoryClient.connect(stack.find().endpoint("memory")) as memory:
        covered = await memory.evidence_coverage(patient)
    if as_json:
        print_json(forms.coverage(covered))
    else:
        screen().print(coverage_page(covered))
    return all(each.passage_ids for each in covered.subjects)


def coverage_page(covered: GetEvidenceCoverageResponse) -> Table:
    """A row for each problem and drug with the passages about it, those without one first."""
    subjects = sorted(covered.subjects, key=lambda each: bool(each.passage_ids))
    many = sum(bool(each.passage_ids) for each in subjects)
    title = f"{many} of {len(subjects)} problems and drugs have a passage, of {covered.passages} in the library"
    page = table(title, "", "about", ">passages", "")
    for each in subjects:
        kind = "problem" if each.kind == FACT_KIND_PROBLEM else "drug"
        more = " …" if len(each.passage_ids) > NAMED else ""
        named = styled(", ".join(each.passage_ids[:NAMED]) + more, QUIET) if each.passage_ids else styled("none", BAD)
        row(page, styled(kind, QUIET), each.concept.display, str(len(each.passage_ids)), named)
    return page
