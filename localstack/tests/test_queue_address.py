"""Queues keep working when the emulator starts on another port than the one its state was saved on."""

import json
import unittest
from typing import Any

import boto3

from tests.functions import deploy, invoke, received
from tests.running import REGION, Emulator, free_port, policy, wait_until

ACCOUNT = "000000000000"
ARN = f"arn:aws:sqs:{REGION}:{ACCOUNT}:{{name}}"
READ = {"Effect": "Allow", "Action": ["sqs:ReceiveMessage", "sqs:DeleteMessage", "sqs:GetQueueAttributes"], "Resource": "*"}


def connect(emulator: Emulator, queue: str, **options: Any) -> str:
    return emulator.client("lambda").create_event_source_mapping(
        FunctionName="worker", EventSourceArn=ARN.format(name=queue), **options)["UUID"]


def restart_on_another_port(emulator: Emulator) -> None:
    emulator.port = free_port()
    emulator.restart()


def address(emulator: Emulator, queue: str) -> str:
    return f"{emulator.url}/{ACCOUNT}/{queue}"


def send(emulator: Emulator, url: str, message: str) -> None:
    emulator.client("sqs").send_message(QueueUrl=url, MessageBody=json.dumps({"name": message}))


def names(emulator: Emulator) -> list[str]:
    return [json.loads(record["body"])["name"] for record in received(emulator, "worker")]


class QueueAddress(unittest.TestCase):
    def setUp(self) -> None:
        self.emulator = self.enterContext(Emulator(AUTH="true"))

    def test_messages_from_before_and_after_the_move_reach_the_function(self) -> None:
        before = self.emulator.client("sqs").create_queue(QueueName="work")["QueueUrl"]
        deploy(self.emulator, "worker", [READ])
        mapping = connect(self.emulator, "work", Enabled=False)
        send(self.emulator, before, "saved")
        restart_on_another_port(self.emulator)
        self.emulator.client("lambda").update_event_source_mapping(UUID=mapping, Enabled=True)
        wait_until(lambda: names(self.emulator) == ["saved"], "the saved message is delivered")
        send(self.emulator, before, "to the old address")
        wait_until(lambda: len(names(self.emulator)) == 2, "the message sent to the old address is delivered")
        send(self.emulator, address(self.emulator, "work"), "to the new address")
        wait_until(lambda: len(names(self.emulator)) == 3, "the message sent to the new address is delivered")
        self.assertEqual(names(self.emulator), ["saved", "to the old address", "to the new address"])

    def test_callers_are_told_the_address_they_called(self) -> None:
        for _ in ("before", "after"):
            sqs = self.emulator.client("sqs")
            self.assertEqual(sqs.create_queue(QueueName="work")["QueueUrl"], address(self.emulator, "work"))
            self.assertEqual(sqs.get_queue_url(QueueName="work")["QueueUrl"], address(self.emulator, "work"))
            self.assertEqual(sqs.list_queues()["QueueUrls"], [address(self.emulator, "work")])
            restart_on_another_port(self.emulator)

    def test_a_function_of_a_stack_can_use_the_address_in_its_variables(self) -> None:
        deploy(self.emulator, "worker", [READ])
        stacks, functions = self.emulator.client("cloudformation"), self.emulator.client("lambda")
        stacks.create_stack(StackName="queues", TemplateBody=json.dumps({
            "Resources": {"Queue": {"Type": "AWS::SQS::Queue", "Properties": {"QueueName": "work"}}},
            "Outputs": {"Url": {"Value": {"Ref": "Queue"}}}}))
        stack = wait_until(lambda: next(iter(s for s in stacks.describe_stacks(StackName="queues")["Stacks"]
                                             if s["StackStatus"] == "CREATE_COMPLETE"), None), "the stack is complete")
        variables = functions.get_function_configuration(FunctionName="worker")["Environment"]["Variables"]
        functions.update_function_configuration(FunctionName="worker", Environment={
            "Variables": {**variables, "QUEUE_URL": stack["Outputs"][0]["OutputValue"]}})
        self.emulator.client("iam").put_role_policy(RoleName="worker-role", PolicyName="send", PolicyDocument=policy(
            [{"Effect": "Allow", "Action": "sqs:SendMessage", "Resource": ARN.format(name="work")}]))
        connect(self.emulator, "work")
        self.send_as_the_function("before the move")
        wait_until(lambda: names(self.emulator) == ["before the move"], "the message is delivered")
        restart_on_another_port(self.emulator)
        self.send_as_the_function("after the move")
        wait_until(lambda: names(self.emulator) == ["before the move", "after the move"], "the next one is delivered")

    def send_as_the_function(self, message: str) -> None:
        """Sends with nothing but what the function finds in its environment."""
        environment = invoke(self.emulator, "worker", {"environment": True})
        boto3.client(
            "sqs", endpoint_url=environment["AWS_ENDPOINT_URL"], region_name=environment["AWS_REGION"],
            aws_access_key_id=environment["AWS_ACCESS_KEY_ID"],
            aws_secret_access_key=environment["AWS_SECRET_ACCESS_KEY"],
            aws_session_token=environment.get("AWS_SESSION_TOKEN"),
        ).send_message(QueueUrl=environment["QUEUE_URL"], MessageBody=json.dumps({"name": message}))


class WithoutTheMend(unittest.TestCase):
    def test_after_a_move_only_new_queues_reach_the_function(self) -> None:
        with Emulator(off="queue_address") as emulator:
            old = emulator.client("sqs").create_queue(QueueName="work")["QueueUrl"]
            deploy(emulator, "worker")
            connect(emulator, "work")
            restart_on_another_port(emulator)
            sqs = emulator.client("sqs")
            send(emulator, old, "left waiting")
            new = sqs.create_queue(QueueName="new")["QueueUrl"]
            connect(emulator, "new")
            send(emulator, new, "delivered")
            wait_until(lambda: names(emulator) == ["delivered"], "the message in the new queue is delivered")
            waiting = sqs.get_queue_attributes(QueueUrl=old, AttributeNames=["ApproximateNumberOfMessages"])["Attributes"]
            self.assertEqual(waiting["ApproximateNumberOfMessages"], "1")
