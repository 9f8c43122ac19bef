//! What the file of an export has in it: its beginning, the events that are meant, and what vouches for them.
//!
//! The events of one record come from the table. All others come from the archive, day by day: it has the rows of imports too, and what left the table.

use std::collections::BTreeSet;

use jiff::SignedDuration;
use jiff::civil::Date;
use serde_json::{Map, Value, json};
use switchboard_domain::actor::STAFF_EMAIL;
use switchboard_domain::audit::{AuditEvent, Changes, FieldChange, Line, LineError, end_line, header_line, line};
use switchboard_domain::audit_export::{Added, AuditExport, AuditExportFormat, Reached, Shown, write_header, write_rows};
use switchboard_domain::contact::is_sensitive;
use switchboard_store::audit_events::{StoredEvent, day_of};
use switchboard_store::tenants::OpenTenant;

use super::vouchers::Vouchers;
use crate::audit::archive_keys::{day_of_folder, tenant_folder};
use crate::audit::{DayFile, DayReader, MASK, opened, read_day};
use crate::error::AppError;
use crate::jobs::{Content, Steps};

/// Events of a record read at once.
const PAGE: usize = 500;
/// Events that are written in one step, about; of the archive also lines and files that are read in one.
const EVENTS: usize = 1_000;
const LINES: usize = 20_000;
const FILES: usize = 64;
/// Longer than the clocks of those who make a tenant and of those who record it differ.
const DIFFERENCE: SignedDuration = SignedDuration::from_hours(1);
/// Shortest difference between two times.
const MOMENT: SignedDuration = SignedDuration::from_millis(1);

/// What an export has in it, told from the place where a worker takes it up.
pub(super) struct Contents<'a> {
    steps: &'a Steps<'a>,
    export: AuditExport,
    /// Events up to that place, and the days on which they were recorded.
    events: u64,
    days: BTreeSet<Date>,
    /// The days that have events in the archive, once they were listed.
    archived: Option<BTreeSet<Date>>,
    reader: Option<Reader<'a>>,
    vouchers: Option<Vouchers>,
}

impl<'a> Contents<'a> {
    pub(super) fn of(steps: &'a Steps<'a>, export: &AuditExport) -> Self {
        let (events, days) = (export.events, export.days.clone());
        Self { steps, export: export.clone(), events, days, archived: None, reader: None, vouchers: None }
    }

    /// The days that are asked for: none when they end before they begin.
    fn span(&self, tenant: &OpenTenant) -> (Date, Date) {
        let (made_at, filter) = (tenant.record.record.created_at, &self.export.filter);
        let born = made_at.saturating_sub(DIFFERENCE).unwrap_or(made_at);
        let from = filter.from.map_or(born, |from| from.max(born));
        let to = filter.to.unwrap_or(self.export.created_at);
        (day_of(from), day_of(to.saturating_sub(MOMENT).unwrap_or(to)))
    }

    fn header(&self, tenant: &OpenTenant, out: &mut Vec<u8>) -> Result<(), AppError> {
        let AuditExport { format, filter, created_at, .. } = &self.export;
        match format {
            AuditExportFormat::Csv => write_header(out).map_err(broken)?,
            AuditExportFormat::JsonLines => push(out, &header_line(&tenant.record.id.to_string(), filter.from, filter.to, filter.left_out(), *created_at)),
        }
        Ok(())
    }

    /// Where the events begin. Those of a record no request.
    async fn beginning(&mut self, tenant: &OpenTenant) -> Result<Option<Reached>, AppError> {
        match self.export.filter.record() {
            Some(_) => Ok(Some(Reached::Record { place: None })),
            None => self.day_from(tenant, self.span(tenant).0).await,
        }
    }

    /// The beginning of the first day with events from this day on; what comes behind all events when there is none. 1 request per 1,000 days, once.
    async fn day_from(&mut self, tenant: &OpenTenant, day: Date) -> Result<Option<Reached>, AppError> {
        let (_, last) = self.span(tenant);
        let archived = match self.archived.take() {
            Some(archived) => archived,
            None => {
                let folders = self.steps.services.archive.list_folders(&tenant_folder(tenant.record.id)).await?;
                folders.iter().filter_map(|folder| day_of_folder(folder)).collect()
            }
        };
        let next = archived.range(day..).next().filter(|day| **day <= last).map(|day| Reached::Archive { day: *day, file: None });
        self.archived = Some(archived);
        Ok(next.or_else(|| self.behind_events()))
    }

    /// What comes behind all events: of a table nothing.
    fn behind_events(&self) -> Option<Reached> {
        (self.export.format == AuditExportFormat::JsonLines).then_some(Reached::Events)
    }

