"""PartiQL writes and the stream: "information about every modification to data items in the table" (DynamoDB Streams)."""

import unittest

from botocore.exceptions import ClientError

from tests.running import Emulator, create_table, stream_records

INSERT = "INSERT INTO \"core\" VALUE {'PK': ?, 'SK': ?, 'status': ?}"
UPDATE = 'UPDATE "core" SET status = ? WHERE PK = ? AND SK = ?'
DELETE = 'DELETE FROM "core" WHERE PK = ? AND SK = ?'


def strings(*values: str) -> list[dict]:
    return [{"S": value} for value in values]


def statement(text: str, *values: str) -> dict:
    return {"Statement": text, "Parameters": strings(*values)}


def image(key: str, status: str) -> dict:
    return {"PK": {"S": key}, "SK": {"S": "C"}, "status": {"S": status}}


class PartiqlStream(unittest.TestCase):
    def setUp(self) -> None:
        self.emulator = self.enterContext(Emulator())
        create_table(self.emulator, "core", stream=True)
        self.dynamodb = self.emulator.client("dynamodb")

    def test_single_statements_leave_old_and_new_images(self) -> None:
        self.dynamodb.execute_statement(**statement(INSERT, "one", "C", "new"))
        self.dynamodb.execute_statement(**statement(UPDATE, "called", "one", "C"))
        self.dynamodb.execute_statement(**statement(DELETE, "one", "C"))
        self.assertEqual(stream_records(self.emulator, "core"), [
            {"event": "INSERT", "old": None, "new": image("one", "new")},
            {"event": "MODIFY", "old": image("one", "new"), "new": image("one", "called")},
            {"event": "REMOVE", "old": image("one", "called"), "new": None},
        ])

    def test_a_batch_leaves_a_record_for_each_statement_that_succeeded(self) -> None:
        self.dynamodb.execute_statement(**statement(INSERT, "two", "C", "new"))
        answers = self.dynamodb.batch_execute_statement(
            Statements=[statement(INSERT, key, "C", "imported") for key in ("one", "two", "three")])["Responses"]
        self.assertEqual([answer.get("Error", {}).get("Code") for answer in answers], [None, "DuplicateItem", None])
        self.assertEqual([record["new"]["PK"]["S"] for record in stream_records(self.emulator, "core")],
                         ["two", "one", "three"])

    def test_a_transaction_leaves_its_records_once_and_a_cancelled_one_leaves_none(self) -> None:
        committed = [statement(INSERT, "one", "C", "new"), statement(INSERT, "two", "C", "new")]
        for _ in range(2):
            self.dynamodb.execute_transaction(TransactStatements=committed, ClientRequestToken="same-token")
        with self.assertRaises(self.dynamodb.exceptions.TransactionCanceledException):
            self.dynamodb.execute_transaction(
                TransactStatements=[statement(INSERT, "three", "C", "new"), statement(INSERT, "one", "C", "again")])
        self.assertEqual([record["new"]["PK"]["S"] for record in stream_records(self.emulator, "core")], ["one", "two"])

    def test_statements_that_change_nothing_leave_no_record(self) -> None:
        self.dynamodb.execute_statement(**statement(INSERT, "one", "C", "new"))
        self.dynamodb.execute_statement(**statement(UPDATE, "new", "one", "C"))
        self.dynamodb.execute_statement(**statement(DELETE, "absent", "C"))
        with self.assertRaises(ClientError):
            self.dynamodb.execute_statement(**statement(UPDATE, "called", "absent", "C"))
        self.assertEqual(len(stream_records(self.emulator, "core")), 1)

    def test_a_stream_of_new_images_has_no_old_ones(self) -> None:
        self.dynamodb.update_table(TableName="core", StreamSpecification={"StreamEnabled": False})
        self.dynamodb.update_table(
            TableName="core", StreamSpecification={"StreamEnabled": True, "StreamViewType": "NEW_IMAGE"})
        self.dynamodb.execute_statement(**statement(INSERT, "one", "C", "new"))
        self.dynamodb.execute_statement(**statement(UPDATE, "called", "one", "C"))
        self.dynamodb.execute_statement(**statement(DELETE, "one", "C"))
        self.assertEqual(stream_records(self.emulator, "core"), [
            {"event": "INSERT", "old": None, "new": image("one", "new")},
            {"event": "MODIFY", "old": None, "new": image("one", "called")},
            {"event": "REMOVE", "old": None, "new": None},
        ])


class WithoutTheMend(unittest.TestCase):
    def test_partiql_writes_leave_no_record(self) -> None:
        with Emulator(off="partiql_stream") as emulator:
            create_table(emulator, "core", stream=True)
            emulator.client("dynamodb").execute_statement(**statement(INSERT, "one", "C", "new"))
            self.assertEqual(stream_records(emulator, "core"), [])
