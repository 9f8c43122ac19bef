//! What the stream of the core table says, as the engine has it.

use aws_sdk_dynamodb::types::AttributeValue;
use dynoxide::actions::get_records::{GetRecordsRequest, Record};
use dynoxide::actions::get_shard_iterator::GetShardIteratorRequest;
use dynoxide::types::AttributeValue as Stored;
use switchboard_app::audit::StreamRecord;
use switchboard_store::item::Item;

/// The stream of a table, read from when it was opened.
pub struct TableStream {
    engine: dynoxide::Database,
    iterator: Option<String>,
}

impl TableStream {
    /// The stream of this table of the engine, which has been told to keep one.
    pub(crate) fn of(engine: dynoxide::Database, table: &str) -> Self {
        let request = GetShardIteratorRequest {
            stream_arn: dynoxide::streams::stream_arn(table, "latest"),
            shard_id: dynoxide::streams::shard_id(table),
            shard_iterator_type: "TRIM_HORIZON".to_owned(),
            sequence_number: None,
        };
        let iterator = engine.get_shard_iterator(request).expect("a stream").shard_iterator;
        Self { engine, iterator }
    }

    /// What changed since it was last asked, in the order it changed in.
    pub fn read(&mut self) -> Vec<StreamRecord> {
        let mut records = Vec::new();
        loop {
            let shard_iterator = self.iterator.take().expect("a stream without an end");
            let page = self.engine.get_records(GetRecordsRequest { shard_iterator, limit: None }).expect("records");
            self.iterator = page.next_shard_iterator;
            if page.records.is_empty() {
                return records;
            }
            records.extend(page.records.into_iter().map(record));
        }
    }
}

fn record(record: Record) -> StreamRecord {
    let image = |item: dynoxide::types::Item| item.into_iter().map(|(name, value)| (name, attribute(value))).collect::<Item>();
    StreamRecord { sequence: record.dynamodb.sequence_number, old: record.dynamodb.old_image.map(image), new: record.dynamodb.new_image.map(image) }
}

/// An attribute of the engine as one of the client.
fn attribute(value: Stored) -> AttributeValue {
    match value {
        Stored::S(text) => AttributeValue::S(text),
        Stored::N(number) => AttributeValue::N(number),
        Stored::B(bytes) => AttributeValue::B(bytes.into()),
        Stored::BOOL(is) => AttributeValue::Bool(is),
        Stored::NULL(is) => AttributeValue::Null(is),
        Stored::SS(texts) => AttributeValue::Ss(texts),
        Stored::NS(numbers) => AttributeValue::Ns(numbers),
        Stored::BS(all) => AttributeValue::Bs(all.into_iter().map(Into::into).collect()),
        Stored::L(values) => AttributeValue::L(values.into_iter().map(attribute).collect()),
        Stored::M(values) => AttributeValue::M(values.into_iter().map(|(name, value)| (name, attribute(value))).collect()),
    }
}
