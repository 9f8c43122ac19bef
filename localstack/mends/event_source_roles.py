"""A function is connected to a queue or a stream only if its role may read it, as on AWS.

MiniStack feeds a function whatever its role says, so a role that lacks `sqs:ReceiveMessage` works here and fails to
deploy on AWS. Lambda checks the execution role when the mapping is made, through its API or by CloudFormation; so does
this, when the emulator enforces IAM at all.
"""

import functools
from collections.abc import Callable

from ministack import app
from ministack.core.arn import ArnParseError, parse_arn
from ministack.core.iam_evaluator import EvalContext, _gather_role_policies, evaluate
from ministack.services import lambda_svc
from ministack.services.cloudformation import provisioners

NEEDED = {
    "sqs": ("sqs:ReceiveMessage", "sqs:DeleteMessage", "sqs:GetQueueAttributes"),
    "dynamodb": ("dynamodb:GetRecords", "dynamodb:GetShardIterator", "dynamodb:DescribeStream", "dynamodb:ListStreams"),
}


def apply() -> None:
    lambda_svc._create_esm = _checking_requests(lambda_svc._create_esm)
    checked = _checking_resources(provisioners._lambda_esm_create)
    provisioners._lambda_esm_create = checked
    provisioners._RESOURCE_HANDLERS["AWS::Lambda::EventSourceMapping"]["create"] = checked


def _checking_requests(create: Callable) -> Callable:
    @functools.wraps(create)
    def run(request: dict) -> tuple:
        refusal = _refusal(request)
        return lambda_svc._invalid_parameter_value(refusal) if refusal else create(request)

    return run


def _checking_resources(create: Callable) -> Callable:
    @functools.wraps(create)
    def run(logical_id: str, properties: dict, stack_name: str) -> tuple:
        if refusal := _refusal(properties):
            raise ValueError(refusal)
        return create(logical_id, properties, stack_name)

    return run


def _refusal(mapping: dict) -> str | None:
    """Why the function's role may not read the mapping's source; nothing where the emulator itself finds the mistake."""
    name, _ = lambda_svc._resolve_request_scoped_name_and_qualifier(mapping.get("FunctionName", ""))
    function = lambda_svc._functions.get(name)
    try:
        source = parse_arn(mapping.get("EventSourceArn", ""))
    except ArnParseError:
        return None
    if not app.AUTH or not function or source.service not in NEEDED:
        return None
    role = function["config"]["Role"].rsplit("/", 1)[-1]
    policies = _gather_role_policies(role, source.account_id)
    for action in NEEDED[source.service]:
        asked = EvalContext(
            principal_arn=f"arn:aws:sts::{source.account_id}:assumed-role/{role}/{name}", principal_type="AssumedRole",
            principal_account=source.account_id, action=action, resource_arn=str(source), region=source.region)
        if evaluate(asked, policies).decision != "Allow":
            return f"The provided execution role does not have permissions to call {action} on {source}"
    return None
