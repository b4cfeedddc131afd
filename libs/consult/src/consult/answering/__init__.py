"""From a question to what stands in front of the answer: inquire, find, compose."""

from consult.answering.composing import Answer, answer
from consult.answering.inquiry import Form, Inquiry, Mention, inquire

__all__ = ["Answer", "Form", "Inquiry", "Mention", "answer", "inquire"]
