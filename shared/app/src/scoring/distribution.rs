//! How the scores of a tenant's contacts are spread.

use futures::future::try_join_all;
use switchboard_domain::permission::Permission;
use switchboard_domain::scoring::ScoreCategory;
use switchboard_store::contacts;

use crate::error::AppError;
use crate::services::Services;
use crate::viewer::Viewer;

/// How many bands there are.
const BANDS: u8 = 20;
/// How many values a band has; the last one has 100 too.
const WIDTH: u8 = 5;
/// Bands that are counted at once.
const AT_ONCE: usize = 8;

/// How many contacts have one of a few neighbouring values.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ScoreBand {
    /// The least value.
    pub least: u8,
    /// The greatest value.
    pub greatest: u8,
    /// How many contacts.
    pub count: u64,
}

/// How many contacts have which score; deleted ones, and those made before there were scores, aside.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Distribution {
    /// The bands, the lowest first. None lies in two categories.
    pub bands: Vec<ScoreBand>,
}

impl Distribution {
    /// How many contacts there are.
    #[must_use]
    pub fn total(&self) -> u64 {
        self.bands.iter().map(|band| band.count).sum()
    }

    /// How many are in a category.
    #[must_use]
    pub fn of_category(&self, category: ScoreCategory) -> u64 {
        self.bands.iter().filter(|band| ScoreCategory::of(band.least) == category).map(|band| band.count).sum()
    }
}

/// The least and the greatest value of each band.
fn bands() -> impl Iterator<Item = (u8, u8)> {
    (0..BANDS).map(|band| (band * WIDTH, if band + 1 == BANDS { 100 } else { band * WIDTH + WIDTH - 1 }))
}

/// Counts the tenant's contacts by score, exactly as index 3 has them, which is up to a second behind. 20 requests per shard, or one for each started MB of a band, 8 bands at once;
/// half an R per started 4 KB of entries (about 0.2 KB a contact: 25 R for 1,000 contacts, 2,500 R for 100,000).
///
/// # Errors
/// [`AppError::Forbidden`] without `scoring:read` for the whole tenant; those of the database.
pub async fn distribution(services: &Services, viewer: &Viewer) -> Result<Distribution, AppError> {
    viewer.require_all(Permission::ScoringRead)?;
    let all: Vec<(u8, u8)> = bands().collect();
    let mut counted = Vec::with_capacity(all.len());
    for part in all.chunks(AT_ONCE) {
        let counts = try_join_all(part.iter().map(|(least, greatest)| contacts::count_with_scores(&services.core, &viewer.tenant, *least, *greatest))).await?;
        counted.extend(part.iter().zip(counts).map(|((least, greatest), count)| ScoreBand { least: *least, greatest: *greatest, count }));
    }
    Ok(Distribution { bands: counted })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_value_is_in_one_band_and_every_band_in_one_category() {
        for value in 0..=100 {
            assert_eq!(bands().filter(|(least, greatest)| (*least..=*greatest).contains(&value)).count(), 1, "{value}");
        }
        assert!(bands().all(|(least, greatest)| ScoreCategory::of(least) == ScoreCategory::of(greatest)));
        assert_eq!(bands().last(), Some((95, 100)));
    }
}
