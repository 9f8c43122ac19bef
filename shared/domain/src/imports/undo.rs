//! What becomes of a record when an import is undone, told by who made its versions.
//!
//! The import's own versions are taken back when nothing came after them. What somebody changed since stays as it is, the import's part of it included: there is no
//! telling what of it the change was based on.

use jiff::{SignedDuration, Timestamp};

use super::piece::Piece;
use super::record::Import;
use crate::actor::{Actor, ActorKind};
use crate::change::{Change, Origin, Revisioned};
use crate::ids::ImportId;

/// How far the clocks of two processes may be apart.
const SKEW: SignedDuration = SignedDuration::from_mins(1);

/// In front of the piece in the name of what a change was made by. The rows of an import have no such name, so it tells what undid them.
const UNDOES: &str = "revert ";

/// The undoing of an import.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Undoing {
    import: ImportId,
    file_name: String,
    since: Timestamp,
    asked_at: Timestamp,
}

/// Who made a version.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Maker {
    /// A row of the import.
    Import,
    /// The undoing of it, when it came to this piece.
    Undoing(Piece),
    /// Anybody else.
    Other,
}

/// How a record stands to the import that is undone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Standing {
    /// The import was the last to change it.
    AsImported {
        /// The version that it was at before; 0 when the import made it.
        before: u32,
    },
    /// It was brought back already, when the undoing came to this piece.
    BroughtBack(Piece),
    /// Somebody else changed it since, or between two rows of the import.
    ChangedSince,
    /// Too much of its history is gone to tell.
    Unknown,
}

impl Undoing {
    /// The undoing of an import, which was asked for by its last change.
    #[must_use]
    pub fn of(import: &Import) -> Self {
        let since = import.writing_since.unwrap_or(import.created_at);
        let asked_at = import.last_change.as_ref().map_or(since, |change| change.at);
        Self { import: import.id, file_name: import.file_name.clone(), since, asked_at }
    }

    /// Whether it is this import that is undone.
    #[must_use]
    pub fn is_of(&self, import: ImportId) -> bool {
        self.import == import
    }

    /// When it was asked for.
    #[must_use]
    pub fn asked_at(&self) -> Timestamp {
        self.asked_at
    }

    /// The circumstances of the changes that it makes when it comes to a piece: the import is who makes them.
    #[must_use]
    pub fn origin(&self, piece: Piece) -> Origin {
        Origin { request_id: Some(format!("{UNDOES}{piece}")), ..Origin::import(self.import, &self.file_name) }
    }

    /// Whether the import made a record.
    #[must_use]
    pub fn made(&self, record: &Revisioned) -> bool {
        self.is_import(&record.created_by)
    }

    /// The piece to which the undoing had come when it made this change; none when it didn't make it.
    #[must_use]
    pub fn piece_of(&self, change: &Change) -> Option<Piece> {
        match self.maker(change) {
            Maker::Undoing(piece) => Some(piece),
            Maker::Import | Maker::Other => None,
        }
    }

    /// Whether somebody else made this change.
    #[must_use]
    pub fn is_by_another(&self, change: &Change) -> bool {
        self.maker(change) == Maker::Other
    }

    fn is_import(&self, actor: &Actor) -> bool {
        actor.kind == ActorKind::Import && actor.id.as_deref().and_then(ImportId::parse) == Some(self.import)
    }

    fn maker(&self, change: &Change) -> Maker {
        if !self.is_import(&change.origin.actor) {
            return Maker::Other;
        }
        let piece = change.origin.request_id.as_deref().and_then(|name| name.strip_prefix(UNDOES)?.parse::<Piece>().ok());
        piece.map_or(Maker::Import, Maker::Undoing)
    }

    /// Whether all the import wrote came later.
    fn is_before_import(&self, at: Timestamp) -> bool {
        at < self.since.saturating_sub(SKEW).unwrap_or(Timestamp::MIN)
    }

    /// Whether all that undoes it came later.
    fn is_before_undoing(&self, at: Timestamp) -> bool {
        at < self.asked_at.saturating_sub(SKEW).unwrap_or(Timestamp::MIN)
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    /// Nothing was looked at.
    Start,
    /// Only others so far; below them the undoing may have been.
    Others,
    /// Only the import so far.
    Imported,
    /// Others below the import; below them it may have been again.
    Below {
        before: u32,
    },
    Told(Standing),
}

/// The versions of a record, looked at from the newest on until it is told how the record stands to the import. The newest and the first are known from the record
/// itself.
#[derive(Debug, Clone)]
pub struct History<'a> {
    undoing: &'a Undoing,
    is_made: bool,
    made_at: Timestamp,
    next: u32,
    state: State,
}

impl<'a> History<'a> {
    /// A record's, of which its own last change and its making are looked at.
    #[must_use]
    pub fn of(undoing: &'a Undoing, record: &Revisioned) -> Self {
        let mut history = Self { undoing, is_made: undoing.made(record), made_at: record.created_at, next: record.version, state: State::Start };
        history.look(&record.last_change);
        history
    }

