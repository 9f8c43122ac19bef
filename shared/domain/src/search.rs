//! Search: the tokens a contact is found by, and what somebody typed, read as a number, an address or words.

use std::collections::BTreeSet;

use crate::contact::Contact;
use crate::field_error::{FieldError, FieldErrorCode};
use crate::ids::base32;
use crate::sealing::TenantKeyring;
use crate::{phone, text};

/// Most words of a name that are indexed: its first ones.
pub const MAX_WORDS: usize = 12;
/// Longest token of a word, in characters; of a longer word its beginning.
pub const WORD_LENGTH: usize = 40;
/// Characters that a token keeps of a hash: 130 bits.
const HASH_LENGTH: usize = 26;
/// How many digits of the end of a number are indexed, and the fewest that are searched for.
const ENDING: usize = 4;
/// Most digits a number has (E.164).
const MOST_DIGITS: usize = 15;
/// The field that errors name.
const FIELD: &str = "filter.search";

/// What a contact is found by: a word of its name, or a keyed hash of something that must not stand in a key.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Token {
    /// Where it stands: the first two characters of a word (the one, of a word of one), or `=` and the first character of a hash.
    pub lead: String,
    /// The word, or the kind of the hash (`e.`, `p.`, `4.`, `d.`) and the hash.
    pub text: String,
}

impl Token {
    /// Whether it is a keyed hash, which says nothing without the tenant's key.
    #[must_use]
    pub fn is_hashed(&self) -> bool {
        self.lead.starts_with('=')
    }

    fn hashed(kind: &str, hash: &[u8; 32]) -> Self {
        let mut hash = base32(hash);
        hash.truncate(HASH_LENGTH);
        Self { lead: format!("={}", &hash[..1]), text: format!("{kind}.{hash}") }
    }
}

/// The token of a folded word. Of a beginning of at least two characters it is what the tokens of the words begin with, in the same place; a single
/// character stands apart from longer words, so it leads to words of one character only.
#[must_use]
pub fn word_token(word: &str) -> Token {
    Token { lead: word.chars().take(2).collect(), text: word.chars().take(WORD_LENGTH).collect() }
}

/// The token of an e-mail address; case doesn't matter.
#[must_use]
pub fn email_token(keyring: &TenantKeyring, email: &str) -> Token {
    Token::hashed("e", &keyring.keyed_hash("search email", &email.to_lowercase()))
}

/// The token of a further number, E.164. A contact's own number has none: its slot is looked up.
#[must_use]
pub fn phone_token(keyring: &TenantKeyring, e164: &str) -> Token {
    Token::hashed("p", &keyring.keyed_hash("search phone", e164))
}

/// The token of the last four digits of a number, or of the digits of its end.
#[must_use]
pub fn last_digits_token(keyring: &TenantKeyring, digits: &str) -> Token {
    let ending = digits.get(digits.len().saturating_sub(ENDING)..).unwrap_or(digits);
    Token::hashed("4", &keyring.keyed_hash("search ending", ending))
}

/// The token of a name at a postal code; none when the name has neither letters nor digits. Case, accents and punctuation don't matter.
#[must_use]
pub fn person_token(keyring: &TenantKeyring, name: &str, postal_code: &str) -> Option<Token> {
    let folded = text::fold(name);
    let name = split(&folded).collect::<Vec<_>>().join(" ");
    (!name.is_empty()).then(|| Token::hashed("d", &keyring.keyed_hash("search person", &format!("{name}\u{0}{postal_code}"))))
}

/// Every place of hashed tokens, in order.
#[must_use]
pub fn hashed_leads() -> Vec<String> {
    ('0'..='9').chain('a'..='v').map(|first| format!("={first}")).collect()
}

/// What a contact is found by; nothing when it was deleted or merged into another.
#[must_use]
pub fn tokens(keyring: &TenantKeyring, contact: &Contact) -> BTreeSet<Token> {
    if !is_live(contact) {
        return BTreeSet::new();
    }
    let details = &contact.details;
    let mut tokens: BTreeSet<Token> = words(details.name.as_deref().unwrap_or_default()).iter().take(MAX_WORDS).map(|word| word_token(word)).collect();
    tokens.extend(details.alternate_phones.iter().map(|number| phone_token(keyring, number)));
    tokens.extend(std::iter::once(&details.phone).chain(&details.alternate_phones).map(|number| last_digits_token(keyring, number)));
    tokens.extend(DuplicateReason::ALL.iter().filter_map(|reason| reason.token(keyring, contact)));
    tokens
}

