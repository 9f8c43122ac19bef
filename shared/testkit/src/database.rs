//! A DynamoDB engine of one test, with the tables as the template has them.

use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::config::retry::RetryConfig;
use aws_sdk_dynamodb::config::{BehaviorVersion, Credentials, Region};
use aws_sdk_dynamodb::types::{AttributeDefinition, BillingMode, GlobalSecondaryIndex, KeySchemaElement, KeyType, Projection, ProjectionType};
use aws_sdk_dynamodb::types::{ScalarAttributeType, StreamSpecification, StreamViewType};
use switchboard_store::CoreTable;
use switchboard_store::audit_events::AuditTable;

use crate::meter::Meter;
use crate::stream::TableStream;
use crate::wire::Wire;

/// What index 1 carries: the same as in `infra/template.yaml`, which a test holds it to.
pub const PROJECTED: [&str; 20] = [
    "version",
    "updated_at",
    "deleted_at",
    "key",
    "sealed_list",
    "name",
    "city",
    "region",
    "country",
    "source",
    "time_zone",
    "time_zone_from",
    "status",
    "assignee",
    "team",
    "next_contact_at",
    "suppressed",
    "imports",
    "merged_into",
    "score",
];

/// What index 2 carries, likewise.
pub const PROJECTED_OF_WORK: [&str; 3] = ["GSI1SK", "status", "last_activity_at"];

/// The keys of the two indexes of the audit table.
const AUDIT_INDEX_KEYS: [&str; 4] = ["GSI1PK", "GSI1SK", "GSI2PK", "GSI2SK"];

/// The keys of the three indexes of the core table: the third has the partitions of the first.
const CORE_INDEX_KEYS: [&str; 5] = ["GSI1PK", "GSI1SK", "GSI2PK", "GSI2SK", "GSI3SK"];

/// The engine with its two tables.
#[derive(Clone)]
pub struct Database {
    /// The core table.
    pub core: CoreTable,
    /// The audit table.
    pub audit: AuditTable,
    /// The client of both.
    pub client: Client,
    /// What its requests cost.
    pub meter: Meter,
    /// The wire they go over.
    pub wire: Wire,
    engine: dynoxide::Database,
}

impl Database {
    /// Starts an empty one, which ends with the test's runtime.
    pub async fn start() -> Self {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let address = listener.local_addr().expect("an address");
        let engine = dynoxide::Database::memory().expect("an engine");
        tokio::spawn(dynoxide::server::serve_on(listener, engine.clone()));
        let (meter, wire) = (Meter::default(), Wire::default());
        let config = aws_sdk_dynamodb::Config::builder()
            .behavior_version(BehaviorVersion::latest())
            .endpoint_url(format!("http://{address}"))
            .region(Region::new("ca-central-1"))
            .credentials_provider(Credentials::new("test", "test", None, None, "testkit"))
            .http_client(wire.client())
            .interceptor(meter.clone())
            .build();
        let client = Client::from_conf(config);
        create_core(&client).await;
        create(&client, "audit", &AUDIT_INDEX_KEYS, vec![whole_index("GSI1"), whole_index("GSI2")]).await;
        meter.reset();
        Self { core: CoreTable::new(client.clone(), "core"), audit: AuditTable::new(client.clone(), "audit"), client, meter, wire, engine }
    }

    /// Has the core table keep a stream from now on, and opens it. Tests that need none are spared what it takes.
    ///
    /// # Panics
    /// When the table has one.
    pub async fn open_stream(&self) -> TableStream {
        let images = StreamSpecification::builder().stream_enabled(true).stream_view_type(StreamViewType::NewAndOldImages).build().expect("a stream");
        self.client.update_table().table_name("core").stream_specification(images).send().await.expect("the table");
        TableStream::of(self.engine.clone(), "core")
    }

    /// The same database over a client that tries nothing again: a fault of the wire ends what was being done.
    #[must_use]
    pub fn without_retries(&self) -> Self {
        self.with_retries(RetryConfig::disabled())
    }

    /// The same database over a client that tries again like this.
    #[must_use]
    pub fn with_retries(&self, retries: RetryConfig) -> Self {
        let client = Client::from_conf(self.client.config().to_builder().retry_config(retries).build());
        Self { core: CoreTable::new(client.clone(), "core"), audit: AuditTable::new(client.clone(), "audit"), client, ..self.clone() }
    }
}

async fn create_core(client: &Client) {
    let indexes = vec![index("GSI1", &PROJECTED), index("GSI2", &PROJECTED_OF_WORK), index_of_keys("GSI3", "GSI1PK")];
    create(client, "core", &CORE_INDEX_KEYS, indexes).await;
}

/// An index that carries some attributes.
fn index(name: &str, projected: &[&str]) -> GlobalSecondaryIndex {
    let projected = projected.iter().map(|name| (*name).to_owned()).collect();
    of_projection(name, &format!("{name}PK"), Projection::builder().projection_type(ProjectionType::Include).set_non_key_attributes(Some(projected)).build())
}

/// An index that carries all attributes.
fn whole_index(name: &str) -> GlobalSecondaryIndex {
    of_projection(name, &format!("{name}PK"), Projection::builder().projection_type(ProjectionType::All).build())
}

/// An index that carries keys only, with the partitions of another.
fn index_of_keys(name: &str, partitions: &str) -> GlobalSecondaryIndex {
    of_projection(name, partitions, Projection::builder().projection_type(ProjectionType::KeysOnly).build())
}

fn of_projection(name: &str, partitions: &str, projection: Projection) -> GlobalSecondaryIndex {
    GlobalSecondaryIndex::builder()
        .index_name(name)
        .key_schema(key(partitions, KeyType::Hash))
        .key_schema(key(&format!("{name}SK"), KeyType::Range))
        .projection(projection)
        .build()
        .expect("an index")
}

fn key(name: &str, kind: KeyType) -> KeySchemaElement {
    KeySchemaElement::builder().attribute_name(name).key_type(kind).build().expect("a key")
}

async fn create(client: &Client, name: &str, more: &[&str], indexes: Vec<GlobalSecondaryIndex>) {
    let attributes = ["PK", "SK"]
        .iter()
        .chain(more)
        .map(|name| AttributeDefinition::builder().attribute_name(*name).attribute_type(ScalarAttributeType::S).build().expect("an attribute"));
    client
        .create_table()
        .table_name(name)
        .billing_mode(BillingMode::PayPerRequest)
        .set_attribute_definitions(Some(attributes.collect()))
        .key_schema(key("PK", KeyType::Hash))
        .key_schema(key("SK", KeyType::Range))
        .set_global_secondary_indexes((!indexes.is_empty()).then_some(indexes))
        .send()
        .await
        .expect("a table");
}