    /// The next events of the one record. 1 request, half an R per started 4 KB.
    async fn of_record(&self, tenant: &OpenTenant, place: Option<&str>) -> Result<(Vec<StoredEvent>, Option<Reached>), AppError> {
        let (kind, id) = self.export.filter.record().ok_or_else(|| AppError::Broken("an export of a record names none".to_owned()))?;
        let page = self.steps.services.audit.from_the_first(&tenant.scope, kind, id, place, PAGE).await?;
        let last = page.entries.last().filter(|_| page.has_more).map(|stored| stored.event.place.sort_key());
        let next = last.map_or_else(|| self.behind_events(), |place| Some(Reached::Record { place: Some(place) }));
        let meant = page.entries.into_iter().filter(|stored| self.export.filter.means(&stored.event, stored.recorded_at));
        Ok((meant.collect(), next))
    }

    /// The next events of a day, or that there are no more. 1 request per file, and 1 per 1,000 files; taken up in the middle of a day, those of the files before.
    async fn of_day(&mut self, tenant: &OpenTenant, day: Date, file: Option<String>) -> Result<(Vec<StoredEvent>, Option<Reached>), AppError> {
        let mut reader = match self.reader.take().filter(|reader| reader.day == day && reader.file == file) {
            Some(reader) => reader,
            None => Reader::at(read_day(&self.steps.services.archive, tenant.record.id, day), day, file).await?,
        };
        let (mut meant, mut lines) = (Vec::new(), 0);
        for _ in 0..FILES {
            let Some(file) = reader.next().await? else {
                let next = match day.tomorrow() {
                    Ok(tomorrow) => self.day_from(tenant, tomorrow).await?,
                    Err(_) => self.behind_events(),
                };
                return Ok((meant, next));
            };
            for text in &file.lines {
                let stored = stored(text).map_err(broken)?;
                if self.export.filter.means(&stored.event, stored.recorded_at) {
                    meant.push(stored);
                }
            }
            lines += file.lines.len();
            if meant.len() >= EVENTS || lines >= LINES {
                break;
            }
        }
        let reached = Reached::Archive { day, file: reader.file.clone() };
        self.reader = Some(reader);
        Ok((meant, Some(reached)))
    }

    /// Writes events. Of readable ones 1 request per 100 contacts that they are about, 1 R each.
    async fn write(&self, tenant: &OpenTenant, events: &[StoredEvent], out: &mut Vec<u8>) -> Result<(), AppError> {
        let changes: Vec<Option<Vec<FieldChange>>> = if self.export.readable {
            let opened = opened(self.steps.services, tenant, events).await?;
            opened.into_iter().map(|changes| changes.map(presentable)).collect()
        } else {
            events.iter().map(|stored| in_the_clear(&stored.event)).collect()
        };
        let emails: Vec<Option<String>> = events.iter().map(|stored| if self.export.readable { email(tenant, &stored.event) } else { None }).collect();
        let all = events.iter().zip(&changes).zip(&emails).map(|((stored, changes), email)| Shown {
            event: &stored.event,
            hash: &stored.hash,
            recorded_at: stored.recorded_at,
            changes: changes.as_deref(),
            email: email.as_deref(),
        });
        match self.export.format {
            AuditExportFormat::Csv => write_rows(all, out).map_err(broken)?,
            AuditExportFormat::JsonLines => {
                for shown in all {
                    push(out, &line(shown.event, shown.hash, shown.recorded_at, readable(&shown).as_ref()).map_err(broken)?);
                }
            }
        }
        Ok(())
    }

    /// Writes what vouches for the events, from a day on, and at last the end. As [`Vouchers::read`] and [`Vouchers::hashes`].
    async fn vouch(&mut self, tenant: &OpenTenant, reached: Option<(Date, u64)>, out: &mut Vec<u8>) -> Result<Option<Reached>, AppError> {
        let archive = &self.steps.services.archive;
        let mut vouchers = match self.vouchers.take() {
            Some(vouchers) => vouchers,
            None => {
                // Where nothing is left out but by time, the hashes of a whole day show that none of its events is missing.
                let span = self.export.filter.left_out().is_none().then(|| self.span(tenant));
                let is_concerned = |day: Date| self.days.contains(&day) || span.is_some_and(|(first, last)| first <= day && day <= last);
                let is_from_the_beginning = span.is_some() && self.export.filter.from.is_none();
                Vouchers::read(archive, tenant.record.id, self.export.created_at, is_from_the_beginning, is_concerned).await?
            }
        };
        let (lines, next) = match reached {
            None => vouchers.seals(),
            Some(reached) => vouchers.hashes(archive, tenant.record.id, reached).await?,
        };
        lines.iter().for_each(|line| push(out, line));
        self.vouchers = Some(vouchers);
        if next.is_none() {
            push(out, &end_line(self.events));
        }
        Ok(next.map(|(day, hashes)| Reached::Seals { day, hashes }))
    }
}

