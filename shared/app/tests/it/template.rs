//! What the template must say although the emulator takes no notice of it, and that the tests' tables are the template's.

use switchboard_testkit::{PROJECTED, PROJECTED_OF_WORK};

const TEMPLATE: &str = include_str!("../../../../infra/template.yaml");

/// The lines of a resource or parameter, from its name to the next one.
fn part(name: &str) -> &'static str {
    let begin = TEMPLATE.find(&format!("\n  {name}:\n")).unwrap() + 1;
    let rest = &TEMPLATE[begin..];
    let end = rest.match_indices("\n  ").map(|(at, _)| at).find(|at| *at > 0 && rest[at + 3..].starts_with(|first: char| first.is_ascii_uppercase()));
    &rest[..end.unwrap_or(rest.len())]
}

/// The number that a part gives a property, by what its line begins with.
fn number(part: &str, name: &str) -> u32 {
    part.lines().find_map(|line| line.trim().strip_prefix(name)?.parse().ok()).unwrap()
}

/// What an index of the core table carries beside keys.
fn carried(index: &str) -> Vec<&'static str> {
    let index = part("CoreTable").split_once(&format!("IndexName: {index}\n")).unwrap().1;
    let listed = index.split_once("NonKeyAttributes:\n").unwrap().1;
    listed.lines().map_while(|line| line.strip_prefix("              - ")).collect()
}

#[test]
fn the_indexes_carry_in_tests_what_they_carry_in_the_template() {
    assert_eq!(carried("GSI1"), PROJECTED);
    assert_eq!(carried("GSI2"), PROJECTED_OF_WORK);
}

#[test]
fn no_index_carries_more_attributes_than_dynamodb_takes() {
    for index in ["GSI1", "GSI2"] {
        assert!(carried(index).len() <= 20, "{index}");
    }
}

#[test]
fn the_index_of_scores_has_the_partitions_of_the_lists_and_carries_keys_only_in_the_template_as_in_tests() {
    let keys = "            - { AttributeName: GSI1PK, KeyType: HASH }\n            - { AttributeName: GSI3SK, KeyType: RANGE }\n";
    let index = part("CoreTable").split_once("IndexName: GSI3\n").unwrap().1;
    assert!(index.starts_with(&format!("          KeySchema:\n{keys}          Projection:\n            ProjectionType: KEYS_ONLY\n")), "{index}");
}

#[test]
fn the_audits_indexes_carry_whole_events_in_the_template_as_in_tests_and_its_stream_what_was_inserted() {
    let table = part("AuditTable");
    for index in ["GSI1", "GSI2"] {
        let keys = format!("{{ AttributeName: {index}PK, KeyType: HASH }}\n            - {{ AttributeName: {index}SK, KeyType: RANGE }}\n");
        let index = table.split_once(&format!("IndexName: {index}\n")).unwrap().1;
        let projection = "          Projection:\n            ProjectionType: ALL\n";
        assert!(index.starts_with(&format!("          KeySchema:\n            - {keys}{projection}")), "{index}");
    }
    assert!(table.contains("StreamViewType: NEW_IMAGE\n"), "{table}");
}

#[test]
fn tables_can_be_restored_to_any_moment_and_forget_what_expires() {
    for table in ["CoreTable", "AuditTable"] {
        let table = part(table);
        for wanted in ["PointInTimeRecoveryEnabled: true", "AttributeName: expires_at", "DeletionProtectionEnabled: true", "UpdateReplacePolicy: Retain"] {
            assert!(table.contains(wanted), "{wanted} in {table}");
        }
    }
}

#[test]
fn personal_data_in_buckets_is_encrypted_private_and_deleted_in_time() {
    for (bucket, days) in [("UploadsBucket", vec![7]), ("ResultsBucket", vec![30, 7]), ("AuditDeadLetterBucket", vec![]), ("AuditArchiveBucket", vec![])] {
        let bucket = part(bucket);
        let kept: Vec<u32> = bucket.lines().filter_map(|line| line.trim().strip_prefix("ExpirationInDays: ")?.parse().ok()).collect();
        assert_eq!(kept, days, "{bucket}");
        assert!(bucket.contains("BucketEncryption") && bucket.contains("RestrictPublicBuckets: true"), "{bucket}");
    }
    assert!(part("RequireTls").contains("Default: \"true\""));
}

