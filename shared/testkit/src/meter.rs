//! Counts the requests a client makes and the units they consume, as the engine reports them.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use aws_sdk_dynamodb::config::interceptors::{AfterDeserializationInterceptorContextRef, BeforeTransmitInterceptorContextMut, BeforeTransmitInterceptorContextRef};
use aws_sdk_dynamodb::config::{ConfigBag, Intercept, RuntimeComponents};
use aws_sdk_dynamodb::error::BoxError;
use aws_smithy_types::body::SdkBody;
use aws_smithy_types::config_bag::{Storable, StoreReplace};
use serde_json::{Value, json};

/// What was used.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Usage {
    /// Requests by operation.
    pub requests: BTreeMap<String, u32>,
    /// Read units, all tables and indexes.
    pub read_units: f64,
    /// Write units by table, or table and index (`core`, `core/GSI1`, `audit`).
    pub write_units: BTreeMap<String, f64>,
}

impl Usage {
    /// All requests.
    #[must_use]
    pub fn total_requests(&self) -> u32 {
        self.requests.values().sum()
    }

    /// All write units.
    #[must_use]
    pub fn total_write_units(&self) -> f64 {
        self.write_units.values().sum::<f64>() + 0.0
    }
}

/// The operation of a request, kept until its answer comes.
#[derive(Debug)]
struct Operation(String);

impl Storable for Operation {
    type Storer = StoreReplace<Self>;
}

/// The meter of one client.
#[derive(Debug, Clone, Default)]
pub struct Meter {
    used: Arc<Mutex<Usage>>,
}

impl Meter {
    /// Begins anew.
    pub fn reset(&self) {
        *self.lock() = Usage::default();
    }

    /// What was used since the last beginning.
    #[must_use]
    pub fn usage(&self) -> Usage {
        self.lock().clone()
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Usage> {
        self.used.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn operation(target: Option<&str>) -> String {
    target.and_then(|target| target.rsplit('.').next()).unwrap_or("unknown").to_owned()
}

fn is_read(operation: &str) -> bool {
    matches!(operation, "GetItem" | "BatchGetItem" | "Query")
}

/// Operations whose consumption can be asked for.
fn is_metered(operation: &str) -> bool {
    is_read(operation) || matches!(operation, "PutItem" | "UpdateItem" | "TransactWriteItems" | "BatchExecuteStatement" | "BatchWriteItem")
}

impl Intercept for Meter {
    fn name(&self) -> &'static str {
        "Meter"
    }

    fn modify_before_signing(&self, context: &mut BeforeTransmitInterceptorContextMut<'_>, _: &RuntimeComponents, _: &mut ConfigBag) -> Result<(), BoxError> {
        let request = context.request_mut();
        if !is_metered(&operation(request.headers().get("x-amz-target"))) {
            return Ok(());
        }
        let mut body: Value = serde_json::from_slice(request.body().bytes().unwrap_or_default())?;
        body["ReturnConsumedCapacity"] = json!("INDEXES");
        let body = serde_json::to_vec(&body)?;
        request.headers_mut().insert("content-length", body.len().to_string());
        *request.body_mut() = SdkBody::from(body);
        Ok(())
    }

    fn read_before_transmit(&self, context: &BeforeTransmitInterceptorContextRef<'_>, _: &RuntimeComponents, bag: &mut ConfigBag) -> Result<(), BoxError> {
        let operation = operation(context.request().headers().get("x-amz-target"));
        *self.lock().requests.entry(operation.clone()).or_default() += 1;
        bag.interceptor_state().store_put(Operation(operation));
        Ok(())
    }

    fn read_after_deserialization(&self, context: &AfterDeserializationInterceptorContextRef<'_>, _: &RuntimeComponents, bag: &mut ConfigBag) -> Result<(), BoxError> {
        let operation = bag.load::<Operation>().map(|operation| operation.0.clone()).unwrap_or_default();
        let answer: Value = serde_json::from_slice(context.response().body().bytes().unwrap_or_default()).unwrap_or_default();
        let consumed = match &answer["ConsumedCapacity"] {
            Value::Array(tables) => tables.clone(),
            Value::Null => Vec::new(),
            one => vec![one.clone()],
        };
        let mut usage = self.lock();
        for table in consumed {
            let name = table["TableName"].as_str().unwrap_or_default().to_owned();
            if is_read(&operation) {
                usage.read_units += table["CapacityUnits"].as_f64().unwrap_or(0.0);
                continue;
            }
            let mut add = |place: String, units: &Value| *usage.write_units.entry(place).or_default() += units["CapacityUnits"].as_f64().unwrap_or(0.0);
            add(name.clone(), &table["Table"]);
            for (index, units) in table["GlobalSecondaryIndexes"].as_object().into_iter().flatten() {
                add(format!("{name}/{index}"), units);
            }
        }
        Ok(())
    }
}
