//! Notes about contacts.

use async_graphql::{ID, Object};
use switchboard_domain::note;

use crate::audit::AuditActor;
use crate::node_id::NodeId;
use crate::scalars::DateTime;

/// What somebody wrote about a contact. Notes are never changed.
#[derive(Clone)]
pub(crate) struct Note(pub(crate) note::Note);

#[Object]
impl Note {
    /// Opaque; the same for the record's life.
    pub(crate) async fn id(&self) -> ID {
        NodeId::Note(self.0.contact.clone(), self.0.id).to_id()
    }

    /// The text.
    async fn body(&self) -> &str {
        &self.0.body
    }

    /// Who wrote it, as they were then.
    async fn author(&self) -> AuditActor {
        AuditActor(self.0.record.created_by.clone())
    }

    /// When it was written.
    async fn created_at(&self) -> DateTime {
        self.0.record.created_at.into()
    }
}
