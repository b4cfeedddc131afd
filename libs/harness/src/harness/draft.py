"""What has been drafted so far: statements and proposals in order, with the verifier's doubts."""

from dataclasses import replace

from harness.actions import Propose, Statement
from harness.protocol import Proposed, Said


class Draft:
    def __init__(self) -> None:
        self._items: list[Said | Proposed] = []
        self._words: list[str] = []

    def __len__(self) -> int:
        return len(self._items)

    def say(self, statement: Statement, words: str, role: str, step: int) -> None:
        self._items.append(Said(statement, role, step))
        self._words.append(words)

    def propose(self, proposal: Propose, words: str, role: str, step: int) -> None:
        self._items.append(Proposed(proposal, role, step))
        self._words.append(words)

    def doubt(self, number: int) -> None:
        """Marks an item, counted from 1."""
        self._items[number - 1] = replace(self._items[number - 1], doubted=True)

    def lines(self) -> list[str]:
        """The draft as the verifier reads it."""
        return [f"S{number} {words}" for number, words in enumerate(self._words, 1)]

    @property
    def statements(self) -> tuple[Said, ...]:
        return tuple(item for item in self._items if isinstance(item, Said))

    @property
    def proposals(self) -> tuple[Proposed, ...]:
        return tuple(item for item in self._items if isinstance(item, Proposed))
