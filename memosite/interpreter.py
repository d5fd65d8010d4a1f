"""How a web process sets Python up: many short waits in several threads, beside modules that stay for good."""

from __future__ import annotations

import atexit
import gc
import sys

#: Seconds after which a thread that computes lets another one go on; Python's own are 5 ms. A thread that waits
#: for the database gives the interpreter away with every query, and gets it back after so long at the latest.
TURN_SECONDS = 0.0005
#: Python's own are 700, 10, 10: a full collection every 70,000 objects, each through all of torch and Django.
THRESHOLDS = (50_000, 20, 100)


def let_threads_take_turns_quickly() -> None:
    """Keep threads that wait a little at every query from waiting for one that computes."""
    sys.setswitchinterval(TURN_SECONDS)


def leave_what_stays_to_itself() -> None:
    """Take all that is loaded by now out of the garbage collector's rounds, which stop every thread for it."""
    gc.collect()
    gc.freeze()
    atexit.unregister(gc.unfreeze)
    atexit.register(gc.unfreeze)  # at the end all is collected as ever: extensions complain about what is not
    gc.set_threshold(*THRESHOLDS)