fn is_live(contact: &Contact) -> bool {
    contact.deleted_at.is_none() && contact.merged_into.is_none()
}

/// Why contacts may be one person.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DuplicateReason {
    /// They have one name at one postal code.
    SameNameAndPostalCode,
    /// They have one e-mail address.
    SameEmail,
}

impl DuplicateReason {
    /// Every reason, in the order of its tokens.
    pub const ALL: [Self; 2] = [Self::SameNameAndPostalCode, Self::SameEmail];

    /// What its tokens begin with.
    #[must_use]
    pub fn start(self) -> &'static str {
        match self {
            Self::SameNameAndPostalCode => "d.",
            Self::SameEmail => "e.",
        }
    }

    /// The token that a contact shares with others for this reason; none when it was deleted or merged, or lacks a value.
    #[must_use]
    pub fn token(self, keyring: &TenantKeyring, contact: &Contact) -> Option<Token> {
        if !is_live(contact) {
            return None;
        }
        let details = &contact.details;
        match self {
            Self::SameNameAndPostalCode => person_token(keyring, details.name.as_deref()?, details.postal_code.as_deref()?),
            Self::SameEmail => Some(email_token(keyring, details.email.as_deref()?)),
        }
    }
}

/// What somebody typed to find contacts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Query {
    /// A whole number, E.164.
    Phone(String),
    /// The end of a number: 4 to 15 digits.
    LastDigits(String),
    /// An e-mail address, in lower case.
    Email(String),
    /// Beginnings of words of the name, folded, each once: all must be in it. A word of one character is a whole word: it matches only a word
    /// of the name that equals it.
    Words(Vec<String>),
}

impl Query {
    /// Reads what was typed; `Ok(None)` when blank. What contains `@` is an e-mail address; digits with what numbers are written with are a
    /// number, if it can exist as dialled in `default_country` (ISO 3166-1 alpha-2), and else the end of one; all else is words.
    ///
    /// # Errors
    /// All name `filter.search`: `TOO_LONG` beyond 255 characters; `INVALID` for control characters, for fewer than four digits or more than any
    /// number has, and for what has neither letters nor digits.
    pub fn parse(typed: &str, default_country: &str) -> Result<Option<Self>, FieldError> {
        let Some(line) = text::line(FIELD, typed, text::NAME_LENGTH)? else {
            return Ok(None);
        };
        if line.contains('@') {
            return Ok(Some(Self::Email(line.to_lowercase())));
        }
        let invalid = |why: &str| {
            let remedy = "Give a name, an e-mail address, a number or at least its last four digits.";
            Err(FieldError::new(FIELD, FieldErrorCode::Invalid, format!("{FIELD} {why}. {remedy}")))
        };
        let folded = text::fold(&line);
        if folded.chars().all(|character| character.is_ascii_digit() || is_phone_punctuation(character)) {
            if let Ok(phone) = phone::parse(FIELD, &line, default_country) {
                return Ok(Some(Self::Phone(phone.e164)));
            }
            let digits: String = folded.chars().filter(char::is_ascii_digit).collect();
            return match digits.len() {
                ENDING..=MOST_DIGITS => Ok(Some(Self::LastDigits(digits))),
                0..ENDING => invalid("has too few digits"),
                _ => invalid("has more digits than any number"),
            };
        }
        let words = words(&line);
        if words.is_empty() { invalid("has neither letters nor digits") } else { Ok(Some(Self::Words(words))) }
    }
}

/// What numbers are written with beside digits, dashes of any kind included.
fn is_phone_punctuation(character: char) -> bool {
    matches!(character, '+' | '(' | ')' | '-' | '.' | ' ' | '/' | '\u{2010}'..='\u{2015}')
}

/// Whether each word, folded, is the beginning of some word of the name; a word of one character must be one of its words.
#[must_use]
pub fn name_matches(words: &[String], name: Option<&str>) -> bool {
    let folded = text::fold(name.unwrap_or_default());
    words.iter().all(|word| {
        let is_one_character = word.chars().nth(1).is_none();
        split(&folded).any(|of_name| if is_one_character { of_name == word } else { of_name.starts_with(word.as_str()) })
    })
}

