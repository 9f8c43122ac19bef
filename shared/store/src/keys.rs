//! Every key string there is, as functions of typed inputs. The design of the keys is in `docs/data-model.md`.

use jiff::civil::Date;
use switchboard_domain::audit::Place;
use switchboard_domain::ids::{
    AgentId, AuditExportId, BulkJobId, ContactId, ImportId, NoteId, RoleId, ScoringModelId, StatusId, SuppressionId, TeamId, TenantId, UserId,
};
use switchboard_domain::imports::{Piece, ProfileKey};
use switchboard_domain::scoring::ModelVersion;
use switchboard_domain::search::Token;

use crate::scope::TenantScope;

/// The primary key of an item.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Key {
    /// The partition key.
    pub pk: String,
    /// The sort key.
    pub sk: String,
}

fn key(pk: String, sk: impl Into<String>) -> Key {
    Key { pk, sk: sk.into() }
}

/// What every partition key of a tenant starts with.
#[must_use]
pub fn tenant_prefix(tenant: TenantId) -> String {
    format!("T#{tenant}#")
}

fn prefix(scope: &TenantScope) -> &str {
    scope.prefix()
}

/// The partition of a tenant's configuration.
#[must_use]
pub fn configuration(scope: &TenantScope) -> String {
    format!("{}CFG", prefix(scope))
}

/// A tenant's own record.
#[must_use]
pub fn tenant(tenant: TenantId) -> Key {
    key(format!("{}CFG", tenant_prefix(tenant)), "TENANT")
}

/// Finds a tenant by its slug; outside every tenant.
#[must_use]
pub fn slug(slug: &str) -> Key {
    key(format!("SLUG#{slug}"), "SLUG")
}

/// Finds a user by the subject of a token; outside every tenant.
#[must_use]
pub fn subject(subject: &str) -> Key {
    key(format!("SUB#{subject}"), "SUB")
}

/// A status.
#[must_use]
pub fn status(scope: &TenantScope, id: StatusId) -> Key {
    key(configuration(scope), format!("STATUS#{id}"))
}

/// A role.
#[must_use]
pub fn role(scope: &TenantScope, id: RoleId) -> Key {
    key(configuration(scope), format!("ROLE#{id}"))
}

/// A user.
#[must_use]
pub fn user(scope: &TenantScope, id: UserId) -> Key {
    key(format!("{}U#{id}", prefix(scope)), "U")
}

/// A user's entry in the staff directory, beside the user.
#[must_use]
pub fn agent(scope: &TenantScope, id: AgentId) -> Key {
    key(format!("{}U#{id}", prefix(scope)), "A")
}

/// A team.
#[must_use]
pub fn team(scope: &TenantScope, id: TeamId) -> Key {
    key(format!("{}TEAM#{id}", prefix(scope)), "T")
}

/// The partition of a user and of all that hangs on them.
#[must_use]
pub fn agent_partition(scope: &TenantScope, id: AgentId) -> String {
    format!("{}U#{id}", prefix(scope))
}

/// What an agent is doing now.
#[must_use]
pub fn presence(scope: &TenantScope, agent: AgentId) -> Key {
    key(agent_partition(scope, agent), "PR")
}

/// What is counted of an agent on one of the tenant's days.
#[must_use]
pub fn presence_day(scope: &TenantScope, agent: AgentId, day: jiff::civil::Date) -> Key {
    key(agent_partition(scope, agent), format!("PR#{day}"))
}

/// What the sort keys of the times an agent was in one status begin with.
pub const PRESENCE_SEGMENTS: &str = "PT#";

/// A time for which an agent was in one status, by its beginning.
#[must_use]
pub fn presence_segment(scope: &TenantScope, agent: AgentId, from: jiff::Timestamp) -> Key {
    key(agent_partition(scope, agent), format!("{PRESENCE_SEGMENTS}{:013}", from.as_millisecond()))
}

/// Index 2: the agents who aren't offline, by their status.
#[must_use]
pub fn presence_list(scope: &TenantScope) -> String {
    format!("{}PR", prefix(scope))
}

