//! The table of what each operation needs says something about every field that needs it, and about no other; the page about permissions is
//! written from it.
#![expect(clippy::expect_used, reason = "a test that goes wrong fails")]

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;

use async_graphql::parser::parse_schema;
use async_graphql::parser::types::{BaseType, FieldDefinition, Type, TypeKind, TypeSystemDefinition};
use switchboard_domain::permission::{Grant, Permission, SEEDED_ROLES, Scope, widest};
use switchboard_graphql::{ACCESS, Access, Needs, Refusal};

const PAGE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/permissions.md");

/// An object of the schema: its fields, and whether it is a record with a global id.
struct Object {
    fields: Vec<FieldDefinition>,
    is_record: bool,
}

/// The objects of the schema by their names, and the interfaces with them.
fn objects() -> BTreeMap<String, Object> {
    let document = parse_schema(switchboard_graphql::sdl()).expect("the schema can be read");
    let mut objects = BTreeMap::new();
    for definition in document.definitions {
        let TypeSystemDefinition::Type(definition) = definition else { continue };
        let (fields, is_record) = match definition.node.kind {
            TypeKind::Object(object) => (object.fields, object.implements.iter().any(|interface| interface.node == "Node")),
            TypeKind::Interface(interface) => (interface.fields, true),
            _ => continue,
        };
        objects.insert(definition.node.name.node.to_string(), Object { fields: fields.into_iter().map(|field| field.node).collect(), is_record });
    }
    objects
}

/// The name of a type without its lists and exclamation marks.
fn base_name(of: &Type) -> &str {
    match &of.base {
        BaseType::Named(name) => name,
        BaseType::List(of) => base_name(of),
    }
}

/// The fields that must be in the table: every query and mutation, and of the other types those that open more than the values of their record.
/// These are the fields that take arguments, lead to a record, or lead from a record to another object. Pages and payloads say what their field said,
/// and who did something is known with what they did.
fn must_be_listed(objects: &BTreeMap<String, Object>) -> BTreeSet<(String, String)> {
    let mut listed = BTreeSet::new();
    for (parent, object) in objects {
        let is_root = ["Query", "Mutation"].contains(&parent.as_str());
        let is_wrapper = ["Connection", "Edge", "Payload"].iter().any(|end| parent.ends_with(end));
        for field in &object.fields {
            let target = base_name(&field.ty.node);
            let opens = objects.get(target).is_some_and(|found| target != "AuditActor" && (object.is_record || found.is_record));
            if is_root || (!is_wrapper && (opens || !field.arguments.is_empty())) {
                listed.insert((parent.clone(), field.name.node.to_string()));
            }
        }
    }
    listed
}

#[test]
fn every_field_that_opens_something_has_an_entry() {
    let entries: BTreeSet<_> = ACCESS.iter().map(|access| (access.parent.to_owned(), access.field.to_owned())).collect();
    let missing: Vec<_> = must_be_listed(&objects()).difference(&entries).map(|(parent, field)| format!("{parent}.{field}")).collect();
    assert!(missing.is_empty(), "say in graphql/src/access.rs what these need: {}", missing.join(", "));
}

#[test]
fn every_entry_has_its_field_and_no_field_two() {
    let objects = objects();
    let is_there = |access: &&Access| objects.get(access.parent).is_some_and(|object| object.fields.iter().any(|found| found.name.node == access.field));
    let unknown: Vec<_> = ACCESS.iter().filter(|access| !is_there(access)).map(|access| format!("{}.{}", access.parent, access.field)).collect();
    assert!(unknown.is_empty(), "the schema doesn't have {}", unknown.join(", "));
    let mut seen = BTreeSet::new();
    for access in ACCESS {
        assert!(seen.insert((access.parent, access.field)), "{}.{} is in the table twice", access.parent, access.field);
    }
}

#[test]
fn what_needs_a_permission_names_one_and_what_answers_null_may_be_null() {
    let objects = objects();
    for access in ACCESS {
        let Needs::AnyOf(grants) = access.needs else { continue };
        assert!(!grants.is_empty(), "nobody could ever ask for {}.{}", access.parent, access.field);
        let field = objects.get(access.parent).and_then(|object| object.fields.iter().find(|found| found.name.node == access.field));
        if let Some(field) = field {
            let can_be_null = field.ty.node.nullable;
            assert!(access.refusal == Refusal::Forbidden || can_be_null, "{}.{} can't be null", access.parent, access.field);
        }
    }
}

/// A mutation is refused loudly, whoever asks: nothing that somebody believes to be done may be left undone silently.
#[test]
fn no_mutation_answers_null_to_who_may_not() {
    for access in ACCESS.iter().filter(|access| access.parent == "Mutation") {
        assert_eq!(access.refusal, Refusal::Forbidden, "{}", access.field);
    }
}

