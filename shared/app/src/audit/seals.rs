//! The seals of a tenant's days and the hashes they are over, as they lie in the archive.

use futures::{StreamExt, TryStreamExt, stream};
use jiff::civil::Date;
use switchboard_domain::audit::{DaySeal, Leaf, SignedSeal};
use switchboard_domain::ids::TenantId;
use switchboard_platform::{Files, PlatformError};

use super::archive_keys::{day_seals_folder, leaves_key, newest_seal_key, seal_key, seals_folder};
use crate::error::AppError;

/// Files read at once.
const AT_ONCE: usize = 32;

/// A seal as it is kept, and what it says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeptSeal {
    /// The text and its signature.
    pub signed: SignedSeal,
    /// What the text says.
    pub seal: DaySeal,
}

impl KeptSeal {
    /// Reads the file of a tenant's seal; a sentence when it isn't one.
    ///
    /// # Errors
    /// A sentence that says what is wrong with it.
    pub fn read(tenant: TenantId, key: &str, bytes: &[u8]) -> Result<Self, String> {
        let wrong = || format!("{key} is not a seal of this tenant");
        let signed: SignedSeal = serde_json::from_slice(bytes).map_err(|_| wrong())?;
        let seal = DaySeal::parse(&signed.seal).filter(|seal| seal.tenant == tenant).ok_or_else(wrong)?;
        let is_in_its_place = key == newest_seal_key(tenant) || key == seal_key(tenant, seal.day, seal.number);
        if is_in_its_place { Ok(Self { signed, seal }) } else { Err(format!("{key} holds the seal of {} with number {}", seal.day, seal.number)) }
    }
}

/// The seals of a day, in the order of their numbers; a sentence in the place of each that can't be read. 1 request, and 1 for each.
///
/// # Errors
/// Those of the bucket.
pub async fn seals_of_day(archive: &Files, tenant: TenantId, day: Date) -> Result<Vec<Result<KeptSeal, String>>, AppError> {
    let keys = archive.list(&day_seals_folder(tenant, day), None, usize::MAX).await?;
    read_seals(archive, tenant, keys).await
}

/// All seals of a tenant, each day's in the order of their numbers; a sentence in the place of each that can't be read. 1 request per 1,000, and 1 for each, 32
/// at once.
///
/// # Errors
/// Those of the bucket.
pub async fn all_seals(archive: &Files, tenant: TenantId) -> Result<Vec<Result<KeptSeal, String>>, AppError> {
    let mut keys = archive.list(&seals_folder(tenant), None, usize::MAX).await?;
    keys.retain(|key| *key != newest_seal_key(tenant));
    read_seals(archive, tenant, keys).await
}

async fn read_seals(archive: &Files, tenant: TenantId, keys: Vec<String>) -> Result<Vec<Result<KeptSeal, String>>, AppError> {
    let reads = keys.into_iter().map(|key| async move {
        let bytes = archive.get(&key).await?.ok_or_else(|| PlatformError::NotFound(key.clone()))?;
        Ok::<_, AppError>(KeptSeal::read(tenant, &key, &bytes))
    });
    stream::iter(reads).buffered(AT_ONCE).try_collect().await
}

/// Seals in the order in which they were made, which is that of the chain: each carries the hash of the one before it.
pub fn in_order_of_sealing(seals: &mut [KeptSeal]) {
    seals.sort_by_key(|kept| (kept.seal.sealed_at, kept.seal.day, kept.seal.number));
}

/// The hashes that a seal is over, sorted and distinct; none when their file isn't there. 1 request.
///
/// # Errors
/// Those of the bucket.
pub async fn leaves(archive: &Files, tenant: TenantId, day: Date, number: u32) -> Result<Option<Vec<Leaf>>, AppError> {
    let bytes = archive.get(&leaves_key(tenant, day, number)).await?;
    Ok(bytes.map(|bytes| parse_leaves(&bytes)))
}

/// The hashes in a file; of one that is cut off, those that are whole.
pub(super) fn parse_leaves(bytes: &[u8]) -> Vec<Leaf> {
    bytes.as_chunks::<32>().0.to_vec()
}

/// Whether hashes are sorted and distinct, as a root is made of them.
pub(super) fn are_in_order(leaves: &[Leaf]) -> bool {
    leaves.is_sorted_by(|one, two| one < two)
}

/// The first of some hashes that isn't among others; both are sorted.
pub(super) fn first_missing<'a>(some: &'a [Leaf], others: &[Leaf]) -> Option<&'a Leaf> {
    some.iter().find(|leaf| others.binary_search(leaf).is_err())
}

#[cfg(test)]
mod tests {
    use super::*;
    use jiff::Timestamp;
    use jiff::civil::date;

    fn seal(tenant: TenantId, number: u32) -> SignedSeal {
        let seal = DaySeal { day: date(2026, 11, 30), events: 1, number, previous: None, root: "ab".repeat(32), sealed_at: Timestamp::UNIX_EPOCH, tenant };
        SignedSeal { seal: seal.text(), signature: String::new(), key: "key".to_owned() }
    }

    #[test]
    fn a_seal_counts_only_in_its_own_place() {
        let [tenant, other] = [1, 2].map(|byte| TenantId::new(Timestamp::UNIX_EPOCH, &[byte; 10]));
        let bytes = serde_json::to_vec(&seal(tenant, 0)).unwrap();
        let key = seal_key(tenant, date(2026, 11, 30), 0);
        assert_eq!(KeptSeal::read(tenant, &key, &bytes).unwrap().signed, seal(tenant, 0));
        assert!(KeptSeal::read(tenant, &newest_seal_key(tenant), &bytes).is_ok());
        for (tenant, key) in [(other, &key), (tenant, &seal_key(tenant, date(2026, 11, 30), 1)), (tenant, &seal_key(tenant, date(2026, 11, 29), 0))] {
            assert!(KeptSeal::read(tenant, key, &bytes).unwrap_err().contains(key.as_str()));
        }
        assert!(KeptSeal::read(tenant, &key, b"{}").is_err() && KeptSeal::read(tenant, &key, &[]).is_err());
    }

    #[test]
    fn hashes_read_back_and_what_lacks_is_found() {
        let (a, b, c) = ([1; 32], [2; 32], [3; 32]);
        assert_eq!(parse_leaves(&[a, b].concat()), [a, b]);
        assert_eq!(parse_leaves(&[a, b].concat()[..63]), [a]);
        assert!(are_in_order(&[]) && are_in_order(&[a, b, c]) && !are_in_order(&[a, a]) && !are_in_order(&[b, a]));
        assert_eq!((first_missing(&[a, c], &[a, b, c]), first_missing(&[a, b], &[a, c])), (None, Some(&b)));
    }
}
