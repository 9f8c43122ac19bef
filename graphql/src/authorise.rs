//! Holds each request to the table of `access.rs`, before a resolver runs. What isn't in the table is refused.

use std::collections::HashMap;
use std::sync::{Arc, LazyLock};

use async_graphql::extensions::{Extension, ExtensionContext, ExtensionFactory, NextResolve, ResolveInfo};
use async_graphql::{PathSegment, QueryPathNode, QueryPathSegment, ServerError, ServerResult, Value};
use switchboard_app::{AppError, Viewer};
use switchboard_domain::permission::covers;

use crate::access::{ACCESS, Access, MUTATION, Needs, QUERY, Refusal};
use crate::errors::app_error;

/// The table by type and field.
static BY_FIELD: LazyLock<HashMap<&str, HashMap<&str, &Access>>> = LazyLock::new(|| {
    let mut by_field: HashMap<&str, HashMap<&str, &Access>> = HashMap::new();
    for access in ACCESS {
        by_field.entry(access.parent).or_default().insert(access.field, access);
    }
    by_field
});

/// The extension that asks the table.
pub(crate) struct Authorise;

impl ExtensionFactory for Authorise {
    fn create(&self) -> Arc<dyn Extension> {
        Arc::new(Self)
    }
}

#[async_graphql::async_trait::async_trait]
impl Extension for Authorise {
    async fn resolve(&self, context: &ExtensionContext<'_>, info: ResolveInfo<'_>, next: NextResolve<'_>) -> ServerResult<Option<Value>> {
        // Of the fields of a page only those of the few types in the table cost more than this look-up.
        let Some(fields) = BY_FIELD.get(info.parent_type) else {
            return next.run(context, info).await;
        };
        match verdict(context, &info, fields.get(info.name).copied()) {
            Ok(true) => next.run(context, info).await,
            Ok(false) => Ok(Some(Value::Null)),
            Err(error) => Err(at(&info, error)),
        }
    }
}

/// Whether a field is to be resolved; if not, it is null.
fn verdict(context: &ExtensionContext<'_>, info: &ResolveInfo<'_>, access: Option<&Access>) -> Result<bool, AppError> {
    let Some(access) = access else {
        let is_root = [QUERY, MUTATION].contains(&info.parent_type);
        let is_introspection = info.name.starts_with("__");
        return if is_root && !is_introspection {
            Err(AppError::Broken(format!("{}.{} isn't in the table of operations", info.parent_type, info.name)))
        } else {
            Ok(true)
        };
    };
    let Needs::AnyOf(grants) = access.needs else {
        return Ok(true);
    };
    let held = context.data_opt::<Viewer>().ok_or(AppError::Unauthenticated)?.grants();
    if grants.iter().any(|grant| covers(&held, &[*grant])) {
        return Ok(true);
    }
    match access.refusal {
        Refusal::Null => Ok(false),
        Refusal::Forbidden => Err(AppError::Forbidden),
    }
}

/// The error with its place in the query and in the answer, as if the resolver had given it.
fn at(info: &ResolveInfo<'_>, error: AppError) -> ServerError {
    let segment = |node: &QueryPathNode<'_>| match node.segment {
        QueryPathSegment::Name(name) => PathSegment::Field(name.to_owned()),
        QueryPathSegment::Index(index) => PathSegment::Index(index),
    };
    let mut path = vec![segment(info.path_node)];
    path.extend(info.path_node.parents().map(segment));
    path.reverse();
    let mut error = app_error(error).into_server_error(info.field.response_key().pos);
    error.path = path;
    error
}

#[cfg(test)]
mod tests {
    use async_graphql::{EmptySubscription, Object, Response, Result, Schema};

    use super::*;

    /// Fields that are in the table, and one that isn't. Those that must not be resolved would answer with an error without a code.
    struct Query;

    #[Object]
    impl Query {
        async fn viewer(&self) -> bool {
            true
        }

        async fn contact(&self) -> Result<Option<bool>> {
            Err("it was resolved".into())
        }

        async fn forgotten(&self) -> Result<Option<bool>> {
            Err("it was resolved".into())
        }
    }

    struct Mutation;

    #[Object]
    impl Mutation {
        async fn forgotten(&self) -> Result<Option<bool>> {
            Err("it was resolved".into())
        }
    }

    async fn ask(query: &str) -> Response {
        Schema::build(Query, Mutation, EmptySubscription).extension(Authorise).finish().execute(query).await
    }

    fn codes(response: &Response) -> Vec<String> {
        response.errors.iter().map(|error| error.extensions.as_ref().and_then(|extensions| extensions.get("code")).map(ToString::to_string).unwrap_or_default()).collect()
    }

    #[tokio::test]
    async fn what_needs_nothing_and_what_tells_of_the_schema_passes() {
        let answer = ask("{ viewer __typename __schema { queryType { name } } __type(name: \"Query\") { name } }").await;
        assert!(answer.errors.is_empty(), "{:?}", answer.errors);
    }

    #[tokio::test]
    async fn what_is_not_in_the_table_is_refused_before_it_is_resolved() {
        for query in ["{ forgotten }", "mutation { forgotten }", "{ viewer: forgotten }"] {
            assert_eq!(codes(&ask(query).await), ["\"INTERNAL\""], "{query}");
        }
    }

    #[tokio::test]
    async fn a_refusal_names_its_place_in_the_query_and_in_the_answer() {
        let answer = ask("{ viewer\n  other: contact }").await;
        assert_eq!(codes(&answer), ["\"UNAUTHENTICATED\""]);
        let error = &answer.errors[0];
        assert_eq!(error.path, [PathSegment::Field("other".to_owned())]);
        assert_eq!((error.locations[0].line, error.locations[0].column), (2, 3));
    }
}