    /// How the record stands to the import; none while versions are to be looked at.
    #[must_use]
    pub fn standing(&self) -> Option<Standing> {
        match self.state {
            State::Told(standing) => Some(standing),
            State::Start | State::Others | State::Imported | State::Below { .. } => None,
        }
    }

    /// The version whose change is to be looked at next.
    #[must_use]
    pub fn next(&self) -> u32 {
        self.next
    }

    /// Looks at the change that made the next version.
    pub fn look(&mut self, change: &Change) {
        self.step(self.undoing.maker(change), change.at);
        if self.next == 1 && self.standing().is_none() {
            self.step(if self.is_made { Maker::Import } else { Maker::Other }, self.made_at);
        }
    }

    /// The change that made the next version isn't on record any more: it is older than everything since `kept_since`.
    pub fn look_no_further(&mut self, kept_since: Timestamp) {
        let is_older = kept_since <= self.undoing.since;
        self.state = State::Told(match self.state {
            State::Told(standing) => standing,
            State::Start | State::Others => Standing::ChangedSince,
            State::Imported if is_older => Standing::AsImported { before: self.next },
            State::Below { before } if is_older => Standing::AsImported { before },
            State::Imported | State::Below { .. } => Standing::Unknown,
        });
    }

    fn step(&mut self, maker: Maker, at: Timestamp) {
        let version = self.next;
        self.next = version.saturating_sub(1);
        self.state = match (self.state, maker) {
            (State::Told(standing), _) => State::Told(standing),
            (State::Start | State::Others, Maker::Undoing(piece)) => State::Told(Standing::BroughtBack(piece)),
            (State::Start | State::Imported, Maker::Import) => State::Imported,
            (State::Others | State::Below { .. }, Maker::Import) => State::Told(Standing::ChangedSince),
            (State::Start | State::Others, Maker::Other) if self.undoing.is_before_undoing(at) => State::Told(Standing::ChangedSince),
            (State::Start | State::Others, Maker::Other) => State::Others,
            (State::Imported, Maker::Other | Maker::Undoing(_)) => self.below(version, at),
            (State::Below { before }, Maker::Other | Maker::Undoing(_)) => self.below(before, at),
        };
        if self.next == 0 {
            self.state = State::Told(match self.state {
                State::Told(standing) => standing,
                State::Start | State::Others => Standing::ChangedSince,
                State::Imported => Standing::AsImported { before: 0 },
                State::Below { before } => Standing::AsImported { before },
            });
        }
    }

    /// Somebody else was there below the import: at a time before it began, so that it wasn't there earlier, or maybe not.
    fn below(&self, before: u32, at: Timestamp) -> State {
        if self.undoing.is_before_import(at) { State::Told(Standing::AsImported { before }) } else { State::Below { before } }
    }
}

#[cfg(test)]
mod tests {
    use proptest::collection::vec;
    use proptest::prelude::*;
    use proptest::sample::select;

    use super::*;

