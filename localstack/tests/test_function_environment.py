"""What a process of a function finds around it."""

import unittest
from pathlib import Path

from tests.functions import deploy, invoke
from tests.running import Emulator


class FunctionEnvironment(unittest.TestCase):
    def test_a_process_finds_the_emulator_its_roles_credentials_and_the_files_beside_its_bootstrap(self) -> None:
        with Emulator(AUTH="true", AWS_PROFILE="someone", AWS_ENDPOINT_URL_S3="https://elsewhere.example",
                      AWS_SESSION_TOKEN="of-the-shell") as emulator:
            deploy(emulator, "looker", [{"Effect": "Allow", "Action": "dynamodb:ListTables", "Resource": "*"}],
                   variables={"CORE_TABLE": "core"})
            environment = invoke(emulator, "looker", {"environment": True})
            self.assertEqual(environment["AWS_ENDPOINT_URL"], emulator.url)
            self.assertEqual(environment["CORE_TABLE"], "core")
            self.assertEqual(environment["AWS_LAMBDA_FUNCTION_NAME"], "looker")
            self.assertEqual(environment["AWS_REGION"], "us-east-1")
            self.assertTrue((Path(environment["LAMBDA_TASK_ROOT"]) / "beside.txt").is_file())
            self.assertFalse({"AWS_PROFILE", "AWS_ENDPOINT_URL_S3"} & environment.keys())

            names = ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN")
            credentials = [environment[name] for name in names]
            self.assertEqual(emulator.client("sts", *credentials).get_caller_identity()["Arn"],
                             "arn:aws:sts::000000000000:assumed-role/looker-role/looker")
            dynamodb = emulator.client("dynamodb", *credentials)
            dynamodb.list_tables()
            with self.assertRaises(dynamodb.exceptions.ClientError) as refused:
                dynamodb.describe_limits()
            self.assertEqual(refused.exception.response["Error"]["Code"], "AccessDeniedException")
