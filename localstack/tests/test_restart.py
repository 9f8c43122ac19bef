"""What else the project needs to find again after a clean restart: files, keys, sign-in, messages and stacks."""

import json
import unittest
import urllib.request

from tests.running import Emulator, create_table, policy, wait_until

PASSWORD = "Switchboard-demo-1"


class Restart(unittest.TestCase):
    def setUp(self) -> None:
        self.emulator = self.enterContext(Emulator(AUTH="true"))

    def test_files_and_their_notifications(self) -> None:
        s3, sqs = self.emulator.client("s3"), self.emulator.client("sqs")
        queue = sqs.create_queue(QueueName="plan")["QueueUrl"]
        arn = sqs.get_queue_attributes(QueueUrl=queue, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
        sqs.set_queue_attributes(QueueUrl=queue, Attributes={"Policy": policy([
            {"Effect": "Allow", "Principal": {"Service": "s3.amazonaws.com"}, "Action": "sqs:SendMessage", "Resource": arn}])})
        s3.create_bucket(Bucket="uploads")
        s3.put_bucket_notification_configuration(Bucket="uploads", NotificationConfiguration={"QueueConfigurations": [
            {"QueueArn": arn, "Events": ["s3:ObjectCreated:*"]}]})
        etag = s3.put_object(Bucket="uploads", Key="drop/a.csv", Body=b"before")["ETag"]
        self.emulator.restart()
        part = s3.get_object(Bucket="uploads", Key="drop/a.csv", IfMatch=etag, Range="bytes=2-3")
        self.assertEqual(part["Body"].read(), b"fo")
        s3.put_object(Bucket="uploads", Key="drop/a.csv", Body=b"after")
        sequencers = []

        def take_notifications() -> bool:
            for message in sqs.receive_message(QueueUrl=queue, MaxNumberOfMessages=10).get("Messages", []):
                for record in json.loads(message["Body"]).get("Records", []):
                    sequencers.append(record["s3"]["object"]["sequencer"])
            return len(sequencers) == 2

        wait_until(take_notifications, "both notifications are there")
        self.assertEqual(sequencers, sorted(sequencers))

    def test_files_survive_even_a_killed_emulator(self) -> None:
        s3 = self.emulator.client("s3")
        s3.create_bucket(Bucket="uploads")
        s3.put_object(Bucket="uploads", Key="a.csv", Body=b"kept")
        self.emulator.kill()
        self.emulator.start()
        self.assertEqual(s3.get_object(Bucket="uploads", Key="a.csv")["Body"].read(), b"kept")

    def test_keys(self) -> None:
        kms = self.emulator.client("kms")
        key = kms.create_key()["KeyMetadata"]["KeyId"]
        sealed = kms.generate_data_key(KeyId=key, KeySpec="AES_256", EncryptionContext={"tenant": "demo"})
        self.emulator.restart()
        opened = kms.decrypt(CiphertextBlob=sealed["CiphertextBlob"], EncryptionContext={"tenant": "demo"})
        self.assertEqual(opened["Plaintext"], sealed["Plaintext"])
        with self.assertRaises(kms.exceptions.InvalidCiphertextException):
            kms.decrypt(CiphertextBlob=sealed["CiphertextBlob"], EncryptionContext={"tenant": "other"})

    def test_sign_in_and_tokens_from_before(self) -> None:
        cognito = self.emulator.client("cognito-idp")
        pool = cognito.create_user_pool(PoolName="users", UsernameAttributes=["email"])["UserPool"]["Id"]
        client = cognito.create_user_pool_client(
            UserPoolId=pool, ClientName="api", ExplicitAuthFlows=["ALLOW_USER_PASSWORD_AUTH", "ALLOW_REFRESH_TOKEN_AUTH"],
        )["UserPoolClient"]["ClientId"]
        cognito.admin_create_user(UserPoolId=pool, Username="admin@demo.test", MessageAction="SUPPRESS")
        cognito.admin_set_user_password(UserPoolId=pool, Username="admin@demo.test", Password=PASSWORD, Permanent=True)

        def sign_in() -> dict:
            return cognito.initiate_auth(ClientId=client, AuthFlow="USER_PASSWORD_AUTH", AuthParameters={
                "USERNAME": "admin@demo.test", "PASSWORD": PASSWORD})["AuthenticationResult"]

        def keys() -> dict:
            with urllib.request.urlopen(f"{self.emulator.url}/{pool}/.well-known/jwks.json") as response:
                return json.load(response)

        before, signing_keys = sign_in(), keys()
        self.emulator.restart()
        self.assertEqual(keys(), signing_keys)
        self.assertTrue(cognito.get_user(AccessToken=before["AccessToken"])["Username"])
        self.assertTrue(sign_in()["IdToken"])
        refreshed = cognito.initiate_auth(ClientId=client, AuthFlow="REFRESH_TOKEN_AUTH",
                                          AuthParameters={"REFRESH_TOKEN": before["RefreshToken"]})
        self.assertTrue(refreshed["AuthenticationResult"]["IdToken"])

    def test_messages_waiting_and_in_flight(self) -> None:
        sqs = self.emulator.client("sqs")
        queue = sqs.create_queue(QueueName="rows", Attributes={"VisibilityTimeout": "3"})["QueueUrl"]
        for body in ("first", "second"):
            sqs.send_message(QueueUrl=queue, MessageBody=body)
        sqs.receive_message(QueueUrl=queue, MaxNumberOfMessages=1)
        self.emulator.restart()
        counts = {}

        def take() -> bool:
            answer = sqs.receive_message(QueueUrl=queue, MaxNumberOfMessages=10, AttributeNames=["All"])
            for message in answer.get("Messages", []):
                counts[message["Body"]] = message["Attributes"]["ApproximateReceiveCount"]
            return len(counts) == 2

        wait_until(take, "both messages are received")
        self.assertEqual(sorted(counts.values()), ["1", "2"])

    def test_tables_with_their_time_to_live_and_the_stack_they_belong_to(self) -> None:
        stacks, dynamodb = self.emulator.client("cloudformation"), self.emulator.client("dynamodb")
        template = {"Resources": {"Queue": {"Type": "AWS::SQS::Queue", "Properties": {"QueueName": "stacked"}}}}
        stacks.create_stack(StackName="switchboard", TemplateBody=json.dumps(template))
        create_table(self.emulator, "core")
        dynamodb.update_time_to_live(
            TableName="core", TimeToLiveSpecification={"Enabled": True, "AttributeName": "expires_at"})
        dynamodb.put_item(TableName="core", Item={"PK": {"S": "one"}, "SK": {"S": "C"}, "bytes": {"B": b"\x00\xff"}})
        self.emulator.restart()
        time_to_live = dynamodb.describe_time_to_live(TableName="core")["TimeToLiveDescription"]
        self.assertEqual(time_to_live["TimeToLiveStatus"], "ENABLED")
        item = dynamodb.get_item(TableName="core", Key={"PK": {"S": "one"}, "SK": {"S": "C"}})["Item"]
        self.assertEqual(item["bytes"]["B"], b"\x00\xff")
        template["Resources"]["Queue"]["Properties"]["VisibilityTimeout"] = 77
        stacks.update_stack(StackName="switchboard", TemplateBody=json.dumps(template))
        wait_until(lambda: stacks.describe_stacks(StackName="switchboard")["Stacks"][0]["StackStatus"] == "UPDATE_COMPLETE",
                   "the stack is updated")
