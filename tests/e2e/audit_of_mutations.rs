//! That nothing is done that isn't on record: every mutation of the schema, the events it leaves, and no others, with each value before and after.

mod agents;
mod contacts;
mod exports;
mod imports;
mod jobs;
mod ledger;
mod presence;
mod reverting;
mod roles;
mod schedules;
mod scoring;
mod statuses;
mod suppressions;
mod teams;
mod tenants;
mod users;

use std::collections::BTreeSet;

/// The mutations that are proven: what each test has done when it ends well.
const PROVEN: [&[&str]; 19] = [
    agents::MUTATIONS,
    contacts::OF_ONE,
    contacts::OF_TWO,
    exports::COMPLETED,
    exports::CANCELLED,
    imports::MUTATIONS,
    jobs::TO_THEIR_END,
    jobs::CANCELLED,
    presence::MUTATIONS,
    reverting::MUTATIONS,
    roles::MUTATIONS,
    schedules::MUTATIONS,
    scoring::MUTATIONS,
    statuses::MUTATIONS,
    suppressions::MUTATIONS,
    teams::MUTATIONS,
    tenants::MUTATIONS,
    users::OF_THEIRS,
    users::OF_THEIR_ACCESS,
];

/// The mutations of a schema.
fn mutations(schema: &str) -> Vec<&str> {
    let (_, rest) = schema.split_once("\ntype Mutation {\n").unwrap();
    let (fields, _) = rest.split_once("\n}\n").unwrap();
    let mut is_description = false;
    let mut mutations = Vec::new();
    for line in fields.lines() {
        // A description of several lines stands between two of these.
        if line.trim() == "\"\"\"" {
            is_description = !is_description;
        } else if let Some((name, _)) = line.strip_prefix('\t').filter(|_| !is_description).and_then(|line| line.split_once('('))
            && name.starts_with(|letter: char| letter.is_ascii_lowercase())
            && name.bytes().all(|byte| byte.is_ascii_alphanumeric())
        {
            mutations.push(name);
        }
    }
    mutations
}

#[test]
fn every_mutation_of_the_schema_has_its_proof() {
    let names: BTreeSet<&str> = PROVEN.concat().into_iter().collect();
    let found: BTreeSet<&str> = mutations(include_str!("../../graphql/schema.graphql")).into_iter().collect();
    assert!(found.len() >= 45, "{found:?}");
    let without: Vec<&&str> = found.difference(&names).collect();
    assert!(without.is_empty(), "nothing proves what these mutations leave in the audit trail: {without:?}");
    let gone: Vec<&&str> = names.difference(&found).collect();
    assert!(gone.is_empty(), "the schema has no such mutations: {gone:?}");
}

#[test]
fn the_mutations_of_a_schema_are_found_whatever_their_descriptions_say() {
    let schema = "\ntype Mutation {\n\t\"Does one thing (or two).\"\n\toneDo(\n\t\t\"What.\"\n\t\tinput: OneDoInput!\n\t): OneDoPayload!\n\t\"\"\"\n\tDoes another\n\tthing(\n\t\"\"\"\n\totherDo(\n\t): X!\n}\n";
    assert_eq!(mutations(schema), ["oneDo", "otherDo"]);
}
