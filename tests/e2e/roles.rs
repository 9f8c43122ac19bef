//! The functions' roles: each may do exactly what its statements in the template say, and nobody can rewrite history.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::time::Duration;

use aws_sdk_dynamodb::config::Credentials;
use aws_sdk_dynamodb::error::ProvideErrorMetadata;
use aws_sdk_dynamodb::types::{AttributeValue, PutRequest, WriteRequest};
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
    audit_stream: String,
}

impl Arns {
    async fn of(stack: &Stack) -> Self {
        let key = setting("TENANT_KEY_ARN");
        let parts: Vec<&str> = key.split(':').collect();
        let (stream, audit_stream) = (stream_of(stack, "CORE_TABLE").await, stream_of(stack, "AUDIT_TABLE").await);
        Self { partition: parts[1].to_owned(), region: parts[3].to_owned(), account: parts[4].to_owned(), stream, audit_stream }
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

    fn bucket(&self, bucket: &str) -> String {
        format!("arn:{}:s3:::{}", self.partition, setting(bucket))
    }

    fn files(&self, bucket: &str, keys: &str) -> String {
        format!("{}/{keys}", self.bucket(bucket))
    }

    fn archived(&self, keys: &str) -> String {
        self.files("AUDIT_ARCHIVE_BUCKET", keys)
    }

    fn logs(&self, function: &str) -> String {
        self.regional("logs", &format!("log-group:/aws/lambda/{}-{function}:*", setting("STACK_NAME")))
    }

    /// Every statement of every role, by the role's name in the template.
    fn statements(&self) -> [(&'static str, Vec<Statement>); 13] {
        let (core, audit, key) = (self.table("CORE_TABLE"), self.table("AUDIT_TABLE"), setting("TENANT_KEY_ARN"));
        let (plan_queue, rows_queue) = (self.queue("IMPORT_PLAN_QUEUE_URL"), self.queue("IMPORT_ROWS_QUEUE_URL"));
        let (index_queue, bulk_queue) = (self.queue("CONTACT_INDEX_QUEUE_URL"), self.queue("CONTACT_BULK_QUEUE_URL"));
        let (score_queue, train_queue) = (self.queue("SCORE_QUEUE_URL"), self.queue("SCORE_TRAIN_QUEUE_URL"));
        let (export_queue, seal_key, archive) = (self.queue("AUDIT_EXPORT_QUEUE_URL"), setting("AUDIT_SEAL_KEY"), self.bucket("AUDIT_ARCHIVE_BUCKET"));
        let sealed = ["events/*", "leaves/*", "seals/*"].map(|keys| self.archived(keys)).to_vec();
        let [dropped, uploaded, rows, staged] = ["drop/*", "uploads/*", "rows/*", "staged/*"].map(|keys| self.files("UPLOADS_BUCKET", keys));
        let results = self.files("RESULTS_BUCKET", "imports/*");
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
                    ("QueryCore", &["dynamodb:Query"], vec![core.clone(), lists.clone(), work.clone(), format!("{core}/index/GSI3")]),
                    (
                        "WriteCore",
                        &["dynamodb:PutItem", "dynamodb:BatchWriteItem", "dynamodb:UpdateItem", "dynamodb:DeleteItem", "dynamodb:ConditionCheckItem"],
                        vec![core.clone()],
                    ),
                    ("ReadAudit", &["dynamodb:GetItem", "dynamodb:BatchGetItem"], vec![audit.clone()]),
                    ("QueryAudit", &["dynamodb:Query"], vec![audit.clone(), format!("{audit}/index/GSI1"), format!("{audit}/index/GSI2")]),
                    ("InsertAudit", &["dynamodb:PartiQLInsert"], vec![audit.clone()]),
                    ("ReadAuditArchive", &["s3:GetObject"], vec![self.archived("*")]),
                    ("ListAuditArchive", &["s3:ListBucket"], vec![archive.clone()]),
                    ("ReadSealKey", &["kms:GetPublicKey"], vec![seal_key.clone()]),
                    ("UnwrapTenantKeys", &["kms:Decrypt"], vec![key.clone()]),
                    ("SignUploads", &["s3:PutObject"], vec![uploaded.clone()]),
                    ("WriteRows", &["s3:PutObject"], vec![rows.clone()]),
                    ("SendRows", &["sqs:SendMessage"], vec![rows_queue.clone()]),
                    ("ReadImportResults", &["s3:GetObject"], vec![results.clone()]),
                    ("ReadExports", &["s3:GetObject"], vec![exports.clone()]),
                    ("SendBulkJobs", &["sqs:SendMessage"], vec![bulk_queue.clone()]),
                    ("SendAuditExports", &["sqs:SendMessage"], vec![export_queue.clone()]),
                    ("SendTrainings", &["sqs:SendMessage"], vec![train_queue.clone()]),
                    ("ManageUsers", manage_users, vec![pool.clone()]),
                    ("WriteLogs", write_logs, vec![self.logs("graphql")]),
                ],
            ),
            (
                "ImportPlanRole",
                vec![
                    ("ReceivePlans", receive, vec![plan_queue]),
                    ("ReadDroppedFiles", &["s3:GetObject"], vec![dropped.clone()]),
                    ("ReadUploadedFiles", &["s3:GetObject"], vec![uploaded.clone()]),
                    ("ReadRows", &["s3:GetObject"], vec![rows.clone()]),
                    ("StageFiles", &["s3:PutObject", "s3:GetObject", "s3:AbortMultipartUpload"], vec![staged.clone()]),
                    ("ReadCore", &["dynamodb:GetItem", "dynamodb:Query"], vec![core.clone()]),
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
                    ("ReadUploadedFiles", &["s3:GetObject"], vec![uploaded]),
                    ("ReadRows", &["s3:GetObject"], vec![rows]),
                    ("ReadStagedFiles", &["s3:GetObject"], vec![staged]),
                    ("ReadAndWriteImportResults", &["s3:GetObject", "s3:PutObject"], vec![results.clone()]),
                    ("ReadCore", &["dynamodb:GetItem", "dynamodb:BatchGetItem", "dynamodb:Query"], vec![core.clone()]),
                    ("InsertCore", &["dynamodb:PartiQLInsert"], vec![core.clone()]),
                    ("WriteCore", &["dynamodb:UpdateItem", "dynamodb:PutItem", "dynamodb:BatchWriteItem"], vec![core.clone()]),
                    ("UnwrapTenantKeys", &["kms:Decrypt"], vec![key.clone()]),
                    ("ReadAudit", &["dynamodb:GetItem", "dynamodb:BatchGetItem", "dynamodb:Query"], vec![audit.clone()]),
                    ("ReadChunks", &["s3:GetObject"], vec![self.archived("chunks/*")]),
                    ("SendBulkJobs", &["sqs:SendMessage"], vec![bulk_queue.clone()]),
                    (
                        "ManageUsers",
                        &[
                            "cognito-idp:AdminCreateUser",
                            "cognito-idp:AdminGetUser",
                            "cognito-idp:AdminDisableUser",
                            "cognito-idp:AdminEnableUser",
                            "cognito-idp:AdminUserGlobalSignOut",
                        ],
                        vec![pool],
                    ),
                    ("WriteLogs", write_logs, vec![self.logs("import-rows")]),
                ],
            ),
            (
                "AuditRecordRole",
                vec![
                    ("ReadCoreStream", read_stream, vec![self.stream.clone()]),
                    ("ReadCore", &["dynamodb:GetItem"], vec![core.clone()]),
                    ("InsertAudit", &["dynamodb:PartiQLInsert", "dynamodb:GetItem", "dynamodb:BatchGetItem", "dynamodb:Query"], vec![audit.clone()]),
                    ("UnwrapTenantKeys", &["kms:Decrypt"], vec![key.clone()]),
                    ("ReadImportResults", &["s3:GetObject"], vec![results]),
                    ("WriteAwaited", &["s3:PutObject"], vec![self.files("RESULTS_BUCKET", "imports/*/awaited/*")]),
                    ("ReadAndWriteChunks", &["s3:GetObject", "s3:PutObject"], vec![self.archived("chunks/*")]),
                    ("ListArchive", &["s3:ListBucket"], vec![self.bucket("AUDIT_ARCHIVE_BUCKET")]),
                    ("ReadArchivedEvents", &["s3:GetObject"], vec![self.archived("events/*")]),
                    ("WriteDeadLetters", &["s3:PutObject"], vec![self.files("AUDIT_DEAD_LETTER_BUCKET", "*")]),
                    ("ListDeadLetters", &["s3:ListBucket"], vec![self.bucket("AUDIT_DEAD_LETTER_BUCKET")]),
                    ("SendFailedPositions", &["sqs:SendMessage"], vec![self.queue("AUDIT_RECORD_FAILED_QUEUE_URL")]),
                    ("WriteLogs", write_logs, vec![self.logs("audit-record")]),
                ],
            ),
            (
                "ChangeRelayRole",
                vec![
                    ("ReadCoreStream", read_stream, vec![self.stream.clone()]),
                    ("SendContactsToIndex", &["sqs:SendMessage"], vec![index_queue.clone()]),
                    ("SendContactsToScore", &["sqs:SendMessage"], vec![score_queue.clone()]),
                    ("ReadCore", &["dynamodb:GetItem", "dynamodb:Query"], vec![core.clone()]),
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
                    ("QueryCore", &["dynamodb:Query"], vec![core.clone(), lists.clone(), work]),
                    ("WriteCore", &["dynamodb:PutItem", "dynamodb:BatchWriteItem", "dynamodb:UpdateItem", "dynamodb:DeleteItem"], vec![core.clone()]),
                    ("UnwrapTenantKeys", &["kms:Decrypt"], vec![key.clone()]),
                    ("WriteExports", &["s3:PutObject", "s3:GetObject", "s3:AbortMultipartUpload"], vec![exports.clone()]),
                    ("WriteLogs", write_logs, vec![self.logs("contact-bulk")]),
                ],
            ),
            (
                "AuditArchiveRole",
                vec![
                    ("ReadAuditStream", read_stream, vec![self.audit_stream.clone()]),
                    ("WriteEvents", &["s3:PutObject"], vec![self.archived("events/*")]),
                    ("SendFailedPositions", &["sqs:SendMessage"], vec![self.queue("AUDIT_ARCHIVE_FAILED_QUEUE_URL")]),
                    ("WriteLogs", write_logs, vec![self.logs("audit-archive")]),
                ],
            ),
            (
                "AuditSealRole",
                vec![
                    ("ListArchive", &["s3:ListBucket"], vec![archive.clone()]),
                    ("ReadArchive", &["s3:GetObject"], sealed.clone()),
                    ("WriteSeals", &["s3:PutObject"], ["leaves/*", "seals/*"].map(|keys| self.archived(keys)).to_vec()),
                    ("LockSeals", &["s3:PutObjectRetention"], vec![self.archived("seals/*")]),
                    ("SignSeals", &["kms:Sign"], vec![seal_key]),
                    ("SendFailedCalls", &["sqs:SendMessage"], vec![self.queue("AUDIT_SEAL_FAILED_QUEUE_URL")]),
                    ("WriteLogs", write_logs, vec![self.logs("audit-seal")]),
                ],
            ),
            (
                "AuditExportRole",
                vec![
                    ("ReceiveExports", receive, vec![export_queue.clone()]),
                    ("SendExports", &["sqs:SendMessage"], vec![export_queue]),
                    ("ReadCore", &["dynamodb:GetItem", "dynamodb:BatchGetItem"], vec![core.clone()]),
                    ("WriteCore", &["dynamodb:PutItem"], vec![core.clone()]),
                    ("QueryAudit", &["dynamodb:Query"], vec![audit]),
                    ("ReadAuditArchive", &["s3:GetObject"], sealed),
                    ("ListAuditArchive", &["s3:ListBucket"], vec![archive]),
                    ("UnwrapTenantKeys", &["kms:Decrypt"], vec![key.clone()]),
                    ("WriteExports", &["s3:PutObject", "s3:GetObject", "s3:AbortMultipartUpload"], vec![exports]),
                    ("WriteLogs", write_logs, vec![self.logs("audit-export")]),
                ],
            ),
            (
                "ScoreRole",
                vec![
                    ("ReceiveContacts", receive, vec![score_queue.clone()]),
                    ("ReadCore", &["dynamodb:GetItem", "dynamodb:Query"], vec![core.clone()]),
                    ("WriteCore", &["dynamodb:PutItem", "dynamodb:BatchWriteItem"], vec![core.clone()]),
                    ("UnwrapTenantKeys", &["kms:Decrypt"], vec![key.clone()]),
                    ("WriteLogs", write_logs, vec![self.logs("score")]),
                ],
            ),
            (
                "ScoreSweepRole",
                vec![
                    ("ReadCore", &["dynamodb:GetItem", "dynamodb:Query"], vec![core.clone()]),
                    ("WriteCore", &["dynamodb:PutItem"], vec![core.clone()]),
                    ("SendContactsToScore", &["sqs:SendMessage"], vec![score_queue]),
                    ("SendFailedCalls", &["sqs:SendMessage"], vec![self.queue("SCORE_SWEEP_FAILED_QUEUE_URL")]),
                    ("WriteLogs", write_logs, vec![self.logs("score-sweep")]),
                ],
            ),
            (
                "ScoreTrainRole",
                vec![
                    ("ReceiveTrainings", receive, vec![train_queue.clone()]),
                    ("SendTrainings", &["sqs:SendMessage"], vec![train_queue]),
                    ("ReadCore", &["dynamodb:GetItem", "dynamodb:BatchGetItem"], vec![core.clone()]),
                    ("QueryCore", &["dynamodb:Query"], vec![core.clone(), lists]),
                    ("WriteCore", &["dynamodb:PutItem", "dynamodb:UpdateItem"], vec![core]),
                    ("UnwrapTenantKeys", &["kms:Decrypt"], vec![key]),
                    ("WriteLogs", write_logs, vec![self.logs("score-train")]),
                ],
            ),
        ]
    }
}

