//! Lists of contacts: filtered, searched, sorted. The smallest index that has all candidates is asked; when none has, the list is walked.

use switchboard_domain::contact::{Contact, ContactFilter};
use switchboard_domain::ids::ContactId;
use switchboard_domain::permission::{Permission, Scope};
use switchboard_domain::search::{self, Query};
use switchboard_domain::status;
use switchboard_store::contacts::{self, Candidate, ContactRow, ListPage, Walk};
use switchboard_store::settings::Settings;
use switchboard_store::tenants::OpenTenant;
use switchboard_store::{Freshness, Order};

use crate::error::AppError;
use crate::services::Services;
use crate::viewer::Viewer;

/// Entries that one page examines at most.
pub const MOST_EXAMINED: usize = 2_000;
/// Entries of the list looked at in one go when a search has too many candidates.
const PART: usize = 500;
/// Candidates that one page reads at most when what is looked for is encrypted and can only be compared once decrypted.
const MOST_OPENED: usize = 100;

/// Contacts of a walk, and where to go on.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Walked {
    /// The contacts.
    pub contacts: Vec<ContactRow>,
    /// The place from which to go on; none at the end.
    pub next: Option<String>,
    /// How many entries were examined.
    pub examined: usize,
}

impl From<ListPage> for Walked {
    fn from(page: ListPage) -> Self {
        Self { contacts: page.rows, next: page.next, examined: page.examined }
    }
}

/// The viewer's contacts that a filter means. Who may see only their own, or their teams', sees those. Requests and units as [`walk`].
///
/// # Errors
/// [`AppError::Forbidden`] without `contact:read`, [`AppError::Asked`] for a search that can't be; those of the database.
pub async fn list(services: &Services, viewer: &Viewer, filter: &ContactFilter, after: Option<&str>, first: usize, order: Order) -> Result<Walked, AppError> {
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
    walk(services, &viewer.tenant, &viewer.settings, &filter, after, first, order).await
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
    let query = match &filter.search {
        None => None,
        Some(text) => Query::parse(text, &tenant.record.country).map_err(|error| AppError::Asked(error.message))?,
    };
    let Some(query) = query else {
        if !filter.assignees.is_empty()
            && !filter.include_deleted
            && let Some(candidates) = contacts::of_assignees(core, tenant, &filter.assignees, &filter.statuses, MOST_EXAMINED).await?
        {
            return Ok(contacts::read_candidates(core, tenant, candidates, &asked, |_| true).await?.into());
        }
        return Ok(contacts::walk(core, tenant, &asked).await?.into());
    };
    let keyring = &tenant.keyring;
    let found = match &query {
        Query::Phone(e164) => Some(by_phone(services, tenant, e164).await?),
        Query::Email(email) => candidates(services, tenant, &search::email_token(keyring, email), true).await?,
        Query::LastDigits(digits) => {
            asked.most = MOST_OPENED;
            candidates(services, tenant, &search::last_digits_token(keyring, digits), true).await?
        }
        // The longest word has the fewest others like it.
        Query::Words(words) => match words.iter().max_by_key(|word| word.chars().count()) {
            Some(word) => candidates(services, tenant, &search::word_token(word), false).await?,
            None => Some(Vec::new()),
        },
    };
    let matches = |contact: &Contact| is_meant(&query, contact);
    match found {
        Some(candidates) => Ok(contacts::read_candidates(core, tenant, candidates, &asked, matches).await?.into()),
        None => narrowed(services, tenant, &asked, &query, limit).await,
    }
}

/// The list itself walked, because a search has too many candidates to sort: its rows say enough to compare. A part at a time, because the more
/// candidates there are, the sooner a page is full.
async fn narrowed(services: &Services, tenant: &OpenTenant, asked: &Walk<'_>, query: &Query, limit: usize) -> Result<Walked, AppError> {
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
            if row_is_meant(query, &row) {
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

/// Whether a contact as it is now is what was looked for: an index may be a second behind.
fn is_meant(query: &Query, contact: &Contact) -> bool {
    let details = &contact.details;
    let numbers = || std::iter::once(details.phone.as_str()).chain(details.alternate_phones.iter().map(String::as_str));
    match query {
        // Who has the number by a merge is meant too, and was looked up by it.
        Query::Phone(e164) => numbers().any(|number| number == e164) || !contact.merged.is_empty(),
        Query::LastDigits(digits) => search::ends_with_digits(numbers(), digits),
        Query::Email(email) => details.email.as_ref() == Some(email),
        Query::Words(words) => search::name_matches(words, details.name.as_deref()),
    }
}

fn row_is_meant(query: &Query, row: &ContactRow) -> bool {
    match query {
        Query::Phone(e164) => row.phone == *e164,
        Query::LastDigits(digits) => search::ends_with_digits(std::iter::once(row.phone.as_str()), digits),
        Query::Email(email) => row.email.as_ref() == Some(email),
        Query::Words(words) => search::name_matches(words, row.name.as_deref()),
    }
}

/// The candidates behind a token; none when there are too many to sort.
async fn candidates(services: &Services, tenant: &OpenTenant, token: &search::Token, whole: bool) -> Result<Option<Vec<Candidate>>, AppError> {
    let start = if whole { format!("{}#", token.text) } else { token.text.clone() };
    let (found, complete) = switchboard_store::search::candidates(&services.core, tenant, &token.lead, &start, MOST_EXAMINED).await?;
    Ok(complete.then(|| found.into_iter().map(|found| Candidate { place: found.place, id: found.contact }).collect()))
}

/// Who has a number: its owner, and who has it as a further one.
async fn by_phone(services: &Services, tenant: &OpenTenant, e164: &str) -> Result<Vec<Candidate>, AppError> {
    let owner = contacts::owner_of_number(&services.core, tenant, e164).await?;
    let mut found = candidates(services, tenant, &search::phone_token(&tenant.keyring, e164), true).await?.unwrap_or_default();
    found.extend(owner.map(|stored| Candidate { place: stored.place().to_owned(), id: stored.contact.id }));
    Ok(found)
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
