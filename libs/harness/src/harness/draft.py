"""What has been drafted so far: statements and proposals in order, with the verifier's doubts; and free text."""

from dataclasses import replace

from grounding.kind import Choice

from harness.actions import AskPhysician, Propose
from harness.protocol import Proposed, Said, Shown, Written


class Draft:
    def __init__(self) -> None:
        self._items: list[Said | Proposed] = []
        self._words: list[str] = []
        self.written: list[Written] = []
        self.shown: list[Shown] = []

    def __len__(self) -> int:
        return len(self._items)

    def say(self, choice: Choice | AskPhysician, words: str, role: str, step: int) -> None:
        self._items.append(Said(choice, role, step))
        self._words.append(words)

    def propose(self, proposal: Propose, words: str, role: str, step: int) -> None:
        self._items.append(Proposed(proposal, role, step))
        self._words.append(words)

    def write(self, text: str, fact_ids: tuple[str, ...], role: str, step: int) -> None:
        """Free text stands apart: it is no item that can be doubted, and no source of others."""
        self.written.append(Written(text, fact_ids, role, step))

    def doubt(self, number: int) -> None:
        """Marks an item, counted from 1."""
        self._items[number - 1] = replace(self._items[number - 1], doubted=True)

    def lines(self) -> list[str]:
        """The draft as the verifier reads it."""
        return [f"S{number} {words}" for number, words in enumerate(self._words, 1)]

    @property
    def fact_ids(self) -> tuple[str, ...]:
        """The facts of all that was drafted, in order."""
        named = (_fact_ids(item) for item in self._items)
        return tuple(dict.fromkeys(fact_id for fact_ids in named for fact_id in fact_ids))

    @property
    def statements(self) -> tuple[Said, ...]:
        return tuple(item for item in self._items if isinstance(item, Said))

    @property
    def proposals(self) -> tuple[Proposed, ...]:
        return tuple(item for item in self._items if isinstance(item, Proposed))


def _fact_ids(item: Said | Proposed) -> tuple[str, ...]:
    if isinstance(item, Proposed):
        return item.proposal.fact_ids
    return (item.choice.fact_id,) if isinstance(item.choice, AskPhysician) else item.choice.fact_ids
