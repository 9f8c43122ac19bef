"""A PartiQL INSERT keeps the rules for keys, of the table and of its indexes, that PutItem keeps."""

import unittest

from botocore.exceptions import ClientError

from tests.running import Emulator, create_table

INVALID = {
    "no sort key": "{'PK': 'one'}",
    "a key of another type": "{'PK': 'one', 'SK': 1}",
    "an empty key": "{'PK': 'one', 'SK': ''}",
    "an empty key of an index": "{'PK': 'one', 'SK': 'C', 'GSI1PK': ''}",
    "a key of an index of another type": "{'PK': 'one', 'SK': 'C', 'GSI1PK': 1}",
}


def insert(emulator: Emulator, item: str) -> None:
    emulator.client("dynamodb").execute_statement(Statement=f'INSERT INTO "core" VALUE {item}')


class PartiqlValidation(unittest.TestCase):
    def test_invalid_items_are_refused_as_by_put_item(self) -> None:
        with Emulator() as emulator:
            create_table(emulator, "core")
            for what, item in INVALID.items():
                with self.subTest(what), self.assertRaises(ClientError) as refused:
                    insert(emulator, item)
                self.assertEqual(refused.exception.response["Error"]["Code"], "ValidationException")
            insert(emulator, "{'PK': 'one', 'SK': 'C', 'note': ''}")
            self.assertEqual(emulator.client("dynamodb").scan(TableName="core")["Count"], 1)

    def test_a_batch_reports_them_one_by_one(self) -> None:
        with Emulator() as emulator:
            create_table(emulator, "core")
            answers = emulator.client("dynamodb").batch_execute_statement(Statements=[
                {"Statement": f'INSERT INTO "core" VALUE {item}'}
                for item in ("{'PK': 'one'}", "{'PK': 'two', 'SK': 'C'}")])["Responses"]
            self.assertEqual([answer.get("Error", {}).get("Code") for answer in answers], ["ValidationError", None])


class WithoutTheMend(unittest.TestCase):
    def test_invalid_items_are_stored(self) -> None:
        with Emulator(off="partiql_validation") as emulator:
            create_table(emulator, "core")
            insert(emulator, INVALID["an empty key of an index"])
            self.assertEqual(emulator.client("dynamodb").scan(TableName="core")["Count"], 1)
