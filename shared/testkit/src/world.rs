//! A database with one tenant in it, its eight statuses, its five roles and one user of each, its teams, and the services over them.

use std::collections::BTreeSet;
use std::sync::Arc;

use aws_sdk_kms::config::{BehaviorVersion, Credentials, Region};
use switchboard_app::viewer::RequestOrigin;
use switchboard_app::{Services, Tenants, Viewer, demo as data};
use switchboard_domain::demo::{self, DemoTenant};
use switchboard_domain::ids::{TeamId, UserId};
use switchboard_domain::permission::Scope;
use switchboard_domain::sealing::TenantKeyring;
use switchboard_platform::{Files, Identities, Keys, Queue};
use switchboard_store::tenants::OpenTenant;
use switchboard_store::{Freshness, people, tenants};

use crate::database::Database;
use crate::fixed::{FixedClock, SeededEntropy};

/// Where tests begin.
const BEGINNING: &str = "2026-11-21T12:00:00Z";
/// More than a team of a test has members.
const MANY: usize = 1_000;

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
    /// The first demo tenant. Its keyring is opened here: no key service is asked. None is there, nor a bucket for results or for the archive, nor a queue of jobs, nor a
    /// user pool: a test puts its own into `services`.
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
        let (results, bulk_queue, audit_export_queue, score_train_queue) = (no_files(), no_queue(), no_queue(), no_queue());
        let (archive, access, identities) = (no_files(), Arc::default(), no_identities());
        let services =
            Services { core, audit, tenants, access, results, archive, bulk_queue, audit_export_queue, score_train_queue, identities, clock: clock.clone(), entropy };
        let demo = &demo::TENANTS[index];
        let tenant = open(&services, demo).await;
        data::write_settings(&services, &tenant, demo).await.expect("the database");
        for (index, person) in demo.people.iter().enumerate() {
            data::write_person(&services, &tenant, demo, index, person.email).await.expect("the database");
        }
        data::write_teams(&services, &tenant, demo).await.expect("the database");
        database.meter.reset();
        Self { database, services, tenant, clock, demo }
    }

    /// The id of the first user with a role.
    #[must_use]
    pub fn user_id(&self, role: &str) -> UserId {
        self.demo.user_id(self.demo.people.iter().position(|person| person.role == role).expect("someone has the role"))
    }

    /// The id of a team, by its name.
    #[must_use]
    pub fn team_id(&self, name: &str) -> TeamId {
        self.demo.team_id(self.demo.teams.iter().position(|team| *team == name).expect("a team has the name"))
    }

    /// The signed-in user with a role.
    pub async fn viewer(&self, role: &str) -> Viewer {
        self.viewer_of(self.user_id(role), &format!("request of {role}")).await
    }

    /// The signed-in user of this id, as they are now, in a request.
    pub async fn viewer_of(&self, id: UserId, request_id: &str) -> Viewer {
        let (core, scope) = (&self.database.core, &self.tenant.scope);
        let found = people::directory(core, scope, &[id], &[id.into()], &[], Freshness::Strong).await.expect("the database");
        let user = found.users.into_iter().next().expect("the user");
        let agent_record = found.agents.into_iter().find(|agent| agent.deleted_at.is_none()).map(Arc::new);
        let settings = self.services.tenants.settings(scope).await.expect("the settings");
        let request = RequestOrigin { request_id: request_id.to_owned(), ip_address: Some("192.0.2.1".to_owned()), user_agent: Some("testkit".to_owned()) };
        let mut viewer = Viewer {
            tenant: Arc::clone(&self.tenant),
            settings,
            user: Arc::new(user),
            agent_record,
            colleagues: Arc::new(BTreeSet::new()),
            signed_in_at: self.services.clock.now(),
            request,
        };
        if viewer.grants().iter().any(|grant| grant.scope == Scope::Team) {
            let mut colleagues = BTreeSet::new();
            for team in viewer.teams() {
                let members = people::members(core, scope, team, None, MANY).await.expect("the database");
                colleagues.extend(members.entries.into_iter().map(|member| member.agent));
            }
            viewer.colleagues = Arc::new(colleagues);
        }
        viewer
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
    let config = aws_sdk_kms::Config::builder()
        .behavior_version(BehaviorVersion::latest())
        .retry_config(aws_sdk_kms::config::retry::RetryConfig::disabled())
        .endpoint_url(NOWHERE)
        .region(region());
    Keys::new(aws_sdk_kms::Client::from_conf(config.credentials_provider(credentials()).build()))
}

fn no_files() -> Files {
    let config = aws_sdk_s3::Config::builder()
        .behavior_version(BehaviorVersion::latest())
        .retry_config(aws_sdk_s3::config::retry::RetryConfig::disabled())
        .endpoint_url(NOWHERE)
        .region(region());
    Files::new(aws_sdk_s3::Client::from_conf(config.credentials_provider(credentials()).build()), "results")
}

fn no_queue() -> Queue {
    let config = aws_sdk_sqs::Config::builder()
        .behavior_version(BehaviorVersion::latest())
        .retry_config(aws_sdk_sqs::config::retry::RetryConfig::disabled())
        .endpoint_url(NOWHERE)
        .region(region());
    Queue::new(aws_sdk_sqs::Client::from_conf(config.credentials_provider(credentials()).build()), format!("{NOWHERE}/bulk"))
}

fn no_identities() -> Identities {
    let config = aws_sdk_cognitoidentityprovider::Config::builder()
        .behavior_version(BehaviorVersion::latest())
        .retry_config(aws_sdk_cognitoidentityprovider::config::retry::RetryConfig::disabled())
        .endpoint_url(NOWHERE)
        .region(region());
    let client = aws_sdk_cognitoidentityprovider::Client::from_conf(config.credentials_provider(credentials()).build());
    Identities::new(client, "pool")
}

async fn open(services: &Services, demo: &DemoTenant) -> Arc<OpenTenant> {
    let keyring = TenantKeyring::generate(demo.id(), services.entropy.as_ref());
    let record = data::tenant(demo, vec![0]);
    let scope = tenants::create(&services.core, &record).await.expect("the database").expect("the slug is free");
    services.tenants.keep(OpenTenant { scope, record, keyring })
}
