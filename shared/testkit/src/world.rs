//! A database with one tenant in it, its eight statuses, its five roles and one user of each, and the services over them.

use std::sync::Arc;

use aws_sdk_kms::config::{BehaviorVersion, Credentials, Region};
use switchboard_app::viewer::RequestOrigin;
use switchboard_app::{Services, Tenants, Viewer, demo as data};
use switchboard_domain::demo::{self, DemoTenant};
use switchboard_domain::sealing::TenantKeyring;
use switchboard_platform::{Files, Keys, Queue};
use switchboard_store::tenants::OpenTenant;
use switchboard_store::{people, tenants};

use crate::database::Database;
use crate::fixed::{FixedClock, SeededEntropy};

/// Where tests begin.
const BEGINNING: &str = "2026-11-21T12:00:00Z";

/// A tenant of the demo in a database of its own.
pub struct World {
    /// The database.
    pub database: Database,
    /// The services over it.
    pub services: Services,
    /// The tenant.
    pub tenant: Arc<OpenTenant>,
    /// The clock of the services.
    pub clock: Arc<FixedClock>,
    demo: &'static DemoTenant,
}

impl World {
    /// The first demo tenant. Its keyring is opened here: no key service is asked. None is there, nor a bucket for results, nor a queue of bulk jobs:
    /// a test puts its own into `services`.
    pub async fn new() -> Self {
        Self::of(0).await
    }

    /// The demo tenant of this index.
    pub async fn of(index: usize) -> Self {
        let database = Database::start().await;
        let clock = Arc::new(FixedClock::at(BEGINNING));
        let entropy = Arc::new(SeededEntropy::new(7));
        let tenants = Arc::new(Tenants::new(database.core.clone(), no_keys(), clock.clone()));
        let (core, audit) = (database.core.clone(), database.audit.clone());
        let services = Services { core, audit, tenants, results: no_files(), bulk_queue: no_queue(), clock: clock.clone(), entropy };
        let demo = &demo::TENANTS[index];
        let tenant = open(&services, demo).await;
        data::write_settings(&services, &tenant, demo).await.expect("the database");
        for (index, person) in demo.people.iter().enumerate() {
            data::write_person(&services, &tenant, demo, index, person.email).await.expect("the database");
        }
        database.meter.reset();
        Self { database, services, tenant, clock, demo }
    }

    /// The signed-in user with a role.
    pub async fn viewer(&self, role: &str) -> Viewer {
        let index = self.demo.people.iter().position(|person| person.role == role).expect("someone has the role");
        let user = people::user(&self.database.core, &self.tenant.scope, self.demo.user_id(index)).await.expect("the database").expect("the user");
        let settings = self.services.tenants.settings(&self.tenant.scope).await.expect("the settings");
        let request = RequestOrigin { request_id: format!("request of {role}"), ip_address: Some("192.0.2.1".to_owned()), user_agent: Some("testkit".to_owned()) };
        Viewer { tenant: Arc::clone(&self.tenant), settings, user: Arc::new(user), request }
    }

    /// The same user in another request.
    pub async fn viewer_in_request(&self, role: &str, request_id: &str) -> Viewer {
        let mut viewer = self.viewer(role).await;
        request_id.clone_into(&mut viewer.request.request_id);
        viewer
    }
}

/// Where nothing listens.
const NOWHERE: &str = "http://127.0.0.1:9";

fn region() -> Region {
    Region::new("ca-central-1")
}

fn credentials() -> Credentials {
    Credentials::new("test", "test", None, None, "testkit")
}

fn no_keys() -> Keys {
    let config = aws_sdk_kms::Config::builder().behavior_version(BehaviorVersion::latest()).endpoint_url(NOWHERE).region(region());
    Keys::new(aws_sdk_kms::Client::from_conf(config.credentials_provider(credentials()).build()))
}

fn no_files() -> Files {
    let config = aws_sdk_s3::Config::builder().behavior_version(BehaviorVersion::latest()).endpoint_url(NOWHERE).region(region());
    Files::new(aws_sdk_s3::Client::from_conf(config.credentials_provider(credentials()).build()), "results")
}

fn no_queue() -> Queue {
    let config = aws_sdk_sqs::Config::builder().behavior_version(BehaviorVersion::latest()).endpoint_url(NOWHERE).region(region());
    Queue::new(aws_sdk_sqs::Client::from_conf(config.credentials_provider(credentials()).build()), format!("{NOWHERE}/bulk"))
}

async fn open(services: &Services, demo: &DemoTenant) -> Arc<OpenTenant> {
    let keyring = TenantKeyring::generate(demo.id(), services.entropy.as_ref());
    let record = data::tenant(demo, vec![0]);
    let scope = tenants::create(&services.core, &record).await.expect("the database").expect("the slug is free");
    services.tenants.keep(OpenTenant { scope, record, keyring })
}
