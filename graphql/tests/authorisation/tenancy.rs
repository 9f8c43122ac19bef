//! A tenant that is asked and written to: its API, its staff, and records of every kind for whoever is to have them.

use std::fmt::Display;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use async_graphql::{Request, Variables};
use data_encoding::BASE64URL_NOPAD;
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};
use switchboard_app::imports::{CHUNK_ROWS, ImportServices};
use switchboard_app::viewer::{RequestOrigin, SignIn, SignIns};
use switchboard_app::{Services, demo as data};
use switchboard_domain::actor::STAFF_EMAIL;
use switchboard_domain::audit::{AuditEvent, Changes, Outcome, Place};
use switchboard_domain::audit_export::{Added, AuditExport, AuditExportFilter, AuditExportFormat};
use switchboard_domain::bulk_job::{BulkAction, BulkJob, BulkJobStatus};
use switchboard_domain::change::{Change, Origin, Revisioned};
use switchboard_domain::contact::ContactFilter;
use switchboard_domain::demo::TENANTS;
use switchboard_domain::ids::{AgentId, AuditExportId, BulkJobId, ImportId, RoleId, ScoringModelId, TeamId, UserId};
use switchboard_domain::imports::{ColumnMapping, Import, ImportKind, ImportSourceType, ImportStatus, NewImport, Phase, Target};
use switchboard_domain::permission::Grant;
use switchboard_domain::person::{ADMIN, Agent, AgentTeam, MembershipRole, Role, TELEPHONIST, User, UserStatus};
use switchboard_domain::scoring::training::{self, TrainingChoice};
use switchboard_domain::scoring::{self, ScoringModel};
use switchboard_domain::scoring_training::ScoringTraining;
use switchboard_domain::sealing::TenantKeyring;
use switchboard_domain::team::{self, Membership, Team};
use switchboard_graphql::{Api, ApiSchema, finish, request_data, schema};
use switchboard_store::audit_events::Listing;
use switchboard_store::table::Part;
use switchboard_store::tenants::{self, OpenTenant};
use switchboard_store::{audit_exports, bulk_jobs, imports, people, scoring_models, scoring_trainings, settings};
use switchboard_testkit::{Bucket, SigningKey, World};

use crate::answer::Answer;
use crate::contract::CONTRACT;
use crate::kinds::{Kind, Names, Whose};

/// Area codes with the exchange 555 of which numbers are made.
const AREA_CODES: [&str; 8] = ["514", "418", "819", "416", "902", "204", "306", "403"];

/// A number that nothing else has.
pub(crate) fn number() -> u32 {
    static NEXT: AtomicU32 = AtomicU32::new(1);
    NEXT.fetch_add(1, Ordering::Relaxed)
}

/// A telephone number that nobody has.
pub(crate) fn phone() -> String {
    let number = number();
    format!("+1{}555{:04}", AREA_CODES[number as usize / 10_000 % AREA_CODES.len()], number % 10_000)
}

/// An id as clients have it.
pub(crate) fn global(kind: &str, id: impl Display) -> Value {
    json!(BASE64URL_NOPAD.encode(format!("{kind}:{id}").as_bytes()))
}

/// What a global id says behind its kind.
fn local(id: &Value) -> String {
    let text = String::from_utf8(BASE64URL_NOPAD.decode(id.as_str().unwrap().as_bytes()).unwrap()).unwrap();
    text.split_once(':').unwrap().1.to_owned()
}

/// Someone who can sign in.
#[derive(Debug, Clone)]
pub(crate) struct Person {
    id: UserId,
    subject: String,
}

impl Person {
    /// Their user.
    pub(crate) fn user(&self) -> Value {
        global("user", self.id)
    }

    /// Their entry in the staff directory.
    pub(crate) fn agent(&self) -> Value {
        global("agent", self.id)
    }
}

/// Whose a record is to be: somebody's, or that of a team, in which somebody is.
pub(crate) struct Owner {
    person: Person,
    team: Option<TeamId>,
}

