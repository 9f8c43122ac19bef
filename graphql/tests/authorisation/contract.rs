//! What there is to be asked, read from the schema and from the table of what each operation needs.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::LazyLock;

use async_graphql::parser::parse_schema;
use async_graphql::parser::types::{BaseType, FieldDefinition, Type, TypeKind, TypeSystemDefinition};
use switchboard_graphql::{ACCESS, Needs, sdl};

/// The schema as this test uses it.
pub(crate) struct Contract {
    /// Every query and mutation by its name, and as `Type.field` each field of another type that needs a permission of its own.
    pub(crate) operations: BTreeSet<String>,
    /// The document of each mutation, whose one variable is `$input`.
    pub(crate) mutations: BTreeMap<String, String>,
}

/// The schema, read once.
pub(crate) static CONTRACT: LazyLock<Contract> = LazyLock::new(read);

/// Whether a type of the table is one of those whose fields are operations.
fn is_root(name: &str) -> bool {
    ["Query", "Mutation"].contains(&name)
}

fn read() -> Contract {
    let document = parse_schema(sdl()).unwrap();
    let mut objects: BTreeMap<String, Vec<FieldDefinition>> = BTreeMap::new();
    for definition in document.definitions {
        let TypeSystemDefinition::Type(definition) = definition else { continue };
        // A payload can have a record of any kind.
        let fields = match definition.node.kind {
            TypeKind::Object(object) => object.fields,
            TypeKind::Interface(interface) => interface.fields,
            _ => continue,
        };
        objects.insert(definition.node.name.node.to_string(), fields.into_iter().map(|field| field.node).collect());
    }
    let mut operations: BTreeSet<String> = ["Query", "Mutation"].iter().flat_map(|root| &objects[*root]).map(|field| field.name.node.to_string()).collect();
    for access in ACCESS {
        match access.needs {
            _ if is_root(access.parent) => operations.insert(access.field.to_owned()),
            Needs::AnyOf(_) => operations.insert(format!("{}.{}", access.parent, access.field)),
            Needs::SignedIn => false,
        };
    }
    let mutations = objects["Mutation"].iter().map(|field| (field.name.node.to_string(), mutation(&objects, field))).collect();
    Contract { operations, mutations }
}

/// The document of a mutation: its errors, the ids of the records of its payload, and whatever else the payload says.
fn mutation(objects: &BTreeMap<String, Vec<FieldDefinition>>, field: &FieldDefinition) -> String {
    let (name, input) = (&field.name.node, base_name(&field.arguments[0].node.ty.node));
    let selected = objects[base_name(&field.ty.node)].iter().map(|part| {
        let name = &part.name.node;
        match objects.get(base_name(&part.ty.node)) {
            _ if name == "userErrors" => "userErrors { field code message existingId index }".to_owned(),
            Some(fields) if fields.iter().any(|field| field.name.node == "id") => format!("{name} {{ id }}"),
            Some(_) => format!("{name} {{ __typename }}"),
            None => name.to_string(),
        }
    });
    let selection: Vec<String> = selected.collect();
    format!("mutation($input: {input}!) {{ {name}(input: $input) {{ {} }} }}", selection.join(" "))
}

/// The name of a type without its lists and exclamation marks.
fn base_name(of: &Type) -> &str {
    match &of.base {
        BaseType::Named(name) => name,
        BaseType::List(of) => base_name(of),
    }
}
