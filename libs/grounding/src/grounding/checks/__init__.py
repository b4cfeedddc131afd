"""Typed checks, one module per kind of assertion.

Every check is `check(context) -> list[Claim]`: it looks at one sentence and what the statement cites, and answers
with a claim for each piece of text that it understands. A check never looks at how the text was made.
"""
