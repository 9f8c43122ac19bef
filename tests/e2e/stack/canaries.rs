//! Texts that must not be found where they don't belong, and finding them in whatever form text is usually kept in.

use data_encoding::{BASE64_NOPAD, BASE64URL_NOPAD, HEXLOWER, HEXUPPER};
use serde_json::Value;

/// Forms with the same first two bytes are looked for together.
const STARTS: usize = 1 << 16;
/// A form that is shorter would be found by chance.
const SHORTEST: usize = 8;

/// What is looked for.
pub(crate) struct Canaries {
    forms: Vec<(String, Vec<u8>)>,
    by_start: Vec<Vec<usize>>,
}

impl Canaries {
    /// Looks for texts, each by what it is called.
    pub(crate) fn new(texts: impl IntoIterator<Item = (String, String)>) -> Self {
        let mut canaries = Self { forms: Vec::new(), by_start: vec![Vec::new(); STARTS] };
        for (name, text) in texts {
            canaries.add(&name, forms_of(&text));
        }
        canaries
    }

    /// Looks for bytes too, which are no text.
    pub(crate) fn and(mut self, name: &str, bytes: &[u8]) -> Self {
        self.add(name, forms_of_bytes(bytes));
        self
    }

    fn add(&mut self, name: &str, forms: Vec<(&'static str, Vec<u8>)>) {
        let mut seen: Vec<Vec<u8>> = Vec::new();
        for (form, bytes) in forms {
            assert!(bytes.len() >= SHORTEST, "too short to be looked for: {name}");
            if !seen.contains(&bytes) {
                seen.push(bytes.clone());
                self.by_start[start(&bytes)].push(self.forms.len());
                self.forms.push((format!("{name} {form}"), bytes));
            }
        }
    }

    /// The first of them that stands in these bytes, and in which form.
    pub(crate) fn find(&self, bytes: &[u8]) -> Option<&str> {
        for (place, pair) in bytes.windows(2).enumerate() {
            for form in &self.by_start[start(pair)] {
                let (name, form) = &self.forms[*form];
                if bytes[place..].starts_with(form) {
                    return Some(name);
                }
            }
        }
        None
    }
}

fn start(bytes: &[u8]) -> usize {
    (usize::from(bytes[0]) << 8) | usize::from(bytes[1])
}

/// A text in every usual encoding.
fn forms_of(text: &str) -> Vec<(&'static str, Vec<u8>)> {
    let json = Value::from(text).to_string();
    let json = &json[1..json.len() - 1];
    let mut forms = forms_of_bytes(text.as_bytes());
    forms.extend([
        ("in JSON", json.as_bytes().to_vec()),
        ("in JSON of ASCII", only_ascii(json).into_bytes()),
        ("in UTF-16", text.encode_utf16().flat_map(u16::to_le_bytes).collect()),
    ]);
    forms
}

/// Bytes in every usual encoding.
fn forms_of_bytes(bytes: &[u8]) -> Vec<(&'static str, Vec<u8>)> {
    let mut forms = vec![("as it is", bytes.to_vec()), ("in hexadecimal", HEXLOWER.encode(bytes).into_bytes()), ("in hexadecimal", HEXUPPER.encode(bytes).into_bytes())];
    // Inside others they can begin at any of three places of a group, and what is around them is in its first and last letter.
    for (before, mixed) in [(0, 0), (1, 2), (2, 3)] {
        let bytes = [&[0; 2][..before], bytes].concat();
        let whole = bytes.len() * 8 / 6;
        for encoding in [BASE64_NOPAD, BASE64URL_NOPAD] {
            forms.push(("in base64", encoding.encode(&bytes).as_bytes()[mixed..whole].to_vec()));
        }
    }
    forms
}

/// A JSON text in which every other letter is escaped.
fn only_ascii(json: &str) -> String {
    json.chars().flat_map(|letter| if letter.is_ascii() { vec![letter] } else { escaped(letter) }).collect()
}

fn escaped(letter: char) -> Vec<char> {
    letter.encode_utf16(&mut [0; 2]).iter().flat_map(|unit| format!("\\u{unit:04x}").chars().collect::<Vec<_>>()).collect()
}

#[test]
fn a_canary_is_found_in_every_usual_form_wherever_it_stands_and_nothing_else_is() {
    let text = "Zoé \"dit\" 5142010123";
    let canaries = Canaries::new([("the note".to_owned(), text.to_owned())]);
    let json = Value::from(text).to_string();
    for before in 0..7 {
        let padded = |text: &[u8]| [&b"pqrstuvw"[..before], text, &b"xyz"[..]].concat();
        let base64 = |text: &[u8]| BASE64_NOPAD.encode(&padded(text)).into_bytes();
        for bytes in [
            padded(text.as_bytes()),
            padded(json.as_bytes()),
            padded(json.replace('é', "\\u00e9").as_bytes()),
            padded(&text.encode_utf16().flat_map(u16::to_le_bytes).collect::<Vec<_>>()),
            padded(HEXLOWER.encode(text.as_bytes()).as_bytes()),
            base64(text.as_bytes()),
            BASE64URL_NOPAD.encode(&padded(text.as_bytes())).into_bytes(),
        ] {
            assert!(canaries.find(&bytes).is_some_and(|name| name.starts_with("the note ")), "{}", String::from_utf8_lossy(&bytes));
        }
    }
    for bytes in [&b""[..], b"Z", "Zoé \"dit\" 5142010124".as_bytes(), b"5142010123"] {
        assert_eq!(canaries.find(bytes), None);
    }
    let key = [0, 255, 7, 128, 9, 200, 11, 13, 1];
    let canaries = canaries.and("the key", &key);
    assert_eq!(canaries.find(BASE64_NOPAD.encode(&[&[1, 2, 3, 4][..], &key, &[5]].concat()).as_bytes()), Some("the key in base64"));
    assert_eq!(canaries.find(&key), Some("the key as it is"));
    assert_eq!(canaries.find(&key[1..]), None);
}