/// A viewer and the people around them.
pub(crate) struct Staff {
    /// Who asks.
    pub(crate) viewer: Person,
    /// Someone of the viewer's team.
    pub(crate) colleague: Person,
    /// Someone of another team.
    pub(crate) outsider: Person,
    /// Someone of no team.
    pub(crate) loner: Person,
    /// The viewer's team.
    team: TeamId,
    other_team: TeamId,
}

impl Staff {
    /// The viewer's team.
    pub(crate) fn team(&self) -> Value {
        global("team", self.team)
    }

    /// Who has a record of this kind that is so called by the viewer, and by a viewer of another tenant `foreign`.
    pub(crate) fn owner(&self, kind: Kind, whose: Whose) -> Owner {
        let (person, team) = match whose {
            Whose::Own if !kind.is_of_team() => (&self.viewer, None),
            Whose::Own | Whose::Foreign if kind.is_of_team() => (&self.colleague, Some(self.team)),
            Whose::Pool => (&self.colleague, Some(self.team)),
            Whose::OtherPool => (&self.outsider, Some(self.other_team)),
            Whose::Other if kind.is_of_team() => (&self.outsider, Some(self.other_team)),
            Whose::Other | Whose::Tenant => (&self.outsider, None),
            _ => (&self.colleague, None),
        };
        Owner { person: person.clone(), team }
    }
}

/// What someone is to be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum State {
    /// At work.
    Active,
    /// Never signed in.
    Invited,
    /// Not in the staff directory.
    WithoutAgent,
    /// Deleted from the staff directory, and so disabled.
    Deleted,
}

/// A tenant with its API.
pub(crate) struct Tenancy {
    api: Api,
    schema: ApiSchema,
    /// The tenant.
    pub(crate) tenant: Arc<OpenTenant>,
    /// Who makes what there is to be.
    administrator: String,
}

impl Tenancy {
    /// The tenant of a world.
    pub(crate) fn of(world: &World) -> Self {
        Self::over(world.services.clone(), Arc::clone(&world.tenant), TENANTS[0].people[0].email)
    }

    /// Another tenant in the same tables.
    pub(crate) async fn beside(world: &World) -> Self {
        let services = &world.services;
        let demo = &TENANTS[1];
        let keyring = TenantKeyring::generate(demo.id(), services.entropy.as_ref());
        let record = data::tenant(demo, vec![0]);
        let scope = tenants::create(&services.core, &record).await.unwrap().unwrap();
        let tenant = services.tenants.keep(OpenTenant { scope, record, keyring });
        let administrator = demo.people[0].email;
        data::write_settings(services, &tenant, demo).await.unwrap();
        data::write_person(services, &tenant, demo, 0, administrator).await.unwrap();
        Self::over(services.clone(), tenant, administrator)
    }

    fn over(services: Services, tenant: Arc<OpenTenant>, administrator: &str) -> Self {
        let bucket = || Bucket::new(Arc::clone(&services.clock)).files();
        let (archive, results, uploads) = (bucket(), bucket(), bucket());
        let services = Services { archive, results: results.clone(), ..services };
        let imports = ImportServices { services: services.clone(), uploads, results, rows: services.bulk_queue.clone(), chunk_rows: CHUNK_ROWS };
        let api = Api { services, imports, signer: SigningKey::new("seal").signer() };
        Self { schema: schema(api.clone(), false), api, tenant, administrator: administrator.to_owned() }
    }

    fn services(&self) -> &Services {
        &self.api.services
    }

    fn now(&self) -> Timestamp {
        self.services().clock.now()
    }

    /// What somebody is answered.
    pub(crate) async fn ask(&self, who: &Person, document: &str, variables: Value) -> Answer {
        self.ask_as(&who.subject, document, variables).await
    }

    /// What whoever signs in as `subject` is answered, as they are now.
    async fn ask_as(&self, subject: &str, document: &str, variables: Value) -> Answer {
        let id = format!("request {:010}", number());
        let origin = RequestOrigin { request_id: id.clone(), ..RequestOrigin::default() };
        let sign_in = SignIn::of(subject, self.now().as_second()).unwrap();
        let viewer = SignIns::default().viewer(self.services(), sign_in, origin).await.unwrap();
        let mut request = Request::new(document).variables(Variables::from_json(variables));
        request.data = request_data(&self.api, viewer);
        let response = finish(Box::pin(self.schema.execute(request)).await, &id);
        let text = serde_json::to_string(&response).unwrap().replace(&id, "");
        Answer { body: serde_json::from_str(&text).unwrap(), text }
    }

