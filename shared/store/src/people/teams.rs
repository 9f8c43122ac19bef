//! Teams, and whose each name is.

use aws_sdk_dynamodb::types::AttributeValue;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use switchboard_domain::ids::TeamId;
use switchboard_domain::team::Team;

use super::lists::{StaffList, place};
use crate::error::StoreError;
use crate::item::{Item, RecordAttributes, from_item, to_item};
use crate::keys;
use crate::scope::TenantScope;
use crate::table::{CoreTable, Part};

/// The type of a team's item.
pub const TEAM: &str = "team";
/// The type of the item that says whose a name is.
pub const TEAM_NAME: &str = "team_name";

#[derive(Serialize, Deserialize)]
struct TeamItem {
    #[serde(rename = "PK")]
    pk: String,
    #[serde(rename = "SK")]
    sk: String,
    #[serde(rename = "GSI1PK", default)]
    list_pk: String,
    #[serde(rename = "GSI1SK", default)]
    list_sk: String,
    #[serde(rename = "type")]
    kind: String,
    id: TeamId,
    name: String,
    #[serde(default)]
    member_count: u32,
    #[serde(default, skip_serializing_if = "Option::is_none", with = "switchboard_domain::clock::millis::option")]
    deleted_at: Option<Timestamp>,
    #[serde(flatten)]
    record: RecordAttributes,
}

fn encode(scope: &TenantScope, team: &Team) -> Result<Item, StoreError> {
    let key = keys::team(scope, team.id);
    let list = if team.deleted_at.is_none() { StaffList::Teams } else { StaffList::DeletedTeams };
    let form = TeamItem {
        pk: key.pk,
        sk: key.sk,
        list_pk: list.partition(scope),
        list_sk: place(&team.name, team.id),
        kind: TEAM.to_owned(),
        id: team.id,
        name: team.name.clone(),
        member_count: team.member_count,
        deleted_at: team.deleted_at,
        record: (&team.record).into(),
    };
    to_item(TEAM, &form)
}

/// Reads a team from its item.
///
/// # Errors
/// [`StoreError::Undecodable`].
pub fn decode_team(item: Item) -> Result<Team, StoreError> {
    let item: TeamItem = from_item(TEAM, item)?;
    Ok(Team { id: item.id, record: item.record.into(), name: item.name, member_count: item.member_count, deleted_at: item.deleted_at })
}

/// Reads a team, deleted or not. 1 request, 1 R.
///
/// # Errors
/// Those of the database.
pub async fn team(table: &CoreTable, scope: &TenantScope, id: TeamId) -> Result<Option<Team>, StoreError> {
    table.get(scope, &keys::team(scope, id)).await?.map(decode_team).transpose()
}

/// The part that writes a new team. 1 W and 1 for index 1, in a transaction 2 and 1.
///
/// # Errors
/// [`StoreError::Undecodable`] when it can't be an item.
pub fn insert_team(scope: &TenantScope, team: &Team) -> Result<Part, StoreError> {
    Ok(Part::Insert { item: encode(scope, team)?, expired_before: None })
}

/// The part that writes a team over the one of this revision. 1 W and 1 for index 1 (2 with another name, or when deleted), in a transaction 2 and those.
///
/// # Errors
/// [`StoreError::Undecodable`] when it can't be an item.
pub fn replace_team(scope: &TenantScope, team: &Team, revision: u32) -> Result<Part, StoreError> {
    Ok(Part::Replace { item: encode(scope, team)?, revision })
}

/// The part of a transaction by which a folded name becomes a team's; it doesn't hold when it is another's. 2 W.
#[must_use]
pub fn claim_team_name(scope: &TenantScope, folded: &str, team: TeamId) -> Part {
    let key = keys::team_name(scope, folded);
    let item = Item::from([
        ("PK".to_owned(), AttributeValue::S(key.pk)),
        ("SK".to_owned(), AttributeValue::S(key.sk)),
        ("type".to_owned(), AttributeValue::S(TEAM_NAME.to_owned())),
        ("team".to_owned(), AttributeValue::S(team.to_string())),
    ]);
    Part::Insert { item, expired_before: None }
}

/// The part of a transaction by which a folded name is no longer a team's; it doesn't hold when it wasn't. 2 W.
#[must_use]
pub fn release_team_name(scope: &TenantScope, folded: &str, team: TeamId) -> Part {
    Part::Delete { key: keys::team_name(scope, folded), condition: "team = :team".to_owned(), values: vec![(":team", AttributeValue::S(team.to_string()))] }
}

/// Whose a folded name is among the live teams. 1 request, 1 R.
///
/// # Errors
/// Those of the database.
pub async fn team_by_name(table: &CoreTable, scope: &TenantScope, folded: &str) -> Result<Option<TeamId>, StoreError> {
    #[derive(Deserialize)]
    struct Found {
        team: TeamId,
    }
    let item = table.get(scope, &keys::team_name(scope, folded)).await?;
    Ok(item.map(|item| from_item::<Found>(TEAM_NAME, item)).transpose()?.map(|found| found.team))
}
