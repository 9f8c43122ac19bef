//! A contact as an item: what stands in the clear, what is sealed, and its places in the indexes.

use std::borrow::Cow;

use aws_sdk_dynamodb::types::AttributeValue;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use switchboard_domain::clock::Entropy;
use switchboard_domain::contact::{Attributes, Contact, ContactDetails, ContactTimeZone, ImportMark, TimeZoneSource, Unmerge, is_sealed};
use switchboard_domain::ids::{AgentId, BulkJobId, ContactId, StatusId, TeamId, time_of, uuid_v7};
use switchboard_domain::sealing::{ContactKey, TenantKeyring};

use super::scored::{score_bytes, score_from_bytes};
use super::slot::NumberOwner;
use crate::attribute_writer::AttributeWriter;
use crate::error::StoreError;
use crate::item::{Item, RecordAttributes, from_item};
use crate::keys::{self, WorkOf};
use crate::settings::Settings;
use crate::tenants::OpenTenant;

/// The type of a contact's item.
pub const CONTACT: &str = "contact";

/// The purposes of the sealed attributes.
const LIST: &str = "list";
const DETAILS: &str = "details";
const UNMERGE: &str = "unmerge";

/// What a sealed attribute has at most, mostly.
const SEALED_BYTES: usize = 500;

/// What a list shows of the personal data; sealed apart, because index 1 carries it.
#[derive(Serialize, Deserialize)]
struct SealedList<'a> {
    phone: Cow<'a, str>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    email: Option<Cow<'a, str>>,
}

/// The rest of the personal data.
#[derive(Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct SealedDetails<'a> {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    extension: Option<Cow<'a, str>>,
    #[serde(default, skip_serializing_if = "<[_]>::is_empty")]
    alternates: Cow<'a, [String]>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    address: Option<Cow<'a, str>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    postal: Option<Cow<'a, str>>,
    #[serde(default, skip_serializing_if = "Attributes::is_empty")]
    attributes: Attributes,
}

#[derive(Serialize, Deserialize)]
struct ContactItem<'a> {
    #[serde(rename = "PK")]
    pk: String,
    #[serde(rename = "SK")]
    sk: String,
    #[serde(rename = "GSI1PK")]
    list_pk: String,
    #[serde(rename = "GSI1SK")]
    list_sk: Cow<'a, str>,
    #[serde(rename = "GSI2PK", default, skip_serializing_if = "Option::is_none")]
    work_pk: Option<String>,
    #[serde(rename = "GSI2SK", default, skip_serializing_if = "Option::is_none")]
    work_sk: Option<String>,
    #[serde(rename = "GSI3SK", default, skip_serializing_if = "Option::is_none")]
    rank_sk: Option<String>,
    #[serde(rename = "type")]
    kind: String,
    #[serde(with = "switchboard_domain::audit::bytes")]
    key: Vec<u8>,
    #[serde(with = "switchboard_domain::audit::bytes")]
    sealed_list: Vec<u8>,
    #[serde(default, skip_serializing_if = "Option::is_none", with = "switchboard_domain::audit::optional_bytes")]
    sealed: Option<Vec<u8>>,
    #[serde(default, skip_serializing_if = "Option::is_none", with = "switchboard_domain::audit::optional_bytes")]
    unmerge: Option<Vec<u8>>,
    #[serde(default, skip_serializing_if = "is_bare")]
    attributes: Cow<'a, Attributes>,
    #[serde(default, skip_serializing_if = "<[_]>::is_empty")]
    merged: Cow<'a, [ContactId]>,
    #[serde(default, skip_serializing_if = "<[_]>::is_empty")]
    imports: Cow<'a, [ImportMark]>,
    #[serde(default, skip_serializing_if = "<[_]>::is_empty")]
    jobs: Cow<'a, [BulkJobId]>,
    #[serde(default, skip_serializing_if = "NumberOwner::is_this")]
    number_owner: NumberOwner,
    #[serde(default, skip_serializing_if = "Option::is_none", with = "switchboard_domain::audit::optional_bytes")]
    scored: Option<Vec<u8>>,
    #[serde(flatten)]
    listed: ListedAttributes<'a>,
    #[serde(flatten)]
    record: RecordAttributes,
}

