//! What tells the rows of a file that are about the same record.

use crate::ids::ContactId;

/// A keyed hash of what identifies a row's record: its number, or its e-mail address.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct RowKey(u128);

/// As many bytes a key and its row take where they are kept.
const PLACE: usize = 24;

impl RowKey {
    /// The first 128 bits of a hash.
    #[must_use]
    pub fn of_hash(hash: &[u8; 32]) -> Self {
        let mut first = [0; 16];
        first.copy_from_slice(&hash[..16]);
        Self(u128::from_be_bytes(first))
    }

    /// The same of a number's place, which is a keyed hash written in letters.
    #[must_use]
    pub fn of_slot(slot: &ContactId) -> Self {
        // The alphabet of ids is base32hex: 0 to 9 and a to v.
        let digit = |letter: u8| u128::from(if letter.is_ascii_digit() { letter - b'0' } else { letter.wrapping_sub(b'a').wrapping_add(10) } & 31);
        Self(slot.as_str().bytes().fold(0, |bits, letter| (bits << 5) | digit(letter)))
    }

    /// To which of so many parts it belongs.
    #[must_use]
    pub fn part(self, parts: u64) -> u64 {
        u64::try_from(self.0 % u128::from(parts.max(1))).unwrap_or_default()
    }
}

/// Keys with their rows, as they are kept: 24 bytes each.
#[must_use]
pub fn write_keys(keys: &[(RowKey, u64)]) -> Vec<u8> {
    keys.iter().flat_map(|(key, row)| key.0.to_be_bytes().into_iter().chain(row.to_be_bytes())).collect()
}

/// Reads what [`write_keys`] wrote; none when it isn't that.
pub fn read_keys(bytes: &[u8]) -> Option<impl Iterator<Item = (RowKey, u64)> + '_> {
    let (places, rest) = bytes.as_chunks::<PLACE>();
    rest.is_empty().then(|| {
        places.iter().map(|place| {
            let (mut key, mut row) = ([0; 16], [0; 8]);
            key.copy_from_slice(&place[..16]);
            row.copy_from_slice(&place[16..]);
            (RowKey(u128::from_be_bytes(key)), u64::from_be_bytes(row))
        })
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn numbers_with_other_places_have_other_keys() {
        let slots: Vec<ContactId> = (0..100_u8).map(|byte| ContactId::from_hash(&[byte; 32])).collect();
        let keys: std::collections::HashSet<RowKey> = slots.iter().map(RowKey::of_slot).collect();
        assert_eq!(keys.len(), slots.len());
    }

    #[test]
    fn what_was_cut_is_no_list_of_keys() {
        let bytes = write_keys(&[(RowKey::of_hash(&[7; 32]), 1)]);
        assert!(read_keys(&bytes[1..]).is_none() && read_keys(&bytes[..23]).is_none());
        assert_eq!(read_keys(&[]).unwrap().count(), 0);
    }

    proptest! {
        #[test]
        fn keys_read_back(keys in prop::collection::vec((any::<[u8; 32]>(), any::<u64>()), 0..20)) {
            let keys: Vec<(RowKey, u64)> = keys.iter().map(|(hash, row)| (RowKey::of_hash(hash), *row)).collect();
            prop_assert_eq!(read_keys(&write_keys(&keys)).unwrap().collect::<Vec<_>>(), keys);
        }
    }
}
