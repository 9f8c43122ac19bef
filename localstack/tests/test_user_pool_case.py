"""An address is one user's however it is written ("User pool case sensitivity" in the guide of Amazon Cognito)."""

import json
import unittest

from botocore.exceptions import ClientError

from tests.pools import PASSWORD, PROPERTIES, Pool, claims, refusal
from tests.running import Emulator, wait_until


class UserPoolCase(unittest.TestCase):
    def setUp(self) -> None:
        self.emulator = self.enterContext(Emulator(AUTH="true"))
        self.pool = Pool(self.emulator)

    def test_another_spelling_of_an_address_is_taken(self) -> None:
        self.pool.invite("ada@example.com")
        for email in ("ada@example.com", "Ada@example.com", "ADA@EXAMPLE.COM"):
            with self.subTest(email):
                self.assertEqual(refusal(self.pool.invite, email)[0], "UsernameExistsException")
        self.pool.invite("adam@example.com")

    def test_a_user_is_found_and_signs_in_however_the_address_is_written(self) -> None:
        made = self.pool.invite("Ada@Example.com")
        self.pool.give_password("ada@example.com")
        user = self.pool.user("ADA@example.com")
        self.assertEqual(user["Username"], made["Username"])
        self.assertIn({"Name": "email", "Value": "Ada@Example.com"}, user["UserAttributes"], "it stays as it was written")
        signed_in = self.pool.sign_in("aDa@eXample.com")
        self.assertEqual(claims(signed_in["IdToken"])["sub"], made["Username"])

    def test_passwords_keep_their_case_and_strangers_stay_strangers(self) -> None:
        self.pool.invite("ada@example.com")
        self.pool.give_password("ada@example.com")
        for email, password in (("ADA@example.com", PASSWORD.lower()), ("eve@example.com", PASSWORD)):
            self.assertEqual(refusal(self.pool.sign_in, email, password)[0], "NotAuthorizedException")
        self.assertEqual(refusal(self.pool.user, "eve@example.com")[0], "UserNotFoundException")

    def test_a_pool_that_minds_case_tells_them_apart(self) -> None:
        pool = Pool(self.emulator, UsernameConfiguration={"CaseSensitive": True})
        pool.invite("ada@example.com")
        pool.invite("Ada@example.com")
        self.assertEqual(refusal(pool.user, "ADA@example.com")[0], "UserNotFoundException")

    def test_a_pool_made_by_a_template_folds_case_too(self) -> None:
        stacks, cognito = self.emulator.client("cloudformation"), self.emulator.client("cognito-idp")
        for name, value in (("boolean", False), ("text", "false")):
            properties = {**PROPERTIES, "UserPoolName": name, "UsernameConfiguration": {"CaseSensitive": value}}
            stacks.create_stack(StackName=name, TemplateBody=json.dumps({
                "Resources": {"Pool": {"Type": "AWS::Cognito::UserPool", "Properties": properties}},
                "Outputs": {"Id": {"Value": {"Ref": "Pool"}}, "Arn": {"Value": {"Fn::GetAtt": ["Pool", "Arn"]}}}}))

            def stack(name: str = name) -> dict:
                return stacks.describe_stacks(StackName=name)["Stacks"][0]

            wait_until(lambda: stack()["StackStatus"] == "CREATE_COMPLETE", "the stack is there")
            outputs = {output["OutputKey"]: output["OutputValue"] for output in stack()["Outputs"]}
            self.assertTrue(outputs["Arn"].endswith(f":userpool/{outputs['Id']}"), outputs)
            cognito.admin_create_user(UserPoolId=outputs["Id"], Username="ada@example.com")
            with self.assertRaises(ClientError) as refused:
                cognito.admin_create_user(UserPoolId=outputs["Id"], Username="Ada@example.com")
            self.assertEqual(refused.exception.response["Error"]["Code"], "UsernameExistsException")


class WithoutTheMend(unittest.TestCase):
    def test_two_spellings_are_two_users(self) -> None:
        with Emulator(off="user_pool_case", AUTH="true") as emulator:
            pool = Pool(emulator)
            pool.invite("ada@example.com")
            pool.invite("Ada@example.com")
            self.assertEqual(refusal(pool.user, "ADA@example.com")[0], "UserNotFoundException")
