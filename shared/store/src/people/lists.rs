//! Users, agents and teams by name, in index 1.

use switchboard_domain::text;

use crate::error::StoreError;
use crate::item;
use crate::keys;
use crate::scope::TenantScope;
use crate::table::{CoreTable, Filter, ListQuery, Order, Page};

/// Characters of a name that decide on its place.
const PLACE_LENGTH: usize = 60;

/// A list of staff, by name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StaffList {
    /// The users.
    Users,
    /// The agents.
    Agents,
    /// The deleted agents.
    DeletedAgents,
    /// The teams.
    Teams,
    /// The deleted teams.
    DeletedTeams,
}

impl StaffList {
    /// Its partition of index 1.
    pub(super) fn partition(self, scope: &TenantScope) -> String {
        match self {
            Self::Users => keys::user_list(scope),
            Self::Agents => keys::agent_list(scope),
            Self::DeletedAgents => keys::deleted_agent_list(scope),
            Self::Teams => keys::team_list(scope),
            Self::DeletedTeams => keys::deleted_team_list(scope),
        }
    }
}

/// Where a record stands in its list: by its folded name, then by its id.
pub(super) fn place(name: &str, id: impl std::fmt::Display) -> String {
    let folded: String = text::fold(name).chars().filter(|character| *character != '#').take(PLACE_LENGTH).collect();
    format!("{folded}#{id}")
}

/// Reads up to `limit` places of a list beyond the place `after`, each with the id of its record, by name. 1 request per started MB, half an R per
/// started 4 KB (about 200 bytes an entry). Up to a second behind.
///
/// # Errors
/// Those of the database.
pub async fn listed(table: &CoreTable, scope: &TenantScope, list: StaffList, after: Option<&str>, limit: usize) -> Result<Page<(String, String)>, StoreError> {
    let partition = list.partition(scope);
    let low = after.map_or_else(|| " ".to_owned(), |after| format!("{after} "));
    let asked = ListQuery { partition: &partition, low: &low, high: "\u{10FFFF}", order: Order::Ascending, limit: limit + 1, filter: &Filter::default() };
    let examined = table.examine(scope, &asked).await?;
    let mut entries = Vec::with_capacity(examined.items.len());
    for entry in examined.items {
        let place = item::text(&entry, "GSI1SK").ok_or_else(|| StoreError::undecodable("staff list", "it has no place"))?;
        let id = place.rsplit_once('#').map_or("", |(_, id)| id).to_owned();
        entries.push((place.to_owned(), id));
    }
    let has_more = entries.len() > limit;
    entries.truncate(limit);
    Ok(Page { entries, has_more })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_are_in_the_order_of_folded_names() {
        let mut places = vec![place("Zoé", 1), place("élan", 2), place("Ada Roy", 3), place("Ada", 4), place("ada", 5)];
        places.sort();
        assert_eq!(places, ["ada roy#3", "ada#4", "ada#5", "elan#2", "zoe#1"]);
    }
}