impl Content<AuditExport> for Contents<'_> {
    async fn next(&mut self, after: Option<Reached>, out: &mut Vec<u8>) -> Result<(Added, Option<Reached>), AppError> {
        let (begin, tenant) = (out.len(), self.steps.tenant().await?);
        let mut events = Vec::new();
        let next = match after {
            None => {
                self.header(&tenant, out)?;
                self.beginning(&tenant).await?
            }
            Some(Reached::Record { place }) => {
                let (found, next) = self.of_record(&tenant, place.as_deref()).await?;
                events = found;
                next
            }
            Some(Reached::Archive { day, file }) => {
                let (found, next) = self.of_day(&tenant, day, file).await?;
                events = found;
                next
            }
            Some(Reached::Events) => self.vouch(&tenant, None, out).await?,
            Some(Reached::Seals { day, hashes }) => self.vouch(&tenant, Some((day, hashes)), out).await?,
        };
        self.write(&tenant, &events, out).await?;
        let days = events.iter().map(|stored| day_of(stored.recorded_at)).collect();
        let added = Added { events: events.len() as u64, bytes: (out.len() - begin) as u64, days };
        self.events += added.events;
        self.days.extend(&added.days);
        Ok((added, next))
    }
}

/// A day of the archive being read.
struct Reader<'a> {
    day: Date,
    files: DayReader<'a>,
    /// A file that is read and not yet given.
    ahead: Option<DayFile>,
    /// The key of the last file given.
    file: Option<String>,
}

impl<'a> Reader<'a> {
    /// Behind a file of the day. Those before it are read again: an event that was archived twice is passed over the second time.
    async fn at(mut files: DayReader<'a>, day: Date, file: Option<String>) -> Result<Self, AppError> {
        let mut ahead = None;
        if let Some(last) = &file {
            while let Some(next) = files.next().await? {
                if next.key > *last {
                    ahead = Some(next);
                    break;
                }
            }
        }
        Ok(Self { day, files, ahead, file })
    }

    async fn next(&mut self) -> Result<Option<DayFile>, AppError> {
        let next = match self.ahead.take() {
            Some(ahead) => Some(ahead),
            None => self.files.next().await?,
        };
        if let Some(next) = &next {
            if next.damaged > 0 {
                // The verifier misses them: their hashes are among those of the day.
                tracing::error!(file = next.key, lines = next.damaged, "an archived event is not as it was recorded, and is missing from an export");
            }
            self.file = Some(next.key.clone());
        }
        Ok(next)
    }
}

fn stored(text: &str) -> Result<StoredEvent, LineError> {
    let line = Line::parse(text)?;
    Ok(StoredEvent { event: line.event()?, hash: line.hash().to_owned(), recorded_at: line.recorded_at()? })
}

/// The changes that need no key.
fn in_the_clear(event: &AuditEvent) -> Option<Vec<FieldChange>> {
    match &event.changes {
        Changes::Clear(changes) => Some(changes.clone()),
        Changes::Sealed(_) => None,
    }
}

/// Changes as anybody may see them who sees the contact: the values of sensitive attributes are masked.
fn presentable(changes: Vec<FieldChange>) -> Vec<FieldChange> {
    let shown = |change: FieldChange| {
        if !change.field.strip_prefix("attributes.").is_some_and(is_sensitive) {
            return change;
        }
        let mask = |value: Option<Value>| value.map(|_| Value::from(MASK));
        FieldChange { old: mask(change.old), new: mask(change.new), field: change.field }
    };
    changes.into_iter().map(shown).collect()
}

/// The actor's e-mail address at that time.
fn email(tenant: &OpenTenant, event: &AuditEvent) -> Option<String> {
    let actor = &event.change.origin.actor;
    let bytes = tenant.keyring.open_for_tenant(STAFF_EMAIL, actor.id.as_deref()?, actor.email.as_deref()?).ok()?;
    String::from_utf8(bytes).ok()
}

/// What stands beside an event for people: of what is sealed in it, what could be opened.
fn readable(shown: &Shown<'_>) -> Option<Value> {
    let mut members = Map::new();
    if let Some(email) = shown.email {
        members.insert("actorEmail".to_owned(), json!(email));
    }
    if let (Changes::Sealed(_), Some(changes)) = (&shown.event.changes, shown.changes) {
        members.insert("changes".to_owned(), json!(changes));
    }
    (!members.is_empty()).then_some(Value::Object(members))
}

fn push(out: &mut Vec<u8>, line: &str) {
    out.extend_from_slice(line.as_bytes());
    out.push(b'\n');
}

fn broken(error: impl std::fmt::Display) -> AppError {
    AppError::Broken(format!("events could not be written: {error}"))
}
