"""How a process lives: settings, logs, traces, metrics, health, shutdown, and the outside things they share."""

from servicekit.migrations import migrate, migrated
from servicekit.process import Process, main

__all__ = ["Process", "main", "migrate", "migrated"]
