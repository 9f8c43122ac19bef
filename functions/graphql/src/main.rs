//! The GraphQL API behind the HTTP gateway.
#![recursion_limit = "256"]

mod graphiql;
mod http;
mod keys;
mod token;

use std::sync::Arc;

use lambda_http::{Error, run};
use switchboard_app::Services;
use switchboard_app::imports::{CHUNK_ROWS, ImportServices};
use switchboard_app::viewer::SignIns;
use switchboard_graphql::{Api, schema};
use switchboard_lambda::{Aws, log_to_stdout, setting};

use crate::http::Server;
use crate::keys::PoolKeys;
use crate::token::TokenVerifier;

/// Room on the stack of each thread for the futures of nested selections, which are large when nothing is optimised.
const STACK_BYTES: usize = 8 * 1024 * 1024;

fn main() -> Result<(), Error> {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().thread_stack_size(STACK_BYTES).build()?;
    runtime.block_on(serve())
}

async fn serve() -> Result<(), Error> {
    log_to_stdout();
    let aws = Aws::from_environment().await;
    let (results, bulk_queue, audit_export_queue) = (aws.files("RESULTS_BUCKET")?, aws.queue("CONTACT_BULK_QUEUE_URL")?, aws.queue("AUDIT_EXPORT_QUEUE_URL")?);
    let score_train_queue = aws.queue("SCORE_TRAIN_QUEUE_URL")?;
    let services = Services { results: results.clone(), bulk_queue, audit_export_queue, score_train_queue, ..aws.services()? };
    let (uploads, rows) = (aws.files("UPLOADS_BUCKET")?, aws.queue("IMPORT_ROWS_QUEUE_URL")?);
    let imports = ImportServices { services: services.clone(), uploads, results, rows, chunk_rows: CHUNK_ROWS };
    let api = Api { services, imports, signer: aws.signer("AUDIT_SEAL_KEY")? };
    let explorable = setting("GRAPHIQL").is_ok_and(|value| value == "on");
    let keys = PoolKeys::new(setting("JWKS_URL")?)?;
    let issuer = format!("https://cognito-idp.{}.amazonaws.com/{}", setting("AWS_REGION")?, setting("USER_POOL_ID")?);
    let server = Server {
        schema: schema(api.clone(), explorable),
        services: api.services.clone(),
        api,
        sign_ins: SignIns::default(),
        tokens: TokenVerifier::new(keys, &issuer, &setting("USER_POOL_CLIENT_ID")?),
        graphiql: if explorable { graphiql::page() } else { None },
    };
    run(http::router(Arc::new(server))).await
}
