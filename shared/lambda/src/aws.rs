//! The SDK's clients, and the services made of them, built once per process.

use std::sync::Arc;
use std::time::Duration;

use anyhow::Result;
use aws_config::timeout::TimeoutConfig;
use aws_config::{BehaviorVersion, SdkConfig};
use aws_sdk_dynamodb::types::{TimeToLiveSpecification, TimeToLiveStatus};
use switchboard_app::{Services, Tenants};
use switchboard_platform::{Files, Identities, Keys, Queue};
use switchboard_store::CoreTable;
use switchboard_store::audit_events::AuditTable;

use crate::settings::setting;
use crate::system::{SystemClock, SystemEntropy};

/// One attempt of one request takes at most this; the SDK tries three times.
const ATTEMPT: Duration = Duration::from_secs(10);
/// A connection is there within this.
const CONNECT: Duration = Duration::from_secs(3);

/// The clients' shared configuration.
#[derive(Debug, Clone)]
pub struct Aws {
    config: SdkConfig,
}

impl Aws {
    /// Reads region, credentials and endpoint from the environment.
    pub async fn from_environment() -> Self {
        let timeouts = TimeoutConfig::builder().connect_timeout(CONNECT).operation_attempt_timeout(ATTEMPT).build();
        Self { config: aws_config::defaults(BehaviorVersion::latest()).timeout_config(timeouts).load().await }
    }

    /// The database, with tables named by `CORE_TABLE` and, where the function has them, `AUDIT_TABLE`, `RESULTS_BUCKET`,
    /// `CONTACT_BULK_QUEUE_URL` and `USER_POOL_ID`.
    ///
    /// # Errors
    /// When `CORE_TABLE` is not set.
    pub fn services(&self) -> Result<Services> {
        let client = aws_sdk_dynamodb::Client::new(&self.config);
        let core = CoreTable::new(client.clone(), setting("CORE_TABLE")?);
        let audit = AuditTable::new(client, std::env::var("AUDIT_TABLE").unwrap_or_default());
        let clock = Arc::new(SystemClock);
        let tenants = Arc::new(Tenants::new(core.clone(), self.keys(), clock.clone()));
        let results = self.bucket(std::env::var("RESULTS_BUCKET").unwrap_or_default());
        let bulk_queue = Queue::new(aws_sdk_sqs::Client::new(&self.config), std::env::var("CONTACT_BULK_QUEUE_URL").unwrap_or_default());
        let identities = self.pool(std::env::var("USER_POOL_ID").unwrap_or_default());
        Ok(Services { core, audit, tenants, results, bulk_queue, identities, clock, entropy: Arc::new(SystemEntropy) })
    }

    /// The bucket named by a setting. At an endpoint of one's own the bucket stands in the path.
    ///
    /// # Errors
    /// When the setting is missing.
    pub fn files(&self, name: &str) -> Result<Files> {
        Ok(self.bucket(setting(name)?))
    }

    fn bucket(&self, name: String) -> Files {
        let config = aws_sdk_s3::config::Builder::from(&self.config).force_path_style(self.config.endpoint_url().is_some()).build();
        Files::new(aws_sdk_s3::Client::from_conf(config), name)
    }

    /// The queue whose address is a setting.
    ///
    /// # Errors
    /// When the setting is missing.
    pub fn queue(&self, name: &str) -> Result<Queue> {
        Ok(Queue::new(aws_sdk_sqs::Client::new(&self.config), setting(name)?))
    }

    /// Lets items of both tables expire, where the deployment left that undone: the local emulator ignores it in the template. 1 or 2 requests
    /// per table.
    ///
    /// # Errors
    /// When a setting is missing, and those of the database.
    pub async fn let_items_expire(&self) -> Result<()> {
        let client = aws_sdk_dynamodb::Client::new(&self.config);
        for name in ["CORE_TABLE", "AUDIT_TABLE"] {
            let table = setting(name)?;
            let known = client.describe_time_to_live().table_name(&table).send().await?.time_to_live_description;
            if known.and_then(|known| known.time_to_live_status).is_some_and(|status| matches!(status, TimeToLiveStatus::Enabled | TimeToLiveStatus::Enabling)) {
                continue;
            }
            let wanted = TimeToLiveSpecification::builder().attribute_name("expires_at").enabled(true).build()?;
            client.update_time_to_live().table_name(&table).time_to_live_specification(wanted).send().await?;
        }
        Ok(())
    }

    /// The key service.
    #[must_use]
    pub fn keys(&self) -> Keys {
        Keys::new(aws_sdk_kms::Client::new(&self.config))
    }

    /// The user pool named by `USER_POOL_ID`.
    ///
    /// # Errors
    /// When the setting is missing.
    pub fn identities(&self) -> Result<Identities> {
        Ok(self.pool(setting("USER_POOL_ID")?))
    }

    fn pool(&self, id: String) -> Identities {
        Identities::new(aws_sdk_cognitoidentityprovider::Client::new(&self.config), id)
    }
}
