//! What a search for contacts looks for, and where it may be.

use switchboard_domain::contact::Contact;
use switchboard_domain::search::{self, Query};
use switchboard_store::contacts::{self, Candidate, ContactRow};
use switchboard_store::tenants::OpenTenant;

use super::list::MOST_EXAMINED;
use crate::error::AppError;
use crate::services::Services;

/// Candidates that one page reads at most when what is looked for is encrypted and can only be compared once decrypted.
const MOST_OPENED: usize = 100;

/// A search: what it looks for, and what an index knows of that.
pub(super) struct Search {
    query: Query,
    /// Which contacts it may be; none when there are too many to sort.
    pub(super) candidates: Option<Vec<Candidate>>,
    /// Entries that one page in the order of time examines at most.
    pub(super) most: usize,
}

impl Search {
    /// What somebody typed; none when that is nothing. 1 request or more, half an R per started 4 KB of what may match; for a number 1 request and 1 R more.
    ///
    /// # Errors
    /// [`AppError::Asked`] for a search that can't be; those of the database.
    pub(super) async fn of(services: &Services, tenant: &OpenTenant, typed: &str) -> Result<Option<Self>, AppError> {
        let Some(query) = Query::parse(typed, &tenant.record.country).map_err(|error| AppError::Asked(error.message))? else {
            return Ok(None);
        };
        let keyring = &tenant.keyring;
        let candidates = match &query {
            Query::Phone(e164) => Some(by_phone(services, tenant, e164).await?),
            Query::Email(email) => candidates(services, tenant, &search::email_token(keyring, email), true).await?,
            Query::LastDigits(digits) => candidates(services, tenant, &search::last_digits_token(keyring, digits), true).await?,
            // The longest word has the fewest others like it.
            Query::Words(words) => match words.iter().max_by_key(|word| word.chars().count()) {
                Some(word) => candidates(services, tenant, &search::word_token(word), false).await?,
                None => Some(Vec::new()),
            },
        };
        let most = if matches!(query, Query::LastDigits(_)) { MOST_OPENED } else { MOST_EXAMINED };
        Ok(Some(Self { query, candidates, most }))
    }

    /// Whether a contact as it is now is what was looked for: an index may be a second behind.
    pub(super) fn means(&self, contact: &Contact) -> bool {
        let details = &contact.details;
        let numbers = || std::iter::once(details.phone.as_str()).chain(details.alternate_phones.iter().map(String::as_str));
        match &self.query {
            // Who has the number by a merge is meant too, and was looked up by it.
            Query::Phone(e164) => numbers().any(|number| number == e164) || !contact.merged.is_empty(),
            Query::LastDigits(digits) => search::ends_with_digits(numbers(), digits),
            Query::Email(email) => details.email.as_ref() == Some(email),
            Query::Words(words) => search::name_matches(words, details.name.as_deref()),
        }
    }

    /// The same, as far as a row of the list tells.
    pub(super) fn means_row(&self, row: &ContactRow) -> bool {
        match &self.query {
            Query::Phone(e164) => row.phone == *e164,
            Query::LastDigits(digits) => search::ends_with_digits(std::iter::once(row.phone.as_str()), digits),
            Query::Email(email) => row.email.as_ref() == Some(email),
            Query::Words(words) => search::name_matches(words, row.name.as_deref()),
        }
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
