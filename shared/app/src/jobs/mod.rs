//! What jobs have in common: each is asked for once, however often its client asks; its record is written whole over the revision it was read at, so that of two
//! workers one goes on; and it stops when somebody wants it to.

mod ask;
mod file;
mod steps;
mod stop;

pub(crate) use ask::{Known, Request, never_sent};
pub(crate) use file::{Content, FileJob, FileWriter, Form};
pub(crate) use steps::Steps;
pub use steps::Stopped;
pub(crate) use stop::stop;

use std::fmt::Display;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use switchboard_domain::ids::TenantId;
use switchboard_platform::PlatformError;
use switchboard_store::StoreError;
use switchboard_store::table::Part;
use switchboard_store::tenants::OpenTenant;

use crate::services::Services;

/// How long outcomes and files are kept: the lifecycle of the results bucket removes them.
pub const FILE_KEPT: SignedDuration = SignedDuration::from_hours(7 * 24);

/// How long a link to a file works.
pub(crate) const LINK_WORKS: Duration = Duration::from_secs(15 * 60);

/// A job's record, and how it is read, written and sent to a worker.
pub(crate) trait Job: Clone + PartialEq + Send + Sync {
    /// What its id is.
    type Id: Copy + Display + Send + Sync;

    /// Its id.
    fn id(&self) -> Self::Id;

    /// Reads an id as it is displayed.
    fn parse_id(text: &str) -> Option<Self::Id>;

    /// What it does, in one word for the log.
    fn name(&self) -> &'static str;

    /// Counts its writes.
    fn revision(&self) -> u32;

    /// Whether no worker has begun it, and it hasn't ended.
    fn is_waiting(&self) -> bool;

    /// Whether nothing more happens to it.
    fn is_ended(&self) -> bool;

    /// Whether somebody wants it stopped.
    fn is_to_stop(&self) -> bool;

    /// Whether this is the given state with nothing but a request to stop added.
    fn is_only_asked_to_stop(&self, before: &Self) -> bool;

    /// Somebody wants it stopped.
    fn asked_to_stop(&self, now: Timestamp) -> Self;

    /// It can't go on, for this reason: a sentence that quotes nothing, because it goes on record in the clear.
    fn failed(&self, reason: &str, now: Timestamp) -> Self;

    /// The same, written by this writer.
    fn by(self, writer: &str) -> Self;

    /// Reads it, strongly consistent.
    fn read(services: &Services, tenant: &OpenTenant, id: Self::Id) -> impl Future<Output = Result<Option<Self>, StoreError>> + Send;

    /// Writes a new one, and the other parts with it or nothing; false when one of them didn't hold.
    fn create(&self, services: &Services, tenant: &OpenTenant, parts: Vec<Part>) -> impl Future<Output = Result<bool, StoreError>> + Send;

    /// Writes it over the revision before its own; false when another one stands there.
    fn save(&self, services: &Services, tenant: &OpenTenant) -> impl Future<Output = Result<bool, StoreError>> + Send;

    /// Sends it to a worker.
    fn send(services: &Services, tenant: TenantId, id: Self::Id) -> impl Future<Output = Result<(), PlatformError>> + Send;
}
