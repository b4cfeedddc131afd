"""Questions with known answers, made from any record: what a physician asks and what must be heard."""

from testkit.questions.asking import KINDS, questions
from testkit.questions.chart import Chart
from testkit.questions.falsehoods import falsehoods
from testkit.questions.question import Falsehood, Gold, Question

__all__ = ["KINDS", "Chart", "Falsehood", "Gold", "Question", "falsehoods", "questions"]
