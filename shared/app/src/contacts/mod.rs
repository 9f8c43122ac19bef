//! Contacts: read by what the viewer may see, and changed, a verb a file.

mod access;
mod apply;
mod assign;
mod create;
mod delete;
mod duplicates;
mod edit;
mod erase;
mod list;
mod merge;
mod notes;
mod opened;
mod ranked;
mod read;
mod revert;
mod search;
mod set_status;
mod undo;
mod update;

pub(crate) use access::{check_live, check_owner, find};
pub use apply::{Applied, Operation, Owner, apply};
pub use assign::{AssignContacts, MOST_ASSIGNED, PerContact, assign};
pub use create::{CreateContact, create};
pub use delete::{delete, restore};
pub(crate) use delete::{is_owner_there, status_of_returned};
pub use duplicates::{Duplicates, DuplicatesPage, DuplicatesPlace, duplicates};
pub use erase::{Erasure, RECOVERY_DAYS, erase};
pub use list::{ContactOrder, MOST_EXAMINED, Walked, get_many, list, top, walk};
pub use merge::{MergeContacts, merge, unmerge};
pub use notes::{AddNote, add_note, note, notes};
pub use opened::opened;
pub use read::{by_phone, get};
pub(crate) use revert::revert;
pub use set_status::{SetStatus, set_status};
pub(crate) use undo::{BringingBack, say_again, take_away};
pub use update::{UpdateContact, update};
