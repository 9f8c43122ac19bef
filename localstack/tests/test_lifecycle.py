"""Starting and stopping: what is refused, what a stop saves, and that no process outlives the emulator."""

import signal
import subprocess
import threading
import unittest

from emulator import refuse_other_versions
from tests.functions import deploy, invoke, received
from tests.running import SECONDS_TO_STOP, Emulator, create_table, wait_until


def processes_of(emulator: Emulator) -> list[str]:
    """The command lines of the function processes, which run from a folder that carries the emulator's port."""
    found = []
    listing = subprocess.run(["ps", "-eo", "pid=,command="], capture_output=True, text=True, check=True).stdout
    for line in listing.splitlines():
        pid, command = line.strip().split(maxsplit=1)
        if f"ministack-provided-code-{emulator.port}" in command:
            found.append(command)
    return found


def group_members(group: int) -> list[int]:
    listing = subprocess.run(["ps", "-eo", "pid=,pgid=,stat="], capture_output=True, text=True, check=True).stdout
    rows = [line.split() for line in listing.splitlines()]
    return [int(pid) for pid, its_group, status in rows if int(its_group) == group and not status.startswith("Z")]


def reaper_of(emulator: Emulator) -> int:
    listing = subprocess.run(["ps", "-eo", "pid=,ppid=,command="], capture_output=True, text=True, check=True).stdout
    for line in listing.splitlines():
        pid, parent, command = line.strip().split(maxsplit=2)
        if int(parent) == emulator.process.pid and "reaper.py" in command:
            return int(pid)
    raise AssertionError("the emulator has no reaper")


class NoProcessIsLeft(unittest.TestCase):
    def setUp(self) -> None:
        self.emulator = self.enterContext(Emulator())
        for name in ("first", "second"):
            deploy(self.emulator, name)
            invoke(self.emulator, name, {})
        self.busy = threading.Thread(target=self.invoke_slowly, daemon=True)
        self.busy.start()
        log = self.emulator.logs / "first.log"
        wait_until(lambda: "slowly" in log.read_text(), "the slow invocation runs")
        self.reaper = reaper_of(self.emulator)
        self.assertEqual(len(processes_of(self.emulator)), 2)

    def invoke_slowly(self) -> None:
        try:
            invoke(self.emulator, "first", {"print": "slowly", "sleep": 600})
        except Exception:  # noqa: BLE001
            pass

    def assert_nothing_is_left(self) -> None:
        wait_until(lambda: not group_members(self.reaper), "the reaper's group is empty")
        self.assertEqual(processes_of(self.emulator), [])

    def test_after_each_signal_that_stops_it(self) -> None:
        for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
            with self.subTest(number):
                self.assertEqual(self.emulator.stop(number), 0)
                self.assertEqual(group_members(self.reaper), [])
                self.assert_nothing_is_left()
                self.assertTrue((self.emulator.state / "clean-stop").exists())
                self.emulator.process.stdin.close()
                self.emulator.start()
                self.assertFalse((self.emulator.state / "clean-stop").exists())
                invoke(self.emulator, "second", {})
                self.reaper = reaper_of(self.emulator)

    def test_after_the_emulator_was_killed(self) -> None:
        self.emulator.process.kill()
        self.emulator.process.wait()
        self.assert_nothing_is_left()
        self.assertFalse((self.emulator.state / "clean-stop").exists())

    def test_after_a_second_signal_during_the_stop(self) -> None:
        self.emulator.process.send_signal(signal.SIGINT)
        self.emulator.process.send_signal(signal.SIGINT)
        self.assertEqual(self.emulator.stop(), 0)
        self.assert_nothing_is_left()
        self.assertTrue((self.emulator.state / "clean-stop").exists())


class ParentPipe(unittest.TestCase):
    def test_the_end_of_standard_input_is_a_clean_stop_when_asked_for(self) -> None:
        with Emulator(SWITCHBOARD_PARENT_PIPE="1") as emulator:
            create_table(emulator, "core")
            emulator.process.stdin.close()
            self.assertEqual(emulator.process.wait(SECONDS_TO_STOP), 0)
            self.assertTrue((emulator.state / "clean-stop").exists())

    def test_the_end_of_standard_input_means_nothing_otherwise(self) -> None:
        with Emulator() as emulator:
            emulator.process.stdin.close()
            with self.assertRaises(subprocess.TimeoutExpired):
                emulator.process.wait(1)


