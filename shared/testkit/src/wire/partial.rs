//! A batch of which a service carries out the first half, and says that it had no time for the rest.

use aws_smithy_runtime_api::client::http::{HttpConnector, HttpConnectorFuture, SharedHttpConnector};
use aws_smithy_runtime_api::client::orchestrator::HttpRequest;
use aws_smithy_runtime_api::client::result::ConnectorError;
use aws_smithy_types::body::SdkBody;
use aws_smithy_types::byte_stream::ByteStream;
use serde_json::{Value, json};

use super::{answer, operation, throttled};

/// A batch in two parts.
struct Halves {
    operation: String,
    /// The request that is carried out; none when that is nothing.
    first: Option<Value>,
    /// The same request with what isn't.
    rest: Value,
}

/// Has the first half of a batch carried out; turns any other request away.
pub(super) fn call(inner: &SharedHttpConnector, mut request: HttpRequest) -> HttpConnectorFuture {
    let Some(halves) = Halves::of(&request) else {
        return HttpConnectorFuture::ready(Ok(throttled(&request)));
    };
    let done = halves.first.as_ref().map(|first| {
        let body = first.to_string();
        request.headers_mut().insert("content-length", body.len().to_string());
        *request.body_mut() = SdkBody::from(body);
        inner.call(request)
    });
    HttpConnectorFuture::new(async move {
        let said = match done {
            None => json!({}),
            Some(done) => {
                let response = done.await?;
                if !response.status().is_success() {
                    return Ok(response);
                }
                let body = ByteStream::new(response.into_body()).collect().await.map_err(|error| ConnectorError::io(error.into()))?;
                serde_json::from_slice::<Value>(&body.into_bytes()).map_err(|error| ConnectorError::io(error.into()))?
            }
        };
        Ok(answer(200, halves.completed(said).to_string()))
    })
}

impl Halves {
    /// None for a request that is no batch, and for one that reads or writes so little that its first half is nothing: that one is turned away whole.
    fn of(request: &HttpRequest) -> Option<Self> {
        let operation = operation(request);
        let body: Value = serde_json::from_slice(request.body().bytes()?).ok()?;
        let tables = || body["RequestItems"].as_object().into_iter().flatten().map(|(table, _)| table.clone());
        let lists: Vec<String> = match operation {
            "BatchExecuteStatement" => vec!["/Statements".to_owned()],
            "SendMessageBatch" => vec!["/Entries".to_owned()],
            "BatchWriteItem" => tables().map(|table| format!("/RequestItems/{table}")).collect(),
            "BatchGetItem" => tables().map(|table| format!("/RequestItems/{table}/Keys")).collect(),
            _ => return None,
        };
        let (mut first, mut rest) = (body.clone(), body.clone());
        let mut carried_out = 0;
        for list in lists {
            let all = body.pointer(&list)?.as_array()?;
            let (before, after) = all.split_at(all.len() / 2);
            carried_out += before.len();
            *first.pointer_mut(&list)? = before.into();
            *rest.pointer_mut(&list)? = after.into();
        }
        if let Some(tables) = first.get_mut("RequestItems").and_then(Value::as_object_mut) {
            tables.retain(|_, items| items.get("Keys").unwrap_or(&*items).as_array().is_some_and(|items| !items.is_empty()));
            if tables.is_empty() {
                return None;
            }
        }
        Some(Self { operation: operation.to_owned(), first: (carried_out > 0).then_some(first), rest })
    }

    /// What the service said of the first half, with what it says of the rest.
    fn completed(&self, mut said: Value) -> Value {
        let no_time = "Throughput exceeds the current capacity.";
        let mut say = |list: &str, of: &str, refused: fn(&Value, &str) -> Value| {
            let mut all = said[list].as_array().cloned().unwrap_or_default();
            all.extend(self.rest[of].as_array().into_iter().flatten().map(|item| refused(item, no_time)));
            said[list] = all.into();
        };
        match self.operation.as_str() {
            "BatchExecuteStatement" => say("Responses", "Statements", |_, why| json!({ "Error": { "Code": "ThrottlingError", "Message": why } })),
            "SendMessageBatch" => {
                say("Failed", "Entries", |entry, why| json!({ "Id": entry["Id"], "SenderFault": false, "Code": "ServiceUnavailable", "Message": why }));
                if said["Successful"].is_null() {
                    said["Successful"] = json!([]);
                }
            }
            "BatchWriteItem" => said["UnprocessedItems"] = self.rest["RequestItems"].clone(),
            _ => said["UnprocessedKeys"] = self.rest["RequestItems"].clone(),
        }
        said
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn halves(operation: &str, body: &Value) -> Option<Halves> {
        let mut request = HttpRequest::new(SdkBody::from(body.to_string()));
        request.headers_mut().insert("x-amz-target", format!("DynamoDB_20120810.{operation}"));
        Halves::of(&request)
    }

    #[test]
    fn what_is_no_batch_has_no_halves() {
        assert!(halves("PutItem", &json!({ "Item": {} })).is_none());
        assert!(halves("BatchWriteItem", &json!({ "RequestItems": { "core": [1] } })).is_none());
    }

    #[test]
    fn the_answer_says_what_was_not_carried_out() {
        let statements = halves("BatchExecuteStatement", &json!({ "Statements": [1, 2, 3] })).unwrap();
        assert_eq!(statements.first, Some(json!({ "Statements": [1] })));
        let said = statements.completed(json!({ "Responses": [{ "TableName": "core" }] }));
        let codes: Vec<Option<&str>> = said["Responses"].as_array().unwrap().iter().map(|response| response["Error"]["Code"].as_str()).collect();
        assert_eq!(codes, [None, Some("ThrottlingError"), Some("ThrottlingError")]);

        let writes = halves("BatchWriteItem", &json!({ "RequestItems": { "core": [1, 2], "audit": [3] } })).unwrap();
        assert_eq!(writes.first, Some(json!({ "RequestItems": { "core": [1] } })));
        assert_eq!(writes.completed(json!({}))["UnprocessedItems"], json!({ "core": [2], "audit": [3] }));

        let reads = halves("BatchGetItem", &json!({ "RequestItems": { "core": { "Keys": [1, 2, 3], "ConsistentRead": true } } })).unwrap();
        assert_eq!(reads.completed(json!({}))["UnprocessedKeys"], json!({ "core": { "Keys": [2, 3], "ConsistentRead": true } }));

        let messages = halves("SendMessageBatch", &json!({ "Entries": [{ "Id": "0" }] })).unwrap();
        assert_eq!(messages.first, None);
        let said = messages.completed(json!({}));
        assert_eq!((said["Failed"][0]["Id"].as_str(), said["Failed"][0]["SenderFault"].as_bool(), &said["Successful"]), (Some("0"), Some(false), &json!([])));
    }
}
