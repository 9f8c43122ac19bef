"""PartiQL and IAM: "you must have dynamodb:PartiQLInsert permission on the table" (IAM security policies with PartiQL)."""

import unittest
from typing import Any

from botocore.exceptions import ClientError

from tests.running import REGION, Emulator, create_role, create_table, policy

ACCOUNT = "000000000000"
INSERT = "INSERT INTO \"{table}\" VALUE {{'PK': '{key}', 'SK': 'C'}}"
UPDATE = "UPDATE \"audit\" SET status = 'changed' WHERE PK = 'present' AND SK = 'C'"
DELETE = "DELETE FROM \"audit\" WHERE PK = 'present' AND SK = 'C'"
SELECT = "SELECT * FROM \"audit\" WHERE PK = 'present' AND SK = 'C'"
SELECT_INDEX = "SELECT * FROM \"audit\".\"GSI1\" WHERE GSI1PK = 'list'"


def arn(table: str, index: str = "") -> str:
    return f"arn:aws:dynamodb:{REGION}:{ACCOUNT}:table/{table}" + (f"/index/{index}" if index else "")


def allow(action: str, resource: str) -> dict:
    return {"Effect": "Allow", "Action": action, "Resource": resource}


def user(emulator: Emulator, name: str, *statements: dict) -> Any:
    """A DynamoDB client with the access key of a new user who is granted just these statements."""
    iam = emulator.client("iam")
    iam.create_user(UserName=name)
    iam.put_user_policy(UserName=name, PolicyName="granted", PolicyDocument=policy(list(statements)))
    key = iam.create_access_key(UserName=name)["AccessKey"]
    return emulator.client("dynamodb", key["AccessKeyId"], key["SecretAccessKey"])


def role_session(emulator: Emulator, name: str, *statements: dict) -> Any:
    """A DynamoDB client with the credentials of a new role, assumed through STS by a user who may only do that."""
    role = create_role(emulator, name, list(statements), {"AWS": f"arn:aws:iam::{ACCOUNT}:root"})
    iam = emulator.client("iam")
    iam.create_user(UserName=f"{name}-user")
    may_assume = policy([allow("sts:AssumeRole", role)])
    iam.put_user_policy(UserName=f"{name}-user", PolicyName="granted", PolicyDocument=may_assume)
    key = iam.create_access_key(UserName=f"{name}-user")["AccessKey"]
    sts = emulator.client("sts", key["AccessKeyId"], key["SecretAccessKey"])
    session = sts.assume_role(RoleArn=role, RoleSessionName="test")["Credentials"]
    return emulator.client("dynamodb", session["AccessKeyId"], session["SecretAccessKey"], session["SessionToken"])


