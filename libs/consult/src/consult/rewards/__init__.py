"""What was shown and what is known to be right, as rewards of spans and of the whole.

Guarantees: a statement is judged by the ids of its facts or by a predicate, never by likeness of texts; credit goes to
the step of the episode that chose it and to nothing else; saying nothing, and padding with safe claims, are worth less
than the honest answer.
"""

from consult.rewards.reviews import reviewed
from consult.rewards.values import Called, Credit, Item, Known, Prices, Rewarded, Shown
from consult.rewards.whole import whole

__all__ = ["Called", "Credit", "Item", "Known", "Prices", "Rewarded", "Shown", "reviewed", "whole"]