/// The stream of the table that a setting names.
async fn stream_of(stack: &Stack, table: &str) -> String {
    let table = stack.dynamodb().describe_table().table_name(setting(table)).send().await.unwrap().table.unwrap();
    table.latest_stream_arn.unwrap()
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

/// Who writes into the audit table, by inserting.
const RECORDERS: [&str; 2] = ["AuditRecordRole", "GraphqlRole"];

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
        assert_eq!(inserts, RECORDERS.contains(&name.as_str()), "only the recorders record, and they do: {name}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn no_role_may_unlock_or_remove_what_is_archived_and_one_alone_may_sign() {
    let stack = Stack::connect().await;
    let arns = Arns::of(&stack).await;
    let (bucket, key) = (arns.bucket("AUDIT_ARCHIVE_BUCKET"), setting("AUDIT_SEAL_KEY"));
    let of_files = ["DeleteObject", "DeleteObjectVersion", "BypassGovernanceRetention", "PutObjectLegalHold"];
    let of_bucket = ["DeleteBucket", "PutBucketObjectLockConfiguration", "PutBucketVersioning", "PutBucketPolicy", "DeleteBucketPolicy", "PutLifecycleConfiguration"];
    let of_key = ["ScheduleKeyDeletion", "DisableKey", "PutKeyPolicy", "CreateGrant", "UpdateAlias"];
    let writers = [("chunks", "AuditRecordRole"), ("events", "AuditArchiveRole"), ("leaves", "AuditSealRole"), ("seals", "AuditSealRole")];
    for (name, (_, role)) in roles(&stack).await {
        for (folder, writer) in writers {
            let file = format!("{bucket}/{folder}/x/y");
            for action in of_files {
                assert!(!may(&stack, &role, &format!("s3:{action}"), &file).await, "{name} may {action} in {folder}");
            }
            assert_eq!(may(&stack, &role, "s3:PutObject", &file).await, name == writer, "{name} in {folder}");
        }
        for action in of_bucket {
            assert!(!may(&stack, &role, &format!("s3:{action}"), &bucket).await, "{name} may {action}");
        }
        for action in of_key {
            assert!(!may(&stack, &role, &format!("kms:{action}"), &key).await, "{name} may {action}");
        }
        assert_eq!(may(&stack, &role, "kms:Sign", &key).await, name == "AuditSealRole", "{name}");
    }
}

/// What a document of a role allows with a table: a user's policies may have 2,048 characters, a role's 10,240.
fn about_table(document: &str, table: &str) -> String {
    let mut document: Value = serde_json::from_str(document).unwrap();
    document["Statement"].as_array_mut().unwrap().retain(|statement| list(&statement["Resource"]).iter().any(|resource| resource.starts_with(table)));
    document.to_string()
}

/// An item by the names of its attributes.
type Item = HashMap<String, AttributeValue>;

fn item<const N: usize>(attributes: [(&str, AttributeValue); N]) -> Item {
    attributes.map(|(name, value)| (name.to_owned(), value)).into()
}

fn text(text: &str) -> AttributeValue {
    AttributeValue::S(text.to_owned())
}

/// The key of an event of a tenant that isn't there.
fn event_key() -> Item {
    item([("PK", text("T#00000000000000000000000000#E#role#00000000000000000000000000")), ("SK", text("0000000001"))])
}

/// The event, whole and with its hash: whoever reads the table's stream is to find nothing else in it.
fn event() -> Item {
    let mut event = item([
        ("at", AttributeValue::N("0".to_owned())),
        ("recorded_at", AttributeValue::N("0".to_owned())),
        ("action", text("role.created")),
        ("outcome", text("SUCCESS")),
        ("actor", AttributeValue::M(item([("kind", text("SYSTEM")), ("name", text("Switchboard"))]))),
        ("hash", text("1922ed6ae854497c506c822a8443a4a2b1934adc2ac87aad03ac006c4b7aa4b1")),
    ]);
    event.extend(event_key());
    event
}

/// A user with a role's rights on the audit table, for trying out what they are good for.
struct Recorder<'a> {
    stack: &'a Stack,
    role: String,
    user: String,
    key: String,
    table: String,
    dynamodb: aws_sdk_dynamodb::Client,
}

