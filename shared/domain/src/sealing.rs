//! Encryption of personal data: a key per contact, wrapped by the tenant's, and keyed hashes for equality search.
//!
//! The scheme, its threat model and its test vectors are on one page: `docs/encryption.md`.

use aes_gcm::aead::{Aead, AeadInOut, KeyInit, Payload};
use aes_gcm::{Aes256Gcm, Nonce};
use hkdf::Hkdf;
use hmac::{Hmac, Mac};
use sha2::Sha256;

use crate::clock::Entropy;
use crate::ids::{ContactId, TenantId};

const KEY_BYTES: usize = 32;
const NONCE_BYTES: usize = 12;
const TAG_BYTES: usize = 16;
/// Most wrapping keys of a keyring: KMS encrypts 4,096 bytes at once ("Encrypt" in its API reference), of which one is the form and 32 the index key.
pub const MOST_GENERATIONS: usize = (4_096 - 1 - KEY_BYTES) / KEY_BYTES;
/// The newest wrapping key wraps.
const KEYRING_FORMAT: u8 = 1;
/// The newest wrapping key is there but doesn't wrap yet.
const KEYRING_FORMAT_PREPARED: u8 = 2;

/// Why something sealed can't be read, or a keyring can't be used.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum SealingError {
    /// The bytes are not what the given key, tenant, record and purpose sealed: damaged, moved from elsewhere or under another key.
    #[error("sealed data does not open: it is damaged, belongs to another record, or its key is gone")]
    DoesNotOpen,
    /// A keyring whose form isn't known.
    #[error("the tenant's keyring has an unknown form")]
    UnknownKeyring,
}

/// The key under which one contact's personal data is sealed. Destroying every wrapped copy erases the person.
#[derive(Clone)]
pub struct ContactKey {
    bytes: [u8; KEY_BYTES],
    /// The same, made ready: a contact is sealed in several parts.
    cipher: Box<Aes256Gcm>,
}

impl ContactKey {
    /// A new random key.
    #[must_use]
    pub fn generate(entropy: &dyn Entropy) -> Self {
        let mut key = [0; KEY_BYTES];
        entropy.fill(&mut key);
        Self::of(key)
    }

    fn of(bytes: [u8; KEY_BYTES]) -> Self {
        Self { bytes, cipher: Box::new(Aes256Gcm::new(&bytes.into())) }
    }

    /// Seals bytes for one place (`purpose`) of one contact: nonce, then AES-256-GCM ciphertext and tag (28 bytes longer than the plaintext).
    #[must_use]
    pub fn seal(&self, contact: &ContactId, purpose: &str, entropy: &dyn Entropy, plaintext: &[u8]) -> Vec<u8> {
        seal(&[], &self.cipher, &[contact.as_str(), purpose], entropy, plaintext)
    }

    /// Opens what [`Self::seal`] sealed for the same contact and purpose.
    ///
    /// # Errors
    /// [`SealingError::DoesNotOpen`] for anything else.
    pub fn open(&self, contact: &ContactId, purpose: &str, sealed: &[u8]) -> Result<Vec<u8>, SealingError> {
        open(&self.cipher, &[contact.as_str(), purpose], sealed)
    }
}

/// A tenant's keys, in the clear only in memory: kept as one blob that KMS encrypts, so that one KMS call opens all of them.
#[derive(Clone)]
pub struct TenantKeyring {
    tenant: TenantId,
    /// Its text, which goes into what is wrapped.
    named: String,
    index: [u8; KEY_BYTES],
    /// The keyed hash under the index key, made ready.
    hash: Hmac<Sha256>,
    /// Wrapping keys by generation, oldest first.
    wrapping: Vec<[u8; KEY_BYTES]>,
    /// What wraps contacts' keys under each of them, made ready: that is done once for every contact.
    wrappers: Vec<Aes256Gcm>,
    /// The newest one opens but doesn't wrap yet.
    prepared: bool,
}

impl TenantKeyring {
    /// The keyring of a new tenant.
    #[must_use]
    pub fn generate(tenant: TenantId, entropy: &dyn Entropy) -> Self {
        let mut index = [0; KEY_BYTES];
        entropy.fill(&mut index);
        Self::of(tenant, index, Vec::new(), false).with_prepared_generation(entropy).activated()
    }

