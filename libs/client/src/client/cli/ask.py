"""`longitude ask`: a question about a patient, the episode as it runs, and the answer with what it rests on."""

from __future__ import annotations

from collections.abc import Sequence
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer
from longitude.reasoning.v1.assessment_pb2 import Assessment, Notice
from longitude.reasoning.v1.assessment_pb2 import Form as WrittenForm
from longitude.reasoning.v1.reasoning_service_pb2 import CHOOSER_UNSPECIFIED, Chooser, Progress
from longitude.record.v1.fact_pb2 import PatientKey

from client import drawing, forms, stack
from client.api import ReasoningClient
from client.cli.answer import Page
from client.cli.page import ACCENT, QUIET
from client.cli.session import Json, Patient, margin, patient_key, print_json, run, screen
from client.errors import ClientError
from client.terminal import Text


def ask(
    patient: Patient,
    question: Annotated[str, typer.Argument(metavar="QUESTION", help="At most 2,000 characters.")],
    *,
    request_id: Annotated[str, typer.Option(help="The same id gives the same assessment again.")] = "",
    deliberate: Annotated[bool, typer.Option("--deliberate", help="Let the model take part beside the rules.")] = False,
    chooser: Annotated[
        Choosing | None, typer.Option(help="Who chooses what stands in front; else as the service is set.")
    ] = None,
    more: Annotated[bool, typer.Option("--more", help="Unfold what does not answer, and what was withheld.")] = False,
    plot: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Draw the courses that the answer tells: .svg or .png.")
    ] = None,
    json: Json = False,
) -> None:
    """Ask about a patient. What answers stands in front; the rest is folded away, with its count."""
    if plot is not None and plot.suffix.lower() not in _DRAWN_AS:
        raise typer.BadParameter("a plot is written as .svg or .png")
    asking = Asking(patient_key(patient), question, request_id, deliberate=deliberate, chooser=chooser)
    page = None if json else Page(screen(), question, more=more)
    run(asking.run(page, plot))


class Choosing(StrEnum):
    """Who chooses: the rules, the model among what they can say, or the model's roles beside them."""

    RULES = "rules"
    EDITOR = "editor"
    TEAM = "team"


class Asking:
    """One question and whether the model is to take part, or another form and its specialty."""

    def __init__(
        self,
        patient: PatientKey,
        question: str,
        request_id: str,
        *,
        deliberate: bool = False,
        form: WrittenForm.ValueType = WrittenForm.FORM_ANSWER,
        specialty: str = "",
        chooser: Choosing | None = None,
    ) -> None:
        self._patient, self._question, self._request_id = patient, question, request_id
        self._deliberate, self._form, self._specialty = deliberate, form, specialty
        self._chooser = Chooser.Value(f"CHOOSER_{chooser.name}") if chooser else CHOOSER_UNSPECIFIED

    async def run(self, page: Page | None, plot: Path | None = None) -> bool:
        """Without a page, one JSON document."""
        async with ReasoningClient.connect(stack.find().endpoint("reasoning")) as reasoning:
            assessment = await self._follow(reasoning, page)
            notices = await self._notices(reasoning, assessment)
        if page is None:
            print_json(forms.assessment(assessment, notices))
        else:
            page.show(assessment, notices)
        return plot is None or draw(assessment, plot)

    async def _notices(self, reasoning: ReasoningClient, assessment: Assessment) -> Sequence[Notice]:
        """An assessment that was written earlier may rest on evidence that was withdrawn since."""
        return (await reasoning.assessment(assessment.assessment_id)).notices if self._request_id else ()

    async def _follow(self, reasoning: ReasoningClient, page: Page | None) -> Assessment:
        """Show who does what while the episode runs, and to a person what stands in front as soon as it is there."""
        asked = reasoning.ask(
            self._patient,
            self._question,
            request_id=self._request_id,
            deliberate=self._deliberate,
            form=self._form,
            specialty=self._specialty,
            chooser=self._chooser,
        )
        with margin().status("asking") as status:
            async for item in asked:
                if isinstance(item, Assessment):
                    return item
                if isinstance(item, Progress):
                    status.update(_doing(item))
                elif page is not None and page.is_read_by_a_person:
                    status.stop()
                    page.show_front(item.statements)
                    status.start()
        raise ClientError("reasoning: the episode ended without an assessment; ask again")


def draw(assessment: Assessment, file: Path) -> bool:
    """ClientError where the answer tells no course, or the file cannot be written."""
    drawn = _DRAWN_AS[file.suffix.lower()](assessment.courses)
    if not drawn:
        raise ClientError("plot: the answer tells no course, and nothing was drawn")
    try:
        file.write_bytes(drawn)
    except OSError as error:
        raise ClientError(f"plot: {file}: {error.strerror}") from error
    margin().print(f"drawn: {file}", style=QUIET)
    return True


# How a plot is drawn, by the end of its file's name.
_DRAWN_AS = {".svg": lambda courses: drawing.svg(courses).encode(), ".png": drawing.png}


def _doing(progress: Progress) -> Text:
    return Text.assemble((progress.role, ACCENT), f" {progress.action} ", (f"{progress.tokens} tokens", QUIET))
