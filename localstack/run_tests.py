"""Runs the emulator's tests, which take minutes one after another, in several processes at once.

    .local/venv/bin/python localstack/run_tests.py [NAME…]

Each class of tests is run as a whole by one process, and its output is printed when it has ended. A name is a module, a class or
a test, as in `tests.test_restart.Restart`; without one all tests are run. The last lines are those of unittest, for all of them.
"""

import io
import multiprocessing
import os
import sys
import threading
import time
import unittest
import warnings
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor, as_completed
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import dataclass
from multiprocessing.queues import SimpleQueue
from pathlib import Path

from tests import running

FOLDER = Path(__file__).parent
# They keep two cores busy. With many more, the time in which a test expects something to happen could be too short.
PROCESSES = 4


@dataclass(frozen=True)
class Outcome:
    """How the tests of a class ended, and what they printed."""

    output: str
    ran: int
    failures: int
    errors: int
    seconds: float


def main(names: list[str]) -> int:
    begun = time.monotonic()
    loader = unittest.defaultTestLoader
    suite = loader.loadTestsFromNames(names) if names else loader.discover(str(FOLDER / "tests"), top_level_dir=str(FOLDER))
    if loader.errors:
        print(*loader.errors, sep="\n")
        print(f"FAILED (errors={len(loader.errors)})")
        return 1
    outcomes = run_all(groups(suite))
    failures, errors = sum(outcome.failures for outcome in outcomes), sum(outcome.errors for outcome in outcomes)
    print("-" * 70)
    print(f"Ran {sum(outcome.ran for outcome in outcomes)} tests in {time.monotonic() - begun:.3f}s\n")
    print(f"FAILED (failures={failures}, errors={errors})" if failures or errors else "OK")
    return 1 if failures or errors else 0


def groups(suite: unittest.TestSuite) -> list[list[str]]:
    """The names of the tests of each class; those of many come first, so that none of them is left for the end."""
    of_class: dict[type, list[str]] = {}
    for test in tests_of(suite):
        of_class.setdefault(type(test), []).append(test.id())
    return sorted(of_class.values(), key=len, reverse=True)


def tests_of(suite: unittest.TestSuite) -> Iterator[unittest.TestCase]:
    for test in suite:
        if isinstance(test, unittest.TestSuite):
            yield from tests_of(test)
        else:
            yield test


def run_all(work: list[list[str]]) -> list[Outcome]:
    """How each group ended. Should a process die, what it ran and all that is left counts as errors."""
    spawning = multiprocessing.get_context("spawn")
    shares = spawning.SimpleQueue()
    for share in range(PROCESSES):
        shares.put(share)
    pool = ProcessPoolExecutor(PROCESSES, spawning, begin, (shares,))
    outcomes = []
    try:
        running_groups = {pool.submit(run_group, group): group for group in work}
        for future in as_completed(running_groups):
            group, died = running_groups[future], future.exception()
            outcome = Outcome(f"{died!r}\n", len(group), 0, len(group), 0) if died else future.result()
            word = "FAILED" if outcome.failures or outcome.errors else "ok"
            print(f"{class_of(group[0])}: {outcome.ran} tests {word}, {outcome.seconds:.1f} s\n{outcome.output}", end="", flush=True)
            outcomes.append(outcome)
    finally:
        pool.shutdown(cancel_futures=True)
    return outcomes


def class_of(test: str) -> str:
    return test.rpartition(".")[0]


def begin(shares: SimpleQueue) -> None:
    """Begins a process that runs tests."""
    warnings.simplefilter("default")
    # Ports of its own: another process must not take one that was chosen and isn't listened on yet.
    running.take_share_of_ports(shares.get(), PROCESSES)
    threading.Thread(target=end_with_parent, daemon=True).start()


def end_with_parent() -> None:
    multiprocessing.parent_process().join()
    os._exit(1)


def run_group(names: list[str]) -> Outcome:
    begun, output = time.monotonic(), io.StringIO()
    with redirect_stdout(output), redirect_stderr(output):
        # A runner would print closing lines, and those of all tests are printed once.
        result = unittest.TextTestResult(unittest.TextTestRunner(output).stream, descriptions=True, verbosity=0)
        unittest.defaultTestLoader.loadTestsFromNames(names).run(result)
        result.printErrors()
    return Outcome(output.getvalue(), result.testsRun, len(result.failures) + len(result.unexpectedSuccesses),
                   len(result.errors), time.monotonic() - begun)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
