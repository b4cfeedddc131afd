"""Invented patients with traps, as HL7 messages of two hospitals, and the truth about them that no system is told.

`story(seed)` is a pure function of its seed. The truth is drawn first and the messages are written from it: what a
message says that is not the patient's truth (another patient's letter, a value that is corrected later) is a trap.
"""

from testkit.stories.author import story
from testkit.stories.truth import Allergy, Drug, Problem, Result, Story, Tempting, Truth

__all__ = ["Allergy", "Drug", "Problem", "Result", "Story", "Tempting", "Truth", "story"]
