"""User pools of the tests, shaped like the project's: signed in to with an address, made by an administrator only."""

import base64
import json
from typing import Any

from botocore.exceptions import ClientError

from tests.running import Emulator

PASSWORD = "Correct-horse-1"
PROPERTIES = {
    "UsernameAttributes": ["email"],
    "UsernameConfiguration": {"CaseSensitive": False},
    "AutoVerifiedAttributes": ["email"],
    "AdminCreateUserConfig": {"AllowAdminCreateUserOnly": True},
}


class Pool:
    """A pool with a client that signs in with passwords."""

    def __init__(self, emulator: Emulator, **properties: Any) -> None:
        self.cognito = emulator.client("cognito-idp")
        pool = self.cognito.create_user_pool(PoolName="users", **{**PROPERTIES, **properties})["UserPool"]
        self.id = pool["Id"]
        self.client = self.cognito.create_user_pool_client(
            UserPoolId=self.id, ClientName="api", PreventUserExistenceErrors="ENABLED",
            ExplicitAuthFlows=["ALLOW_ADMIN_USER_PASSWORD_AUTH", "ALLOW_REFRESH_TOKEN_AUTH"])["UserPoolClient"]["ClientId"]

    def invite(self, email: str, **options: Any) -> dict:
        attributes = [{"Name": "email", "Value": email}, {"Name": "email_verified", "Value": "true"}]
        return self.cognito.admin_create_user(
            UserPoolId=self.id, Username=email, UserAttributes=attributes, DesiredDeliveryMediums=["EMAIL"], **options)["User"]

    def resend(self, email: str, **options: Any) -> dict:
        return self.cognito.admin_create_user(
            UserPoolId=self.id, Username=email, MessageAction="RESEND", DesiredDeliveryMediums=["EMAIL"], **options)["User"]

    def give_password(self, email: str, password: str = PASSWORD) -> None:
        self.cognito.admin_set_user_password(UserPoolId=self.id, Username=email, Password=password, Permanent=True)

    def user(self, email: str) -> dict:
        return self.cognito.admin_get_user(UserPoolId=self.id, Username=email)

    def reset(self, email: str) -> None:
        self.cognito.admin_reset_user_password(UserPoolId=self.id, Username=email)

    def sign_in(self, email: str, password: str = PASSWORD) -> dict:
        """Tokens, or the challenge that has to be met first."""
        return self.begin("ADMIN_USER_PASSWORD_AUTH", USERNAME=email, PASSWORD=password)

    def refresh(self, token: str) -> dict:
        return self.begin("REFRESH_TOKEN_AUTH", REFRESH_TOKEN=token)

    def begin(self, flow: str, **parameters: str) -> dict:
        answer = self.cognito.admin_initiate_auth(
            UserPoolId=self.id, ClientId=self.client, AuthFlow=flow, AuthParameters=parameters)
        return answer.get("AuthenticationResult") or answer


def claims(token: str) -> dict:
    payload = token.split(".")[1]
    return json.loads(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))


def refusal(call: Any, *arguments: Any, **options: Any) -> tuple[str, str]:
    """The code and the message with which a call is refused."""
    try:
        call(*arguments, **options)
    except ClientError as error:
        return error.response["Error"]["Code"], error.response["Error"]["Message"]
    raise AssertionError("it was not refused")
