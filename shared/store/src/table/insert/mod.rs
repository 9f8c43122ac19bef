//! Inserts of many new items, 25 in a request.
//!
//! An import makes a million of them, so the bodies of these requests are written here, each attribute when it is made, and not first as
//! values of the SDK (`docs/decisions/0035-bodies-of-inserts.md` says what that saves). All else of a request, its signature, its retries, its answer, is the SDK's.

mod serializer;

use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::types::{AttributeValue, BatchStatementErrorCodeEnum};
use futures::StreamExt as _;
use futures::stream::FuturesOrdered;
use serde::Serialize;

use serializer::ValueSerializer;

use super::body::{Body, encoded, quoted, tagged};
use super::{AT_ONCE, BATCH_ATTEMPTS, BATCH_WRITE, CoreTable, INDEX_PARTITIONS, back_off, check};
use crate::attribute_writer::AttributeWriter;
use crate::error::{StoreError, TRANSIENT_CODES};
use crate::scope::TenantScope;

/// What an item takes of a body, about: of an import's contacts.
const ITEM_BYTES: usize = 3_000;
/// What the bodies that are on their way have together before no further one is written. Eight bodies of contacts have less than a tenth of it.
const MOST_BYTES: usize = 4 << 20;

impl CoreTable {
    /// Writes many new items, each told when its turn comes; tells for each whether it was written (false: its key was taken). 1 request per 25, units as
    /// [`Self::insert`].
    ///
    /// # Errors
    /// Those of the database and of the telling, and [`StoreError::OutsideTenant`]; items before the failing one may be written.
    pub(crate) async fn insert_many(
        &self,
        scope: &TenantScope,
        count: usize,
        item: impl FnMut(usize, &mut Statements<'_>) -> Result<(), StoreError> + Send,
    ) -> Result<Vec<bool>, StoreError> {
        insert_many(&self.client, &self.name, Some(scope), count, item).await
    }
}

/// Inserts items with PartiQL, 25 in a request and up to eight requests at once, telling and trying again those that the database had no time for. Memory holds the
/// bodies of the requests that are on their way: 4 MiB, and what one more has.
pub(crate) async fn insert_many(
    client: &Client,
    table: &str,
    scope: Option<&TenantScope>,
    count: usize,
    mut item: impl FnMut(usize, &mut Statements<'_>) -> Result<(), StoreError> + Send,
) -> Result<Vec<bool>, StoreError> {
    let mut outcomes = vec![false; count];
    let mut left: Vec<usize> = (0..count).collect();
    let mut attempt = 0;
    while !left.is_empty() {
        let mut again = Vec::new();
        let mut batches = left.chunks(BATCH_WRITE);
        loop {
            let (mut sent, mut requests, mut bytes) = (Vec::with_capacity(AT_ONCE), FuturesOrdered::new(), 0);
            while has_room(sent.len(), bytes)
                && let Some(batch) = batches.next()
            {
                let mut statements = Statements::new(table, scope);
                for index in batch {
                    statements.insert(|attributes| item(*index, attributes))?;
                }
                let json = statements.into_json();
                bytes += json.len();
                requests.push_back(client.batch_execute_statement().customize().interceptor(Body::new(json)).send());
                sent.push(batch);
            }
            if sent.is_empty() {
                break;
            }
            // All of them end: what one of them said doesn't leave another half-way.
            let answers: Vec<_> = requests.collect().await;
            for (batch, answer) in sent.into_iter().zip(answers) {
                let responses = answer?.responses.unwrap_or_default();
                if responses.len() != batch.len() {
                    return Err(StoreError::Unavailable("the batch was answered in part".to_owned()));
                }
                for (index, response) in batch.iter().zip(responses) {
                    match response.error {
                        None => outcomes[*index] = true,
                        Some(error) if error.code == Some(BatchStatementErrorCodeEnum::DuplicateItem) => {}
                        Some(error) => {
                            let code = error.code.as_ref().map_or("unknown", |code| code.as_str());
                            if !TRANSIENT_CODES.contains(&code) {
                                return Err(StoreError::Refused(format!("{code}: {}", error.message.unwrap_or_default())));
                            }
                            again.push(*index);
                        }
                    }
                }
            }
        }
        left = again;
        if !left.is_empty() {
            attempt += 1;
            if attempt == BATCH_ATTEMPTS {
                return Err(StoreError::Unavailable("the database had no time for part of a batch".to_owned()));
            }
            back_off(attempt).await;
        }
    }
    Ok(outcomes)
}

/// Whether one more request is written before those that are are waited for.
fn has_room(requests: usize, bytes: usize) -> bool {
    requests < AT_ONCE && bytes < MOST_BYTES
}

/// The body of a `BatchExecuteStatement`: an `INSERT` of each item. What an item is told is written at once: the values as parameters of its statement, the names
/// into the statement's text, which stands behind them.
pub(crate) struct Statements<'a> {
    scope: Option<&'a TenantScope>,
    /// How the text of each statement begins, as JSON writes it.
    beginning: String,
    json: Vec<u8>,
    /// The text of the statement at hand.
    statement: String,
    /// Whether the item at hand has a key.
    has_key: bool,
}

impl<'a> Statements<'a> {
    /// None yet, into this table, of items of this tenant where one is given.
    fn new(table: &str, scope: Option<&'a TenantScope>) -> Self {
        Self {
            scope,
            beginning: format!("\"INSERT INTO \\\"{table}\\\" VALUE {{"),
            json: Vec::with_capacity(BATCH_WRITE * ITEM_BYTES),
            statement: String::new(),
            has_key: false,
        }
    }

