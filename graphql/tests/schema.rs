//! The committed schema is the one the code has.

/// Run with `UPDATE_SCHEMA=1` to write the file anew.
#[test]
fn the_committed_schema_is_fresh() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/schema.graphql");
    let generated = switchboard_graphql::sdl();
    if std::env::var_os("UPDATE_SCHEMA").is_some() {
        std::fs::write(path, &generated).expect("the file can be written");
    }
    let committed = std::fs::read_to_string(path).unwrap_or_default();
    assert!(committed == generated, "graphql/schema.graphql is stale: run UPDATE_SCHEMA=1 cargo test -p switchboard-graphql --test schema");
}
