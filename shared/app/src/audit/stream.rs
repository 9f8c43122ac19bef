//! A record of the stream, and what it says about a record of ours.

use switchboard_domain::audit::{Audited, Fields};
use switchboard_domain::change::{Change, Revisioned};
use switchboard_domain::ids::ContactId;
use switchboard_domain::sealing::ContactKey;
use switchboard_store::contacts::{self, Slot, StoredNote};
use switchboard_store::item::{Item, text};
use switchboard_store::tenants::OpenTenant;
use switchboard_store::{StoreError, import_profiles, people, presence, schedules, scoring_models, settings, suppressions, tenants};

/// One change of one item, as the stream tells it.
#[derive(Debug, Clone, Default)]
pub struct StreamRecord {
    /// Its place in the stream.
    pub sequence: String,
    /// The item before; none when it is new.
    pub old: Option<Item>,
    /// The item after; none when it was removed.
    pub new: Option<Item>,
}

/// Why a record can't become an event.
#[derive(Debug, thiserror::Error)]
pub enum ImageError {
    /// An image that can't be read.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// A type of item that no audit rule knows.
    #[error("no audit rule for items of type {0}")]
    UnknownType(String),
}

/// Types of items that aren't records people change: nothing of them is audited.
const TECHNICAL: [&str; 19] = [
    "administrators",
    "due_score",
    "due_watermark",
    "idempotency",
    // On record with the team and with the agent.
    "membership",
    "number",
    "presence_day",
    "presence_segment",
    "replaced_score",
    "scoring_model_version",
    "scoring_models_revision",
    // The model that came of one is on record.
    "scoring_training",
    "search_entry",
    "search_token",
    "settings_revision",
    "slug",
    "staff_email",
    "subject",
    "team_name",
];

/// Whether items of this type are audited at all.
pub(super) fn is_technical(kind: &str) -> bool {
    TECHNICAL.contains(&kind)
}

/// A record's state in one image.
pub(super) struct Image {
    pub(super) entity_type: &'static str,
    pub(super) entity_id: String,
    pub(super) version: u32,
    pub(super) change: Change,
    pub(super) fields: Fields,
    /// The person it is about, under whose key its changes are sealed.
    pub(super) person: Person,
}

/// Whether a record is about a person, and the key of that person.
pub(super) enum Person {
    /// It is about nobody.
    Nobody,
    /// It is a contact, or a note of one whose key was read.
    Keyed(ContactId, ContactKey),
    /// It is a note: the key stands with this contact.
    Of(ContactId, Box<StoredNote>),
    /// It is what is left of an erased contact: nothing of it may be said.
    Erased,
}

impl Image {
    /// Reads an image of an audited item.
    pub(super) fn read(tenant: &OpenTenant, item: &Item) -> Result<Self, ImageError> {
        let kind = text(item, "type").unwrap_or_default().to_owned();
        let item = item.clone();
        Ok(match kind.as_str() {
            contacts::CONTACT => match contacts::decode_slot(&tenant.keyring, item)? {
                Slot::Contact(stored) => {
                    let key = contacts::open_key(&tenant.keyring, &stored.contact.id, stored.wrapped_key())?;
                    let person = Person::Keyed(stored.contact.id.clone(), key);
                    Self { person, ..Self::of(&stored.contact, stored.contact.id.to_string(), &stored.contact.record) }
                }
                Slot::Erased(erased) => Self { person: Person::Erased, ..Self::of(&erased, erased.id.to_string(), &erased.record) },
                Slot::Pointer(_) => return Err(ImageError::UnknownType(kind)),
            },
            contacts::NOTE => {
                let stored = contacts::decode_note(item)?;
                let note = stored.without_body();
                Self { person: Person::Of(stored.contact.clone(), Box::new(stored)), ..Self::of(&note, note.id.to_string(), &note.record) }
            }
            suppressions::SUPPRESSION => {
                let suppression = suppressions::decode(item)?;
                Self::of(&suppression, suppression.id.to_string(), &suppression.record)
            }
            settings::STATUS => {
                let status = settings::decode_status(item)?;
                Self::of(&status, status.id.to_string(), &status.record)
            }
            settings::ROLE => {
                let role = settings::decode_role(item)?;
                Self::of(&role, role.id.to_string(), &role.record)
            }
            people::USER => {
                let user = people::decode_user(item)?;
                Self::of(&user, user.id.to_string(), &user.record)
            }
            people::AGENT => {
                let agent = people::decode_agent(item)?;
                Self::of(&agent, agent.id.to_string(), &agent.record)
            }
            people::TEAM => {
                let team = people::decode_team(item)?;
                Self::of(&team, team.id.to_string(), &team.record)
            }
            presence::PRESENCE => {
                let presence = presence::decode(item)?;
                Self::of(&presence, presence.agent.to_string(), &presence.record)
            }
            schedules::SCHEDULE => {
                let schedule = schedules::decode(item)?;
                Self::of(&schedule, schedule.agent.to_string(), &schedule.record)
            }
            import_profiles::IMPORT_PROFILE => {
                let profile = import_profiles::decode(item)?;
                Self::of(&profile, profile.key.to_string(), &profile.record)
            }
            scoring_models::SCORING_MODEL => {
                let model = scoring_models::decode(item)?;
                Self::of(&model, model.id.to_string(), &model.record)
            }
            scoring_models::ACTIVE_SCORING_MODEL => {
                let active = scoring_models::decode_active(item)?;
                // There is one of a tenant: it has the tenant's id.
                Self::of(&active, tenant.record.id.to_string(), &active.record)
            }
            "tenant" => {
                let tenant = tenants::decode(item)?;
                Self::of(&tenant, tenant.id.to_string(), &tenant.record)
            }
            _ => return Err(ImageError::UnknownType(kind)),
        })
    }

    fn of<T: Audited>(record: &T, entity_id: String, revisioned: &Revisioned) -> Self {
        Self {
            entity_type: T::ENTITY_TYPE,
            entity_id,
            version: revisioned.version,
            change: revisioned.last_change.clone(),
            fields: record.audit_fields(),
            person: Person::Nobody,
        }
    }
}