class PartiqlAuthorisation(unittest.TestCase):
    @classmethod
    def setUpClass(cls) -> None:
        cls.emulator = cls.enterClassContext(Emulator(AUTH="true"))
        for table in ("audit", "core"):
            create_table(cls.emulator, table)
        cls.emulator.client("dynamodb").execute_statement(Statement=INSERT.format(table="audit", key="present"))

    def denied(self, call: Any, *arguments: Any, **options: Any) -> str:
        with self.assertRaises(ClientError) as refused:
            call(*arguments, **options)
        self.assertEqual(refused.exception.response["Error"]["Code"], "AccessDeniedException")
        return refused.exception.response["Error"]["Message"]

    def assert_may_only_insert_into_audit(self, dynamodb: Any, key: str) -> None:
        item = {"PK": {"S": "present"}, "SK": {"S": "C"}}
        dynamodb.execute_statement(Statement=INSERT.format(table="audit", key=f"{key}-single"))
        dynamodb.batch_execute_statement(Statements=[{"Statement": INSERT.format(table="audit", key=f"{key}-batch")}])
        dynamodb.execute_transaction(TransactStatements=[{"Statement": INSERT.format(table="audit", key=f"{key}-whole")}])
        for text, action in ((UPDATE, "Update"), (DELETE, "Delete"), (SELECT, "Select"), (SELECT_INDEX, "Select"),
                             (INSERT.format(table="core", key=key), "Insert")):
            with self.subTest(text):
                self.assertIn(f"dynamodb:PartiQL{action}", self.denied(dynamodb.execute_statement, Statement=text))
                self.denied(dynamodb.batch_execute_statement, Statements=[{"Statement": text}])
        self.denied(dynamodb.execute_transaction, TransactStatements=[{"Statement": DELETE}])
        self.denied(dynamodb.put_item, TableName="audit", Item=item)
        self.denied(dynamodb.update_item, TableName="audit", Key=item)
        self.denied(dynamodb.delete_item, TableName="audit", Key=item)
        self.denied(dynamodb.batch_write_item, RequestItems={"audit": [{"PutRequest": {"Item": item}}]})
        self.denied(dynamodb.transact_write_items, TransactItems=[{"Put": {"TableName": "audit", "Item": item}}])

    def test_a_user_granted_inserts_into_one_table_can_do_nothing_else(self) -> None:
        self.assert_may_only_insert_into_audit(
            user(self.emulator, "inserter", allow("dynamodb:PartiQLInsert", arn("audit"))), "user")

    def test_a_role_granted_inserts_into_one_table_can_do_nothing_else(self) -> None:
        self.assert_may_only_insert_into_audit(
            role_session(self.emulator, "inserting", allow("dynamodb:PartiQLInsert", arn("audit"))), "role")

    def test_one_statement_that_is_not_granted_denies_a_mixed_batch_and_nothing_is_written(self) -> None:
        dynamodb = user(self.emulator, "mixer", allow("dynamodb:PartiQLInsert", arn("audit")))
        self.denied(dynamodb.batch_execute_statement, Statements=[
            {"Statement": INSERT.format(table="audit", key="mixed")}, {"Statement": DELETE}])
        key = {"PK": {"S": "mixed"}, "SK": {"S": "C"}}
        absent = self.emulator.client("dynamodb").get_item(TableName="audit", Key=key)
        self.assertNotIn("Item", absent)

    def test_select_on_an_index_is_granted_on_the_index(self) -> None:
        on_index = user(self.emulator, "index-reader", allow("dynamodb:PartiQLSelect", arn("audit", "GSI1")))
        on_table = user(self.emulator, "table-reader", allow("dynamodb:PartiQLSelect", arn("audit")))
        on_index.execute_statement(Statement=SELECT_INDEX)
        on_table.execute_statement(Statement=SELECT)
        self.denied(on_index.execute_statement, Statement=SELECT)
        self.denied(on_table.execute_statement, Statement=SELECT_INDEX)

    def test_the_administrator_may_do_everything(self) -> None:
        self.emulator.client("dynamodb").batch_execute_statement(Statements=[{"Statement": SELECT}])

    def test_the_other_actions_are_still_checked(self) -> None:
        reader = user(self.emulator, "reader", allow("dynamodb:GetItem", arn("audit")))
        reader.get_item(TableName="audit", Key={"PK": {"S": "present"}, "SK": {"S": "C"}})
        self.denied(reader.execute_statement, Statement=SELECT)
        self.denied(reader.scan, TableName="audit")


class WithoutTheMend(unittest.TestCase):
    def test_the_grant_that_aws_asks_for_is_not_enough(self) -> None:
        with Emulator(off="partiql_authorisation", AUTH="true") as emulator:
            create_table(emulator, "audit")
            inserter = user(emulator, "inserter", allow("dynamodb:PartiQLInsert", arn("audit")))
            with self.assertRaises(ClientError) as refused:
                inserter.batch_execute_statement(Statements=[{"Statement": INSERT.format(table="audit", key="one")}])
            self.assertIn("dynamodb:BatchExecuteStatement", refused.exception.response["Error"]["Message"])
