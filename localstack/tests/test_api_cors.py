"""CORS of an HTTP API in a stack ("Configure CORS for HTTP APIs" in the API Gateway developer guide)."""

import json
import unittest
import urllib.error
import urllib.request
from email.message import Message

from tests.running import Emulator, wait_until

ORIGIN = "http://localhost:5173"
CORS = {"AllowOrigins": [ORIGIN], "AllowMethods": ["GET", "POST"], "AllowHeaders": ["authorization"],
        "ExposeHeaders": ["x-request-id"], "MaxAge": 3600}


def template(cors: dict | None) -> str:
    properties = {"Name": "web", "ProtocolType": "HTTP", **({"CorsConfiguration": cors} if cors else {})}
    return json.dumps({"Resources": {"Api": {"Type": "AWS::ApiGatewayV2::Api", "Properties": properties}}})


def settle(emulator: Emulator, status: str) -> None:
    stacks = emulator.client("cloudformation")
    wait_until(lambda: stacks.describe_stacks(StackName="web")["Stacks"][0]["StackStatus"] == status, f"the stack is in {status}")


def create_api(emulator: Emulator, cors: dict | None) -> str:
    stacks = emulator.client("cloudformation")
    stacks.create_stack(StackName="web", TemplateBody=template(cors))
    settle(emulator, "CREATE_COMPLETE")
    return stacks.describe_stack_resource(StackName="web", LogicalResourceId="Api")["StackResourceDetail"]["PhysicalResourceId"]


def update_api(emulator: Emulator, cors: dict | None) -> None:
    emulator.client("cloudformation").update_stack(StackName="web", TemplateBody=template(cors))
    settle(emulator, "UPDATE_COMPLETE")


def ask(emulator: Emulator, method: str, api: str, origin: str) -> tuple[int, Message]:
    """The status and the headers of the API's answer."""
    request = urllib.request.Request(f"{emulator.url}/graphql", method=method, headers={
        "Host": f"{api}.execute-api.localhost:{emulator.port}", "Origin": origin, "Access-Control-Request-Method": "POST"})
    try:
        with urllib.request.urlopen(request) as response:
            return response.status, response.headers
    except urllib.error.HTTPError as refused:
        with refused:
            return refused.code, refused.headers


class ApiCors(unittest.TestCase):
    def setUp(self) -> None:
        self.emulator = self.enterContext(Emulator(AUTH="true"))

    def test_a_preflight_is_answered_as_the_template_says(self) -> None:
        api = create_api(self.emulator, CORS)
        status, headers = ask(self.emulator, "OPTIONS", api, ORIGIN)
        self.assertEqual(status, 204)
        self.assertEqual(headers["Access-Control-Allow-Origin"], ORIGIN)
        self.assertEqual(headers["Access-Control-Allow-Methods"], "GET,POST")
        self.assertEqual(headers["Access-Control-Allow-Headers"], "authorization")
        self.assertEqual(headers["Access-Control-Max-Age"], "3600")
        self.assertIsNone(ask(self.emulator, "OPTIONS", api, "http://elsewhere.test")[1]["Access-Control-Allow-Origin"])
        described = self.emulator.client("apigatewayv2").get_api(ApiId=api)
        self.assertEqual(described["CorsConfiguration"], CORS)

    def test_an_update_of_the_stack_adds_changes_and_removes_the_configuration(self) -> None:
        api = create_api(self.emulator, None)
        self.assertEqual(ask(self.emulator, "OPTIONS", api, ORIGIN)[0], 403)
        update_api(self.emulator, CORS)
        self.assertEqual(ask(self.emulator, "OPTIONS", api, ORIGIN)[0], 204)
        update_api(self.emulator, {**CORS, "AllowOrigins": ["*"]})
        self.assertEqual(ask(self.emulator, "OPTIONS", api, ORIGIN)[1]["Access-Control-Allow-Origin"], "*")
        update_api(self.emulator, None)
        self.assertEqual(ask(self.emulator, "OPTIONS", api, ORIGIN)[0], 403)


class WithoutTheMend(unittest.TestCase):
    def test_every_preflight_is_refused(self) -> None:
        with Emulator(off="api_cors", AUTH="true") as emulator:
            status, headers = ask(emulator, "OPTIONS", create_api(emulator, CORS), ORIGIN)
            self.assertEqual(status, 403)
            self.assertIsNone(headers["Access-Control-Allow-Origin"])