#[test]
fn every_permission_opens_something() {
    for permission in Permission::ALL {
        let named = |access: &Access| match access.needs {
            Needs::AnyOf(grants) => grants.iter().any(|grant| grant.permission == permission),
            Needs::SignedIn => false,
        };
        let in_a_note = |access: &Access| access.note.contains(&format!("`{}", permission.as_str()));
        assert!(ACCESS.iter().any(|access| named(access) || in_a_note(access)), "{} opens nothing", permission.as_str());
    }
}

/// Run with `UPDATE_PERMISSIONS=1` to write the tables anew; the rest of the page is written by hand.
#[test]
fn the_page_about_permissions_is_fresh() {
    let committed = std::fs::read_to_string(PAGE).expect("docs/permissions.md can be read");
    let fresh = with_tables(&committed);
    if std::env::var_os("UPDATE_PERMISSIONS").is_some() {
        std::fs::write(PAGE, &fresh).expect("docs/permissions.md can be written");
        return;
    }
    assert!(committed == fresh, "docs/permissions.md is stale: run UPDATE_PERMISSIONS=1 cargo test -p switchboard-graphql --test access");
}

/// The page with each table between its two marks written anew.
fn with_tables(page: &str) -> String {
    let tables = [
        ("permissions", permissions()),
        ("roles", roles()),
        ("queries", operations(|access| access.parent == "Query")),
        ("mutations", operations(|access| access.parent == "Mutation")),
        ("fields", operations(|access| !["Query", "Mutation"].contains(&access.parent))),
    ];
    let mut page = page.to_owned();
    for (name, table) in tables {
        let (begin, end) = (format!("<!-- {name}: written by graphql/tests/access.rs -->\n"), format!("<!-- {name}: end -->\n"));
        let (before, rest) = page.split_once(&begin).unwrap_or_else(|| panic!("docs/permissions.md has no line {begin}"));
        let (_, after) = rest.split_once(&end).unwrap_or_else(|| panic!("docs/permissions.md has no line {end}"));
        page = format!("{before}{begin}\n{table}\n{end}{after}");
    }
    page
}

/// What each permission allows.
fn permissions() -> String {
    let mut table = String::from("| permission | allows to |\n|---|---|\n");
    for permission in Permission::ALL {
        let mut words = permission.description().trim_end_matches('.').chars();
        let first = words.next().map(|first| first.to_ascii_lowercase());
        let description: String = first.into_iter().chain(words).collect();
        writeln!(table, "| `{}` | {description} |", permission.as_str()).expect("text takes text");
    }
    table
}

/// Which seeded role grants what, in which scope.
fn roles() -> String {
    let codes: Vec<String> = SEEDED_ROLES.iter().map(|role| format!("`{}`", role.code)).collect();
    let mut table = format!("| | {} |\n|{}\n", codes.join(" | "), "---|".repeat(SEEDED_ROLES.len() + 1));
    for permission in Permission::ALL {
        let scopes: Vec<String> = SEEDED_ROLES.iter().map(|role| cell(widest(role.grants, permission).map_or("", Scope::as_str))).collect();
        writeln!(table, "| `{}` |{}|", permission.as_str(), scopes.join("|")).expect("text takes text");
    }
    table
}

fn cell(text: &str) -> String {
    if text.is_empty() { " ".to_owned() } else { format!(" {text} ") }
}

/// What operations need, what the answer is without it, and what the use case asks for besides.
fn operations(which: impl Fn(&Access) -> bool) -> String {
    let mut table = String::from("| | needs | without it | and |\n|---|---|---|---|\n");
    for access in ACCESS.iter().filter(|access| which(access)) {
        let is_root = ["Query", "Mutation"].contains(&access.parent);
        let name = if is_root { access.field.to_owned() } else { format!("{}.{}", access.parent, access.field) };
        let (needs, refusal) = match (access.needs, access.refusal) {
            (Needs::SignedIn, _) if is_root => ("being signed in".to_owned(), ""),
            (Needs::SignedIn, _) => ("nothing more".to_owned(), ""),
            (Needs::AnyOf(grants), Refusal::Forbidden) => (any_of(grants), "`FORBIDDEN`"),
            (Needs::AnyOf(grants), Refusal::Null) => (any_of(grants), "null"),
        };
        writeln!(table, "| `{name}` | {needs} |{}|{}|", cell(refusal), cell(access.note)).expect("text takes text");
    }
    table
}

/// Grants as people read them: without a scope where the narrowest is enough.
fn any_of(grants: &[Grant]) -> String {
    let written = |grant: &Grant| if grant.scope == Scope::Own { format!("`{}`", grant.permission.as_str()) } else { format!("`{grant}`") };
    grants.iter().map(written).collect::<Vec<_>>().join(" or ")
}
