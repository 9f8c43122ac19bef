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
    for queue in ["ImportPlan", "ImportRows", "ContactIndex", "ContactBulk"] {
        assert!(part(&format!("{queue}Queue")).contains(&format!("{queue}DeadLetterQueue.Arn")));
        assert!(TEMPLATE.matches(&format!("{queue}DeadLetterQueue.QueueName")).count() > 0, "an alarm on {queue}'s dead letters");
    }
}

#[test]
fn every_reader_of_the_stream_leaves_behind_what_it_gives_up_and_an_alarm_says_so() {
    for reader in ["AuditRecord", "ChangeRelay"] {
        assert!(part(&format!("{reader}Mapping")).contains(&format!("Destination: !GetAtt {reader}FailedQueue.Arn")));
        assert!(TEMPLATE.matches(&format!("{reader}FailedQueue.QueueName")).count() > 0, "an alarm on what {reader} gave up");
    }
}

#[test]
fn a_mapping_of_a_fifo_queue_asks_for_what_lambda_accepts_there() {
    let (queue, mapping) = (part("ContactIndexQueue"), part("ContactIndexMapping"));
    assert!(queue.contains("contact-index.fifo") && queue.contains("FifoQueue: true"), "{queue}");
    assert!(part("ContactIndexDeadLetterQueue").contains("FifoQueue: true"), "what a FIFO queue gives up goes to a FIFO queue");
    let size: u32 = mapping.lines().find_map(|line| line.trim().strip_prefix("BatchSize: ")?.parse().ok()).unwrap();
    assert!(size <= 10 && !mapping.contains("MaximumBatchingWindowInSeconds"), "{mapping}");
}

#[test]
fn a_message_stays_hidden_six_times_as_long_as_its_function_may_run() {
    let number = |part: &str, name: &str| part.lines().find_map(|line| line.trim().strip_prefix(name)?.parse::<u32>().ok()).unwrap();
    for function in ["ImportPlan", "ImportRows", "ContactIndex", "ContactBulk"] {
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