    const IMPORT: [u8; 10] = [1; 10];
    const PIECE: Piece = Piece { chunk: 3, from_row: 40 };

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(1_000_000 + second).unwrap()
    }

    fn id(seed: [u8; 10]) -> ImportId {
        ImportId::new(Timestamp::UNIX_EPOCH, &seed)
    }

    fn undoing(since: i64, asked_at: i64) -> Undoing {
        Undoing { import: id(IMPORT), file_name: "people.csv".to_owned(), since: at(since), asked_at: at(asked_at) }
    }

    fn by(undoing: &Undoing, maker: Maker, second: i64) -> Change {
        let origin = match maker {
            Maker::Import => Origin::import(undoing.import, &undoing.file_name),
            Maker::Undoing(piece) => undoing.origin(piece),
            Maker::Other => Origin::import(id([2; 10]), "people.csv"),
        };
        Change::new("contact.updated", at(second), origin)
    }

    fn record(changes: &[Change]) -> Revisioned {
        let (first, rest) = changes.split_first().unwrap();
        rest.iter().fold(Revisioned::created(first.clone()), |record, change| record.changed(change.clone()))
    }

    /// How a record with these versions, the oldest first, stands, and how many had to be looked at beside the record itself.
    fn told(undoing: &Undoing, changes: &[Change]) -> (Standing, usize) {
        let record = record(changes);
        let mut history = History::of(undoing, &record);
        let mut looked = 0;
        loop {
            if let Some(standing) = history.standing() {
                return (standing, looked);
            }
            looked += 1;
            history.look(&changes[history.next() as usize - 1]);
        }
    }

    fn made(undoing: &Undoing, makers: &[(Maker, i64)]) -> (Standing, usize) {
        let changes: Vec<Change> = makers.iter().map(|(maker, second)| by(undoing, *maker, *second)).collect();
        told(undoing, &changes)
    }

    #[test]
    fn what_somebody_changed_since_is_told_by_the_record_itself() {
        let undoing = undoing(1_000, 9_000);
        for versions in [vec![(Maker::Import, 1_001), (Maker::Other, 2_000)], vec![(Maker::Other, 10), (Maker::Other, 20), (Maker::Import, 1_001), (Maker::Other, 2_000)]]
        {
            assert_eq!(made(&undoing, &versions), (Standing::ChangedSince, 0));
        }
    }

    #[test]
    fn what_was_changed_between_two_rows_is_kept_whichever_row_was_last() {
        let undoing = undoing(1_000, 9_000);
        let versions = [(Maker::Other, 10), (Maker::Import, 1_001), (Maker::Other, 1_002), (Maker::Import, 1_003)];
        assert_eq!(made(&undoing, &versions).0, Standing::ChangedSince);
    }

    #[test]
    fn what_others_changed_after_it_was_brought_back_was_brought_back_all_the_same() {
        let undoing = undoing(1_000, 9_000);
        let versions = [(Maker::Other, 10), (Maker::Import, 1_001), (Maker::Undoing(PIECE), 9_001), (Maker::Other, 9_002), (Maker::Other, 9_003)];
        assert_eq!(made(&undoing, &versions), (Standing::BroughtBack(PIECE), 2));
        assert_eq!(made(&undoing, &versions[..3]), (Standing::BroughtBack(PIECE), 0));
    }

    #[test]
    fn a_record_that_the_import_made_or_changed_once_needs_no_look_at_its_history() {
        let undoing = undoing(1_000, 9_000);
        assert_eq!(made(&undoing, &[(Maker::Import, 1_001)]), (Standing::AsImported { before: 0 }, 0));
        assert_eq!(made(&undoing, &[(Maker::Import, 1_001), (Maker::Import, 1_002)]), (Standing::AsImported { before: 0 }, 0));
        assert_eq!(made(&undoing, &[(Maker::Other, 10), (Maker::Import, 1_001)]), (Standing::AsImported { before: 1 }, 0));
        assert_eq!(made(&undoing, &[(Maker::Other, 10), (Maker::Other, 20), (Maker::Import, 1_001)]), (Standing::AsImported { before: 2 }, 1));
    }

    #[test]
    fn a_change_that_is_no_longer_on_record_is_older_than_the_import_unless_the_import_is_as_old() {
        let undoing = undoing(1_000, 9_000);
        let changes: Vec<Change> = [(Maker::Other, 10), (Maker::Other, 20), (Maker::Import, 1_001)].map(|(maker, second)| by(&undoing, maker, second)).into();
        let record = record(&changes);
        for (kept_since, expected) in [(500, Standing::AsImported { before: 2 }), (1_000, Standing::AsImported { before: 2 }), (2_000, Standing::Unknown)] {
            let mut history = History::of(&undoing, &record);
            history.look_no_further(at(kept_since));
            assert_eq!(history.standing(), Some(expected), "{kept_since}");
        }
    }

    #[test]
    fn other_imports_and_other_names_of_requests_undo_nothing() {
        let undoing = undoing(1_000, 9_000);
        let other = Undoing { import: id([2; 10]), ..undoing.clone() };
        assert_eq!(undoing.piece_of(&by(&other, Maker::Undoing(PIECE), 0)), None);
        let mut change = by(&undoing, Maker::Undoing(PIECE), 0);
        assert_eq!(undoing.piece_of(&change), Some(PIECE));
        change.origin.request_id = Some("revert".to_owned());
        assert!(undoing.piece_of(&change).is_none() && !undoing.is_by_another(&change));
    }

    proptest! {
        #[test]
        fn a_record_stands_as_its_whole_history_says(
            before in 0_usize..4, during in vec(select(vec![Maker::Import, Maker::Import, Maker::Other]), 1..5), since in 0_usize..3, is_undone in any::<bool>(),
            after in 0_usize..3, gap in select(vec![1_i64, 1_000]),
        ) {
            let mut second = 0;
            let mut step = |by: i64| { second += by; second };
            let mut versions: Vec<(Maker, i64)> = (0..before).map(|_| (Maker::Other, step(gap))).collect();
            let begun = step(gap);
            versions.extend(during.iter().map(|maker| (*maker, step(1))));
            versions.extend((0..since).map(|_| (Maker::Other, step(gap))));
            let asked = step(gap);
            // Only what nobody changed since is undone.
            let ours = during.iter().filter(|maker| **maker == Maker::Import).count();
            let run = during.iter().rev().take_while(|maker| **maker == Maker::Import).count();
            let is_untouched = since == 0 && run > 0 && run == ours;
            if is_undone && is_untouched {
                versions.push((Maker::Undoing(PIECE), step(1)));
                versions.extend((0..after).map(|_| (Maker::Other, step(1))));
            }
            let expected = match (is_untouched, is_undone) {
                (false, _) => Standing::ChangedSince,
                (true, true) => Standing::BroughtBack(PIECE),
                (true, false) => Standing::AsImported { before: u32::try_from(versions.len() - run).unwrap() },
            };
            prop_assert_eq!(made(&undoing(begun, asked), &versions).0, expected);
        }
    }
}
