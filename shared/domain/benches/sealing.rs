//! What encryption costs a contact, beside plain AES-256-GCM of as many bytes. Run by `./dev bench sealing`.
#![expect(clippy::expect_used, reason = "a benchmark that can't be set up fails")]

use std::hint::black_box;
use std::time::{Duration, Instant};

use aes_gcm::aead::{Aead, KeyInit, Payload};
use aes_gcm::{Aes256Gcm, Nonce};
use jiff::Timestamp;
use switchboard_domain::clock::Entropy;
use switchboard_domain::ids::{ContactId, TenantId};
use switchboard_domain::sealing::{ContactKey, TenantKeyring};

const CONTACTS: usize = 20_000;
const RUNS: usize = 5;
/// What a list shows of a contact, and the rest, in bytes of JSON.
const LIST: [u8; 60] = [b'x'; 60];
const DETAILS: [u8; 160] = [b'x'; 160];

struct Cheap(std::sync::atomic::AtomicU8);

impl Entropy for Cheap {
    fn fill(&self, bytes: &mut [u8]) {
        bytes.fill_with(|| self.0.fetch_add(41, std::sync::atomic::Ordering::Relaxed));
    }
}

fn main() {
    let entropy = Cheap(std::sync::atomic::AtomicU8::new(1));
    let keyring = TenantKeyring::generate(TenantId::new(Timestamp::UNIX_EPOCH, &[1; 10]), &entropy);
    let id = keyring.slot("+15145550123");
    let key = ContactKey::generate(&entropy);
    let wrapped = keyring.wrap(&id, &key, &entropy);
    let (list, details) = (key.seal(&id, "list", &entropy, &LIST), key.seal(&id, "details", &entropy, &DETAILS));
    let plain = Aes256Gcm::new(&[7; 32].into());
    let encrypt = |bytes: &[u8]| plain.encrypt(&Nonce::from([1; 12]), Payload { msg: bytes, aad: b"" }).expect("a short text").len();

    let peer = best(|| encrypt(&LIST) + encrypt(&DETAILS));
    let written = |id: &ContactId| {
        let key = ContactKey::generate(&entropy);
        keyring.wrap(id, &key, &entropy).len() + key.seal(id, "list", &entropy, &LIST).len() + key.seal(id, "details", &entropy, &DETAILS).len()
    };
    println!("{CONTACTS} contacts, the best of {RUNS} runs on one core");
    println!("{:<58} {:>12} {:>10}", "", "µs each", "x peer");
    for (name, taken) in [
        ("AES-256-GCM of the same bytes alone (the peer)", peer),
        ("slot of a number", best(|| keyring.slot("+15145550123").as_str().len())),
        ("written: a key made and wrapped, two parts sealed", best(|| written(&id))),
        ("read in a list: the key and one part opened", best(|| keyring.unwrap(&id, &wrapped).and_then(|key| key.open(&id, "list", &list)).expect("its own").len())),
        (
            "read whole: the key and both parts opened",
            best(|| {
                let key = keyring.unwrap(&id, &wrapped).expect("its own");
                key.open(&id, "list", &list).expect("its own").len() + key.open(&id, "details", &details).expect("its own").len()
            }),
        ),
    ] {
        println!("{name:<58} {:>12.2} {:>10.2}", taken.as_secs_f64() * 1e6 / CONTACTS as f64, taken.as_secs_f64() / peer.as_secs_f64());
    }
}

fn best(mut work: impl FnMut() -> usize) -> Duration {
    (0..RUNS)
        .map(|_| {
            let begun = Instant::now();
            for _ in 0..CONTACTS {
                black_box(work());
            }
            begun.elapsed()
        })
        .min()
        .expect("at least one run")
}
