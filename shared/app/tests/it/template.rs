//! The tests' tables are the template's.

use switchboard_testkit::PROJECTED;

#[test]
fn index_1_carries_in_tests_what_it_carries_in_the_template() {
    let template = include_str!("../../../../infra/template.yaml");
    let after = template.split_once("NonKeyAttributes:\n").unwrap().1;
    let listed: Vec<&str> = after.lines().map_while(|line| line.strip_prefix("              - ")).collect();
    assert_eq!(listed, PROJECTED);
}
