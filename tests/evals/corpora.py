"""Evidence questions that others wrote, with the passages that they hold to be the answers (`LONGITUDE_CORPUS`).

Each is measured at the level of its truth: openem by condition (370 of emergency medicine, 98 questions), medquad by
the answers that its authors judged (complete or incomplete answers are right, related or incorrect ones wrong, others
are not counted), uspstf by the recommendations whose topic, age and sex fit the person asked about.
"""

import csv
import html
import json
import lzma
import os
import re
import tarfile
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from io import TextIOWrapper
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

from longitude.record.v1.context_pb2 import Passage

from tests.evals.questions import Asked

CORPUS = os.environ.get("LONGITUDE_CORPUS", "")
_LONGEST = 4000
_ANSWERS = ("3-Incomplete", "4-Excellent")
_TAG = re.compile(r"<[^>]+>")


@dataclass(frozen=True, eq=False)
class Collection:
    """A library, and questions to it."""

    name: str
    passages: tuple[Passage, ...]
    questions: tuple[Asked, ...]


def collections() -> list[Collection]:
    """All that the corpus holds; none without one."""
    folder = Path(CORPUS, "evidence")
    return [_openem(folder / "openem"), _medquad(folder / "medquad"), _uspstf(folder / "uspstf")] if CORPUS else []


def _openem(folder: Path) -> Collection:
    passages, questions = [], []
    with tarfile.open(next(folder.glob("*.tar.xz"))) as archive:
        for member in archive.getmembers():
            if member.name.endswith(".md") and "/conditions/" in member.name:
                passages.append(_condition(Path(member.name).stem, _read(archive, member)))
            elif member.name.endswith("retrieval_ground_truth.jsonl"):
                asked = map(json.loads, _read(archive, member).splitlines())
                questions = [Asked(each["query"], frozenset(each["expected_condition_ids"])) for each in asked]
    return Collection("openem", tuple(passages), tuple(questions))


def _read(archive: tarfile.TarFile, member: tarfile.TarInfo) -> str:
    file = archive.extractfile(member)
    assert file is not None
    return file.read().decode("utf-8")


def _condition(name: str, text: str) -> Passage:
    """Front matter gives names, the rest is the text."""
    _, head, body = text.split("---\n", 2)
    names = re.findall(r"^(?:condition|aliases): (.*)$", head, re.MULTILINE)
    return _passage(name, " ".join(names), body)


def _medquad(folder: Path) -> Collection:
    with zipfile.ZipFile(next(folder.glob("QA-*.zip"))) as archive:
        names = [each for each in archive.namelist() if not each.startswith("__")]
        table = archive.open(next(each for each in names if each.endswith(".csv")))
        rows = list(csv.DictReader(TextIOWrapper(table, "utf-8")))
        lines = archive.read(next(each for each in names if "qrels" in each and each.endswith(".txt")))
    judged: dict[str, dict[str, str]] = {}
    for question, grade, answer in (line.split() for line in lines.decode().splitlines() if line.strip()):
        judged.setdefault(question, {})[answer] = grade
    asked = [_judged(text, judged[number]) for number, text in _summaries(folder) if number in judged]
    return Collection("medquad", tuple(_answer(row) for row in rows), tuple(asked))


def _judged(question: str, grades: dict[str, str]) -> Asked:
    right = frozenset(answer for answer, grade in grades.items() if grade in _ANSWERS)
    return Asked(question, right, frozenset(grades))


def _answer(row: dict[str, str]) -> Passage:
    question, _, rest = row["Answer"].partition("\n")
    return _passage(row["AnswerID"], question.removeprefix("Question:"), rest.partition("Answer:")[2])


def _summaries(folder: Path) -> Iterator[tuple[str, str]]:
    """Number and one-line summary of each question."""
    for each in ET.parse(next(folder.glob("TestDataset/*w-summaries.xml"))).getroot():
        yield each.attrib["qid"].removeprefix("TQ"), " ".join((each.findtext("NLM-Summary") or "").split())


def _uspstf(folder: Path) -> Collection:
    with lzma.open(next(folder.glob("*.json.xz")), "rt") as file:
        held: list[dict[str, Any]] = [each for each in json.load(file)["specificRecommendations"] if not each["risk"]]
    passages = [_passage(str(each["id"]), each["title"], each["text"]) for each in held]
    return Collection("uspstf", tuple(passages), tuple(_person(each, held) for each in held))


def _person(wanted: dict[str, Any], owned: list[dict[str, Any]]) -> Asked:
    """Somebody in the middle of the recommendation's ages; right is every recommendation of the topic that fits."""
    topic, age = _topic(wanted), sum(wanted["ageRange"]) // 2
    sex = "female" if wanted["sex"] == "female" else "male"
    fits = [
        str(each["id"])
        for each in owned
        if _topic(each) == topic and each["ageRange"][0] <= age <= each["ageRange"][1] and _is_for(each, sex)
    ]
    person = "woman" if sex == "female" else "man"
    return Asked(f"Is {topic.replace(':', '').lower()} recommended for a {person} aged {age} years?", frozenset(fits))


def _is_for(recommendation: dict[str, Any], sex: str) -> bool:
    return recommendation["sex"] in (sex, "men and women")


def _topic(recommendation: dict[str, Any]) -> str:
    return str(recommendation["title"]).partition(" -- ")[0].strip()


def _passage(passage_id: str, title: str, text: str) -> Passage:
    plain = " ".join(html.unescape(_TAG.sub(" ", text)).split())
    return Passage(passage_id=passage_id, title=" ".join(title.split()), text=plain[:_LONGEST] or title)