#[test]
fn no_file_of_the_archive_can_be_removed_before_its_time_by_anybody() {
    let bucket = part("AuditArchiveBucket");
    for wanted in [
        "ObjectLockEnabled: true\n",
        "          DefaultRetention:\n            # Not GOVERNANCE, which a permission lifts.\n            Mode: COMPLIANCE\n            Days: !Ref AuditLockDays\n",
        "      VersioningConfiguration:\n        Status: Enabled\n",
        "DeletionPolicy: RetainExceptOnCreate",
        "UpdateReplacePolicy: Retain",
    ] {
        assert!(bucket.contains(wanted), "{wanted} in {bucket}");
    }
    // Nor does anything remove one after its time.
    assert!(!bucket.contains("Expiration"), "{bucket}");
    assert!(part("AuditLockDays").contains("Default: 2557\n"), "seven years");
}

#[test]
fn the_audits_days_are_signed_by_a_key_whose_signatures_others_can_verify_and_which_stays() {
    let key = part("AuditSealKey");
    for wanted in
        ["KeySpec: ECC_NIST_P256\n", "KeyUsage: SIGN_VERIFY\n", "DeletionPolicy: RetainExceptOnCreate", "UpdateReplacePolicy: Retain", "PendingWindowInDays: 30\n"]
    {
        assert!(key.contains(wanted), "{wanted} in {key}");
    }
    // KMS makes no new material for a key of this kind.
    assert!(!key.contains("EnableKeyRotation"), "{key}");
}

#[test]
fn a_call_of_the_schedule_is_over_before_the_next() {
    assert!(part("AuditSealRule").contains("ScheduleExpression: rate(1 hour)\n"));
    let calls = part("AuditSealCalls");
    let (retries, age) = (number(calls, "MaximumRetryAttempts: "), number(calls, "MaximumEventAgeInSeconds: "));
    let timeout = number(part("AuditSealFunction"), "Timeout: ");
    // Lambda waits one minute before the first retry and two before the second.
    assert!(retries == 2 && (retries + 1) * timeout + 180 < 3600 && age <= 3600, "{calls}");
    assert!(calls.contains("Destination: !GetAtt AuditSealFailedQueue.Arn") && TEMPLATE.contains("AuditSealFailedQueue.QueueName"), "{calls}");
}

#[test]
fn what_is_due_to_be_scored_is_asked_each_minute_by_calls_that_are_over_before_the_next() {
    assert!(part("ScoreSweepRule").contains("ScheduleExpression: rate(1 minute)\n"));
    assert!(number(part("ScoreSweepFunction"), "Timeout: ") < 60);
    let calls = part("ScoreSweepCalls");
    assert!(calls.contains("Destination: !GetAtt ScoreSweepFailedQueue.Arn") && TEMPLATE.contains("ScoreSweepFailedQueue.QueueName"), "{calls}");
    assert!(part("ScoreSweepMissingAlarm").contains("TreatMissingData: breaching"));
}

#[test]
fn a_message_to_score_a_contact_waits_for_what_is_changed_just_after() {
    let queue = part("ScoreQueue");
    assert!(queue.contains("DelaySeconds: 2\n") && queue.contains("ContentBasedDeduplication: false\n"), "{queue}");
    assert!(queue.contains("DeduplicationScope: messageGroup\n") && queue.contains("FifoThroughputLimit: perMessageGroupId\n"), "{queue}");
}

#[test]
fn nobody_may_do_more_with_the_audit_table_than_insert_and_read() {
    let statements = TEMPLATE.split("              - Sid: ").skip(1).filter(|statement| statement.contains("AuditTable.Arn"));
    let mut inserting = Vec::new();
    for statement in statements {
        let statement = statement.split("\n\n").next().unwrap();
        for action in statement.split_whitespace().filter(|word| word.starts_with("dynamodb:")) {
            let reads = ["dynamodb:GetItem", "dynamodb:BatchGetItem", "dynamodb:Query"].contains(&action);
            assert!(reads || action == "dynamodb:PartiQLInsert", "{statement}");
            inserting.extend((!reads).then_some(statement.lines().next().unwrap()));
        }
    }
    assert_eq!(inserting, ["InsertAudit", "InsertAudit"], "graphql and audit-record");
}

