"""`make eval EVAL=answers [QUESTIONS=folder] [N=n] [WITHOUT=parts]`: what an answer says of what one wants to hear.

Without a folder: N questions with gold (1,040) that `testkit.questions` makes of invented charts and of the stories'
records. With one (`questions.jsonl`, `patients.json`, `hl7/<number>.hl7[.xz]`): its own questions, or N made of its
charts; the messages are read into records by the services' domains in this process. Each is answered as the service
prepares it, until the model would begin.

Figures: shares of the gold (`gold`) and of the safety items said, statements in front that concern the question
(`relevance`), answers whose first statement says gold (`first`) or of which none does (`none`); gold facts on the lines
of a context pack of 1,500 tokens (`pack`); statements that call active what has ended (`false_states`) or tell another
first day (`wrong_first`); an answer's statements, characters (medians) and seconds. `low` and `high`: of 95 %, by
drawing patients again. Then gold and relevance by kind of
question. Beside: the choosers of `choosers.py`, and with `WITHOUT=parts` the answer without each part of `ablation.py`.
"""

import json
import lzma
import os
import random
import time
from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import UTC, date, datetime
from functools import cache, partial
from pathlib import Path
from statistics import median

from client.hl7_files import messages_in
from consult import Prepared, Record, Timeline
from consult.context.relevance import concerning
from consult.rules import CITED_PASSAGES
from longitude.record.v1.context_pb2 import Context, Note
from longitude.record.v1.fact_pb2 import FACT_KIND_DOCUMENT
from practice.charts import chart
from testkit.questions import Chart, Falsehood, Question, falsehoods, questions
from testkit.stories import story

from tests.evals import ablation
from tests.evals.chain import library, tell_messages, whole_texts
from tests.evals.choosers import OURS, RULES, SIMPLE, Library, consultation, in_front, rules_alone
from tests.evals.heard import Row, Told, score
from tests.evals.packs import pack, packed
from tests.evals.pieces import Json, measured
from tests.results import Result

QUESTIONS, OF_EACH = 1040, 26
# Every so many-th record is a story's.
_STORIES = 5
_CHARTS_END = datetime(2026, 9, 20, tzinfo=UTC)
_DRAWS, _TAIL = 1000, 0.025


@dataclass(frozen=True)
class Patient:
    """A record, what is asked of it, and what is false of it whatever is asked."""

    record: Record
    questions: list[Question]
    false: list[Falsehood]