    /// The payload of a mutation that somebody can do.
    async fn done_as(&self, subject: &str, mutation: &str, input: Value) -> Value {
        let answer = self.ask_as(subject, &CONTRACT.mutations[mutation], json!({ "input": input })).await;
        let payload = &answer.body["data"][mutation];
        assert!(payload["userErrors"] == json!([]), "{mutation} {input}: {}", answer.text);
        payload.clone()
    }

    /// The payload of a mutation that the administrator does.
    async fn done(&self, mutation: &str, input: Value) -> Value {
        self.done_as(&self.administrator, mutation, input).await
    }

    /// The id of a role by its code.
    pub(crate) async fn role(&self, code: &str) -> RoleId {
        let settings = self.services().tenants.settings(&self.tenant.scope).await.unwrap();
        settings.role_by_code(code).unwrap_or_else(|| panic!("there is no role {code}")).id
    }

    /// The id of a status by its code.
    pub(crate) async fn status(&self, code: &str) -> Value {
        let settings = self.services().tenants.settings(&self.tenant.scope).await.unwrap();
        global("contact_status", settings.status_by_code(code).unwrap_or_else(|| panic!("there is no status {code}")).id)
    }

    /// Makes a role that grants this.
    pub(crate) async fn grant(&self, code: &str, grants: Vec<Grant>) {
        let id = RoleId::new(self.now(), &self.services().entropy.id());
        let role = Role { id, record: self.created("role.created"), code: code.to_owned(), name: code.to_owned(), grants, system: false, deleted_at: None };
        settings::create_role(&self.services().core, &self.tenant.scope, &role).await.unwrap();
        self.services().tenants.forget_settings(&self.tenant.scope);
    }

    fn created(&self, action: &str) -> Revisioned {
        Revisioned::created(Change::new(action, self.now(), Origin::system()))
    }

    async fn commit(&self, parts: Vec<Part>) {
        assert!(self.services().core.commit(&self.tenant.scope, parts).await.unwrap(), "somebody was there already");
    }

    /// New people: a viewer with a role, and telephonists around them.
    pub(crate) async fn staff(&self, role: &str) -> Staff {
        let (core, scope) = (&self.services().core, &self.tenant.scope);
        let (mut parts, telephonist) = (Vec::new(), self.role(TELEPHONIST).await);
        let (team, other_team) = (self.found_team(&mut parts, 2, None), self.found_team(&mut parts, 1, None));
        let viewer = self.hire(&mut parts, self.role(role).await, Some(team), State::Active);
        let colleague = self.hire(&mut parts, telephonist, Some(team), State::Active);
        let outsider = self.hire(&mut parts, telephonist, Some(other_team), State::Active);
        let loner = self.hire(&mut parts, telephonist, None, State::Active);
        if role == ADMIN {
            let before = people::administrators(core, scope).await.unwrap();
            let users = before.users.iter().copied().chain([viewer.id]).collect();
            parts.push(people::write_administrators(scope, &before, users));
        }
        self.commit(parts).await;
        Staff { viewer, colleague, outsider, loner, team, other_team }
    }

    /// A new telephonist of no team.
    pub(crate) async fn hired(&self, state: State) -> Person {
        let mut parts = Vec::new();
        let person = self.hire(&mut parts, self.role(TELEPHONIST).await, None, state);
        self.commit(parts).await;
        person
    }

    fn found_team(&self, parts: &mut Vec<Part>, member_count: u32, deleted_at: Option<Timestamp>) -> TeamId {
        let scope = &self.tenant.scope;
        let id = TeamId::new(self.now(), &self.services().entropy.id());
        let team = Team { id, record: self.created("team.created"), name: format!("Team {}", number()), member_count, deleted_at };
        parts.push(people::insert_team(scope, &team).unwrap());
        if deleted_at.is_none() {
            parts.push(people::claim_team_name(scope, &team::folded_name(&team.name), id));
        }
        id
    }