/// What stands in the clear and is shown in lists.
#[derive(Serialize, Deserialize)]
struct ListedAttributes<'a> {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    name: Option<Cow<'a, str>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    city: Option<Cow<'a, str>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    region: Option<Cow<'a, str>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    country: Option<Cow<'a, str>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    source: Option<Cow<'a, str>>,
    time_zone: Cow<'a, str>,
    time_zone_from: TimeZoneSource,
    status: StatusId,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    assignee: Option<AgentId>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    team: Option<TeamId>,
    #[serde(default, skip_serializing_if = "Option::is_none", with = "switchboard_domain::clock::millis::option")]
    next_contact_at: Option<Timestamp>,
    #[serde(default, skip_serializing_if = "Option::is_none", with = "switchboard_domain::clock::millis::option")]
    deleted_at: Option<Timestamp>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    merged_into: Option<ContactId>,
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    suppressed: bool,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    score: Option<u8>,
}

/// Whether there are no attributes.
fn is_bare(attributes: &Attributes) -> bool {
    attributes.is_empty()
}

impl ContactItem<'_> {
    /// Tells the attributes as serialising it has them; by hand, because an import makes a million.
    fn tell(&self, attributes: &mut impl AttributeWriter) -> Result<(), StoreError> {
        let listed = &self.listed;
        let texts: [(&str, &str); 6] =
            [("PK", &self.pk), ("SK", &self.sk), ("GSI1PK", &self.list_pk), ("GSI1SK", &self.list_sk), ("type", &self.kind), ("time_zone", &listed.time_zone)];
        for (name, text) in texts {
            attributes.text(name, text)?;
        }
        let texts = [
            ("GSI2PK", self.work_pk.as_deref()),
            ("GSI2SK", self.work_sk.as_deref()),
            ("GSI3SK", self.rank_sk.as_deref()),
            ("name", listed.name.as_deref()),
            ("city", listed.city.as_deref()),
            ("region", listed.region.as_deref()),
            ("country", listed.country.as_deref()),
            ("source", listed.source.as_deref()),
        ];
        for (name, text) in texts {
            if let Some(text) = text {
                attributes.text(name, text)?;
            }
        }
        attributes.shown("status", &listed.status)?;
        if let Some(agent) = &listed.assignee {
            attributes.shown("assignee", agent)?;
        }
        if let Some(team) = &listed.team {
            attributes.shown("team", team)?;
        }
        if let Some(winner) = &listed.merged_into {
            attributes.shown("merged_into", winner)?;
        }
        let bytes = [("key", Some(&self.key)), ("sealed_list", Some(&self.sealed_list))];
        for (name, bytes) in bytes.into_iter().chain([("sealed", self.sealed.as_ref()), ("unmerge", self.unmerge.as_ref()), ("scored", self.scored.as_ref())]) {
            if let Some(bytes) = bytes {
                attributes.bytes(name, bytes)?;
            }
        }
        for (name, at) in [("next_contact_at", listed.next_contact_at), ("deleted_at", listed.deleted_at)] {
            if let Some(at) = at {
                attributes.number(name, at.as_millisecond())?;
            }
        }
        if let Some(score) = listed.score {
            attributes.number("score", score.into())?;
        }
        if listed.suppressed {
            attributes.value("suppressed", AttributeValue::Bool(true))?;
        }
        attributes.serialized(CONTACT, "time_zone_from", &listed.time_zone_from)?;
        if !self.attributes.is_empty() {
            attributes.serialized(CONTACT, "attributes", &self.attributes)?;
        }
        if !self.merged.is_empty() {
            attributes.serialized(CONTACT, "merged", &self.merged)?;
        }
        if !self.imports.is_empty() {
            attributes.serialized(CONTACT, "imports", &self.imports)?;
        }
        if !self.jobs.is_empty() {
            attributes.serialized(CONTACT, "jobs", &self.jobs)?;
        }
        if !self.number_owner.is_this() {
            attributes.serialized(CONTACT, "number_owner", &self.number_owner)?;
        }
        self.record.tell(CONTACT, attributes)
    }
}

/// What index 1 has of a contact. An index carries at most 20 attributes: when the contact was made, its place says.
#[derive(Deserialize)]
struct RowItem {
    #[serde(rename = "PK")]
    pk: String,
    #[serde(rename = "GSI1SK")]
    list_sk: String,
    version: u32,
    #[serde(with = "switchboard_domain::clock::millis")]
    updated_at: Timestamp,
    #[serde(with = "switchboard_domain::audit::bytes")]
    key: Vec<u8>,
    #[serde(with = "switchboard_domain::audit::bytes")]
    sealed_list: Vec<u8>,
    #[serde(flatten)]
    listed: ListedAttributes<'static>,
}