impl<'a> Recorder<'a> {
    async fn with_rights_of(stack: &'a Stack, role: &str) -> Self {
        let (audit, (role, _)) = (Arns::of(stack).await.table("AUDIT_TABLE"), roles(stack).await.remove(role).unwrap());
        let user = fresh::word("recorder");
        stack.iam().create_user().user_name(&user).send().await.unwrap();
        for (name, document) in policies(stack, &role).await {
            stack.iam().put_user_policy().user_name(&user).policy_name(name).policy_document(about_table(&document, &audit)).send().await.unwrap();
        }
        let key = stack.iam().create_access_key().user_name(&user).send().await.unwrap().access_key.unwrap();
        let credentials = Credentials::new(&key.access_key_id, &key.secret_access_key, None, None, "a user with a recorder's rights");
        let dynamodb = aws_sdk_dynamodb::Client::from_conf(aws_sdk_dynamodb::config::Builder::from(stack.config()).credentials_provider(credentials).build());
        Self { stack, role, user, key: key.access_key_id, table: setting("AUDIT_TABLE"), dynamodb }
    }

    /// Runs a statement; the code of the error when it is refused.
    async fn run(&self, statement: String, parameters: Vec<AttributeValue>) -> Result<(), Option<String>> {
        let answer = self.dynamodb.execute_statement().statement(statement).set_parameters(Some(parameters)).send().await;
        answer.map(|_| ()).map_err(|error| error.code().map(str::to_owned))
    }