/// When an agent can be booked.
#[must_use]
pub fn schedule(scope: &TenantScope, agent: AgentId) -> Key {
    key(agent_partition(scope, agent), "SCH")
}

/// Finds a user by the keyed hash of their e-mail address.
#[must_use]
pub fn staff_email(scope: &TenantScope, hash: &str) -> Key {
    key(format!("{}EMAIL#{hash}", prefix(scope)), "EMAIL")
}

/// Index 1: the tenant's users by name.
#[must_use]
pub fn user_list(scope: &TenantScope) -> String {
    format!("{}UL", prefix(scope))
}

/// Index 1: the tenant's agents by name.
#[must_use]
pub fn agent_list(scope: &TenantScope) -> String {
    format!("{}AL", prefix(scope))
}

/// Index 1: the tenant's deleted agents by name.
#[must_use]
pub fn deleted_agent_list(scope: &TenantScope) -> String {
    format!("{}ALD", prefix(scope))
}

/// Index 1: the tenant's teams by name.
#[must_use]
pub fn team_list(scope: &TenantScope) -> String {
    format!("{}TL", prefix(scope))
}

/// Index 1: the tenant's deleted teams by name.
#[must_use]
pub fn deleted_team_list(scope: &TenantScope) -> String {
    format!("{}TLD", prefix(scope))
}

/// The partition of a team and of its memberships.
#[must_use]
pub fn team_partition(scope: &TenantScope, id: TeamId) -> String {
    format!("{}TEAM#{id}", prefix(scope))
}

/// What the sort keys of a team's memberships begin with.
pub const MEMBERS: &str = "M#";

/// An agent's place in a team.
#[must_use]
pub fn membership(scope: &TenantScope, team: TeamId, agent: AgentId) -> Key {
    key(team_partition(scope, team), format!("{MEMBERS}{agent}"))
}

/// Whose a name is among the live teams.
#[must_use]
pub fn team_name(scope: &TenantScope, folded: &str) -> Key {
    key(format!("{}TNAME#{folded}", prefix(scope)), "TNAME")
}

/// Who may do everything and can sign in, so that the last of them stays.
#[must_use]
pub fn administrators(scope: &TenantScope) -> Key {
    key(configuration(scope), "ADMINS")
}

/// A contact.
#[must_use]
pub fn contact(scope: &TenantScope, id: &ContactId) -> Key {
    key(contact_partition(scope, id), "C")
}

/// The partition of a contact and of all that hangs on it.
#[must_use]
pub fn contact_partition(scope: &TenantScope, id: &ContactId) -> String {
    [prefix(scope), "C#", id.as_str()].concat()
}

/// What the sort keys of a contact's notes begin with.
pub const NOTES: &str = "N#";

/// A note about a contact.
#[must_use]
pub fn note(scope: &TenantScope, contact: &ContactId, id: NoteId) -> Key {
    key(contact_partition(scope, contact), format!("{NOTES}{id}"))
}

/// An entry of the suppression list.
#[must_use]
pub fn suppression(scope: &TenantScope, id: &SuppressionId) -> Key {
    key([prefix(scope), "SUP#", id.as_str()].concat(), "SUP")
}

/// Index 1: the suppression list, by the time of its entries.
#[must_use]
pub fn suppression_list(scope: &TenantScope) -> String {
    format!("{}SL", prefix(scope))
}

/// A bulk job.
#[must_use]
pub fn bulk_job(scope: &TenantScope, id: BulkJobId) -> Key {
    key(format!("{}B#{id}", prefix(scope)), "B")
}

/// Index 1: the tenant's bulk jobs by creation.
#[must_use]
pub fn bulk_job_list(scope: &TenantScope) -> String {
    format!("{}BL", prefix(scope))
}

/// An export of the audit trail.
#[must_use]
pub fn audit_export(scope: &TenantScope, id: AuditExportId) -> Key {
    key(format!("{}X#{id}", prefix(scope)), "X")
}