    fn hire(&self, parts: &mut Vec<Part>, role: RoleId, team: Option<TeamId>, state: State) -> Person {
        let (services, scope, now, number) = (self.services(), &self.tenant.scope, self.now(), number());
        let id = UserId::new(now, &services.entropy.id());
        let (name, email) = (format!("Person {number}"), format!("person{number}@{}.test", self.tenant.record.slug));
        let sealed_email = self.tenant.keyring.seal_for_tenant(STAFF_EMAIL, &id.to_string(), services.entropy.as_ref(), email.as_bytes());
        let status = match state {
            State::Active | State::WithoutAgent => UserStatus::Active,
            State::Invited => UserStatus::Invited,
            State::Deleted => UserStatus::Disabled,
        };
        let user = User {
            id,
            record: self.created("user.created"),
            subject: email.clone(),
            name: name.clone(),
            sealed_email: sealed_email.clone(),
            status,
            roles: vec![role],
            grants: Vec::new(),
            signed_out_at: None,
            activated_at: (state != State::Invited).then_some(now),
        };
        parts.extend([people::insert_user(scope, &user).unwrap(), people::claim_email(&self.tenant, &email, id), tenants::subject_part(scope, &email, id)]);
        if state != State::WithoutAgent {
            let place = |team| AgentTeam { team, role: MembershipRole::Agent, assigned_at: now };
            let agent = Agent {
                id: id.into(),
                record: self.created("agent.created"),
                name,
                sealed_email,
                employee_id: None,
                time_zone: None,
                teams: team.map(place).into_iter().collect(),
                deleted_at: (state == State::Deleted).then_some(now),
            };
            parts.push(people::insert_agent(scope, &agent).unwrap());
        }
        if let Some(team) = team {
            let membership = Membership { team, agent: AgentId::from(id), role: MembershipRole::Agent, assigned_at: now };
            parts.push(people::insert_membership(scope, &membership).unwrap());
        }
        Person { id, subject: email }
    }

