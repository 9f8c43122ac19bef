//! A line of the archive and of exports: one event, whole, with its hash and when it was recorded.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use serde_json::value::RawValue;

use super::{AuditEvent, FormError, hash_of};

/// A line as it was read. The canonical form is kept as the text it is, so that its hash can be made again without writing it anew.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Line<'a> {
    #[serde(borrow)]
    form: &'a RawValue,
    hash: &'a str,
    /// Changes and e-mail address in the clear, for people. No hash covers them.
    #[serde(default, borrow)]
    readable: Option<&'a RawValue>,
    recorded_at: i64,
}

/// A line to be written.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Written<'a> {
    form: &'a RawValue,
    hash: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    readable: Option<&'a Value>,
    recorded_at: i64,
}

/// Why a text isn't a line.
#[derive(Debug, thiserror::Error)]
pub enum LineError {
    /// It isn't written as one.
    #[error("not an event with its hash: {0}")]
    Line(#[from] serde_json::Error),
    /// What is in it isn't an event.
    #[error(transparent)]
    Form(#[from] FormError),
    /// Its time is none.
    #[error("recordedAt is not a time")]
    Time,
}

/// The line of an event, without a line break. `readable` goes beside it as it is.
///
/// # Errors
/// [`LineError::Line`] when a value can't be written as JSON, which no event has.
pub fn line(event: &AuditEvent, hash: &str, recorded_at: Timestamp, readable: Option<&Value>) -> Result<String, LineError> {
    let form = RawValue::from_string(event.canonical())?;
    Ok(serde_json::to_string(&Written { form: &form, hash, readable, recorded_at: recorded_at.as_millisecond() })?)
}

impl<'a> Line<'a> {
    /// Reads a line.
    ///
    /// # Errors
    /// [`LineError`] when it isn't one.
    pub fn parse(text: &'a str) -> Result<Self, LineError> {
        Ok(serde_json::from_str(text)?)
    }

    /// Whether the hash is that of the form.
    #[must_use]
    pub fn is_intact(&self) -> bool {
        hash_of(self.form.get()) == self.hash
    }

    /// The hash as it stands there.
    #[must_use]
    pub fn hash(&self) -> &'a str {
        self.hash
    }

    /// The canonical form.
    #[must_use]
    pub fn form(&self) -> &'a str {
        self.form.get()
    }

    /// When the event was recorded.
    ///
    /// # Errors
    /// [`LineError::Time`] when that is no time.
    pub fn recorded_at(&self) -> Result<Timestamp, LineError> {
        Timestamp::from_millisecond(self.recorded_at).map_err(|_| LineError::Time)
    }

    /// The event.
    ///
    /// # Errors
    /// [`LineError::Form`] when the form isn't an event's.
    pub fn event(&self) -> Result<AuditEvent, LineError> {
        Ok(AuditEvent::from_canonical(self.form.get())?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::audit::{Changes, Outcome, Place};
    use crate::change::{Change, Origin};

    #[test]
    fn a_line_reads_back_and_shows_when_its_event_was_edited() {
        let event = AuditEvent {
            entity_type: "contact".to_owned(),
            entity_id: "c".to_owned(),
            place: Place::Version(1),
            change: Change::new("contact.created", Timestamp::UNIX_EPOCH, Origin::system()),
            changes: Changes::Sealed(vec![1]),
            outcome: Outcome::Success,
            previous_hash: None,
            about: None,
        };
        let at = Timestamp::from_millisecond(7).unwrap();
        let text = line(&event, &event.hash(), at, Some(&serde_json::json!({ "name": "Zoé" }))).unwrap();
        let read = Line::parse(&text).unwrap();
        assert!(read.is_intact() && !text.contains('\n'));
        assert_eq!((read.event().unwrap(), read.recorded_at().unwrap(), read.hash()), (event.clone(), at, event.hash().as_str()));
        let edited = text.replace("contact.created", "contact.updated");
        assert!(!Line::parse(&edited).unwrap().is_intact());
        assert!(Line::parse(&text.replace("\"recordedAt\"", "\"recorded\"")).is_err());
        assert!(Line::parse("{}").is_err() && Line::parse("").is_err());
    }
}