/// Index 1: the tenant's exports of the audit trail by creation.
#[must_use]
pub fn audit_export_list(scope: &TenantScope) -> String {
    format!("{}XL", prefix(scope))
}

/// Counts the changes of a tenant's configuration, so that rules over the whole of it hold.
#[must_use]
pub fn settings_revision(scope: &TenantScope) -> Key {
    key(configuration(scope), "REVISION")
}

/// The contact a partition key names, when it names one.
#[must_use]
pub fn parse_contact(pk: &str) -> Option<(TenantId, ContactId)> {
    let (tenant, rest) = pk.strip_prefix("T#")?.split_once('#')?;
    Some((TenantId::parse(tenant)?, ContactId::parse(rest.strip_prefix("C#")?)?))
}

/// The tenant a partition key belongs to, when it belongs to one.
#[must_use]
pub fn parse_tenant(pk: &str) -> Option<TenantId> {
    TenantId::parse(pk.strip_prefix("T#")?.split_once('#')?.0)
}

/// An import.
#[must_use]
pub fn import(scope: &TenantScope, id: ImportId) -> Key {
    key(format!("{}I#{id}", prefix(scope)), "I")
}

/// What the sort keys of an import's chunks start with.
pub const CHUNKS: &str = "CHUNK#";

/// One chunk of an import, or the rest of one.
#[must_use]
pub fn chunk(scope: &TenantScope, id: ImportId, piece: Piece) -> Key {
    key(format!("{}I#{id}", prefix(scope)), format!("{CHUNKS}{piece}"))
}

/// What the sort keys of mapping profiles start with.
pub const PROFILES: &str = "PROFILE#";

/// The partition of a tenant's mapping profiles: one of its own, so that settings are read without them.
#[must_use]
pub fn import_profiles(scope: &TenantScope) -> String {
    format!("{}PROFILES", prefix(scope))
}

/// One mapping profile.
#[must_use]
pub fn import_profile(scope: &TenantScope, profile: &ProfileKey) -> Key {
    key(import_profiles(scope), format!("{PROFILES}{profile}"))
}

/// What the sort keys of scoring models start with, and that of what counts their changes.
pub const SCORING_MODELS: &str = "MODEL";

/// The partition of a tenant's scoring models and their versions: one of its own, so that settings are read without them.
#[must_use]
pub fn scoring_models(scope: &TenantScope) -> String {
    format!("{}MODELS", prefix(scope))
}

/// A scoring model of a tenant's own.
#[must_use]
pub fn scoring_model(scope: &TenantScope, id: ScoringModelId) -> Key {
    key(scoring_models(scope), format!("{SCORING_MODELS}#{id}"))
}

/// Counts the changes of a tenant's scoring models, and is read with them.
#[must_use]
pub fn scoring_models_revision(scope: &TenantScope) -> Key {
    key(scoring_models(scope), format!("{SCORING_MODELS}S"))
}

/// A version of a scoring model that contacts were scored by.
#[must_use]
pub fn scoring_model_version(scope: &TenantScope, version: ModelVersion) -> Key {
    key(scoring_models(scope), format!("VERSION#{}#{:010}", version.model, version.version))
}

/// Which scoring model is in force, beside the rest of the configuration.
#[must_use]
pub fn active_scoring_model(scope: &TenantScope) -> Key {
    key(configuration(scope), "SCORING")
}

/// The learning of a scoring model, which has the id of the model that comes of it.
#[must_use]
pub fn scoring_training(scope: &TenantScope, id: ScoringModelId) -> Key {
    key(format!("{}ST#{id}", prefix(scope)), "ST")
}

/// Index 1: what was learned or is to be, by the time at which it was asked for.
#[must_use]
pub fn scoring_training_list(scope: &TenantScope) -> String {
    format!("{}STL", prefix(scope))
}

/// What an idempotency key was answered with.
#[must_use]
pub fn idempotency(scope: &TenantScope, idempotency_key: &str) -> Key {
    key(format!("{}IDEM#{idempotency_key}", prefix(scope)), "IDEM")
}