def run(n: int | None, seed: int) -> Result:
    """About N questions, each chart's in one piece."""
    folder = os.environ.get("QUESTIONS", "")
    count = len(_patients(folder)) if folder else -(-(n or QUESTIONS) // OF_EACH)
    each = (-(-n // count) if n else 0) if folder else min(OF_EACH, n or OF_EACH)
    pieces = measured("answers", seed, range(count), 1, partial(answered, folder, each, seed))
    rows = {name: [Row(**row) for piece in pieces for row in piece[name]] for name in pieces[0]}
    ours = rows.pop(OURS)
    peers = {name: figures(own, seed) | by_kind("gold", gold, own) for name, own in rows.items()}
    mine = (
        figures(ours, seed)
        | {"pack": in_pack(ours)}
        | by_kind("gold", gold, ours)
        | by_kind("relevance", relevance, ours)
    )
    return Result("answers", mine | by_kind("questions", len, ours), len(ours), seed, peers)


def answered(folder: str, most: int, seed: int, places: range) -> Json:
    """The rows of each chooser over the patients at these places."""
    rows: dict[str, list[Json]] = defaultdict(list)
    for place in places:
        patient = from_folder(Path(folder), place, most, seed) if folder else invented(place, most, seed)
        facts = Library.of(patient.record)
        for question in patient.questions:
            for name, told, seconds in _answers(question.question, patient.record, facts):
                row = score(question, told, patient.false, seconds)
                if name == OURS:
                    there, of = packed(question, pack(question.question, patient.record), facts.cited)
                    row = replace(row, packed=there, packable=of)
                rows[name].append(asdict(row))
    return rows


def _answers(question: str, record: Record, facts: Library) -> Iterable[tuple[str, list[Told], float]]:
    asked = about(question, record)
    began = time.perf_counter()
    prepared = consultation(question, asked)
    yield OURS, in_front(prepared, facts), time.perf_counter() - began
    choosers: dict[str, Callable[[], list[Told]]] = {RULES: lambda: rules_alone(question, asked, facts)}
    choosers |= {name: partial(choose, question, facts) for name, choose in SIMPLE.items()}
    if os.environ.get("WITHOUT"):
        taken = ablation.Asked(question, asked)
        choosers |= {f"without {name}": partial(_without, taken, name, facts, prepared) for name in ablation.NAMES}
    for name, choose in choosers.items():
        began = time.perf_counter()
        yield name, choose(), time.perf_counter() - began


def _without(asked: ablation.Asked, part: str, facts: Library, prepared: Prepared) -> list[Told]:
    """What stands in front without a part; the answer itself where the part has no say in it."""
    left = asked.without(part)
    shown = prepared.checked if left is None else left
    return facts.heard([each for each in shown if each.front and each.released])


def about(question: str, record: Record) -> Record:
    """With the passages that concern the question, as memory finds them by words."""
    return replace(record, context=Context(passages=concerning(question, library())))


# ---- patients


def invented(place: int, most: int, seed: int) -> Patient:
    number = seed * 100_000 + place
    if place % _STORIES == 1:
        told = story(number)
        record, name = of_messages(told.messages, told.truth.today), f"{told.patient_id}@{told.authority}"
    else:
        written = chart(number)
        record = _record(Timeline(written.facts, [written.patient]), _CHARTS_END)
        name = f"{written.patient.id}@{written.patient.authority}"
    recorded = record.timeline.facts
    return Patient(record, questions(name, recorded, seed, most), falsehoods(Chart.of(name, recorded)))


def from_folder(folder: Path, place: int, most: int, seed: int) -> Patient:
    """`most`: how many questions are made of the chart; none: those of the folder are asked."""
    name, known = _patients(str(folder))[place]
    record = of_messages(
        list(messages_in(_opened(folder / "hl7" / f"{name.split('@')[0]}.hl7"))), datetime.now(UTC).date()
    )
    recorded = record.timeline.facts
    if most:
        return Patient(record, questions(name, recorded, seed, most), falsehoods(Chart.of(name, recorded)))
    own = [each for each in _questions(str(folder)) if each.patient == name]
    return Patient(record, own, [Falsehood.of(each) for each in known.get("false_states", ())])


def of_messages(messages: Sequence[bytes], today: date) -> Record:
    """What reasoning is given: the timeline that memory makes of the messages."""
    told = tell_messages(messages, today)
    timeline = Timeline([each.recorded() for each in told.entries], told.identifiers, told.contradictions)
    documents = {each.fact.fact_id for each in timeline.facts if each.fact.kind == FACT_KIND_DOCUMENT}
    notes = tuple(each for each in whole_texts(told) if each.fact_id in documents)
    return _record(timeline, told.asked_at, notes)


def _record(timeline: Timeline, asked_at: datetime, notes: tuple[Note, ...] = ()) -> Record:
    named = {each.passage_id: each for each in library()}
    cited = tuple(named[each] for each in CITED_PASSAGES if each in named)
    return Record(timeline, Context(), cited, asked_at, notes=notes)


@cache
def _patients(folder: str) -> list[tuple[str, Json]]:
    return sorted(json.loads((Path(folder) / "patients.json").read_text(encoding="utf-8")).items())


@cache
def _questions(folder: str) -> list[Question]:
    lines = (Path(folder) / "questions.jsonl").read_text(encoding="utf-8").splitlines()
    return [Question.of(json.loads(line)) for line in lines if line.strip()]


def _opened(path: Path) -> bytes:
    return path.read_bytes() if path.exists() else lzma.decompress(Path(f"{path}.xz").read_bytes())


# ---- figures


def figures(rows: Sequence[Row], seed: int) -> dict[str, float]:
    seconds = sorted(row.seconds for row in rows)
    return {
        **_with_bounds("gold", gold, rows, seed),
        **_with_bounds("relevance", relevance, rows, seed),
        "safety": _share((row.safety_said, row.safety) for row in rows),
        "first": _share((row.opens_with_gold, 1) for row in rows),
        "none": _share((not row.said, 1) for row in rows),
        "false_states": float(sum(row.false_states for row in rows)),
        "wrong_first": float(sum(row.wrong_first for row in rows)),
        "statements": float(median(row.statements for row in rows)),
        "characters": float(median(row.characters for row in rows)),
        "p50_s": seconds[len(seconds) // 2],
        "p95_s": seconds[int(0.95 * len(seconds))],
    }


def by_kind(name: str, figure: Callable[[list[Row]], float], rows: Iterable[Row]) -> dict[str, float]:
    groups: dict[str, list[Row]] = defaultdict(list)
    for row in rows:
        groups[row.kind].append(row)
    return {f"{name}, {kind}": float(figure(groups[kind])) for kind in sorted(groups)}


def gold(rows: Iterable[Row]) -> float:
    return _share((row.said, row.gold) for row in rows)


def in_pack(rows: Iterable[Row]) -> float:
    return _share((row.packed, row.packable) for row in rows)


def relevance(rows: Iterable[Row]) -> float:
    return _share((row.concerning, row.statements) for row in rows)


def bounds(figure: Callable[[list[Row]], float], rows: Iterable[Row], seed: int) -> tuple[float, float]:
    """Where a figure lies in 95 of 100 draws of as many patients."""
    groups: dict[str, list[Row]] = defaultdict(list)
    for row in rows:
        groups[row.patient].append(row)
    chance, patients = random.Random(seed), list(groups)
    draws = (chance.choices(patients, k=len(patients)) for _ in range(_DRAWS))
    values = sorted(figure([row for patient in draw for row in groups[patient]]) for draw in draws)
    return values[int(_TAIL * _DRAWS)], values[-1 - int(_TAIL * _DRAWS)]


def _with_bounds(
    name: str, figure: Callable[[Iterable[Row]], float], rows: Sequence[Row], seed: int
) -> dict[str, float]:
    low, high = bounds(figure, rows, seed)
    return {name: figure(rows), f"{name}, low": low, f"{name}, high": high}


def _share(counts: Iterable[tuple[float, float]]) -> float:
    """Of nothing, all."""
    pairs = list(counts)
    whole = sum(of for _, of in pairs)
    return sum(part for part, _ in pairs) / whole if whole else 1.0
