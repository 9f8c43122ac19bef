//! Has those contacts scored again, each minute, whose scores change by time alone and whose time has come.

use anyhow::Result;
use lambda_runtime::{Error, LambdaEvent, run, service_fn};
use serde_json::Value;
use switchboard_app::scoring::Sweep;
use switchboard_lambda::{Aws, SystemClock, log_to_stdout, stop_at};

#[tokio::main]
async fn main() -> Result<(), Error> {
    log_to_stdout();
    let aws = Aws::from_environment().await;
    let services = aws.services()?;
    let sweep = Sweep { core: services.core, queue: aws.queue("SCORE_QUEUE_URL")?, clock: services.clock };
    let sweep = &sweep;
    // The schedule's event says nothing that isn't in the table.
    run(service_fn(|event: LambdaEvent<Value>| async move {
        let stop = stop_at(&SystemClock, event.context.deadline);
        let swept = Box::pin(sweep.sweep(stop)).await.inspect_err(|error| tracing::error!(%error, "what is due could not be swept"))?;
        tracing::info!(swept.read, swept.sent, swept.until = %swept.until, swept.is_caught_up, "scores whose time has come were sent to be made anew");
        Ok::<_, Error>(())
    }))
    .await
}