    /// Makes a record for somebody; what stands for the words that name it.
    pub(crate) async fn make(&self, kind: Kind, owner: &Owner) -> Names {
        let (now, person) = (self.now(), &owner.person);
        let team = || global("team", owner.team.unwrap());
        let only = |id: Value| Names::from([("id", id.clone()), ("listed", id)]);
        match kind {
            Kind::Nothing => Names::new(),
            Kind::Contact => self.contact(owner).await,
            Kind::DeletedContact => {
                let names = self.contact(owner).await;
                self.done("contactDelete", json!({ "id": names["id"], "expectedVersion": 1 })).await;
                names
            }
            Kind::MergedContact => {
                let (winner, loser) = (self.contact(owner).await, self.contact(owner).await);
                self.done("contactMerge", json!({ "winnerId": winner["id"], "loserId": loser["id"] })).await;
                loser
            }
            Kind::Note => {
                let names = self.contact(owner).await;
                only(self.done("contactAddNote", json!({ "id": names["id"], "body": "Called" })).await["note"]["id"].clone())
            }
            Kind::User => only(person.user()),
            Kind::InvitedUser => only(self.hired(State::Invited).await.user()),
            Kind::UserWithoutAgent => only(self.hired(State::WithoutAgent).await.user()),
            Kind::Agent => only(person.agent()),
            Kind::AgentWithContact => {
                let contact = self.contact(owner).await["id"].clone();
                Names::from([("id", person.agent()), ("listed", contact)])
            }
            Kind::AvailableAgent => {
                self.come_to_work(person).await;
                only(person.agent())
            }
            Kind::BookableAgent => {
                self.window(person).await;
                only(person.agent())
            }
            Kind::DeletedAgent => only(self.hired(State::Deleted).await.agent()),
            Kind::Window => Names::from([("id", self.window(person).await), ("agent", person.agent())]),
            Kind::Exception => {
                let made = self.done("scheduleAddException", json!({ "agentId": person.agent(), "date": "2031-07-01", "kind": "AWAY" })).await;
                Names::from([("id", made["exception"]["id"].clone()), ("agent", person.agent())])
            }
            Kind::Team => Names::from([("id", team()), ("listed", team()), ("member", person.agent())]),
            Kind::TeamAtWork => {
                self.come_to_work(person).await;
                self.window(person).await;
                Names::from([("id", team()), ("listed", person.agent())])
            }
            Kind::DeletedTeam => {
                let mut parts = Vec::new();
                let id = self.found_team(&mut parts, 0, Some(now));
                self.commit(parts).await;
                only(global("team", id))
            }
            Kind::Role => {
                let input = json!({ "name": format!("Role {}", number()), "permissions": ["contact:read:OWN"] });
                only(self.done("roleCreate", input).await["role"]["id"].clone())
            }
            Kind::Status => {
                let input = json!({ "name": format!("Status {}", number()), "color": "#123456", "order": 500 });
                only(self.done("contactStatusCreate", input).await["contactStatus"]["id"].clone())
            }
            Kind::Suppression => {
                let phone = phone();
                let id = self.done("suppressionAdd", json!({ "phone": phone })).await["suppression"]["id"].clone();
                Names::from([("id", id.clone()), ("listed", id), ("phone", json!(phone))])
            }
            Kind::Import => only(self.import(undone).await),
            Kind::WaitingImport => only(self.import(waiting).await),
            Kind::ImportProfile => {
                let name = format!("mapping {:06}", number());
                self.done("importSetMapping", json!({ "id": self.import(waiting).await, "columns": [], "saveAsProfile": name })).await;
                let id = global("import_profile", &name);
                Names::from([("id", id.clone()), ("listed", id), ("name", json!(name))])
            }
            Kind::ScoringModel => {
                let input = json!({ "name": format!("Model {}", number()), "copyOf": global("scoring_model", ScoringModelId::STANDARD) });
                only(self.done("scoringModelCreate", input).await["scoringModel"]["id"].clone())
            }
            Kind::ScoringTraining => only(self.scoring_training().await),
            Kind::BulkJob => only(self.job(BulkAction::Unassign, BulkJobStatus::Queued).await),
            Kind::Export => only(self.job(BulkAction::Export, BulkJobStatus::Completed).await),
            Kind::AuditExport => only(self.audit_export().await),
            Kind::Organisation => only(global("tenant", self.tenant.record.id)),
            Kind::ContactEvent => {
                let contact = self.contact(owner).await["id"].clone();
                let event = self.event("contact", &local(&contact)).await;
                Names::from([("id", event.clone()), ("listed", event), ("contact", contact)])
            }
            Kind::AgentEvent => only(self.event("agent", &local(&person.agent())).await),
            Kind::TeamEvent => only(self.event("team", &local(&team())).await),
        }
    }

    async fn contact(&self, owner: &Owner) -> Names {
        let (phone, source) = (phone(), format!("source {}", number()));
        let mut input = json!({ "phone": phone, "name": "Zoé Roy", "source": source });
        match owner.team {
            Some(team) => input["teamId"] = global("team", team),
            None => input["assigneeId"] = owner.person.agent(),
        }
        let id = self.done("contactCreate", input).await["contact"]["id"].clone();
        Names::from([("id", id.clone()), ("listed", id), ("phone", json!(phone)), ("source", json!(source))])
    }

    async fn come_to_work(&self, person: &Person) {
        self.done_as(&person.subject, "presenceUpdate", json!({ "status": "AVAILABLE" })).await;
    }

    async fn window(&self, person: &Person) -> Value {
        let input = json!({ "agentId": person.agent(), "date": "2031-06-02", "startTime": "09:00", "endTime": "17:00" });
        self.done("scheduleAddWindow", input).await["window"]["id"].clone()
    }

