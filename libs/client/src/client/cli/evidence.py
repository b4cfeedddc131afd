"""`longitude evidence`: search the evidence library, and say what it says nothing of. How a passage comes into it is
`client.cli.quarantine`, how a package is signed `client.cli.publishing`.
"""

from __future__ import annotations

from typing import Annotated

import typer
from longitude.memory.v1.memory_service_pb2 import GetEvidenceCoverageResponse, SearchEvidenceRequest
from longitude.record.v1.fact_pb2 import FACT_KIND_PROBLEM, PatientKey
from rich.table import Table

from client import forms, stack
from client.api import MemoryClient
from client.cli import publishing, quarantine
from client.cli.page import BAD, QUIET, released_by, row, styled, table
from client.cli.session import Json, patient_key, print_json, run, screen
from client.terminal import Text

# Passage ids that a row of the coverage names.
NAMED = 3

app = typer.Typer(help="The evidence library: guidelines, drug labels, trials.", no_args_is_help=True)
for command in (quarantine.load, quarantine.list_, quarantine.show, quarantine.release, quarantine.withdraw):
    app.command(command.__name__.rstrip("_"))(command)
app.command()(publishing.sign)
app.command()(publishing.key)


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
        who = f" · {released_by(forms.release(found.release))}" if found.HasField("release") else ""
        console.print(Text(f"{found.passage_id} · {found.source}{grade} · {found.published}{who}\n", style=QUIET))
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