/// Index 1: the tenant's contacts by creation, one partition per shard.
#[must_use]
pub fn contact_list(scope: &TenantScope, shard: u32) -> String {
    [prefix(scope), "L#", &shard.to_string()].concat()
}

/// Index 1: the tenant's deleted contacts by creation, one partition per shard; read only when they are asked for.
#[must_use]
pub fn deleted_list(scope: &TenantScope, shard: u32) -> String {
    format!("{}LD#{shard}", prefix(scope))
}

/// Index 1: the tenant's imports by creation.
#[must_use]
pub fn import_list(scope: &TenantScope) -> String {
    format!("{}IL", prefix(scope))
}

/// Whose work a contact is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum WorkOf {
    /// One agent's.
    Agent(AgentId),
    /// A team's pool.
    Team(TeamId),
    /// The tenant's pool.
    Pool,
}

/// Index 2: the contacts of an assignee or a pool, in calling order.
#[must_use]
pub fn work(scope: &TenantScope, whose: WorkOf, shard: u32) -> String {
    let prefix = prefix(scope);
    match whose {
        WorkOf::Agent(agent) => format!("{prefix}W#{agent}"),
        WorkOf::Team(team) => format!("{prefix}W#TEAM#{team}#{shard}"),
        WorkOf::Pool => [prefix, "W#POOL#", &shard.to_string()].concat(),
    }
}

/// Index 2: the place of a contact that is ready to be called: by zone, then the order of its status, then never called before called, then the higher
/// score. The first characters of the id spread contacts of equal rank at random, because the id is a keyed hash.
#[must_use]
pub fn ready(zone: &str, status_order: u16, score: u8, contact: &ContactId) -> String {
    let [order, rank] = [digits(status_order.into(), 5), inverted(score)];
    ["R#", zone, "#", &order, "#0#", &rank, "#", contact.as_str()].concat()
}

/// A number with so many digits, zeros in front.
fn digits(number: u32, count: u32) -> String {
    (0..count).rev().filter_map(|place| char::from_digit(number / 10_u32.pow(place) % 10, 10)).collect()
}

/// A score as sort keys have it, the highest first.
fn inverted(score: u8) -> String {
    digits(100_u32.saturating_sub(score.into()), 3)
}

/// Characters of a contact's place in the list that tell contacts of the same score apart: its millisecond and 46 random bits.
const RANK_PLACE: usize = 20;

/// Index 3: the place of a contact among those of its shard by score, the highest first.
#[must_use]
pub fn rank(score: u8, list_place: &str) -> String {
    [&inverted(score), "#", list_place.get(..RANK_PLACE).unwrap_or(list_place)].concat()
}

/// Index 2: the place of a contact that waits for a time.
#[must_use]
pub fn due(zone: &str, at: jiff::Timestamp, contact: &ContactId) -> String {
    format!("D#{zone}#{:013}#{contact}", at.as_millisecond())
}

/// Index 2: the place of a contact that must not be called.
#[must_use]
pub fn not_to_be_called(status_order: u16, contact: &ContactId) -> String {
    format!("X#{status_order:05}#{contact}")
}

/// Table `audit`: the events of a record, by version.
#[must_use]
pub fn audit_events(tenant: TenantId, entity_type: &str, entity_id: &str) -> String {
    format!("{}E#{entity_type}#{entity_id}", tenant_prefix(tenant))
}

/// Table `audit`: an event.
#[must_use]
pub fn audit_event(tenant: TenantId, entity_type: &str, entity_id: &str, place: &Place) -> Key {
    key(audit_events(tenant, entity_type, entity_id), place.sort_key())
}

/// The tenant, the kind and the id of the record that an event's partition key names.
#[must_use]
pub fn parse_audit_events(pk: &str) -> Option<(TenantId, &str, &str)> {
    let (tenant, rest) = pk.strip_prefix("T#")?.split_once('#')?;
    let (entity_type, entity_id) = rest.strip_prefix("E#")?.split_once('#')?;
    Some((TenantId::parse(tenant)?, entity_type, entity_id))
}