/// Whether one of the numbers, E.164, ends with these digits.
#[must_use]
pub fn ends_with_digits<'a>(mut numbers: impl Iterator<Item = &'a str>, digits: &str) -> bool {
    numbers.any(|number| number.trim_start_matches('+').ends_with(digits))
}

/// The words of a folded text: what stands between all that is neither letter nor digit.
fn split(folded: &str) -> impl Iterator<Item = &str> {
    folded.split(|character: char| !character.is_alphanumeric()).filter(|word| !word.is_empty())
}

/// The words of a text, folded, each once, in their order.
fn words(of: &str) -> Vec<String> {
    let folded = text::fold(of);
    let mut words: Vec<String> = Vec::new();
    for word in split(&folded) {
        if !words.iter().any(|known| known == word) {
            words.push(word.to_owned());
        }
    }
    words
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::change::{Change, Origin};
    use crate::contact::{ContactDraft, ContactInput, Defaults, OnInvalid};
    use crate::ids::{ContactId, StatusId, TenantId};
    use jiff::Timestamp;
    use proptest::prelude::*;

    fn keyring() -> TenantKeyring {
        let bytes: Vec<u8> = std::iter::once(1).chain(0..64).collect();
        TenantKeyring::from_bytes(TenantId::new(Timestamp::UNIX_EPOCH, &[1; 10]), &bytes).unwrap()
    }

    fn contact(input: ContactInput) -> Contact {
        let defaults = Defaults { country: "CA".to_owned(), time_zone: "America/Toronto".to_owned() };
        let draft = ContactDraft::validate(&ContactInput { phone: "514-555-0123".to_owned(), ..input }, &defaults, OnInvalid::Fail).unwrap().draft;
        let details = draft.into_details(&defaults, StatusId::new(Timestamp::UNIX_EPOCH, &[0; 10]), None, None);
        Contact::created(ContactId::from_hash(&[0; 32]), details, Change::new("contact.created", Timestamp::UNIX_EPOCH, Origin::system()))
    }

    fn named(name: &str) -> Contact {
        contact(ContactInput { name: Some(name.to_owned()), ..ContactInput::default() })
    }

    fn word_tokens(contact: &Contact) -> Vec<(String, String)> {
        tokens(&keyring(), contact).into_iter().filter(|token| !token.is_hashed()).map(|token| (token.lead, token.text)).collect()
    }

    fn strings(words: &[&str]) -> Vec<String> {
        words.iter().map(|word| (*word).to_owned()).collect()
    }

    #[test]
    fn each_word_of_a_name_is_a_token_once() {
        for (name, expected) in [
            ("Zoé GÉLINAS", vec![("ge", "gelinas"), ("zo", "zoe")]),
            ("O'Brien-Smith, J", vec![("br", "brien"), ("j", "j"), ("o", "o"), ("sm", "smith")]),
            ("Anna Anna", vec![("an", "anna")]),
            ("李小龙", vec![("李小", "李小龙")]),
            ("محمد علي", vec![("عل", "علي"), ("مح", "محمد")]),
            ("3M", vec![("3m", "3m")]),
            ("?!", vec![]),
        ] {
            let expected: Vec<(String, String)> = expected.into_iter().map(|(lead, text)| (lead.to_owned(), text.to_owned())).collect();
            assert_eq!(word_tokens(&named(name)), expected, "{name}");
        }
        assert!(word_tokens(&contact(ContactInput::default())).is_empty());
    }

    #[test]
    fn words_and_their_number_are_limited() {
        let many = (0..20).map(|number| format!("w{number:02}")).collect::<Vec<_>>().join(" ");
        assert_eq!(word_tokens(&named(&many)).len(), MAX_WORDS);
        assert_eq!(word_tokens(&named(&"é".repeat(60))), [("ee".to_owned(), "e".repeat(WORD_LENGTH))]);
    }

    #[test]
    fn what_is_personal_beside_the_name_is_a_token_only_as_a_keyed_hash() {
        let input = ContactInput {
            name: Some("Zoé Gélinas".to_owned()),
            email: Some("Zoe@Example.com".to_owned()),
            postal_code: Some("H3A 1B2".to_owned()),
            alternate_phones: vec!["514-555-0124".to_owned(), "438-555-0123".to_owned()],
            ..ContactInput::default()
        };
        let hashed: Vec<(String, String)> = tokens(&keyring(), &contact(input)).into_iter().filter(Token::is_hashed).map(|token| (token.lead, token.text)).collect();
        // An e-mail address, two further numbers, two endings of three numbers, and a name at a postal code.
        assert_eq!(hashed.len(), 6, "{hashed:?}");
        for (lead, text) in &hashed {
            let (kind, hash) = text.split_once('.').unwrap();
            assert!(["e", "p", "4", "d"].contains(&kind) && hash.len() == HASH_LENGTH, "{text}");
            assert_eq!(*lead, format!("={}", &hash[..1]));
            assert!(hashed_leads().contains(lead));
        }
    }

    /// A change here leaves what is indexed behind: every contact would have to be indexed anew.
    #[test]
    fn test_vectors_of_the_search_page() {
        let keyring = keyring();
        assert_eq!(email_token(&keyring, "Zoe@Example.com").text, "e.ufiuffb3o1mj51mb23dk2f1gsb");
        assert_eq!(phone_token(&keyring, "+15145550124").text, "p.dfneo1jcpofodsrmajt5ic0cbp");
        assert_eq!(last_digits_token(&keyring, "+15145550123").text, "4.h11ta8m4ru4fo8vd5klf3pjkiv");
        assert_eq!(person_token(&keyring, "Zoé  GÉLINAS", "H3A 1B2").unwrap().text, "d.sj0es8r0kuq1h428a5dri334lj");
    }

    #[test]
    fn deleted_and_merged_contacts_are_found_by_nothing() {
        let live = named("Zoé");
        assert!(!tokens(&keyring(), &live).is_empty());
        let deleted = Contact { deleted_at: Some(Timestamp::UNIX_EPOCH), ..live.clone() };
        let merged = Contact { merged_into: Some(ContactId::from_hash(&[1; 32])), ..live };
        for gone in [deleted, merged] {
            assert!(tokens(&keyring(), &gone).is_empty());
            assert!(DuplicateReason::ALL.iter().all(|reason| reason.token(&keyring(), &gone).is_none()));
        }
    }

    #[test]
    fn a_name_at_a_postal_code_is_the_same_however_it_is_written() {
        let keyring = keyring();
        let person = |name: &str| person_token(&keyring, name, "H3A 1B2");
        assert_eq!(person("Zoé O'Brien"), person("ZOE  O’BRIEN"));
        assert_ne!(person("Zoé O'Brien"), person("Zoé Brien"));
        assert_ne!(person("Zoé"), person_token(&keyring, "Zoé", "H3A 1B3"));
        assert_eq!(person("?"), None);
    }

    #[test]
    fn what_is_typed_is_a_number_an_address_or_words() {
        for (typed, expected) in [
            ("514-555-0123", Query::Phone("+15145550123".to_owned())),
            ("(514) 555.0123", Query::Phone("+15145550123".to_owned())),
            ("514\u{2011}555\u{2011}0123", Query::Phone("+15145550123".to_owned())),
            ("+33 6 12 34 56 78", Query::Phone("+33612345678".to_owned())),
            ("0123", Query::LastDigits("0123".to_owned())),
            ("555-0123", Query::LastDigits("5550123".to_owned())),
            ("\u{ff10}\u{ff11}\u{ff12}\u{ff13}", Query::LastDigits("0123".to_owned())),
            (" Zoe@Example.COM ", Query::Email("zoe@example.com".to_owned())),
            ("GÉLINAS", Query::Words(strings(&["gelinas"]))),
            ("gélinas zoé GELINAS", Query::Words(strings(&["gelinas", "zoe"]))),
            ("O'Bri", Query::Words(strings(&["o", "bri"]))),
            ("李小", Query::Words(strings(&["李小"]))),
            ("علي", Query::Words(strings(&["علي"]))),
            ("3M", Query::Words(strings(&["3m"]))),
            ("514-555-0123 x89", Query::Words(strings(&["514", "555", "0123", "x89"]))),
        ] {
            assert_eq!(Query::parse(typed, "CA"), Ok(Some(expected)), "{typed}");
        }
        for blank in ["", "  ", "\t"] {
            assert_eq!(Query::parse(blank, "CA"), Ok(None));
        }
    }

    #[test]
    fn what_can_not_be_searched_for_is_refused_with_the_field_and_the_remedy() {
        let long = "x".repeat(256);
        for (typed, code) in [
            ("123", FieldErrorCode::Invalid),
            ("(5) 1", FieldErrorCode::Invalid),
            ("+-", FieldErrorCode::Invalid),
            ("1234567890123456", FieldErrorCode::Invalid),
            ("!?", FieldErrorCode::Invalid),
            ("zoe\u{7}roy", FieldErrorCode::Invalid),
            (long.as_str(), FieldErrorCode::TooLong),
        ] {
            let error = Query::parse(typed, "CA").unwrap_err();
            assert_eq!((error.field.as_str(), error.code), ("filter.search", code), "{typed}");
            assert!(error.message.starts_with("filter.search "), "{}", error.message);
        }
        assert!(Query::parse("123", "CA").unwrap_err().message.contains("last four digits"));
    }

    #[test]
    fn words_match_beginnings_and_one_character_only_itself() {
        let cases: [(&[&str], Option<&str>, bool); 13] = [
            (&["gel"], Some("Zoé Gélinas"), true),
            (&["zo", "gel"], Some("Zoé Gélinas"), true),
            (&["gel", "zo"], Some("Zoé Gélinas"), true),
            (&["zo", "tremblay"], Some("Zoé Gélinas"), false),
            (&["linas"], Some("Zoé Gélinas"), false),
            (&["z"], Some("Zoé Gélinas"), false),
            (&["z"], Some("Z. Gélinas"), true),
            (&["o", "bri"], Some("O'Brien"), true),
            (&["李小"], Some("李小龙"), true),
            (&["李"], Some("李小龙"), false),
            (&["李"], Some("李 小龙"), true),
            (&["مح"], Some("محمد علي"), true),
            (&["zo"], None, false),
        ];
        for (words, name, expected) in cases {
            assert_eq!(name_matches(&strings(words), name), expected, "{words:?} in {name:?}");
        }
    }

    #[test]
    fn digits_are_found_at_the_end_of_any_number() {
        let numbers = ["+15145550123", "+33612345678"];
        for (digits, expected) in [("0123", true), ("5678", true), ("15145550123", true), ("0124", false), ("5145", false), ("0015145550123", false)] {
            assert_eq!(ends_with_digits(numbers.into_iter(), digits), expected, "{digits}");
        }
    }

    proptest! {
        #[test]
        fn whatever_begins_a_word_of_a_name_leads_to_its_token_and_matches(name in "\\PC{0,80}") {
            for word in words(&name).iter().take(MAX_WORDS) {
                let token = word_token(word);
                prop_assert!(token.text.chars().count() <= WORD_LENGTH && !token.is_hashed());
                prop_assert!(!token.text.contains(['#', '|']), "{}", token.text);
                prop_assert!(name_matches(std::slice::from_ref(word), Some(&name)));
                for (cut, _) in word.char_indices().skip(2) {
                    let beginning = word_token(&word[..cut]);
                    prop_assert_eq!(&beginning.lead, &token.lead);
                    prop_assert!(token.text.starts_with(&beginning.text));
                    prop_assert!(name_matches(&[word[..cut].to_owned()], Some(&name)));
                }
            }
        }

        #[test]
        fn a_name_that_is_typed_finds_itself(name in "\\PC{0,80}") {
            match Query::parse(&name, "CA") {
                Ok(Some(Query::Words(words))) => prop_assert!(name_matches(&words, Some(&name))),
                Ok(Some(Query::LastDigits(digits))) => prop_assert!((ENDING..=MOST_DIGITS).contains(&digits.len())),
                _ => {}
            }
        }

        #[test]
        fn digits_that_are_typed_end_the_number_they_end(typed in "[0-9+() ./-]{0,30}") {
            if let Ok(Some(Query::LastDigits(digits))) = Query::parse(&typed, "CA") {
                prop_assert!(digits.len() >= ENDING && digits.bytes().all(|byte| byte.is_ascii_digit()));
                let number = format!("+{digits}");
                prop_assert!(ends_with_digits(std::iter::once(number.as_str()), &digits));
                prop_assert_eq!(last_digits_token(&keyring(), &digits), last_digits_token(&keyring(), &number));
            }
        }
    }
}
