//! Lists of contacts: filtered, searched, sorted. The smallest index that has all candidates is asked; when none has, the list is walked.

use switchboard_domain::contact::{Contact, ContactFilter};
use switchboard_domain::ids::ContactId;
use switchboard_domain::permission::{Permission, Scope};
use switchboard_domain::scoring::ScoreCategory;
use switchboard_domain::status;
use switchboard_store::contacts::{self, ContactRow, ListPage, RankedPage, Walk};
use switchboard_store::settings::Settings;
use switchboard_store::tenants::OpenTenant;
use switchboard_store::{Freshness, Order};

use super::ranked;
use super::search::Search;
use crate::error::AppError;
use crate::services::Services;
use crate::viewer::Viewer;

/// Entries that one page examines at most.
pub const MOST_EXAMINED: usize = 2_000;
/// Entries of the list looked at in one go when a search has too many candidates.
const PART: usize = 500;

/// Contacts of a walk, and where to go on.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Walked {
    /// The contacts, each with its place in the order of the list.
    pub contacts: Vec<ContactRow>,
    /// All there is of the same contacts, when the list had to read it; else empty.
    pub whole: Vec<Contact>,
    /// The place from which to go on; none at the end.
    pub next: Option<String>,
    /// How many entries were examined.
    pub examined: usize,
}

impl From<ListPage> for Walked {
    fn from(page: ListPage) -> Self {
        Self { contacts: page.rows, whole: Vec::new(), next: page.next, examined: page.examined }
    }
}

impl From<RankedPage> for Walked {
    fn from(page: RankedPage) -> Self {
        let row = |(place, contact): (String, &Contact)| ContactRow { place, ..ContactRow::from(contact) };
        let (places, whole): (Vec<String>, Vec<Contact>) = page.contacts.into_iter().map(|ranked| (ranked.place, ranked.contact)).unzip();
        Self { contacts: places.into_iter().zip(&whole).map(row).collect(), whole, next: page.next, examined: page.examined }
    }
}

/// In which order contacts are listed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ContactOrder {
    /// The newest first.
    Newest,
    /// The oldest first.
    Oldest,
    /// The highest score first; of equal ones the oldest contact.
    Score,
    /// As they are called: who is due by time, then who is ready by the order of their status, never called, higher score; then who is due later. Hours of calling aren't
    /// looked at, and who must not be called isn't in it.
    Priority,
}

impl From<Order> for ContactOrder {
    fn from(order: Order) -> Self {
        match order {
            Order::Descending => Self::Newest,
            Order::Ascending => Self::Oldest,
        }
    }
}

/// The viewer's contacts that a filter means. Who may see only their own, or their teams', sees those. Requests and units in the order of time as [`walk`].
///
/// In the orders of score and priority, where deleted contacts have no place: those of up to 2,000 candidates, which a search or an assignee with that few has, are all read and
/// sorted, 1 request per 100, half an R each. Else the index of that order is walked: half an R for each contact examined, at most 2,000, of which without a filter none is in vain;
/// by score 1 request per shard, by priority 2 or more for each agent and each shard of a pool.
///
/// # Errors
/// [`AppError::Forbidden`] without `contact:read`, [`AppError::Asked`] for a search or an order that can't be; those of the database.
pub async fn list(
    services: &Services,
    viewer: &Viewer,
    filter: &ContactFilter,
    after: Option<&str>,
    first: usize,
    order: impl Into<ContactOrder>,
) -> Result<Walked, AppError> {
    let mut filter = filter.clone();
    match viewer.scope(Permission::ContactRead)? {
        Scope::All => {}
        Scope::Team => filter.owners = Some(viewer.of_teams()),
        Scope::Own => {
            let own = viewer.agent();
            if !filter.assignees.is_empty() && !filter.assignees.contains(&own) {
                return Ok(Walked::default());
            }
            filter.assignees = vec![own];
        }
    }
    match order.into() {
        ContactOrder::Newest => walk(services, &viewer.tenant, &viewer.settings, &filter, after, first, Order::Descending).await,
        ContactOrder::Oldest => walk(services, &viewer.tenant, &viewer.settings, &filter, after, first, Order::Ascending).await,
        ContactOrder::Score => ranked::by_score(services, viewer, &filter, after, first).await,
        ContactOrder::Priority => ranked::by_priority(services, viewer, &filter, after, first).await,
    }
}