    /// One more, of the item that is told.
    fn insert(&mut self, item: impl FnOnce(&mut Self) -> Result<(), StoreError>) -> Result<(), StoreError> {
        self.json.extend_from_slice(if self.json.is_empty() { br#"{"Statements":["# } else { b"," });
        self.json.extend_from_slice(br#"{"Parameters":["#);
        self.statement.clear();
        self.statement.push_str(&self.beginning);
        self.has_key = self.scope.is_none();
        item(self)?;
        if !self.has_key {
            return Err(StoreError::OutsideTenant);
        }
        self.statement.push_str("}\"");
        self.json.extend_from_slice(br#"],"Statement":"#);
        self.json.extend_from_slice(self.statement.as_bytes());
        self.json.push(b'}');
        Ok(())
    }

    fn into_json(mut self) -> Vec<u8> {
        self.json.extend_from_slice(b"]}");
        self.json
    }

    /// Names the next parameter.
    fn name(&mut self, name: &str) {
        debug_assert!(name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_'), "{name} needs no quotes");
        if !self.statement.ends_with('{') {
            self.statement.push(',');
            self.json.push(b',');
        }
        self.statement.extend(["'", name, "':?"]);
    }

    /// The second look at every key, whatever the code above believes.
    fn look_at(&mut self, name: &str, text: &str) -> Result<(), StoreError> {
        let Some(scope) = self.scope.filter(|_| name == "PK" || INDEX_PARTITIONS.contains(&name)) else {
            return Ok(());
        };
        self.has_key |= name == "PK";
        check(scope, text)
    }
}

impl AttributeWriter for Statements<'_> {
    fn text(&mut self, name: &str, text: &str) -> Result<(), StoreError> {
        self.look_at(name, text)?;
        self.serialized("text", name, text)
    }

    fn number(&mut self, name: &str, number: i64) -> Result<(), StoreError> {
        self.serialized("number", name, &number)
    }

    fn bytes(&mut self, name: &str, bytes: &[u8]) -> Result<(), StoreError> {
        self.name(name);
        tagged(&mut self.json, "B", |json| encoded(json, bytes));
        Ok(())
    }

    fn value(&mut self, name: &str, value: AttributeValue) -> Result<(), StoreError> {
        if let AttributeValue::S(text) = &value {
            self.look_at(name, text)?;
        }
        self.name(name);
        written(&mut self.json, &value)
    }

    fn serialized<T: Serialize + ?Sized>(&mut self, kind: &'static str, name: &str, value: &T) -> Result<(), StoreError> {
        self.name(name);
        value.serialize(ValueSerializer(&mut self.json)).map_err(|error| StoreError::undecodable(kind, error))
    }
}

fn refused(error: serde_json::Error) -> StoreError {
    StoreError::Refused(error.to_string())
}

/// Elements between brackets.
fn each<T>(
    json: &mut Vec<u8>,
    brackets: [u8; 2],
    elements: impl IntoIterator<Item = T>,
    mut write: impl FnMut(&mut Vec<u8>, T) -> Result<(), StoreError>,
) -> Result<(), StoreError> {
    json.push(brackets[0]);
    for (index, element) in elements.into_iter().enumerate() {
        if index > 0 {
            json.push(b',');
        }
        write(json, element)?;
    }
    json.push(brackets[1]);
    Ok(())
}

/// Writes a value of any type in the form DynamoDB has for it (the API reference, `AttributeValue`).
fn written(json: &mut Vec<u8>, value: &AttributeValue) -> Result<(), StoreError> {
    let text = |json: &mut Vec<u8>, text: &String| quoted(json, text).map_err(refused);
    match value {
        AttributeValue::S(said) => tagged(json, "S", |json| text(json, said)),
        AttributeValue::N(number) => tagged(json, "N", |json| text(json, number)),
        AttributeValue::B(bytes) => {
            tagged(json, "B", |json| encoded(json, bytes.as_ref()));
            Ok(())
        }
        AttributeValue::Bool(is) => {
            tagged(json, "BOOL", |json| json.extend_from_slice(if *is { b"true" } else { b"false" }));
            Ok(())
        }
        AttributeValue::Null(_) => {
            tagged(json, "NULL", |json| json.extend_from_slice(b"true"));
            Ok(())
        }
        AttributeValue::Ss(texts) => tagged(json, "SS", |json| each(json, *b"[]", texts, text)),
        AttributeValue::Ns(numbers) => tagged(json, "NS", |json| each(json, *b"[]", numbers, text)),
        AttributeValue::Bs(all) => tagged(json, "BS", |json| {
            each(json, *b"[]", all, |json, bytes| {
                encoded(json, bytes.as_ref());
                Ok(())
            })
        }),
        AttributeValue::L(values) => tagged(json, "L", |json| each(json, *b"[]", values, written)),
        AttributeValue::M(values) => tagged(json, "M", |json| {
            each(json, *b"{}", values, |json, (name, value)| {
                quoted(json, name).map_err(refused)?;
                json.push(b':');
                written(json, value)
            })
        }),
        _ => Err(StoreError::Refused("an attribute of a type that is not known here".to_owned())),
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;

    use jiff::Timestamp;
    use serde_json::{Value, json};
    use switchboard_domain::ids::TenantId;

    use super::*;
    use crate::keys::tenant_prefix;

    fn tenant(seed: u8) -> TenantId {
        TenantId::new(Timestamp::UNIX_EPOCH, &[seed; 10])
    }

    #[test]
    fn each_item_is_a_statement_with_its_values_as_parameters() {
        let mut statements = Statements::new("core", None);
        let said = "\"it's\" \\ {\u{1}\n\u{2028}\u{1f4de}";
        statements
            .insert(|attributes| {
                attributes.text("PK", said)?;
                attributes.number("revision", -7)?;
                attributes.bytes("key", &[0, 255, 1])
            })
            .unwrap();
        statements.insert(|attributes| attributes.shown("type", &"none")).unwrap();
        let body: Value = serde_json::from_slice(&statements.into_json()).unwrap();
        let expected = json!({"Statements": [
            {"Statement": "INSERT INTO \"core\" VALUE {'PK':?,'revision':?,'key':?}", "Parameters": [{"S": said}, {"N": "-7"}, {"B": "AP8B"}]},
            {"Statement": "INSERT INTO \"core\" VALUE {'type':?}", "Parameters": [{"S": "none"}]},
        ]});
        assert_eq!(body, expected);
    }

    #[test]
    fn large_items_are_not_all_in_memory_before_the_first_is_sent() {
        let largest = BATCH_WRITE * 400 * 1_024;
        assert!(has_room(0, 0) && has_room(AT_ONCE - 1, (AT_ONCE - 1) * BATCH_WRITE * ITEM_BYTES));
        assert!(!has_room(1, largest) && !has_room(AT_ONCE, 0));
    }

    #[test]
    fn a_value_of_every_type_is_written_as_dynamodb_reads_it() {
        let text = |text: &str| AttributeValue::S(text.to_owned());
        let map = HashMap::from([("a \"name\"".to_owned(), AttributeValue::L(vec![text(""), AttributeValue::Null(true), AttributeValue::M(HashMap::new())]))]);
        let values = [
            (AttributeValue::M(map), json!({"M": {"a \"name\"": {"L": [{"S": ""}, {"NULL": true}, {"M": {}}]}}})),
            (AttributeValue::N("1.5e-7".to_owned()), json!({"N": "1.5e-7"})),
            (AttributeValue::Bool(false), json!({"BOOL": false})),
            (AttributeValue::B(Vec::new().into()), json!({"B": ""})),
            (AttributeValue::Ss(vec!["a".to_owned(), "\t".to_owned()]), json!({"SS": ["a", "\t"]})),
            (AttributeValue::Ns(vec!["1".to_owned()]), json!({"NS": ["1"]})),
            (AttributeValue::Bs(vec![vec![1].into(), vec![2, 3].into()]), json!({"BS": ["AQ==", "AgM="]})),
        ];
        for (value, expected) in values {
            let mut json = Vec::new();
            written(&mut json, &value).unwrap();
            assert_eq!(serde_json::from_slice::<Value>(&json).unwrap(), expected);
        }
    }

    #[test]
    fn an_item_of_another_tenant_or_without_a_key_is_not_inserted() {
        let scope = TenantScope::vouched(tenant(1));
        let (own, other) = (format!("{}X", tenant_prefix(tenant(1))), format!("{}X", tenant_prefix(tenant(2))));
        let outcome = |attributes: &[(&str, &str)], as_values: bool| {
            Statements::new("core", Some(&scope)).insert(|statement| {
                for (name, text) in attributes {
                    if as_values { statement.value(name, AttributeValue::S((*text).to_owned()))? } else { statement.text(name, text)? }
                }
                Ok(())
            })
        };
        for as_values in [false, true] {
            assert!(outcome(&[("PK", &own), ("GSI2PK", &own), ("SK", &other)], as_values).is_ok());
            for wrong in [&[("PK", other.as_str()), ("GSI1PK", &own)][..], &[("PK", &own), ("GSI2PK", &other)], &[("GSI1PK", &own)], &[]] {
                assert!(matches!(outcome(wrong, as_values), Err(StoreError::OutsideTenant)), "{wrong:?}");
            }
        }
    }
}
