"""What functions write: a file per function, while they run and after they died."""

import threading
import unittest

from tests.functions import deploy, invoke
from tests.running import Emulator, wait_until


class FunctionLogs(unittest.TestCase):
    def setUp(self) -> None:
        self.emulator = self.enterContext(Emulator(AUTH="true"))
        deploy(self.emulator, "talker")

    def log(self) -> list[str]:
        file = self.emulator.logs / "talker.log"
        return file.read_text().splitlines() if file.exists() else []

    def test_lines_appear_while_the_function_still_runs(self) -> None:
        call = threading.Thread(target=invoke, args=(self.emulator, "talker", {"print": "halfway", "sleep": 5}))
        call.start()
        wait_until(lambda: "halfway" in self.log(), "the line is in the file")
        self.assertTrue(call.is_alive())
        call.join()
        self.assertEqual(self.log(), ["the function starts", "halfway"])

    def test_the_last_words_of_a_process_are_kept_and_a_restart_appends(self) -> None:
        invoke(self.emulator, "talker", {"print": "last words", "exit": 3})
        self.emulator.restart()
        invoke(self.emulator, "talker", {"print": "après le redémarrage"})
        self.assertEqual(self.log(), ["the function starts", "last words",
                                      "the function starts", "après le redémarrage"])

    def test_processes_of_one_function_share_its_file_line_by_line(self) -> None:
        events = [{"print": str(number) * 9000, "sleep": 0.5} for number in range(4)]
        calls = [threading.Thread(target=invoke, args=(self.emulator, "talker", event)) for event in events]
        for call in calls:
            call.start()
        for call in calls:
            call.join()
        self.assertEqual(sorted(line for line in self.log() if line != "the function starts"),
                         [event["print"] for event in events])

    def test_the_emulator_still_puts_them_in_cloudwatch_logs(self) -> None:
        invoke(self.emulator, "talker", {"print": "for the cloud"})
        logs = self.emulator.client("logs")
        events = logs.filter_log_events(logGroupName="/aws/lambda/talker")["events"]
        self.assertIn("for the cloud", [event["message"] for event in events])


class WithoutTheMend(unittest.TestCase):
    def test_there_is_no_file(self) -> None:
        with Emulator(off="function_logs", AUTH="true") as emulator:
            deploy(emulator, "talker")
            invoke(emulator, "talker", {"print": "unheard"})
            self.assertFalse((emulator.logs / "talker.log").exists())
