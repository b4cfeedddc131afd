"""Real backends for tests, each started at most once in a session; a fault proxy; an MLLP client.

Never imported by anything that ships.
"""

from testkit.backends import Backends, ObjectStorage
from testkit.line import Line
from testkit.mllp import MllpClient
from testkit.proxy import FaultProxy
from testkit.running import RunningStack

__all__ = ["Backends", "FaultProxy", "Line", "MllpClient", "ObjectStorage", "RunningStack"]