    fn of(tenant: TenantId, index: [u8; KEY_BYTES], wrapping: Vec<[u8; KEY_BYTES]>, prepared: bool) -> Self {
        let wrappers = wrapping.iter().map(|key| Aes256Gcm::new(&derived(key, CONTACT_KEYS).into())).collect();
        Self { tenant, named: tenant.to_string(), index, hash: keyed(&index), wrapping, wrappers, prepared }
    }

    /// The same keyring with one more wrapping key, which opens but doesn't wrap yet: every process must know it before one uses it. When one was
    /// prepared already, that one stays.
    #[must_use]
    pub fn with_prepared_generation(mut self, entropy: &dyn Entropy) -> Self {
        if !self.prepared {
            let mut key = [0; KEY_BYTES];
            entropy.fill(&mut key);
            self.wrapping.push(key);
            return Self::of(self.tenant, self.index, self.wrapping, true);
        }
        self
    }

    /// The same keyring, whose newest key wraps from now on; the older ones still open what they wrapped.
    #[must_use]
    pub fn activated(mut self) -> Self {
        self.prepared = false;
        self
    }

    /// How many wrapping keys there are.
    #[must_use]
    pub fn generations(&self) -> usize {
        self.wrapping.len()
    }

    /// The generation that wraps.
    fn current(&self) -> usize {
        self.wrapping.len().saturating_sub(if self.prepared { 2 } else { 1 })
    }

    /// The form that is encrypted by KMS: a format byte, the index key, then the wrapping keys.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut bytes = vec![if self.prepared { KEYRING_FORMAT_PREPARED } else { KEYRING_FORMAT }];
        bytes.extend_from_slice(&self.index);
        self.wrapping.iter().for_each(|key| bytes.extend_from_slice(key));
        bytes
    }

    /// Reads what [`Self::to_bytes`] wrote.
    ///
    /// # Errors
    /// [`SealingError::UnknownKeyring`] when it has another form.
    pub fn from_bytes(tenant: TenantId, bytes: &[u8]) -> Result<Self, SealingError> {
        let (prepared, keys) = match bytes.split_first() {
            Some((&KEYRING_FORMAT, keys)) => (false, keys),
            Some((&KEYRING_FORMAT_PREPARED, keys)) => (true, keys),
            _ => return Err(SealingError::UnknownKeyring),
        };
        let (keys, rest) = keys.as_chunks::<KEY_BYTES>();
        let ([index, wrapping @ ..], []) = (keys, rest) else {
            return Err(SealingError::UnknownKeyring);
        };
        if wrapping.len() < 1 + usize::from(prepared) {
            return Err(SealingError::UnknownKeyring);
        }
        Ok(Self::of(tenant, *index, wrapping.to_vec(), prepared))
    }

    /// Where a number has its place: the slot, which is the id of the contact created there.
    #[must_use]
    pub fn slot(&self, e164: &str) -> ContactId {
        ContactId::from_hash(&self.keyed_hash("slot", e164))
    }

    /// A keyed hash for finding equal values of one kind without keeping the value.
    #[must_use]
    pub fn keyed_hash(&self, kind: &str, value: &str) -> [u8; 32] {
        let mut mac = self.hash.clone();
        // As in `associated_data`.
        for part in [kind.as_bytes(), SEPARATOR.as_bytes(), value.as_bytes()] {
            mac.update(part);
        }
        mac.finalize().into_bytes().into()
    }

    /// Wraps a contact's key for keeping in its record (61 bytes).
    #[must_use]
    pub fn wrap(&self, contact: &ContactId, key: &ContactKey, entropy: &dyn Entropy) -> Vec<u8> {
        let generation = self.current();
        let generation_byte = u8::try_from(generation).unwrap_or(u8::MAX);
        seal(&[generation_byte], &self.wrappers[generation], &[&self.named, contact.as_str()], entropy, &key.bytes)
    }

    /// Whether the present wrapping key wrapped this: if not, it is to be wrapped anew when its record is next written.
    #[must_use]
    pub fn is_current(&self, wrapped: &[u8]) -> bool {
        wrapped.first().is_some_and(|generation| usize::from(*generation) == self.current())
    }

    /// Opens a wrapped contact key.
    ///
    /// # Errors
    /// [`SealingError::DoesNotOpen`] when it belongs to another contact or tenant, or is damaged.
    pub fn unwrap(&self, contact: &ContactId, wrapped: &[u8]) -> Result<ContactKey, SealingError> {
        let (generation, wrapped) = wrapped.split_first().ok_or(SealingError::DoesNotOpen)?;
        let wrapper = self.wrappers.get(usize::from(*generation)).ok_or(SealingError::DoesNotOpen)?;
        let key = open(wrapper, &[&self.named, contact.as_str()], wrapped)?;
        Ok(ContactKey::of(key.try_into().map_err(|_| SealingError::DoesNotOpen)?))
    }

    /// Seals a short value under the tenant's present key: the generation, then as [`ContactKey::seal`].
    #[must_use]
    pub fn seal_for_tenant(&self, purpose: &str, record: &str, entropy: &dyn Entropy, plaintext: &[u8]) -> Vec<u8> {
        let generation = u8::try_from(self.current()).unwrap_or(u8::MAX);
        let key = derived(&self.wrapping[self.current()], purpose);
        seal(&[generation], &Aes256Gcm::new(&key.into()), &[&self.named, record], entropy, plaintext)
    }

    /// Opens what [`Self::seal_for_tenant`] sealed for the same purpose and record.
    ///
    /// # Errors
    /// [`SealingError::DoesNotOpen`] for anything else.
    pub fn open_for_tenant(&self, purpose: &str, record: &str, sealed: &[u8]) -> Result<Vec<u8>, SealingError> {
        let (generation, sealed) = sealed.split_first().ok_or(SealingError::DoesNotOpen)?;
        let key = derived(self.wrapping.get(usize::from(*generation)).ok_or(SealingError::DoesNotOpen)?, purpose);
        open(&Aes256Gcm::new(&key.into()), &[&self.named, record], sealed)
    }
}