/// Table `audit`, index 1: what one actor did in a month. `actor` is an id, or `system#<shard>`.
#[must_use]
pub fn audit_by_actor(tenant: TenantId, actor: &str, month: Date) -> String {
    format!("{}A#{actor}#{:04}{:02}", tenant_prefix(tenant), month.year(), month.month())
}

/// Table `audit`, index 2: what was done on a day (UTC), one partition per shard.
#[must_use]
pub fn audit_by_day(tenant: TenantId, day: Date, shard: u32) -> String {
    format!("{}D#{:04}{:02}{:02}#{shard}", tenant_prefix(tenant), day.year(), day.month(), day.day())
}

/// Table `audit`, both indexes: by time, then by record.
#[must_use]
pub fn audit_sort_key(at: jiff::Timestamp, entity_type: &str, entity_id: &str, place: &Place) -> String {
    format!("{:013}#{entity_type}#{entity_id}#{}", at.as_millisecond().max(0), place.sort_key())
}

/// Beside a contact: what search tokens lead to it.
#[must_use]
pub fn search_entry(scope: &TenantScope, contact: &ContactId) -> Key {
    key(contact_partition(scope, contact), "F")
}

/// The search tokens of one lead, one partition per shard.
#[must_use]
pub fn search_partition(scope: &TenantScope, lead: &str, shard: u32) -> String {
    format!("{}F#{lead}#{shard}", prefix(scope))
}

/// A search token that leads to a contact, whose place in the list it carries.
#[must_use]
pub fn search_token(scope: &TenantScope, token: &Token, shard: u32, place: &str, contact: &ContactId) -> Key {
    key(search_partition(scope, &token.lead, shard), search_sort_key(&token.text, place, contact))
}

/// Where a search token stands in its partition: those of one text by the places of their contacts.
#[must_use]
pub fn search_sort_key(text: &str, place: &str, contact: &ContactId) -> String {
    format!("{text}#{place}#{contact}")
}

/// A sort key beyond all search tokens of one text, and before those of the next.
#[must_use]
pub fn beyond_search_text(text: &str) -> String {
    format!("{text}#~")
}

/// The text, the place and the contact of a search token's sort key.
#[must_use]
pub fn parse_search_sort_key(sk: &str) -> Option<(&str, &str, ContactId)> {
    let (rest, contact) = sk.rsplit_once('#')?;
    let (text, place) = rest.rsplit_once('#')?;
    Some((text, place, ContactId::parse(contact)?))
}

/// What the partition keys of what is due begin with, outside every tenant.
const DUE: &str = "DUE#";

/// Over how many partitions the scores are spread that change within one hour.
pub const DUE_SHARDS: u32 = 8;

/// The scores that change within the hour (UTC) of a time although nobody changes their contacts, one partition per shard; outside every tenant, so that one walk finds all
/// that is due.
#[must_use]
pub fn due_scores(at: jiff::Timestamp, shard: u32) -> String {
    let hour = at.to_zoned(jiff::tz::TimeZone::UTC).datetime();
    format!("{DUE}{:04}{:02}{:02}{:02}#{shard}", hour.year(), hour.month(), hour.day(), hour.hour())
}

/// That a contact's score changes at a time.
#[must_use]
pub fn due_score(tenant: TenantId, contact: &ContactId, at: jiff::Timestamp) -> Key {
    key(due_scores(at, contact.shard(DUE_SHARDS)), format!("{}#{tenant}#{contact}", due_bound(at)))
}

/// Where the scores that change at a time or later begin in their partition.
#[must_use]
pub fn due_bound(at: jiff::Timestamp) -> String {
    format!("{:013}", at.as_millisecond().max(0))
}

