//! Which fields of a request were refused, by their names in the schema: what the client calls them may be anything, and somebody's number too.

use async_graphql::parser::parse_query;
use async_graphql::parser::types::{ExecutableDocument, Field, Selection, SelectionSet};
use async_graphql::{PathSegment, Response, ServerError, Value};

use crate::errors::Code;

/// Most fields that are named of one request.
const MOST: usize = 10;

/// The fields to which the answer says `FORBIDDEN`, each once, at most ten: `contact.auditEvents`. `operation` is the one that was executed, where the query
/// has several. Reads the query once more, but only when something was refused.
#[must_use]
pub fn refused_fields(query: &str, operation: Option<&str>, response: &Response) -> Vec<String> {
    let refused: Vec<&ServerError> = response.errors.iter().filter(|error| is_forbidden(error)).collect();
    let document = if refused.is_empty() { None } else { parse_query(query).ok() };
    let mut fields = Vec::new();
    for error in refused {
        let field = document.as_ref().and_then(|document| named(document, operation, &error.path)).unwrap_or_else(|| "unknown".to_owned());
        if !fields.contains(&field) && fields.len() < MOST {
            fields.push(field);
        }
    }
    fields
}

fn is_forbidden(error: &ServerError) -> bool {
    let code = error.extensions.as_ref().and_then(|extensions| extensions.get("code"));
    matches!(code, Some(Value::String(code)) if code == Code::Forbidden.as_str())
}

/// The names of the fields on the way to a place in the answer.
fn named(document: &ExecutableDocument, operation: Option<&str>, path: &[PathSegment]) -> Option<String> {
    let (_, operation) = document.operations.iter().find(|(name, _)| operation.is_none_or(|wanted| name.is_some_and(|name| name.as_str() == wanted)))?;
    let mut selections = vec![&operation.node.selection_set.node];
    let mut names = Vec::new();
    for segment in path {
        let PathSegment::Field(key) = segment else { continue };
        // A field may be written several times, each time with other fields below it.
        let mut fields = Vec::new();
        selections.iter().for_each(|selections| collect(document, selections, key, &mut fields));
        names.push(fields.first()?.name.node.as_str());
        selections = fields.into_iter().map(|field| &field.selection_set.node).collect();
    }
    (!names.is_empty()).then(|| names.join("."))
}

/// The fields that answer under this key, those of fragments included. The query was executed, so no fragment contains itself.
fn collect<'a>(document: &'a ExecutableDocument, selections: &'a SelectionSet, key: &str, found: &mut Vec<&'a Field>) {
    for selection in &selections.items {
        match &selection.node {
            Selection::Field(field) if field.node.response_key().node.as_str() == key => found.push(&field.node),
            Selection::Field(_) => {}
            Selection::InlineFragment(fragment) => collect(document, &fragment.node.selection_set.node, key, found),
            Selection::FragmentSpread(spread) => {
                if let Some(fragment) = document.fragments.get(&spread.node.fragment_name.node) {
                    collect(document, &fragment.node.selection_set.node, key, found);
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use async_graphql::{EmptyMutation, EmptySubscription, Object, Request, Result, Schema};

    use super::*;

    struct Part;

    #[Object]
    impl Part {
        async fn open(&self) -> bool {
            true
        }

        async fn secret(&self) -> Result<Option<bool>> {
            Err(Code::Forbidden.error("You are not allowed to do this."))
        }

        async fn missing(&self) -> Result<Option<bool>> {
            Err(Code::NotFound.error("There is no such record."))
        }

        async fn part(&self) -> Part {
            Part
        }

        async fn parts(&self) -> Vec<Part> {
            vec![Part, Part]
        }
    }

    async fn refused_in(query: &str, operation: Option<&str>) -> Vec<String> {
        let mut request = Request::new(query);
        if let Some(operation) = operation {
            request = request.operation_name(operation);
        }
        let response = Schema::new(Part, EmptyMutation, EmptySubscription).execute(request).await;
        refused_fields(query, operation, &response)
    }

    async fn refused(query: &str) -> Vec<String> {
        refused_in(query, None).await
    }

    #[tokio::test]
    async fn what_was_refused_is_named_as_the_schema_names_it_and_once() {
        assert_eq!(refused("{ p15145550123: secret secret }").await, ["secret"]);
        let mut fields = refused("{ open part { zoe: secret } those: parts { secret part { secret } } }").await;
        fields.sort();
        assert_eq!(fields, ["part.secret", "parts.part.secret", "parts.secret"]);
    }

    #[tokio::test]
    async fn what_went_wrong_otherwise_was_not_refused() {
        for query in ["{ open }", "{ missing }", "{ nonsense }", "{", "{ part { missing } }"] {
            assert_eq!(refused(query).await, Vec::<String>::new(), "{query}");
        }
    }

    #[tokio::test]
    async fn fields_are_found_in_fragments_in_the_operation_that_ran_and_where_they_are_written_twice() {
        let query = "query A { open } query B { ...F ... on Part { part { x: secret } } }
            fragment F on Part { part { open } parts { ...G } } fragment G on Part { y: secret }";
        let mut fields = refused_in(query, Some("B")).await;
        fields.sort();
        assert_eq!(fields, ["part.secret", "parts.secret"]);
        assert_eq!(refused_in(query, Some("A")).await, Vec::<String>::new());
    }

    #[tokio::test]
    async fn no_more_than_ten_are_named() {
        let nested = (0..3).fold("secret".to_owned(), |inner, _| format!("secret part {{ {inner} }} parts {{ {inner} }}"));
        assert_eq!(refused(&format!("{{ {nested} }}")).await.len(), MOST);
    }
}