/// A contact as a list has it.
#[derive(Debug, Clone, PartialEq)]
pub struct ContactRow {
    /// Its id.
    pub id: ContactId,
    /// Its place in the list: entries before it are newer.
    pub place: String,
    /// Counts people's changes.
    pub version: u32,
    /// When it was made.
    pub created_at: Timestamp,
    /// When people last changed it.
    pub updated_at: Timestamp,
    /// Set when it was deleted.
    pub deleted_at: Option<Timestamp>,
    /// E.164.
    pub phone: String,
    /// The e-mail address.
    pub email: Option<String>,
    /// The name.
    pub name: Option<String>,
    /// The city.
    pub city: Option<String>,
    /// Province, state, department.
    pub region: Option<String>,
    /// The country.
    pub country: Option<String>,
    /// Where it came from.
    pub source: Option<String>,
    /// Where it is what time for the contact.
    pub time_zone: ContactTimeZone,
    /// The status.
    pub status: StatusId,
    /// The agent whose contact it is.
    pub assignee: Option<AgentId>,
    /// The team in whose pool it is.
    pub team: Option<TeamId>,
    /// When to call next.
    pub next_contact_at: Option<Timestamp>,
    /// The contact it was merged into.
    pub merged_into: Option<ContactId>,
    /// Its number stands on the suppression list.
    pub suppressed: bool,
    /// The value of its score.
    pub score: Option<u8>,
}

impl From<&Contact> for ContactRow {
    fn from(contact: &Contact) -> Self {
        let details = &contact.details;
        Self {
            id: contact.id.clone(),
            place: String::new(),
            version: contact.record.version,
            created_at: contact.record.created_at,
            updated_at: contact.record.updated_at(),
            deleted_at: contact.deleted_at,
            phone: details.phone.clone(),
            email: details.email.clone(),
            name: details.name.clone(),
            city: details.city.clone(),
            region: details.region.clone(),
            country: details.country.clone(),
            source: details.source.clone(),
            time_zone: details.time_zone.clone(),
            status: details.status,
            assignee: details.assignee,
            team: details.team,
            next_contact_at: details.next_contact_at,
            merged_into: contact.merged_into.clone(),
            suppressed: contact.suppressed,
            score: contact.score.as_ref().map(|score| score.value),
        }
    }
}

/// What a contact's item is encrypted with and listed by, kept when the contact is written again.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Placement {
    pub(crate) wrapped_key: Vec<u8>,
    pub(crate) shard: u32,
    pub(crate) list_sk: String,
    /// Whose the number of the slot is in which it stands.
    pub(crate) number_owner: NumberOwner,
}

/// A contact with what its item needs beside it.
#[derive(Debug, Clone, PartialEq)]
pub struct StoredContact {
    /// The contact.
    pub contact: Contact,
    /// Its key and its place in the lists.
    pub placement: Placement,
}

/// The placement of a new contact: a key of its own, and its place in the list of its shard.
#[must_use]
pub fn new_placement(tenant: &OpenTenant, contact: &Contact, entropy: &dyn Entropy) -> Placement {
    placed(tenant, contact, entropy).0
}

/// The placement of a new contact, and its key.
fn placed(tenant: &OpenTenant, contact: &Contact, entropy: &dyn Entropy) -> (Placement, ContactKey) {
    let key = ContactKey::generate(entropy);
    let placement = Placement {
        wrapped_key: tenant.keyring.wrap(&contact.id, &key, entropy),
        shard: contact.id.shard(tenant.record.shards),
        list_sk: switchboard_domain::ids::base32(uuid_v7(contact.record.created_at, &entropy.id()).as_bytes()),
        number_owner: NumberOwner::This,
    };
    (placement, key)
}

/// Makes the item of a contact. Its key is wrapped anew when the tenant has a newer one than wrapped it.
///
/// # Errors
/// [`StoreError::Undecodable`] when the key doesn't open or the status isn't the tenant's.
pub fn encode(tenant: &OpenTenant, settings: &Settings, stored: &StoredContact, entropy: &dyn Entropy) -> Result<Item, StoreError> {
    let StoredContact { contact, placement } = stored;
    let key = open_key(&tenant.keyring, &contact.id, &placement.wrapped_key)?;
    let mut item = Item::with_capacity(40);
    form(tenant, settings, contact, placement, &key, entropy)?.tell(&mut item)?;
    Ok(item)
}