/// The purpose of the keys that wrap contacts' keys.
const CONTACT_KEYS: &str = "contact key";

/// The key of one purpose: no two purposes share one.
fn derived(key: &[u8; KEY_BYTES], purpose: &str) -> [u8; KEY_BYTES] {
    let mut derived = [0; KEY_BYTES];
    #[expect(clippy::expect_used, reason = "HKDF refuses only what is longer than 255 hashes")]
    Hkdf::<Sha256>::new(None, key).expand(purpose.as_bytes(), &mut derived).expect("one key");
    derived
}

/// What comes first, the nonce, the sealed text and its tag.
fn seal(first: &[u8], cipher: &Aes256Gcm, context: &[&str], entropy: &dyn Entropy, plaintext: &[u8]) -> Vec<u8> {
    let mut nonce = [0; NONCE_BYTES];
    entropy.fill(&mut nonce);
    let start = first.len() + NONCE_BYTES;
    let mut sealed = Vec::with_capacity(start + plaintext.len() + TAG_BYTES);
    for part in [first, &nonce, plaintext] {
        sealed.extend_from_slice(part);
    }
    #[expect(clippy::expect_used, reason = "AES-GCM refuses only plaintexts over 64 GiB")]
    let tag = cipher.encrypt_inout_detached(&Nonce::from(nonce), &associated_data(context), sealed[start..].as_mut().into()).expect("plaintext below 64 GiB");
    sealed.extend_from_slice(&tag);
    sealed
}

fn open(cipher: &Aes256Gcm, context: &[&str], sealed: &[u8]) -> Result<Vec<u8>, SealingError> {
    let (nonce, ciphertext) = sealed.split_first_chunk::<NONCE_BYTES>().ok_or(SealingError::DoesNotOpen)?;
    let payload = Payload { msg: ciphertext, aad: &associated_data(context) };
    cipher.decrypt(&Nonce::from(*nonce), payload).map_err(|_| SealingError::DoesNotOpen)
}

/// What no id, purpose or kind contains.
const SEPARATOR: &str = "\u{0}";

/// The parts joined so that no two different lists give the same bytes.
fn associated_data(parts: &[&str]) -> Vec<u8> {
    parts.join(SEPARATOR).into_bytes()
}

fn keyed(key: &[u8; KEY_BYTES]) -> Hmac<Sha256> {
    #[expect(clippy::expect_used, reason = "HMAC takes keys of any length")]
    <Hmac<Sha256> as hmac::KeyInit>::new_from_slice(key).expect("any key length")
}

