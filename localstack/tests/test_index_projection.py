"""Querying an index: only what is projected into it can be had ("Improving data access with secondary indexes")."""

import unittest
from typing import Any

from botocore.exceptions import ClientError

from tests.running import Emulator, create_table, key_schema

ITEM = {"PK": {"S": "one"}, "SK": {"S": "C"}, "GSI1PK": {"S": "list"}, "GSI1SK": {"S": "1"},
        "name": {"S": "Zoe"}, "status": {"L": [{"M": {"i": {"S": "new"}}}]}, "city": {"S": "Laval"}}


def query(emulator: Emulator, index: str = "GSI1", key: str = "GSI1PK", value: str = "list", **options: Any) -> list[dict]:
    values = {":key": {"S": value}, **options.pop("values", {})}
    return emulator.client("dynamodb").query(
        TableName="core", IndexName=index, KeyConditionExpression=f"{key} = :key", ExpressionAttributeValues=values,
        **options)["Items"]


class IndexProjection(unittest.TestCase):
    @classmethod
    def setUpClass(cls) -> None:
        cls.emulator = cls.enterClassContext(Emulator())
        create_table(cls.emulator, "core")
        cls.emulator.client("dynamodb").put_item(TableName="core", Item=ITEM)

    def assert_refused(self, message: str, **options: Any) -> None:
        with self.assertRaises(ClientError) as refused:
            query(self.emulator, **options)
        error = refused.exception.response["Error"]
        self.assertEqual((error["Code"], error["Message"]),
                         ("ValidationException", f"One or more parameter values were invalid: {message}"))

    def test_a_filter_may_name_what_the_index_carries(self) -> None:
        names = {"#status": "status", "#name": "name"}
        values = {":z": {"S": "Z"}, ":new": {"S": "new"}, ":three": {"N": "3"}}
        for expression in (
            "begins_with(#name, :z) AND (#status[0].i = :new OR NOT attribute_exists(#name)) AND size(#name) IN (:three)",
            "NOT #name IN (:z, :new) AND size(#name) BETWEEN :three AND :three AND attribute_exists(#status)",
        ):
            with self.subTest(expression):
                used = {name: value for name, value in values.items() if name in expression}
                found = query(self.emulator, values=used, ExpressionAttributeNames=names, FilterExpression=expression)
                self.assertEqual(len(found), 1)

    def test_a_filter_may_not_name_anything_else(self) -> None:
        refusal = "Secondary index GSI1 does not project one or more filter attributes:"
        self.assert_refused(f"{refusal} [city, deleted_at]", values={":city": {"S": "Laval"}},
                            FilterExpression="city = :city AND attribute_not_exists(deleted_at)")
        self.assert_refused(f"{refusal} [place]", ExpressionAttributeNames={"#place": "place"},
                            FilterExpression="attribute_not_exists(#place.street)")

    def test_only_what_the_index_carries_may_be_asked_for(self) -> None:
        names = {"#name": "name"}
        self.assertEqual(query(self.emulator, ProjectionExpression="PK, #name", ExpressionAttributeNames=names),
                         [{"PK": ITEM["PK"], "name": ITEM["name"]}])
        self.assert_refused("Global secondary index GSI1 does not project [city]",
                            ProjectionExpression="PK, #name, city", ExpressionAttributeNames=names)

    def test_other_mistakes_are_named_first(self) -> None:
        with self.assertRaisesRegex(ClientError, "unused in expressions"):
            query(self.emulator, values={":unused": {"S": "x"}}, FilterExpression="attribute_exists(city)")

    def test_a_table_is_filtered_by_any_attribute(self) -> None:
        found = self.emulator.client("dynamodb").query(
            TableName="core", KeyConditionExpression="PK = :key", ExpressionAttributeValues={":key": {"S": "one"}},
            FilterExpression="attribute_exists(city)")
        self.assertEqual(found["Count"], 1)

    def test_an_index_that_shares_the_partition_key_may_be_asked_for_more(self) -> None:
        dynamodb = self.emulator.client("dynamodb")
        dynamodb.create_table(
            TableName="local", BillingMode="PAY_PER_REQUEST", KeySchema=key_schema("PK", "SK"),
            AttributeDefinitions=[{"AttributeName": name, "AttributeType": "S"} for name in ("PK", "SK", "name")],
            LocalSecondaryIndexes=[{"IndexName": "by-name", "KeySchema": key_schema("PK", "name"),
                                    "Projection": {"ProjectionType": "KEYS_ONLY"}}])
        dynamodb.put_item(TableName="local", Item=ITEM)
        asked = {"TableName": "local", "IndexName": "by-name", "KeyConditionExpression": "PK = :key",
                 "ExpressionAttributeValues": {":key": {"S": "one"}}}
        self.assertEqual(dynamodb.query(**asked, ProjectionExpression="city")["Count"], 1)
        with self.assertRaisesRegex(ClientError, "Secondary index by-name does not project one or more filter attributes"):
            dynamodb.query(**asked, FilterExpression="attribute_exists(city)")


class WithoutTheMend(unittest.TestCase):
    def test_an_index_is_filtered_by_what_it_lacks(self) -> None:
        with Emulator(off="index_projection") as emulator:
            create_table(emulator, "core")
            emulator.client("dynamodb").put_item(TableName="core", Item=ITEM)
            self.assertEqual(len(query(emulator, values={":city": {"S": "Laval"}}, FilterExpression="city = :city")), 1)
            self.assertEqual(query(emulator, ProjectionExpression="PK, city"), [{"PK": ITEM["PK"]}])
