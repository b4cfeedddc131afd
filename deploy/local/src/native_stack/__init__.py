"""The local stack: real servers as child processes on loopback, under one supervisor.

`python -m native_stack up` is the operator's door, `native_stack.Stack` the same in Python.
"""

from native_stack.control import StackError
from native_stack.stack import Stack

__all__ = ["Stack", "StackError"]
