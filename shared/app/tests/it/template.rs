//! What the template must say although the emulator takes no notice of it, and that the tests' tables are the template's.

use switchboard_testkit::PROJECTED;

const TEMPLATE: &str = include_str!("../../../../infra/template.yaml");

/// The lines of a resource or parameter, from its name to the next one.
fn part(name: &str) -> &'static str {
    let begin = TEMPLATE.find(&format!("\n  {name}:\n")).unwrap() + 1;
    let rest = &TEMPLATE[begin..];
    let end = rest.match_indices("\n  ").map(|(at, _)| at).find(|at| *at > 0 && rest[at + 3..].starts_with(|first: char| first.is_ascii_uppercase()));
    &rest[..end.unwrap_or(rest.len())]
}

#[test]
fn index_1_carries_in_tests_what_it_carries_in_the_template() {
    let after = TEMPLATE.split_once("NonKeyAttributes:\n").unwrap().1;
    let listed: Vec<&str> = after.lines().map_while(|line| line.strip_prefix("              - ")).collect();
    assert_eq!(listed, PROJECTED);
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
    for (bucket, days) in [("UploadsBucket", vec![7]), ("ResultsBucket", vec![30, 7]), ("AuditDeadLetterBucket", vec![])] {
        let bucket = part(bucket);
        let kept: Vec<u32> = bucket.lines().filter_map(|line| line.trim().strip_prefix("ExpirationInDays: ")?.parse().ok()).collect();
        assert_eq!(kept, days, "{bucket}");
        assert!(bucket.contains("BucketEncryption") && bucket.contains("RestrictPublicBuckets: true"), "{bucket}");
    }
    assert!(part("RequireTls").contains("Default: \"true\""));
}

#[test]
fn every_queue_of_a_function_has_a_dead_letter_queue_and_an_alarm_on_it() {
    for queue in ["ImportPlan", "ImportRows"] {
        assert!(part(&format!("{queue}Queue")).contains(&format!("{queue}DeadLetterQueue.Arn")));
        assert!(TEMPLATE.matches(&format!("{queue}DeadLetterQueue.QueueName")).count() > 0, "an alarm on {queue}'s dead letters");
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