    async fn insert(&self, event: Item) -> Result<(), Option<String>> {
        let (names, values): (Vec<String>, Vec<AttributeValue>) = event.into_iter().map(|(name, value)| (format!("'{name}': ?"), value)).unzip();
        self.run(format!("INSERT INTO \"{}\" VALUE {{{}}}", self.table, names.join(", ")), values).await
    }

    /// Tries all other ways to write over an event or to remove it; the codes of the errors.
    async fn rewrite(&self, event: Item, key: Item) -> Vec<Option<String>> {
        let (client, table) = (&self.dynamodb, &self.table);
        let place = vec![key["PK"].clone(), key["SK"].clone()];
        let changed = self.run(format!("UPDATE \"{table}\" SET outcome = 'DENIED' WHERE PK = ? AND SK = ?"), place.clone()).await;
        let deleted = self.run(format!("DELETE FROM \"{table}\" WHERE PK = ? AND SK = ?"), place).await;
        let put = client.put_item().table_name(table).set_item(Some(event.clone())).send().await.unwrap_err();
        let update = client.update_item().table_name(table).set_key(Some(key.clone())).update_expression("SET outcome = :denied");
        let update = update.expression_attribute_values(":denied", text("DENIED")).send().await.unwrap_err();
        let delete = client.delete_item().table_name(table).set_key(Some(key)).send().await.unwrap_err();
        let replacement = WriteRequest::builder().put_request(PutRequest::builder().set_item(Some(event)).build().unwrap()).build();
        let batch = client.batch_write_item().request_items(table, vec![replacement]).send().await.unwrap_err();
        let codes = [put.code(), update.code(), delete.code(), batch.code()].map(|code| code.map(str::to_owned));
        [changed.unwrap_err(), deleted.unwrap_err()].into_iter().chain(codes).collect()
    }

