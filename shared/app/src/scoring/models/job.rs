//! A training as all jobs are worked on.

use jiff::Timestamp;
use switchboard_domain::ids::{ScoringModelId, TenantId};
use switchboard_domain::scoring_training::ScoringTraining;
use switchboard_platform::PlatformError;
use switchboard_store::table::Part;
use switchboard_store::tenants::OpenTenant;
use switchboard_store::{StoreError, scoring_trainings};

use super::train::TrainingMessage;
use crate::jobs::Job;
use crate::services::Services;

impl Job for ScoringTraining {
    type Id = ScoringModelId;

    fn id(&self) -> ScoringModelId {
        self.id
    }

    fn parse_id(text: &str) -> Option<ScoringModelId> {
        ScoringModelId::parse(text)
    }

    fn name(&self) -> &'static str {
        "SCORING_TRAINING"
    }

    fn revision(&self) -> u32 {
        self.revision
    }

    fn is_waiting(&self) -> bool {
        self.started_at.is_none() && !self.is_ended()
    }

    fn is_ended(&self) -> bool {
        Self::is_ended(self)
    }

    /// It takes minutes at most, and changes no contact: nobody stops it.
    fn is_to_stop(&self) -> bool {
        false
    }

    fn is_only_asked_to_stop(&self, _: &Self) -> bool {
        false
    }

    fn asked_to_stop(&self, _: Timestamp) -> Self {
        self.clone()
    }

    fn failed(&self, reason: &str, now: Timestamp) -> Self {
        Self::failed(self, reason, now)
    }

    fn by(self, writer: &str) -> Self {
        Self { writer: writer.to_owned(), ..self }
    }

    async fn read(services: &Services, tenant: &OpenTenant, id: ScoringModelId) -> Result<Option<Self>, StoreError> {
        scoring_trainings::get(&services.core, &tenant.scope, id).await
    }

    async fn create(&self, services: &Services, tenant: &OpenTenant, parts: Vec<Part>) -> Result<bool, StoreError> {
        scoring_trainings::create(&services.core, &tenant.scope, self, parts).await
    }

    async fn save(&self, services: &Services, tenant: &OpenTenant) -> Result<bool, StoreError> {
        scoring_trainings::save(&services.core, &tenant.scope, self).await
    }

    async fn send(services: &Services, tenant: TenantId, training: ScoringModelId) -> Result<(), PlatformError> {
        services.score_train_queue.send(&[TrainingMessage { tenant, training }]).await
    }
}
