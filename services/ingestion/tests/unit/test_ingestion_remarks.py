"""Remarks are counted by their reasons, so these are a closed set."""

import ast
from pathlib import Path

import ingestion


def test_no_reason_is_made_from_what_a_message_says() -> None:
    """A reason is a label of a metric and stands in reports: only what is written in the code can be one."""
    for path in Path(ingestion.__path__[0]).rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if not isinstance(node, ast.Call) or _name(node) not in {"remark", "Remark"}:
                continue
            reasons = [*node.args[2:3], *(one.value for one in node.keywords if one.arg == "reason")]
            assert not any(isinstance(reason, ast.JoinedStr | ast.BinOp | ast.Call) for reason in reasons), path


def _name(call: ast.Call) -> str:
    return getattr(call.func, "attr", getattr(call.func, "id", ""))