    async fn remove(self) {
        self.stack.iam().delete_access_key().user_name(&self.user).access_key_id(&self.key).send().await.unwrap();
        for name in policies(self.stack, &self.role).await.into_keys() {
            self.stack.iam().delete_user_policy().user_name(&self.user).policy_name(name).send().await.unwrap();
        }
        self.stack.iam().delete_user().user_name(&self.user).send().await.unwrap();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn with_a_recorders_rights_an_event_can_be_inserted_and_then_neither_replaced_changed_nor_deleted() {
    let stack = Stack::connect().await;
    let refused = |code: &str| Some(code.to_owned());
    for role in RECORDERS {
        let recorder = Recorder::with_rights_of(&stack, role).await;
        // What a run that was cut off has left.
        let removal = stack.dynamodb().delete_item().table_name(&recorder.table).set_key(Some(event_key()));
        removal.clone().send().await.unwrap();
        // A new user's rights take a moment to hold everywhere.
        eventually("the insertion is allowed", Duration::from_secs(60), async || recorder.insert(event()).await.ok()).await;
        let again = recorder.insert(event()).await;
        let others = recorder.rewrite(event(), event_key()).await;
        let read = recorder.dynamodb.get_item().table_name(&recorder.table).set_key(Some(event_key())).send().await.unwrap().item;
        recorder.remove().await;
        removal.send().await.unwrap();

        assert_eq!(again, Err(refused("DuplicateItemException")), "{role}");
        assert_eq!(others, vec![refused("AccessDeniedException"); 6], "{role}");
        assert_eq!(read, Some(event()), "{role}");
    }
}
