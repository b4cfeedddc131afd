"""The tools of an episode in serving: the record answers what it can, memory searches."""

from dataclasses import dataclass

from consult import Prepared, RecordTools
from consult.tools import of_passages
from harness import CallTool, Failed, ToolResult
from harness.tools import TOOLS
from longitude.record.v1.fact_pb2 import PatientKey

from reasoning.adapters.memory import Memory


@dataclass(frozen=True, slots=True)
class MemoryTools:
    """Bound to one patient and one record."""

    of_record: RecordTools
    patient: PatientKey
    memory: Memory

    @classmethod
    def of(cls, prepared: Prepared, patient: PatientKey, memory: Memory) -> "MemoryTools":
        return cls(RecordTools.of(prepared.record, prepared.sources), patient, memory)

    async def answer(self, call: CallTool) -> ToolResult | Failed:
        """As RecordTools; what memory raises where it does not answer."""
        tool = TOOLS.get(call.tool)
        match tool.search if tool else None:
            case "evidence":
                return of_passages(await self.memory.evidence(call.arguments["query"]))
            case "documents":
                hits = await self.memory.notes(self.patient, call.arguments["query"])
                return self.of_record.found_in(frozenset(hit.document_id for hit in hits if hit.document_id))
            case _:
                return self.of_record.answer(call)