/// Tells the item of a new contact.
///
/// # Errors
/// [`StoreError::Undecodable`] when the status isn't the tenant's.
pub(super) fn tell_new(
    tenant: &OpenTenant,
    settings: &Settings,
    contact: &Contact,
    entropy: &dyn Entropy,
    attributes: &mut impl AttributeWriter,
) -> Result<(), StoreError> {
    let (placement, key) = placed(tenant, contact, entropy);
    form(tenant, settings, contact, &placement, &key, entropy)?.tell(attributes)
}

fn form<'a>(
    tenant: &OpenTenant,
    settings: &Settings,
    contact: &'a Contact,
    placement: &'a Placement,
    key: &ContactKey,
    entropy: &dyn Entropy,
) -> Result<ContactItem<'a>, StoreError> {
    let details = &contact.details;
    let list = SealedList { phone: said(&details.phone), email: said_of(details.email.as_ref()) };
    let (sensitive, clear) = if details.attributes.keys().any(|name| is_sealed(name)) {
        let (sensitive, clear) = details.attributes.clone().into_iter().partition(|(name, _)| is_sealed(name));
        (sensitive, Cow::Owned(clear))
    } else {
        (Attributes::new(), Cow::Borrowed(&details.attributes))
    };
    let rest = SealedDetails {
        extension: said_of(details.phone_extension.as_ref()),
        alternates: Cow::Borrowed(&details.alternate_phones),
        address: said_of(details.address.as_ref()),
        postal: said_of(details.postal_code.as_ref()),
        attributes: sensitive,
    };
    let seal = |purpose: &str, json: Result<Vec<u8>, serde_json::Error>| {
        json.map(|json| key.seal(&contact.id, purpose, entropy, &json)).map_err(|error| StoreError::undecodable(CONTACT, error))
    };
    let item_key = keys::contact(&tenant.scope, &contact.id);
    let status = settings.status(details.status).ok_or_else(|| StoreError::undecodable(CONTACT, "its status is not the tenant's"))?;
    let whose = match (details.assignee, details.team) {
        (Some(agent), _) => WorkOf::Agent(agent),
        (None, Some(team)) => WorkOf::Team(team),
        (None, None) => WorkOf::Pool,
    };
    let value = contact.score.as_ref().map(|score| score.value);
    let work_sk = match details.next_contact_at {
        _ if status.exclude_from_call_list || contact.suppressed => keys::not_to_be_called(status.order, &contact.id),
        Some(at) => keys::due(&details.time_zone.name, at, &contact.id),
        None => keys::ready(&details.time_zone.name, status.order, value.unwrap_or_default(), &contact.id),
    };
    let is_listed = contact.deleted_at.is_none();
    let list_of = if is_listed { keys::contact_list } else { keys::deleted_list };
    let unmerge = contact.unmerge.as_ref().map(|unmerge| seal(UNMERGE, json_of(unmerge))).transpose()?;
    Ok(ContactItem {
        pk: item_key.pk,
        sk: item_key.sk,
        list_pk: list_of(&tenant.scope, placement.shard),
        list_sk: said(&placement.list_sk),
        work_pk: is_listed.then(|| keys::work(&tenant.scope, whose, placement.shard)),
        work_sk: is_listed.then_some(work_sk),
        rank_sk: value.filter(|_| is_listed).map(|value| keys::rank(value, &placement.list_sk)),
        kind: CONTACT.to_owned(),
        key: if tenant.keyring.is_current(&placement.wrapped_key) { placement.wrapped_key.clone() } else { tenant.keyring.wrap(&contact.id, key, entropy) },
        sealed_list: seal(LIST, json_of(&list))?,
        sealed: if rest == SealedDetails::default() { None } else { Some(seal(DETAILS, json_of(&rest))?) },
        unmerge,
        attributes: clear,
        merged: Cow::Borrowed(&contact.merged),
        imports: Cow::Borrowed(&contact.import_marks),
        jobs: Cow::Borrowed(&contact.job_marks),
        number_owner: placement.number_owner.clone(),
        scored: contact.score.as_ref().map(|score| score_bytes(score, contact.record.created_at)).transpose()?,
        listed: ListedAttributes {
            name: said_of(details.name.as_ref()),
            city: said_of(details.city.as_ref()),
            region: said_of(details.region.as_ref()),
            country: said_of(details.country.as_ref()),
            source: said_of(details.source.as_ref()),
            time_zone: said(&details.time_zone.name),
            time_zone_from: details.time_zone.source,
            status: details.status,
            assignee: details.assignee,
            team: details.team,
            next_contact_at: details.next_contact_at,
            deleted_at: contact.deleted_at,
            merged_into: contact.merged_into.clone(),
            suppressed: contact.suppressed,
            score: value,
        },
        record: (&contact.record).into(),
    })
}