#[cfg(test)]
mod tests {
    use super::*;
    use jiff::Timestamp;

    struct Counting(std::sync::atomic::AtomicU8);

    impl Entropy for Counting {
        fn fill(&self, bytes: &mut [u8]) {
            bytes.fill_with(|| self.0.fetch_add(1, std::sync::atomic::Ordering::Relaxed));
        }
    }

    fn counting() -> Counting {
        Counting(std::sync::atomic::AtomicU8::new(0))
    }

    fn tenant(seed: u8) -> TenantId {
        TenantId::new(Timestamp::UNIX_EPOCH, &[seed; 10])
    }

    #[test]
    fn sealed_data_opens_only_for_its_own_contact_purpose_and_key() {
        let entropy = counting();
        let (here, there) = (ContactId::from_hash(&[1; 32]), ContactId::from_hash(&[2; 32]));
        let (key, other) = (ContactKey::generate(&entropy), ContactKey::generate(&entropy));
        let sealed = key.seal(&here, "list", &entropy, b"+15145550123");
        assert_eq!(key.open(&here, "list", &sealed).unwrap(), b"+15145550123");
        assert_eq!(key.open(&there, "list", &sealed), Err(SealingError::DoesNotOpen));
        assert_eq!(key.open(&here, "rest", &sealed), Err(SealingError::DoesNotOpen));
        assert_eq!(other.open(&here, "list", &sealed), Err(SealingError::DoesNotOpen));
        for index in 0..sealed.len() {
            let mut damaged = sealed.clone();
            damaged[index] ^= 1;
            assert_eq!(key.open(&here, "list", &damaged), Err(SealingError::DoesNotOpen));
        }
        assert_eq!(key.open(&here, "list", &sealed[..5]), Err(SealingError::DoesNotOpen));
    }

    #[test]
    fn an_older_generation_still_opens_and_another_tenant_never_does() {
        let entropy = counting();
        let contact = ContactId::from_hash(&[1; 32]);
        let old = TenantKeyring::generate(tenant(1), &entropy);
        let key = ContactKey::generate(&entropy);
        let wrapped = old.wrap(&contact, &key, &entropy);
        assert_eq!(wrapped.len(), 61);
        let prepared = old.clone().with_prepared_generation(&entropy);
        assert!(prepared.is_current(&wrapped) && old.unwrap(&contact, &prepared.wrap(&contact, &key, &entropy)).is_ok());
        assert_eq!(prepared.clone().with_prepared_generation(&entropy).generations(), 2);
        let new = TenantKeyring::from_bytes(tenant(1), &prepared.to_bytes()).unwrap().activated();
        assert_eq!(new.unwrap(&contact, &wrapped).unwrap().bytes, key.bytes);
        assert_eq!(new.slot("+15145550123"), old.slot("+15145550123"));
        let rewrapped = new.wrap(&contact, &key, &entropy);
        assert!(old.is_current(&wrapped) && !new.is_current(&wrapped) && new.is_current(&rewrapped));
        assert!(old.unwrap(&contact, &rewrapped).is_err());
        let elsewhere = TenantKeyring::from_bytes(tenant(2), &old.to_bytes()).unwrap();
        assert!(elsewhere.unwrap(&contact, &wrapped).is_err());
    }

    #[test]
    fn a_keyring_reads_back_and_a_cut_one_is_refused() {
        let keyring = TenantKeyring::generate(tenant(1), &counting());
        let bytes = keyring.to_bytes();
        let read = TenantKeyring::from_bytes(tenant(1), &bytes).unwrap();
        assert_eq!(read.to_bytes(), bytes);
        for length in 0..bytes.len() {
            assert!(TenantKeyring::from_bytes(tenant(1), &bytes[..length]).is_err());
        }
    }

    #[test]
    fn test_vectors_of_the_encryption_page() {
        let bytes: Vec<u8> = std::iter::once(KEYRING_FORMAT).chain(0..64).collect();
        let keyring = TenantKeyring::from_bytes(tenant(1), &bytes).unwrap();
        assert_eq!(keyring.slot("+15145550123").as_str(), "kkiusjfi9vt006jnbu7rv51pkc");
    }
}