#[test]
fn every_function_has_alarms_on_its_errors_and_on_being_throttled() {
    let functions: Vec<&str> =
        TEMPLATE.lines().zip(TEMPLATE.lines().skip(1)).filter(|(_, below)| *below == "    Type: AWS::Serverless::Function").map(|(name, _)| name.trim()).collect();
    assert_eq!(functions.len(), 13, "{functions:?}");
    for function in functions {
        let name = function.strip_suffix("Function:").unwrap();
        for metric in ["Errors", "Throttles"] {
            let alarm = part(&format!("{name}{metric}Alarm"));
            assert!(alarm.contains(&format!("MetricName: {metric}\n")) && alarm.contains(&format!("!Ref {name}Function }}")), "{alarm}");
        }
    }
}

#[test]
fn every_queue_of_a_function_has_a_dead_letter_queue_and_an_alarm_on_it() {
    for queue in ["ImportPlan", "ImportRows", "ContactIndex", "ContactBulk", "AuditExport", "Score", "ScoreTrain"] {
        assert!(part(&format!("{queue}Queue")).contains(&format!("{queue}DeadLetterQueue.Arn")));
        assert!(TEMPLATE.matches(&format!("{queue}DeadLetterQueue.QueueName")).count() > 0, "an alarm on {queue}'s dead letters");
    }
}

#[test]
fn every_reader_of_a_stream_leaves_behind_what_it_gives_up_and_an_alarm_says_so() {
    for reader in ["AuditRecord", "ChangeRelay", "AuditArchive"] {
        assert!(part(&format!("{reader}Mapping")).contains(&format!("Destination: !GetAtt {reader}FailedQueue.Arn")));
        assert!(TEMPLATE.matches(&format!("{reader}FailedQueue.QueueName")).count() > 0, "an alarm on what {reader} gave up");
        assert!(part(&format!("{reader}IteratorAgeAlarm")).contains(&format!("!Ref {reader}Function }}")), "an alarm when {reader} is behind");
    }
}

#[test]
fn a_mapping_of_a_fifo_queue_asks_for_what_lambda_accepts_there() {
    for (function, name) in [("ContactIndex", "contact-index.fifo"), ("Score", "score.fifo")] {
        let (queue, mapping) = (part(&format!("{function}Queue")), part(&format!("{function}Mapping")));
        assert!(queue.contains(name) && queue.contains("FifoQueue: true"), "{queue}");
        assert!(part(&format!("{function}DeadLetterQueue")).contains("FifoQueue: true"), "what a FIFO queue gives up goes to a FIFO queue");
        assert!(number(mapping, "BatchSize: ") <= 10 && !mapping.contains("MaximumBatchingWindowInSeconds"), "{mapping}");
    }
}

#[test]
fn a_message_stays_hidden_six_times_as_long_as_its_function_may_run() {
    for function in ["ImportPlan", "ImportRows", "ContactIndex", "ContactBulk", "AuditExport", "Score", "ScoreTrain"] {
        let timeout = number(part(&format!("{function}Function")), "Timeout: ");
        assert_eq!(number(part(&format!("{function}Queue")), "VisibilityTimeout: "), 6 * timeout, "{function}");
    }
}

#[test]
fn no_statement_that_allows_has_a_wildcard_action() {
    let allowed_for_functions = TEMPLATE.split("Policies:\n").skip(1).map(|policies| policies.split("\n  # ----").next().unwrap());
    for policies in allowed_for_functions {
        assert!(
            !policies.contains('*') || policies.lines().filter(|line| line.contains('*')).all(|line| line.contains("/*") || line.trim_start().starts_with('#')),
            "{policies}"
        );
    }
}
