//! What the pages say of scoring in numbers and names, against the code.

use std::collections::BTreeSet;

use switchboard_domain::scoring::training::KNOWN_AFTERWARDS;
use switchboard_domain::scoring::{MOST_BANDS, MOST_ENTRIES, MOST_FACTORS, MOST_MODELS, NAME_LENGTH, REASON_LENGTH, Rule, pipeline, standard};

const PAGE: &str = include_str!("../../../../docs/scoring.md");
const LIMITS: &str = include_str!("../../../../docs/limits.md");

#[test]
fn the_page_names_exactly_what_is_never_learned_from() {
    let mut lists = PAGE.split("```").map(|part| part.split_whitespace().collect::<BTreeSet<_>>());
    let expected: BTreeSet<&str> = KNOWN_AFTERWARDS.into_iter().collect();
    assert!(lists.any(|list| list == expected), "docs/scoring.md lists other names than KNOWN_AFTERWARDS");
}

#[test]
fn the_page_gives_the_presets_with_their_numbers() {
    for (name, model) in [("standard", standard()), ("pipeline", pipeline())] {
        let (_, preset) = PAGE.split_once(&format!("\n`{name}`\n")).unwrap();
        for factor in &model.factors {
            let start = format!("| {} | {} | ", factor.name, factor.maximum);
            let row = preset.lines().find(|line| line.starts_with(&start)).unwrap_or_else(|| panic!("{name} has no row that begins {start:?}"));
            let Rule::Source { table, otherwise, .. } = &factor.rule else { continue };
            for (source, points) in table {
                assert!(row.contains(&format!("`{source}` {points}")), "{row}: {source} gives {points}");
            }
            assert!(row.contains(&format!("any other or none {otherwise}")), "{row}");
            assert_eq!(row.matches('`').count(), 2 * table.len(), "{row}");
        }
    }
}

#[test]
fn the_page_of_limits_gives_those_of_models() {
    for (row, limits) in [
        ("models of a tenant", vec![MOST_MODELS]),
        ("factors; a model as JSON", vec![MOST_FACTORS]),
        ("entries of a table, aliases; bands", vec![MOST_ENTRIES, MOST_BANDS]),
        ("name of a model or factor; reason", vec![NAME_LENGTH, REASON_LENGTH]),
    ] {
        let found = LIMITS.lines().find(|line| line.starts_with(&format!("| {row}"))).unwrap_or_else(|| panic!("docs/limits.md has no row {row:?}"));
        let given = found.split(" | ").nth(1).unwrap_or_default();
        assert!(limits.iter().all(|limit| given.split([',', ';', ' ']).any(|word| word == limit.to_string())), "{found}: {limits:?}");
    }
}