class CutOffWork(unittest.TestCase):
    def test_a_message_whose_function_was_ended_by_the_stop_is_delivered_at_once_after_the_restart(self) -> None:
        with Emulator() as emulator:
            deploy(emulator, "worker", timeout=300)
            sqs = emulator.client("sqs")
            queue = sqs.create_queue(QueueName="work", Attributes={"VisibilityTimeout": "600"})["QueueUrl"]
            arn = sqs.get_queue_attributes(QueueUrl=queue, AttributeNames=["All"])["Attributes"]["QueueArn"]
            emulator.client("lambda").create_event_source_mapping(FunctionName="worker", EventSourceArn=arn)
            sqs.send_message(QueueUrl=queue, MessageBody='{"sleep": 8}')
            wait_until(lambda: received(emulator, "worker"), "the function has the message")
            emulator.restart()
            wait_until(lambda: len(received(emulator, "worker")) == 2, "the function has it again")
            first, second = received(emulator, "worker")
            self.assertEqual(first["messageId"], second["messageId"])
            self.assertEqual(second["attributes"]["ApproximateReceiveCount"], "2")

    def test_a_stop_waits_a_moment_for_running_functions(self) -> None:
        with Emulator() as emulator:
            deploy(emulator, "worker")
            answers: list[dict] = []
            call = threading.Thread(target=lambda: answers.append(
                invoke(emulator, "worker", {"print": "begun", "sleep": 1, "done": True})))
            call.start()
            log = emulator.logs / "worker.log"
            wait_until(lambda: log.exists() and "begun" in log.read_text(), "the function runs")
            self.assertEqual(emulator.stop(), 0)
            call.join()
            self.assertEqual(answers, [{"print": "begun", "sleep": 1, "done": True}])


class Refusals(unittest.TestCase):
    def refusal(self, emulator: Emulator, status: int) -> str:
        with emulator.launch() as process:
            try:
                self.assertEqual(process.wait(SECONDS_TO_STOP), status)
            finally:
                process.kill()
        return emulator.log()

    def test_a_mend_that_does_not_exist(self) -> None:
        with Emulator() as emulator:
            emulator.stop()
            emulator.off = "partiql_streams"
            self.assertIn("no mend is called partiql_streams", self.refusal(emulator, 2))

    def test_a_taken_port(self) -> None:
        with Emulator() as running, Emulator() as other:
            other.stop()
            other.port = running.port
            self.assertIn("cannot listen on", self.refusal(other, 2))

    def test_a_state_that_another_emulator_uses(self) -> None:
        with Emulator() as running, Emulator() as other:
            other.stop()
            other.state = running.state
            self.assertIn("another emulator is using the state", self.refusal(other, 2))

    def test_no_folder_for_its_files(self) -> None:
        with Emulator() as emulator:
            emulator.stop()
            emulator.environment = {"STATE_DIR": ""}
            self.assertIn("STATE_DIR must name a folder", self.refusal(emulator, 2))

    def test_a_state_that_cannot_be_read_is_left_as_it_is(self) -> None:
        with Emulator() as emulator:
            create_table(emulator, "core")
            emulator.stop()
            saved = emulator.state / "dynamodb.json"
            for broken in ("{", '{"__ministack_format__": 2, "payload": ["no tables"]}',
                           '{"__account_region_scoped__": true, "data": {"no scope": 1}}'):
                with self.subTest(broken):
                    saved.write_text(broken)
                    self.assertIn("the saved state could not be read", self.refusal(emulator, 1))
                    self.assertEqual(saved.read_text(), broken)

    def test_another_version_of_the_emulator(self) -> None:
        with self.assertRaises(SystemExit) as refused:
            refuse_other_versions("1.5.34")
        self.assertEqual(refused.exception.code, 2)
        refuse_other_versions("1.5.33")

    def test_a_state_that_cannot_be_saved_is_said_and_is_no_clean_stop(self) -> None:
        with Emulator() as emulator:
            create_table(emulator, "core")
            (emulator.state / "dynamodb.json.tmp").mkdir()
            self.assertEqual(emulator.stop(), 1)
            self.assertIn("some state was not saved", emulator.log())
            self.assertFalse((emulator.state / "clean-stop").exists())
