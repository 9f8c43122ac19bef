//! What one request may ask for: async-graphql limits depth and complexity; this limits what it lets through, repeated fields and aliases.

use std::sync::Arc;

use async_graphql::extensions::{Extension, ExtensionContext, ExtensionFactory, NextParseQuery};
use async_graphql::parser::types::{ExecutableDocument, Selection, SelectionSet};
use async_graphql::{ServerError, ServerResult, Variables};

use crate::errors::Code;

/// Deepest nesting; the introspection of common tools needs 14.
pub(crate) const DEPTH: usize = 15;
/// Most fields asked for, each entry of a page counted.
pub(crate) const COMPLEXITY: usize = 10_000;
/// What a walk through the whole trail of a record, or of a day, counts for: twenty of them are all that one request may ask for.
pub(crate) const TRAIL_COMPLEXITY: usize = 500;
/// Longest query, in bytes; it bounds its tokens.
const QUERY_BYTES: usize = 50_000;
/// Most fields written in a document, fragments included.
const FIELDS: usize = 500;
/// Most aliases written in a document.
const ALIASES: usize = 30;

/// The extension that holds documents to these limits.
pub(crate) struct DocumentLimits;

impl ExtensionFactory for DocumentLimits {
    fn create(&self) -> Arc<dyn Extension> {
        Arc::new(Self)
    }
}

#[async_graphql::async_trait::async_trait]
impl Extension for DocumentLimits {
    async fn parse_query(&self, context: &ExtensionContext<'_>, query: &str, variables: &Variables, next: NextParseQuery<'_>) -> ServerResult<ExecutableDocument> {
        if query.len() > QUERY_BYTES {
            return Err(too_complex(&format!("The query is longer than {QUERY_BYTES} bytes.")));
        }
        let document = next.run(context, query, variables).await?;
        let mut count = Count::default();
        document.operations.iter().for_each(|(_, operation)| count.add(&operation.node.selection_set.node));
        document.fragments.values().for_each(|fragment| count.add(&fragment.node.selection_set.node));
        if count.fields > FIELDS {
            return Err(too_complex(&format!("The query writes {} fields; at most {FIELDS} are allowed.", count.fields)));
        }
        if count.aliases > ALIASES {
            return Err(too_complex(&format!("The query writes {} aliases; at most {ALIASES} are allowed.", count.aliases)));
        }
        Ok(document)
    }
}

fn too_complex(message: &str) -> ServerError {
    let mut error = ServerError::new(message, None);
    error.extensions.get_or_insert_default().set("code", Code::QueryTooComplex.as_str());
    error
}

#[derive(Default)]
struct Count {
    fields: usize,
    aliases: usize,
}

impl Count {
    fn add(&mut self, selections: &SelectionSet) {
        for selection in &selections.items {
            match &selection.node {
                Selection::Field(field) => {
                    self.fields += 1;
                    self.aliases += usize::from(field.node.alias.is_some());
                    self.add(&field.node.selection_set.node);
                }
                Selection::InlineFragment(fragment) => self.add(&fragment.node.selection_set.node),
                Selection::FragmentSpread(_) => self.fields += 1,
            }
        }
    }
}
