//! An answer, and what it comes to in one word.

use serde_json::{Value, json};

/// Whether a value is null, or made of nulls: what stands around a field that was refused.
fn says_nothing(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::Object(fields) => fields.values().all(says_nothing),
        _ => false,
    }
}

/// An answer of the API.
pub(crate) struct Answer {
    /// As it is written, without the id of the request.
    pub(crate) text: String,
    /// The same, read.
    pub(crate) body: Value,
}

impl Answer {
    /// What came of asking for a field of the root, and of a field of that when one is named: `ok`, `null`, the code of the error, `refused:` with the
    /// codes of what a person could mend, `allowed` when only a service that isn't there was missing, and `partial` for an error beside an answer.
    pub(crate) fn outcome(&self, root: &str, nested: Option<&str>) -> String {
        let found = &self.body["data"][root];
        let code = |error: &Value| error["extensions"]["code"].as_str().unwrap_or("no code").to_owned();
        if let Some(errors) = self.body["errors"].as_array().filter(|errors| !errors.is_empty()) {
            return match code(&errors[0]).as_str() {
                _ if !says_nothing(found) => "partial".to_owned(),
                "UNAVAILABLE" => "allowed".to_owned(),
                code => code.to_owned(),
            };
        }
        if nested.map_or(found, |nested| &found[nested]).is_null() {
            return "null".to_owned();
        }
        let mut refused: Vec<&str> = found["userErrors"].as_array().into_iter().flatten().filter_map(|error| error["code"].as_str()).collect();
        refused.dedup();
        if refused.is_empty() { "ok".to_owned() } else { format!("refused:{}", refused.join("+")) }
    }

    /// Whether what was asked for is somewhere in the answer.
    pub(crate) fn mentions(&self, id: &Value) -> bool {
        self.text.contains(id.as_str().unwrap_or_else(|| panic!("{id} is no id")))
    }

    /// Where the next page of a list begins; none at its end, and for what has no pages.
    pub(crate) fn next_page(&self, root: &str) -> Option<Value> {
        let page = &self.body["data"][root]["pageInfo"];
        (page["hasNextPage"] == json!(true)).then(|| page["endCursor"].clone())
    }
}
