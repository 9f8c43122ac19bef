//! One hash for many events: the tree of RFC 9162 (section 2.1.1) over their hashes, sorted, each once. The order in which events were recorded is in their
//! chains; sorted hashes make the same root however the events were collected.

use data_encoding::HEXLOWER;
use sha2::{Digest, Sha256};

/// The hash of an event, as bytes.
pub type Leaf = [u8; 32];

/// An event's hash, from its hexadecimal form.
#[must_use]
pub fn leaf(hash: &str) -> Option<Leaf> {
    HEXLOWER.decode(hash.as_bytes()).ok()?.try_into().ok()
}

/// Leaves in their order, each once.
#[must_use]
pub fn sorted(mut leaves: Vec<Leaf>) -> Vec<Leaf> {
    leaves.sort_unstable();
    leaves.dedup();
    leaves
}

/// The root over leaves that are sorted and distinct; of none, SHA-256 of nothing.
#[must_use]
pub fn root(leaves: &[Leaf]) -> Leaf {
    match leaves {
        [] => Sha256::digest([]).into(),
        [leaf] => digest(&[&[0], leaf]),
        _ => {
            // The largest power of two smaller than their number.
            let left = leaves.len().next_power_of_two() / 2;
            digest(&[&[1], &root(&leaves[..left]), &root(&leaves[left..])])
        }
    }
}

fn digest(parts: &[&[u8]]) -> Leaf {
    let mut hasher = Sha256::new();
    for part in parts {
        hasher.update(part);
    }
    hasher.finalize().into()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn the_root_is_that_of_the_rfc() {
        assert_eq!(HEXLOWER.encode(&root(&[])), "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
        let (a, b, c) = ([1; 32], [2; 32], [3; 32]);
        let leaf = |leaf: &Leaf| digest(&[&[0], leaf]);
        let ab = digest(&[&[1], &leaf(&a), &leaf(&b)]);
        assert_eq!(root(&[a, b]), ab);
        assert_eq!(root(&[a, b, c]), digest(&[&[1], &ab, &leaf(&c)]));
    }

    #[test]
    fn a_hash_is_64_hexadecimal_digits() {
        assert_eq!(super::leaf(&"ab".repeat(32)), Some([0xab; 32]));
        for wrong in ["", "ab", &"ab".repeat(33), &"zz".repeat(32)] {
            assert_eq!(super::leaf(wrong), None);
        }
    }

    proptest! {
        #[test]
        fn however_events_are_collected_their_root_is_the_same_and_without_one_it_is_another(seeds in proptest::collection::hash_set(any::<[u8; 32]>(), 1..40), shift in 0_usize..40) {
            let leaves: Vec<Leaf> = seeds.into_iter().collect();
            let whole = root(&sorted(leaves.clone()));
            let mut turned = leaves.clone();
            turned.rotate_left(shift % leaves.len());
            turned.push(leaves[0]);
            prop_assert_eq!(root(&sorted(turned)), whole);
            prop_assert_ne!(root(&sorted(leaves[1..].to_vec())), whole);
        }
    }
}
