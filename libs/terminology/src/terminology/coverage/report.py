"""Counts of a corpus, by kind, and the unknown codings that occur most."""

from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from functools import lru_cache

from terminology.coverage.occurrences import Kind, Occurrence


@dataclass(slots=True)
class Report:
    """Coded occurrences by kind: all, and those with a known concept; and the unknown ones with their counts."""

    total: Counter[Kind] = field(default_factory=Counter)
    known: Counter[Kind] = field(default_factory=Counter)
    unknown: Counter[Occurrence] = field(default_factory=Counter)

    @property
    def share(self) -> float:
        """The known part of all; 1 of nothing."""
        return self.known.total() / self.total.total() if self.total else 1.0

    def as_json(self, most: int) -> dict[str, object]:
        kinds = {str(kind): {"n": self.total[kind], "known": self.known[kind]} for kind in Kind if self.total[kind]}
        return {"n": self.total.total(), "share": round(self.share, 5), "kinds": kinds, "unknown": self.worst(most)}

    def worst(self, most: int) -> list[dict[str, object]]:
        """The unknown occurrences, the most frequent first."""
        return [
            {"n": n, "kind": str(o.kind), "system": c.system, "code": c.code, "display": c.display}
            for o, n in self.unknown.most_common(most)
            for c in o.codings[:1]
        ]


def count(occurrences: Iterable[Occurrence], knows: Callable[[Occurrence], bool]) -> Report:
    """The report of some occurrences."""
    remembered = lru_cache(maxsize=None)(knows)
    report = Report()
    for occurrence in occurrences:
        report.total[occurrence.kind] += 1
        if remembered(occurrence):
            report.known[occurrence.kind] += 1
        else:
            report.unknown[occurrence] += 1
    return report


def table(report: Report, most: int) -> str:
    """The report as people read it."""
    lines = [f"{'kind':<14}{'coded':>10}{'known':>10}{'share':>9}"]
    lines += [_line(str(kind), report.total[kind], report.known[kind]) for kind in Kind if report.total[kind]]
    lines += [_line("all", report.total.total(), report.known.total()), "", "most frequent unknown:"]
    lines += ["{n:>8}  {kind}  {system}|{code}  {display}".format(**each) for each in report.worst(most)]
    return "\n".join(lines)


def _line(name: str, total: int, known: int) -> str:
    return f"{name:<14}{total:>10}{known:>10}{known / total if total else 1:>9.4f}"
