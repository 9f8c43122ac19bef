//! The functions' roles: each may do exactly what its statements in the template say, and nobody can rewrite history.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use aws_sdk_dynamodb::config::Credentials;
use aws_sdk_dynamodb::error::ProvideErrorMetadata;
use aws_sdk_dynamodb::types::AttributeValue;
use percent_encoding::percent_decode_str;
use serde_json::Value;

use crate::stack::waiting::eventually;
use crate::stack::{Stack, fresh, setting};

/// What a statement allows: its name, its actions and its resources.
type Statement = (&'static str, &'static [&'static str], Vec<String>);

/// Names of resources, as statements have them.
struct Arns {
    partition: String,
    region: String,
    account: String,
    stream: String,
}

impl Arns {
    async fn of(stack: &Stack) -> Self {
        let key = setting("TENANT_KEY_ARN");
        let parts: Vec<&str> = key.split(':').collect();
        let table = stack.dynamodb().describe_table().table_name(setting("CORE_TABLE")).send().await.unwrap().table.unwrap();
        Self { partition: parts[1].to_owned(), region: parts[3].to_owned(), account: parts[4].to_owned(), stream: table.latest_stream_arn.unwrap() }
    }

    fn regional(&self, service: &str, name: &str) -> String {
        format!("arn:{}:{service}:{}:{}:{name}", self.partition, self.region, self.account)
    }

    fn table(&self, name: &str) -> String {
        self.regional("dynamodb", &format!("table/{}", setting(name)))
    }

    fn queue(&self, name: &str) -> String {
        self.regional("sqs", setting(name).rsplit('/').next().unwrap())
    }

    fn files(&self, bucket: &str, keys: &str) -> String {
        format!("arn:{}:s3:::{}/{keys}", self.partition, setting(bucket))
    }

    fn logs(&self, function: &str) -> String {
        self.regional("logs", &format!("log-group:/aws/lambda/{}-{function}:*", setting("STACK_NAME")))
    }

    /// Every statement of every role, by the role's name in the template.
    fn statements(&self) -> [(&'static str, Vec<Statement>); 7] {
        let (core, audit, key) = (self.table("CORE_TABLE"), self.table("AUDIT_TABLE"), setting("TENANT_KEY_ARN"));
        let (plan_queue, rows_queue) = (self.queue("IMPORT_PLAN_QUEUE_URL"), self.queue("IMPORT_ROWS_QUEUE_URL"));
        let (index_queue, bulk_queue) = (self.queue("CONTACT_INDEX_QUEUE_URL"), self.queue("CONTACT_BULK_QUEUE_URL"));
        let (dropped, results) = (self.files("UPLOADS_BUCKET", "drop/*"), self.files("RESULTS_BUCKET", "imports/*"));
        let pool = self.regional("cognito-idp", &format!("userpool/{}", setting("USER_POOL_ID")));
        let (lists, work, exports) = (format!("{core}/index/GSI1"), format!("{core}/index/GSI2"), self.files("RESULTS_BUCKET", "exports/*"));
        let read_stream: &[&str] = &["dynamodb:DescribeStream", "dynamodb:GetRecords", "dynamodb:GetShardIterator", "dynamodb:ListStreams"];
        let receive: &[&str] = &["sqs:ReceiveMessage", "sqs:DeleteMessage", "sqs:GetQueueAttributes"];
        let write_logs: &[&str] = &["logs:CreateLogStream", "logs:PutLogEvents"];
        let manage_users: &[&str] = &[
            "cognito-idp:AdminCreateUser",
            "cognito-idp:AdminGetUser",
            "cognito-idp:AdminDisableUser",
            "cognito-idp:AdminEnableUser",
            "cognito-idp:AdminResetUserPassword",
            "cognito-idp:AdminUserGlobalSignOut",
        ];
        [
            (
                "GraphqlRole",
                vec![
                    ("ReadCore", &["dynamodb:GetItem", "dynamodb:BatchGetItem"], vec![core.clone()]),
                    ("QueryCore", &["dynamodb:Query"], vec![core.clone(), lists.clone(), work.clone()]),
                    ("WriteCore", &["dynamodb:PutItem", "dynamodb:UpdateItem", "dynamodb:DeleteItem", "dynamodb:ConditionCheckItem"], vec![core.clone()]),
                    ("QueryAudit", &["dynamodb:Query"], vec![audit.clone()]),
                    ("UnwrapTenantKeys", &["kms:Decrypt"], vec![key.clone()]),
                    ("ReadImportResults", &["s3:GetObject"], vec![results.clone()]),
                    ("ReadExports", &["s3:GetObject"], vec![exports.clone()]),
                    ("SendBulkJobs", &["sqs:SendMessage"], vec![bulk_queue.clone()]),
                    ("ManageUsers", manage_users, vec![pool]),
                    ("WriteLogs", write_logs, vec![self.logs("graphql")]),
                ],
            ),
            (
                "ImportPlanRole",
                vec![
                    ("ReceivePlans", receive, vec![plan_queue]),
                    ("ReadDroppedFiles", &["s3:GetObject"], vec![dropped.clone()]),
                    ("ReadCore", &["dynamodb:GetItem"], vec![core.clone()]),
                    ("WriteCore", &["dynamodb:PutItem", "dynamodb:UpdateItem"], vec![core.clone()]),
                    ("WriteSamples", &["s3:PutObject"], vec![results.clone()]),
                    ("SendRows", &["sqs:SendMessage"], vec![rows_queue.clone()]),
                    ("WriteLogs", write_logs, vec![self.logs("import-plan")]),
                ],
            ),
            (
                "ImportRowsRole",
                vec![
                    ("ReceiveRows", receive, vec![rows_queue.clone()]),
                    ("SendRows", &["sqs:SendMessage"], vec![rows_queue]),
                    ("ReadDroppedFiles", &["s3:GetObject"], vec![dropped]),
                    ("ReadAndWriteImportResults", &["s3:GetObject", "s3:PutObject"], vec![results]),
                    ("ReadCore", &["dynamodb:GetItem", "dynamodb:BatchGetItem", "dynamodb:Query"], vec![core.clone()]),
                    ("InsertCore", &["dynamodb:PartiQLInsert"], vec![core.clone()]),
                    ("WriteCore", &["dynamodb:UpdateItem", "dynamodb:PutItem"], vec![core.clone()]),
                    ("UnwrapTenantKeys", &["kms:Decrypt"], vec![key.clone()]),
                    ("WriteLogs", write_logs, vec![self.logs("import-rows")]),
                ],
            ),
            (
                "AuditRecordRole",
                vec![
                    ("ReadCoreStream", read_stream, vec![self.stream.clone()]),
                    ("ReadCore", &["dynamodb:GetItem"], vec![core.clone()]),
                    ("InsertAudit", &["dynamodb:PartiQLInsert", "dynamodb:GetItem"], vec![audit]),
                    ("UnwrapTenantKeys", &["kms:Decrypt"], vec![key.clone()]),
                    ("WriteDeadLetters", &["s3:PutObject"], vec![self.files("AUDIT_DEAD_LETTER_BUCKET", "*")]),
                    ("SendFailedPositions", &["sqs:SendMessage"], vec![self.queue("AUDIT_RECORD_FAILED_QUEUE_URL")]),
                    ("WriteLogs", write_logs, vec![self.logs("audit-record")]),
                ],
            ),
            (
                "ChangeRelayRole",
                vec![
                    ("ReadCoreStream", read_stream, vec![self.stream.clone()]),
                    ("SendContactsToIndex", &["sqs:SendMessage"], vec![index_queue.clone()]),
                    ("SendFailedPositions", &["sqs:SendMessage"], vec![self.queue("CHANGE_RELAY_FAILED_QUEUE_URL")]),
                    ("WriteLogs", write_logs, vec![self.logs("change-relay")]),
                ],
            ),
            (
                "ContactIndexRole",
                vec![
                    ("ReceiveContacts", receive, vec![index_queue]),
                    ("ReadCore", &["dynamodb:GetItem", "dynamodb:BatchGetItem", "dynamodb:Query"], vec![core.clone()]),
                    ("WriteCore", &["dynamodb:PutItem", "dynamodb:BatchWriteItem", "dynamodb:DeleteItem"], vec![core.clone()]),
                    ("UnwrapTenantKeys", &["kms:Decrypt"], vec![key.clone()]),
                    ("WriteLogs", write_logs, vec![self.logs("contact-index")]),
                ],
            ),
            (
                "ContactBulkRole",
                vec![
                    ("ReceiveJobs", receive, vec![bulk_queue.clone()]),
                    ("SendJobs", &["sqs:SendMessage"], vec![bulk_queue]),
                    ("ReadCore", &["dynamodb:GetItem", "dynamodb:BatchGetItem"], vec![core.clone()]),
                    ("QueryCore", &["dynamodb:Query"], vec![core.clone(), lists, work]),
                    ("WriteCore", &["dynamodb:PutItem", "dynamodb:UpdateItem", "dynamodb:DeleteItem"], vec![core]),
                    ("UnwrapTenantKeys", &["kms:Decrypt"], vec![key]),
                    ("WriteExports", &["s3:PutObject", "s3:GetObject", "s3:AbortMultipartUpload"], vec![exports]),
                    ("WriteLogs", write_logs, vec![self.logs("contact-bulk")]),
                ],
            ),
        ]
    }
}

/// The deployed roles, by their names in the template.
pub(crate) async fn roles(stack: &Stack) -> BTreeMap<String, (String, String)> {
    let prefix = format!("{}-", setting("STACK_NAME"));
    let mut pages = stack.iam().list_roles().into_paginator().items().send();
    let mut roles = BTreeMap::new();
    while let Some(role) = pages.next().await {
        let role = role.unwrap();
        if let Some((name, _)) = role.role_name.strip_prefix(&prefix).and_then(|rest| rest.rsplit_once('-')) {
            roles.insert(name.to_owned(), (role.role_name.clone(), role.arn));
        }
    }
    roles
}

/// The documents of a role's policies, by their names. No role has a policy that is kept elsewhere.
pub(crate) async fn policies(stack: &Stack, role: &str) -> BTreeMap<String, String> {
    let attached = stack.iam().list_attached_role_policies().role_name(role).send().await.unwrap();
    assert!(attached.attached_policies().is_empty(), "{role} has attached policies");
    let names = stack.iam().list_role_policies().role_name(role).send().await.unwrap().policy_names;
    let mut documents = BTreeMap::new();
    for name in names {
        let document = stack.iam().get_role_policy().role_name(role).policy_name(&name).send().await.unwrap().policy_document;
        documents.insert(name, percent_decode_str(&document).decode_utf8().unwrap().into_owned());
    }
    documents
}

/// Whether a role's policies allow an action, as IAM decides.
pub(crate) async fn may(stack: &Stack, role: &str, action: &str, resource: &str) -> bool {
    let answer = stack.iam().simulate_principal_policy().policy_source_arn(role).action_names(action).resource_arns(resource).send().await.unwrap();
    let [result] = answer.evaluation_results() else { panic!("not one result for {action}") };
    result.eval_decision.as_str() == "allowed"
}

/// One thing out of all that a resource with a star stands for.
fn example_of(resource: &str) -> String {
    match resource.strip_suffix(":*") {
        Some(log_group) => format!("{log_group}:log-stream:x"),
        None => resource.replace('*', "x/y.json"),
    }
}

pub(crate) fn list(value: &Value) -> Vec<String> {
    match value {
        Value::String(one) => vec![one.clone()],
        Value::Array(many) => many.iter().map(|one| one.as_str().unwrap().to_owned()).collect(),
        other => panic!("neither a text nor a list: {other}"),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn every_role_may_do_what_each_of_its_statements_says() {
    let stack = Stack::connect().await;
    let (arns, roles) = (Arns::of(&stack).await, roles(&stack).await);
    for (name, statements) in arns.statements() {
        let (_, role) = &roles[name];
        for (statement, actions, resources) in statements {
            for action in actions {
                for resource in &resources {
                    let example = example_of(resource);
                    assert!(may(&stack, role, action, &example).await, "{name}, {statement}: may not {action} on {example}");
                }
            }
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn no_role_may_do_anything_that_is_not_listed_here() {
    let stack = Stack::connect().await;
    let (arns, roles) = (Arns::of(&stack).await, roles(&stack).await);
    let statements = arns.statements();
    assert_eq!(roles.keys().collect::<BTreeSet<_>>(), statements.iter().map(|(name, _)| (*name).to_owned()).collect::<BTreeSet<_>>().iter().collect());
    for (name, statements) in statements {
        let mut expected = BTreeSet::new();
        for (_, actions, resources) in &statements {
            expected.extend(actions.iter().flat_map(|action| resources.iter().map(|resource| ((*action).to_owned(), resource.clone()))));
        }
        let mut deployed = BTreeSet::new();
        for document in policies(&stack, &roles[name].0).await.values() {
            let document: Value = serde_json::from_str(document).unwrap();
            for statement in document["Statement"].as_array().unwrap() {
                assert_eq!(statement["Effect"], "Allow");
                for action in list(&statement["Action"]) {
                    assert!(!action.contains('*'), "{name} has the wildcard action {action}");
                    deployed.extend(list(&statement["Resource"]).into_iter().map(|resource| (action.clone(), resource)));
                }
            }
        }
        assert_eq!(deployed, expected, "{name}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn no_role_may_change_or_delete_an_audit_event() {
    let stack = Stack::connect().await;
    let audit = Arns::of(&stack).await.table("AUDIT_TABLE");
    let actions = ["PutItem", "UpdateItem", "DeleteItem", "BatchWriteItem", "PartiQLUpdate", "PartiQLDelete", "DeleteTable", "UpdateTable", "UpdateTimeToLive"];
    for (name, (_, role)) in roles(&stack).await {
        for action in actions {
            assert!(!may(&stack, &role, &format!("dynamodb:{action}"), &audit).await, "{name} may {action}");
        }
        let inserts = may(&stack, &role, "dynamodb:PartiQLInsert", &audit).await;
        assert_eq!(inserts, name == "AuditRecordRole", "only the recorder records, and it does");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn with_the_recorders_rights_an_event_can_be_inserted_and_then_neither_replaced_changed_nor_deleted() {
    let stack = Stack::connect().await;
    let (role, _) = roles(&stack).await.remove("AuditRecordRole").unwrap();
    let user = fresh::word("recorder");
    stack.iam().create_user().user_name(&user).send().await.unwrap();
    for (name, document) in policies(&stack, &role).await {
        stack.iam().put_user_policy().user_name(&user).policy_name(name).policy_document(document).send().await.unwrap();
    }
    let key = stack.iam().create_access_key().user_name(&user).send().await.unwrap().access_key.unwrap();
    let credentials = Credentials::new(&key.access_key_id, &key.secret_access_key, None, None, "a user with the recorder's rights");
    let recorder = aws_sdk_dynamodb::Client::from_conf(aws_sdk_dynamodb::config::Builder::from(stack.config()).credentials_provider(credentials).build());

    let (table, pk) = (setting("AUDIT_TABLE"), format!("TEST#{}", fresh::word("event")));
    let text = |text: &str| AttributeValue::S(text.to_owned());
    let insert = |said: &str| {
        let statement = format!("INSERT INTO \"{table}\" VALUE {{'PK': ?, 'SK': ?, 'said': ?}}");
        recorder.execute_statement().statement(statement).set_parameters(Some(vec![text(&pk), text("1"), text(said)])).send()
    };
    // A new user's rights take a moment to hold everywhere.
    eventually("the insertion is allowed", Duration::from_secs(60), async || insert("first").await.ok()).await;
    let again = insert("second").await.unwrap_err();
    let put = recorder.put_item().table_name(&table).item("PK", text(&pk)).item("SK", text("1")).item("said", text("put")).send().await.unwrap_err();
    let update = recorder.update_item().table_name(&table).key("PK", text(&pk)).key("SK", text("1")).update_expression("SET said = :said");
    let update = update.expression_attribute_values(":said", text("updated")).send().await.unwrap_err();
    let delete = recorder.delete_item().table_name(&table).key("PK", text(&pk)).key("SK", text("1")).send().await.unwrap_err();
    let mut statements = Vec::new();
    for statement in [format!("UPDATE \"{table}\" SET said = 'changed' WHERE PK = ? AND SK = ?"), format!("DELETE FROM \"{table}\" WHERE PK = ? AND SK = ?")] {
        statements.push(recorder.execute_statement().statement(statement).set_parameters(Some(vec![text(&pk), text("1")])).send().await.unwrap_err());
    }
    let read = recorder.get_item().table_name(&table).key("PK", text(&pk)).key("SK", text("1")).send().await.unwrap().item.unwrap();

    stack.dynamodb().delete_item().table_name(&table).key("PK", text(&pk)).key("SK", text("1")).send().await.unwrap();
    stack.iam().delete_access_key().user_name(&user).access_key_id(&key.access_key_id).send().await.unwrap();
    for name in policies(&stack, &role).await.into_keys() {
        stack.iam().delete_user_policy().user_name(&user).policy_name(name).send().await.unwrap();
    }
    stack.iam().delete_user().user_name(&user).send().await.unwrap();

    assert_eq!(again.code(), Some("DuplicateItemException"));
    assert_eq!(put.code(), Some("AccessDeniedException"));
    assert_eq!(update.code(), Some("AccessDeniedException"));
    assert_eq!(delete.code(), Some("AccessDeniedException"));
    assert!(statements.iter().all(|statement| statement.code() == Some("AccessDeniedException")), "{statements:?}");
    assert_eq!(read["said"], text("first"));
}
