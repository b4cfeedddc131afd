"""What one statement may rest on: the facts and passages it cites, and what follows from them.

Guarantee: a citation of something the episode does not have is kept in `missing`, never silently dropped.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

from longitude.reasoning.v1.assessment_pb2 import Citation
from longitude.record.v1.context_pb2 import Passage
from longitude.record.v1.fact_pb2 import ClinicalFact

from grounding import facts, susceptibility
from grounding.calculators import everything
from grounding.checks import candidates
from grounding.checks.candidates import Candidate
from grounding.derived import Derived
from grounding.sources import Sources
from grounding.vocabulary import words


@dataclass(frozen=True)
class Cited:
    """The cited part of the sources; without citations in a text of another system, all current facts."""

    sources: Sources
    facts: tuple[ClinicalFact, ...]
    passages: tuple[Passage, ...]
    missing: int = 0

    @classmethod
    def of(cls, sources: Sources, citations: Iterable[Citation]) -> "Cited":
        fact_ids, passage_ids, missing = [], [], 0
        for citation in citations:
            if citation.fact_id and sources.has_fact(citation.fact_id):
                fact_ids.append(citation.fact_id)
            elif citation.passage_id and sources.has_passage(citation.passage_id):
                passage_ids.append(citation.passage_id)
            else:
                missing += 1
        return cls(
            sources,
            tuple(sources.fact(each) for each in dict.fromkeys(fact_ids)),
            tuple(sources.passage(each) for each in dict.fromkeys(passage_ids)),
            missing,
        )

    @classmethod
    def whole_record(cls, sources: Sources) -> "Cited":
        """Everything current: for text that came without citations."""
        return cls(sources, sources.current, sources.passages)

    def of_sentence(self, text: str) -> "Cited":
        """Without the susceptibilities of which a sentence does not say of which organism they are.

        One that names no organism speaks of the only one there is; one that names several could mix them up.
        """
        if not self._organisms:
            return self
        named = [each for each in self._organisms if susceptibility.names(text, each)] or self._organisms
        meant = named[0] if len(named) == 1 else ""
        if meant not in self._of_organism:
            kept = tuple(fact for fact in self.facts if facts.organism(fact) in ("", meant))
            self._of_organism[meant] = replace(self, facts=kept)
        return self._of_organism[meant]

    @cached_property
    def _organisms(self) -> list[str]:
        return sorted({organism for fact in self.facts if (organism := facts.organism(fact))})

    @cached_property
    def _of_organism(self) -> dict[str, "Cited"]:
        return {}

    @cached_property
    def derived(self) -> tuple[Derived, ...]:
        return everything(self.facts)

    @cached_property
    def candidates(self) -> tuple[Candidate, ...]:
        """The numbers that a number of the text is compared with."""
        return candidates.of(self.facts, self.derived)

    @cached_property
    def words(self) -> frozenset[str]:
        """Stems of all words of the cited facts. Passages are not in it: they may only be quoted."""
        spelled = (word for fact in self.facts for word in susceptibility.spellings(fact))
        return words(" ".join([*map(facts.searchable, self.facts), *spelled]))

    def matching(self, keys: frozenset[str]) -> tuple[ClinicalFact, ...]:
        """Cited facts that a name may mean."""
        return tuple(fact for fact, own in self._keyed if keys & own)

    @cached_property
    def _keyed(self) -> tuple[tuple[ClinicalFact, frozenset[str]], ...]:
        return tuple((fact, facts.keys(fact)) for fact in self.facts)

    def derived_matching(self, keys: frozenset[str]) -> tuple[Derived, ...]:
        return tuple(each for each in self.derived if keys & each.keys)


def ids(cited: Sequence[ClinicalFact]) -> tuple[str, ...]:
    return tuple(fact.fact_id for fact in cited)