/// The time, the tenant and the contact that the sort key of a due score names.
#[must_use]
pub fn parse_due_score(sk: &str) -> Option<(jiff::Timestamp, TenantId, ContactId)> {
    let (at, rest) = sk.split_once('#')?;
    let (tenant, contact) = rest.split_once('#')?;
    Some((jiff::Timestamp::from_millisecond(at.parse().ok()?).ok()?, TenantId::parse(tenant)?, ContactId::parse(contact)?))
}

/// Up to when what is due was looked through.
#[must_use]
pub fn due_watermark() -> Key {
    key(format!("{DUE}SWEPT"), "SWEPT")
}

/// Whether a partition is one of what is due.
pub(crate) fn is_due(pk: &str) -> bool {
    pk.starts_with(DUE)
}

/// What the sort keys of a contact's replaced scores begin with.
pub const REPLACED_SCORES: &str = "S#";

/// A contact's score that was replaced, by when it was calculated.
#[must_use]
pub fn replaced_score(scope: &TenantScope, contact: &ContactId, calculated_at: jiff::Timestamp) -> Key {
    key(contact_partition(scope, contact), format!("{REPLACED_SCORES}{}", due_bound(calculated_at)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use jiff::Timestamp;

    #[test]
    fn numbers_in_sort_keys_have_zeros_in_front() {
        let contact = ContactId::from_hash(&[3; 32]);
        for (order, score, shown) in [(0, 0, "00000#0#100"), (7, 84, "00007#0#016"), (u16::MAX, 100, "65535#0#000"), (10_200, u8::MAX, "10200#0#000")] {
            assert_eq!(ready("Europe/Paris", order, score, &contact), format!("R#Europe/Paris#{shown}#{contact}"));
            assert_eq!(rank(score, "0123456789abcdefghijklmnop"), format!("{}#0123456789abcdefghij", &shown[8..]));
        }
    }

    #[test]
    fn every_key_of_a_tenant_starts_with_the_tenant() {
        let id = TenantId::new(Timestamp::UNIX_EPOCH, &[1; 10]);
        let scope = TenantScope::vouched(id);
        let contact_id = ContactId::from_hash(&[3; 32]);
        let user_id = UserId::new(Timestamp::UNIX_EPOCH, &[2; 10]);
        let import_id = ImportId::new(Timestamp::UNIX_EPOCH, &[2; 10]);
        let team_id = TeamId::new(Timestamp::UNIX_EPOCH, &[2; 10]);
        for pk in [
            tenant(id).pk,
            status(&scope, StatusId::new(Timestamp::UNIX_EPOCH, &[2; 10])).pk,
            role(&scope, RoleId::new(Timestamp::UNIX_EPOCH, &[2; 10])).pk,
            user(&scope, user_id).pk,
            agent(&scope, user_id.into()).pk,
            team(&scope, team_id).pk,
            contact(&scope, &contact_id).pk,
            import(&scope, import_id).pk,
            chunk(&scope, import_id, Piece::whole(1)).pk,
            import_profiles(&scope),
            scoring_models(&scope),
            active_scoring_model(&scope).pk,
            scoring_training(&scope, ScoringModelId::STANDARD).pk,
            scoring_training_list(&scope),
            idempotency(&scope, "k").pk,
            contact_list(&scope, 0),
            import_list(&scope),
            work(&scope, WorkOf::Pool, 0),
            work(&scope, WorkOf::Team(team_id), 0),
            work(&scope, WorkOf::Agent(user_id.into()), 0),
            audit_events(id, "contact", contact_id.as_str()),
            audit_by_actor(id, "system#1", jiff::civil::date(2026, 11, 1)),
            audit_by_day(id, jiff::civil::date(2026, 11, 30), 3),
            deleted_list(&scope, 0),
            note(&scope, &contact_id, NoteId::new(Timestamp::UNIX_EPOCH, &[2; 10])).pk,
            suppression(&scope, &SuppressionId::from_hash(&[3; 32])).pk,
            suppression_list(&scope),
            bulk_job(&scope, BulkJobId::new(Timestamp::UNIX_EPOCH, &[2; 10])).pk,
            bulk_job_list(&scope),
            audit_export(&scope, AuditExportId::new(Timestamp::UNIX_EPOCH, &[2; 10])).pk,
            audit_export_list(&scope),
            settings_revision(&scope).pk,
            search_entry(&scope, &contact_id).pk,
            search_partition(&scope, "zo", 3),
            presence(&scope, user_id.into()).pk,
            presence_day(&scope, user_id.into(), jiff::civil::date(2026, 11, 24)).pk,
            presence_segment(&scope, user_id.into(), Timestamp::UNIX_EPOCH).pk,
            presence_list(&scope),
            schedule(&scope, user_id.into()).pk,
            staff_email(&scope, "hash").pk,
            user_list(&scope),
            agent_list(&scope),
            deleted_agent_list(&scope),
            team_list(&scope),
            deleted_team_list(&scope),
            team_partition(&scope, team_id),
            membership(&scope, team_id, user_id.into()).pk,
            team_name(&scope, "est").pk,
            administrators(&scope).pk,
        ] {
            assert!(pk.starts_with(&tenant_prefix(id)), "{pk}");
            assert_eq!(parse_tenant(&pk), Some(id));
        }
    }

    #[test]
    fn a_contact_key_names_its_contact() {
        let id = TenantId::new(Timestamp::UNIX_EPOCH, &[1; 10]);
        let contact_id = ContactId::from_hash(&[3; 32]);
        assert_eq!(parse_contact(&contact(&TenantScope::vouched(id), &contact_id).pk), Some((id, contact_id)));
        assert_eq!(parse_contact("T#x#C#y"), None);
    }

    #[test]
    fn an_event_s_partition_names_its_record() {
        let id = TenantId::new(Timestamp::UNIX_EPOCH, &[1; 10]);
        assert_eq!(parse_audit_events(&audit_events(id, "contact", "abc")), Some((id, "contact", "abc")));
        for wrong in ["", "T#x#E#contact#abc", "SUB#x", &audit_by_day(id, jiff::civil::date(2026, 11, 30), 3)] {
            assert_eq!(parse_audit_events(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn a_search_token_s_sort_key_reads_back_and_lies_before_what_is_beyond_its_text() {
        let contact_id = ContactId::from_hash(&[3; 32]);
        for text in ["zoe", "李小龙", "e.0123"] {
            let sk = search_sort_key(text, "0123456789", &contact_id);
            assert_eq!(parse_search_sort_key(&sk), Some((text, "0123456789", contact_id.clone())));
            assert!(sk < beyond_search_text(text) && beyond_search_text(text) < search_sort_key(&format!("{text}0"), "0", &contact_id));
        }
        for wrong in ["", "zoe", "zoe#place", "zoe#place#contact"] {
            assert_eq!(parse_search_sort_key(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn a_due_score_s_key_reads_back_and_lies_in_the_hour_of_its_time_behind_its_bound() {
        let (tenant_id, contact_id) = (TenantId::new(Timestamp::UNIX_EPOCH, &[1; 10]), ContactId::from_hash(&[3; 32]));
        for (at, hour) in [("2026-11-30T00:00:00Z", "2026113000"), ("2026-11-30T13:59:59.999Z", "2026113013"), ("1970-01-01T00:00:00.001Z", "1970010100")] {
            let at: Timestamp = at.parse().unwrap();
            let place = due_score(tenant_id, &contact_id, at);
            assert_eq!(place.pk, format!("DUE#{hour}#{}", contact_id.shard(DUE_SHARDS)));
            assert_eq!(parse_due_score(&place.sk), Some((at, tenant_id, contact_id.clone())));
            let later = Timestamp::from_millisecond(at.as_millisecond() + 1).unwrap();
            assert!(due_bound(at) < place.sk && place.sk < due_bound(later));
            assert!(is_due(&place.pk) && parse_tenant(&place.pk).is_none());
        }
        for wrong in ["", "SWEPT", "1#2", "1#2#3", "x#y#z"] {
            assert_eq!(parse_due_score(wrong), None, "{wrong}");
        }
    }
}
