//! The layers keep their direction: what must not know of AWS doesn't depend on it.

/// The names of a manifest's dependencies.
fn dependencies(manifest: &str) -> Vec<&str> {
    let after = manifest.split_once("[dependencies]\n").unwrap().1;
    let part = after.split("\n[").next().unwrap();
    part.lines().filter_map(|line| line.split(['.', ' ', '=']).next()).filter(|name| !name.is_empty()).collect()
}

#[test]
fn the_domain_and_the_schema_know_nothing_of_aws() {
    for (name, manifest) in [("domain", include_str!("../../../domain/Cargo.toml")), ("graphql", include_str!("../../../../graphql/Cargo.toml"))] {
        let found = dependencies(manifest);
        assert!(!found.is_empty());
        assert!(!found.iter().any(|dependency| dependency.starts_with("aws") || dependency.starts_with("lambda")), "{name}: {found:?}");
    }
}

#[test]
fn the_domain_has_no_way_to_wait_or_to_draw_lots() {
    let found = dependencies(include_str!("../../../domain/Cargo.toml"));
    assert!(!found.iter().any(|dependency| ["tokio", "futures", "rand", "reqwest", "async-graphql"].contains(dependency)), "{found:?}");
}