    async fn job(&self, action: BulkAction, status: BulkJobStatus) -> Value {
        let (services, now) = (self.services(), self.now());
        let id = BulkJobId::new(now, &services.entropy.id());
        let asked = BulkJob::asked(id, action, ContactFilter::default(), Origin::system(), now, now);
        let job = BulkJob { status, finished_at: (status == BulkJobStatus::Completed).then_some(now), ..asked };
        assert!(bulk_jobs::create(&services.core, &self.tenant, &job, Vec::new(), services.entropy.as_ref()).await.unwrap(), "the job was there already");
        global("bulk_job", id)
    }

    /// An import that has come as far as `state` says.
    async fn import(&self, state: impl FnOnce(Import) -> Import) -> Value {
        let (services, now) = (self.services(), self.now());
        let new = Import::new(NewImport {
            id: ImportId::new(now, &services.entropy.id()),
            kind: ImportKind::Contacts,
            source_type: ImportSourceType::Csv,
            source_platform: "n/a".to_owned(),
            file_name: "people.csv".to_owned(),
            file_bytes: 12,
            file_key: "uploads/people.csv".to_owned(),
            file_tag: String::new(),
            change: Change::new("import.created", now, Origin::system()),
        });
        global("import", imports::create(&services.core, &self.tenant.scope, state(new)).await.unwrap().id)
    }

    async fn audit_export(&self) -> Value {
        let (services, now) = (self.services(), self.now());
        let id = AuditExportId::new(now, &services.entropy.id());
        let asked = AuditExport::asked(id, AuditExportFormat::Csv, AuditExportFilter::default(), true, Origin::system(), now);
        let export = asked.begun(now).written(&Added::default(), now);
        assert!(audit_exports::create(&services.core, &self.tenant.scope, &export, Vec::new()).await.unwrap(), "the export was there already");
        global("audit_export", id)
    }

    async fn scoring_training(&self) -> Value {
        let (services, now) = (self.services(), self.now());
        let id = ScoringModelId::new(now, &services.entropy.id());
        let (core, scope) = (&services.core, &self.tenant.scope);
        let record = Revisioned::created(Change::new("scoring_model.trained", now, Origin::system()));
        let (name, factors) = (format!("Learned {}", number()), scoring::pipeline().factors);
        let model = ScoringModel { id, record, name: name.clone(), factors, training: None, deleted_at: None };
        let decided_on = scoring_models::load(core, scope).await.unwrap().revision;
        assert!(scoring_models::save(core, scope, decided_on, &model, None, Vec::new()).await.unwrap(), "the model was there already");
        let choice = TrainingChoice { name, outcome: training::Outcome::Converted, attributes: None };
        let training = ScoringTraining::asked(id, choice, Origin::system(), now).begun(now).completed(500, now);
        assert!(scoring_trainings::create(&services.core, &self.tenant.scope, &training, Vec::new()).await.unwrap(), "the training was there already");
        global("scoring_training", id)
    }

    async fn event(&self, entity_type: &str, id: &str) -> Value {
        let change = Change::new(&format!("{entity_type}.created"), self.now(), Origin::system());
        let event = AuditEvent {
            entity_type: entity_type.to_owned(),
            entity_id: id.to_owned(),
            place: Place::Version(1),
            change,
            changes: Changes::Clear(Vec::new()),
            outcome: Outcome::Success,
            previous_hash: None,
            about: None,
        };
        self.services().audit.insert(self.tenant.record.id, &[(event, Listing::Listed)], self.now(), SignedDuration::from_hours(24)).await.unwrap();
        global("audit_event", format!("{entity_type}:{id}:1"))
    }
}

/// An import whose file was read, and that can be started.
fn waiting(import: Import) -> Import {
    let phone = ColumnMapping { column: "phone".to_owned(), field: Some(Target::Phone), confidence: 1.0, default: None };
    Import { status: ImportStatus::Ready, phase: Phase::Planned, mapping: vec![phone], rows_total: Some(1), chunks: 1, ..import }
}

/// An import that left a file of rows that failed, and was undone.
fn undone(import: Import) -> Import {
    let at = Some(import.created_at);
    Import { status: ImportStatus::Reverted, phase: Phase::Ended, rows_total: Some(1), has_errors_file: true, writing_since: at, finished_at: at, ..import }
}
