//! The SDK's clients, and the services made of them, built once per process.

use std::sync::Arc;
use std::time::Duration;

use anyhow::Result;
use aws_config::timeout::TimeoutConfig;
use aws_config::{BehaviorVersion, SdkConfig};
use aws_sdk_dynamodb::types::{TimeToLiveSpecification, TimeToLiveStatus};
use aws_sdk_s3::error::ProvideErrorMetadata;
use aws_sdk_s3::types::{DefaultRetention, ObjectLockConfiguration, ObjectLockEnabled, ObjectLockRetentionMode, ObjectLockRule};
use switchboard_app::{Services, Tenants};
use switchboard_platform::{Files, Identities, Keys, Queue, Signer};
use switchboard_store::CoreTable;
use switchboard_store::audit_events::AuditTable;

use crate::settings::{audit_lock_days, setting};
use crate::system::{SystemClock, SystemEntropy};

/// One attempt of one request takes at most this; the SDK tries three times.
const ATTEMPT: Duration = Duration::from_secs(10);
/// A connection is there within this.
const CONNECT: Duration = Duration::from_secs(3);
/// What S3 answers of a bucket that locks nothing.
const NO_LOCK: &str = "ObjectLockConfigurationNotFoundError";

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

    /// The database, with tables named by `CORE_TABLE` and, where the function has them, `AUDIT_TABLE`, `RESULTS_BUCKET`, `AUDIT_ARCHIVE_BUCKET`,
    /// `CONTACT_BULK_QUEUE_URL`, `AUDIT_EXPORT_QUEUE_URL`, `SCORE_TRAIN_QUEUE_URL` and `USER_POOL_ID`.
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
        let archive = self.bucket(std::env::var("AUDIT_ARCHIVE_BUCKET").unwrap_or_default());
        let queue = |name: &str| Queue::new(aws_sdk_sqs::Client::new(&self.config), std::env::var(name).unwrap_or_default());
        let (bulk_queue, audit_export_queue, score_train_queue) = (queue("CONTACT_BULK_QUEUE_URL"), queue("AUDIT_EXPORT_QUEUE_URL"), queue("SCORE_TRAIN_QUEUE_URL"));
        let identities = self.pool(std::env::var("USER_POOL_ID").unwrap_or_default());
        let (access, entropy) = (Arc::default(), Arc::new(SystemEntropy));
        Ok(Services { core, audit, tenants, access, results, archive, bulk_queue, audit_export_queue, score_train_queue, identities, clock, entropy })
    }

    /// The bucket named by a setting. At an endpoint of one's own the bucket stands in the path.
    ///
    /// # Errors
    /// When the setting is missing.
    pub fn files(&self, name: &str) -> Result<Files> {
        Ok(self.bucket(setting(name)?))
    }

    fn bucket(&self, name: String) -> Files {
        Files::new(self.s3(), name).with_credentials(self.config.credentials_provider())
    }

    fn s3(&self) -> aws_sdk_s3::Client {
        aws_sdk_s3::Client::from_conf(aws_sdk_s3::config::Builder::from(&self.config).force_path_style(self.config.endpoint_url().is_some()).build())
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

    /// Has the audit archive lock every file for `AUDIT_LOCK_DAYS`, where the deployment left that undone: the local emulator ignores it in the
    /// template. Nobody can take it back for files written from then on. 1 or 2 requests.
    ///
    /// # Errors
    /// When a setting is missing or no number, and those of the bucket.
    pub async fn lock_archive(&self) -> Result<()> {
        let (client, bucket, days) = (self.s3(), setting("AUDIT_ARCHIVE_BUCKET")?, audit_lock_days()?);
        let rule = match client.get_object_lock_configuration().bucket(&bucket).send().await {
            Ok(known) => known.object_lock_configuration.and_then(|lock| lock.rule),
            Err(error) if error.code() == Some(NO_LOCK) => None,
            Err(error) => return Err(error.into()),
        };
        if rule.is_some() {
            return Ok(());
        }
        let retention = DefaultRetention::builder().mode(ObjectLockRetentionMode::Compliance).days(days).build();
        let rule = ObjectLockRule::builder().default_retention(retention).build();
        let lock = ObjectLockConfiguration::builder().object_lock_enabled(ObjectLockEnabled::Enabled).rule(rule).build();
        client.put_object_lock_configuration().bucket(&bucket).object_lock_configuration(lock).send().await?;
        Ok(())
    }

    /// The key service.
    #[must_use]
    pub fn keys(&self) -> Keys {
        Keys::new(aws_sdk_kms::Client::new(&self.config))
    }

    /// What signs with the key that a setting names.
    ///
    /// # Errors
    /// When the setting is missing.
    pub fn signer(&self, name: &str) -> Result<Signer> {
        Ok(Signer::new(aws_sdk_kms::Client::new(&self.config), setting(name)?))
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