fn json_of(value: &impl Serialize) -> Result<Vec<u8>, serde_json::Error> {
    let mut json = Vec::with_capacity(SEALED_BYTES);
    serde_json::to_writer(&mut json, value)?;
    Ok(json)
}

fn said(text: &str) -> Cow<'_, str> {
    Cow::Borrowed(text)
}

fn said_of(text: Option<&String>) -> Option<Cow<'_, str>> {
    text.map(|text| said(text))
}

/// A text of one's own of what was read.
fn read(text: Option<Cow<'_, str>>) -> Option<String> {
    text.map(Cow::into_owned)
}

/// Reads a contact from its item.
///
/// # Errors
/// [`StoreError::Undecodable`] when the item has another form or its key doesn't open.
pub fn decode(keyring: &TenantKeyring, item: Item) -> Result<StoredContact, StoreError> {
    let item: ContactItem = from_item(CONTACT, item)?;
    let (_, id) = keys::parse_contact(&item.pk).ok_or_else(|| StoreError::undecodable(CONTACT, "its key is not a contact's"))?;
    let key = open_key(keyring, &id, &item.key)?;
    let list: SealedList = open(&key, &id, LIST, &item.sealed_list)?;
    let rest: SealedDetails = item.sealed.as_deref().map(|sealed| open(&key, &id, DETAILS, sealed)).transpose()?.unwrap_or_default();
    let unmerge: Option<Box<Unmerge>> = item.unmerge.as_deref().map(|sealed| open(&key, &id, UNMERGE, sealed)).transpose()?;
    let shard = item.list_pk.rsplit('#').next().and_then(|shard| shard.parse().ok()).ok_or_else(|| StoreError::undecodable(CONTACT, "its list has no shard"))?;
    let listed = item.listed;
    let score = listed.score.zip(item.scored.as_deref()).map(|(value, bytes)| score_from_bytes(value, item.record.created_at, bytes)).transpose()?;
    let mut attributes = item.attributes.into_owned();
    attributes.extend(rest.attributes);
    let details = ContactDetails {
        phone: list.phone.into_owned(),
        phone_extension: read(rest.extension),
        alternate_phones: rest.alternates.into_owned(),
        name: read(listed.name),
        email: read(list.email),
        address: read(rest.address),
        city: read(listed.city),
        region: read(listed.region),
        postal_code: read(rest.postal),
        country: read(listed.country),
        time_zone: ContactTimeZone { name: listed.time_zone.into_owned(), source: listed.time_zone_from },
        source: read(listed.source),
        attributes,
        status: listed.status,
        assignee: listed.assignee,
        team: listed.team,
        next_contact_at: listed.next_contact_at,
    };
    Ok(StoredContact {
        contact: Contact {
            id,
            record: item.record.into(),
            details,
            deleted_at: listed.deleted_at,
            merged_into: listed.merged_into,
            unmerge,
            merged: item.merged.into_owned(),
            suppressed: listed.suppressed,
            score,
            import_marks: item.imports.into_owned(),
            job_marks: item.jobs.into_owned(),
        },
        placement: Placement { wrapped_key: item.key, shard, list_sk: item.list_sk.into_owned(), number_owner: item.number_owner },
    })
}

/// Reads a row of the list from its index entry.
///
/// # Errors
/// [`StoreError::Undecodable`] when the entry has another form or its key doesn't open.
pub fn decode_row(keyring: &TenantKeyring, item: Item) -> Result<ContactRow, StoreError> {
    let item: RowItem = from_item(CONTACT, item)?;
    let (_, id) = keys::parse_contact(&item.pk).ok_or_else(|| StoreError::undecodable(CONTACT, "its key is not a contact's"))?;
    let key = open_key(keyring, &id, &item.key)?;
    let list: SealedList = open(&key, &id, LIST, &item.sealed_list)?;
    let listed = item.listed;
    let created_at = time_of(&item.list_sk).ok_or_else(|| StoreError::undecodable(CONTACT, "its place in the list has no time"))?;
    Ok(ContactRow {
        id,
        place: item.list_sk,
        version: item.version,
        created_at,
        updated_at: item.updated_at,
        deleted_at: listed.deleted_at,
        phone: list.phone.into_owned(),
        email: read(list.email),
        name: read(listed.name),
        city: read(listed.city),
        region: read(listed.region),
        country: read(listed.country),
        source: read(listed.source),
        time_zone: ContactTimeZone { name: listed.time_zone.into_owned(), source: listed.time_zone_from },
        status: listed.status,
        assignee: listed.assignee,
        team: listed.team,
        next_contact_at: listed.next_contact_at,
        merged_into: listed.merged_into,
        suppressed: listed.suppressed,
        score: listed.score,
    })
}