/// The viewer's contacts by score, the highest first; of a category only its own. Of who may see all only what is given is read; of who may see only their own, or those of
/// up to 50 owners, up to 2,000 of them for each page, half an R each.
///
/// # Errors
/// [`AppError::Forbidden`] without `contact:read`; those of the database.
pub async fn top(services: &Services, viewer: &Viewer, category: Option<ScoreCategory>, after: Option<&str>, first: usize) -> Result<Walked, AppError> {
    let filter = ContactFilter { categories: category.into_iter().collect(), ..ContactFilter::default() };
    list(services, viewer, &filter, after, first, ContactOrder::Score).await
}

/// Contacts that a filter means, from a place on. Without search and assignee 1 request per shard and half an R per started 4 KB of what is
/// examined, at most 2,000 entries; with an assignee who has at most 2,000 contacts, or a search with at most 2,000 candidates, 1 request or
/// more for the candidates and 1 request per 100 contacts read, half an R each.
///
/// # Errors
/// [`AppError::Asked`] for a search that can't be; those of the database.
pub async fn walk(
    services: &Services,
    tenant: &OpenTenant,
    settings: &Settings,
    filter: &ContactFilter,
    after: Option<&str>,
    limit: usize,
    order: Order,
) -> Result<Walked, AppError> {
    let core = &services.core;
    let won = settings.status_by_code(status::CONVERTED).map(|status| status.id);
    let mut asked = Walk { filter, won, after, order, first: limit, most: MOST_EXAMINED };
    let search = match &filter.search {
        None => None,
        Some(typed) => Search::of(services, tenant, typed).await?,
    };
    let Some(mut search) = search else {
        if !filter.assignees.is_empty()
            && !filter.include_deleted
            && let Some(candidates) = contacts::of_assignees(core, tenant, &filter.assignees, &filter.statuses, MOST_EXAMINED).await?
        {
            return Ok(contacts::read_candidates(core, tenant, candidates, &asked, |_| true).await?.into());
        }
        return Ok(contacts::walk(core, tenant, &asked).await?.into());
    };
    asked.most = search.most;
    match search.candidates.take() {
        Some(candidates) => Ok(contacts::read_candidates(core, tenant, candidates, &asked, |contact| search.means(contact)).await?.into()),
        None => narrowed(services, tenant, &asked, &search, limit).await,
    }
}

/// The list itself walked, because a search has too many candidates to sort: its rows say enough to compare. A part at a time, because the more
/// candidates there are, the sooner a page is full.
async fn narrowed(services: &Services, tenant: &OpenTenant, asked: &Walk<'_>, search: &Search, limit: usize) -> Result<Walked, AppError> {
    let mut walked = Walked { next: asked.after.map(str::to_owned), ..Walked::default() };
    while walked.examined < asked.most {
        let after = walked.next.take();
        let part = PART.min(asked.most - walked.examined);
        let page = contacts::walk(&services.core, tenant, &Walk { after: after.as_deref(), first: part, most: part, ..asked.clone() }).await?;
        walked.examined += page.examined;
        for row in page.rows {
            if walked.contacts.len() == limit {
                walked.next = walked.contacts.last().map(|row: &ContactRow| row.place.clone());
                return Ok(walked);
            }
            if search.means_row(&row) {
                walked.contacts.push(row);
            }
        }
        walked.next = page.next;
        if walked.next.is_none() {
            break;
        }
    }
    Ok(walked)
}

/// Many contacts of a list by their ids; those that aren't there or aren't the viewer's to see are left out. 1 request per 100, half an R each.
///
/// # Errors
/// [`AppError::Forbidden`] without `contact:read`; those of the database.
pub async fn get_many(services: &Services, viewer: &Viewer, ids: &[ContactId]) -> Result<Vec<Contact>, AppError> {
    let scope = viewer.scope(Permission::ContactRead)?;
    let stored = contacts::get_many(&services.core, &viewer.tenant, ids, Freshness::Eventual).await?;
    Ok(stored.into_iter().map(|stored| stored.contact).filter(|contact| super::access::is_visible(viewer, scope, contact)).collect())
}
