"""What began or ended since the last visit."""

from harness.tool import Tool, purpose

TOOL = Tool(
    name="compare_with_last_visit",
    purposes={"change": purpose((), "change")},
    roles=frozenset({"historian", "diagnostician"}),
)