/// Opens the key of the contact whose item this is.
///
/// # Errors
/// [`StoreError::Undecodable`] when it isn't under this tenant's key.
pub fn open_key(keyring: &TenantKeyring, id: &ContactId, wrapped: &[u8]) -> Result<ContactKey, StoreError> {
    keyring.unwrap(id, wrapped).map_err(|error| StoreError::undecodable(CONTACT, error))
}

pub(super) fn open<T: serde::de::DeserializeOwned>(key: &ContactKey, id: &ContactId, purpose: &str, sealed: &[u8]) -> Result<T, StoreError> {
    let json = key.open(id, purpose, sealed).map_err(|error| StoreError::undecodable(CONTACT, error))?;
    serde_json::from_slice(&json).map_err(|_| StoreError::undecodable(CONTACT, "its sealed part is not what it must be"))
}

impl StoredContact {
    /// Its place in the list: 26 characters that never change, greater for later contacts.
    #[must_use]
    pub fn place(&self) -> &str {
        &self.placement.list_sk
    }

    /// The contact's key as it is wrapped.
    #[must_use]
    pub fn wrapped_key(&self) -> &[u8] {
        &self.placement.wrapped_key
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::item::to_item;
    use serde_json::{Value, json};

    fn id(seed: u8) -> String {
        StatusId::new(Timestamp::UNIX_EPOCH, &[seed; 10]).to_string()
    }

    /// An item that has every attribute there is.
    fn whole() -> Value {
        let contact = ContactId::from_hash(&[7; 32]);
        let mut whole = json!({
            "PK": "p", "SK": "s", "GSI1PK": "1", "GSI1SK": "2", "GSI2PK": "3", "GSI2SK": "4", "GSI3SK": "5", "type": "contact",
            "key": [1, 2], "sealed_list": [3], "sealed": [4], "unmerge": [5], "scored": [6], "score": 84,
            "attributes": { "yes": true, "number": 2.5, "text": "x" }, "merged": [contact],
            "imports": [{ "i": id(1), "r": 7, "o": "u", "v": 3 }], "jobs": [id(2)], "number_owner": "nobody",
        });
        let rest = json!({
            "name": "Zoé", "city": "Laval", "region": "QC", "country": "CA", "source": "fair", "time_zone": "America/Toronto", "time_zone_from": "postal_code",
            "status": id(3), "assignee": id(4), "team": id(5), "next_contact_at": 1_000, "deleted_at": 2_000, "merged_into": contact, "suppressed": true,
            "version": 2, "revision": 3, "created_at": 4, "updated_at": 5, "created_by": { "kind": "SYSTEM", "name": "Switchboard" },
            "last_change": { "action": "contact.updated", "actor": { "kind": "SYSTEM", "name": "Switchboard" }, "request_id": "r" },
        });
        whole.as_object_mut().unwrap().extend(rest.as_object().unwrap().clone());
        whole
    }

    #[test]
    fn an_item_made_by_hand_is_the_one_that_serialising_makes() {
        let needed = [
            "PK",
            "SK",
            "GSI1PK",
            "GSI1SK",
            "type",
            "key",
            "sealed_list",
            "time_zone",
            "time_zone_from",
            "status",
            "version",
            "revision",
            "created_at",
            "updated_at",
            "last_change",
        ];
        let mut bare = whole();
        bare.as_object_mut().unwrap().retain(|name, _| needed.contains(&name.as_str()));
        for (json, count) in [(whole(), 39), (bare, needed.len())] {
            let form = || serde_json::from_value::<ContactItem>(json.clone()).unwrap();
            let serialised = to_item(CONTACT, &form()).unwrap();
            let mut by_hand = Item::new();
            form().tell(&mut by_hand).unwrap();
            assert_eq!(by_hand.len(), count);
            assert_eq!(by_hand, serialised);
        }
    }
}
