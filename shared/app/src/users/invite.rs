//! Inviting somebody to sign in.

use serde::Serialize;
use switchboard_domain::change::Change;
use switchboard_domain::field_error::FieldErrorCode;
use switchboard_domain::ids::{RoleId, UserId};
use switchboard_domain::permission::{Grant, Permission};
use switchboard_domain::person::{TELEPHONIST, User, UserStatus, person_name};
use switchboard_platform::NewIdentity;
use switchboard_store::{people, settings, tenants};

use super::{Enrolled, NewPerson, enrol, form, standing};
use crate::GivenId;
use crate::error::{AppError, UserError};
use crate::idempotency::{Recalled, recall};
use crate::people::{ATTEMPTS, back_off, busy};
use crate::services::Services;
use crate::viewer::Viewer;

/// Who is to be invited.
#[derive(Debug, Clone, Default, Serialize)]
pub struct InviteUser {
    /// The address they are to sign in with.
    pub email: String,
    /// What people call them.
    pub name: String,
    /// The roles they are to hold; without any, the telephonist's.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub roles: Vec<GivenId<RoleId>>,
    /// What they may do beside their roles, as `noun:verb:SCOPE`.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub permissions: Vec<String>,
    /// The client's own key for this invitation: the same key and input answer as before.
    #[serde(skip)]
    pub idempotency_key: Option<String>,
}

/// Invites somebody: an identity is made for them, and with it the message that they are invited by; then what [`enter`] writes. 1 request to the user pool;
/// when the address has an identity 2 more and 1 R. Before it 3 requests and 5 R, so that nobody is invited for an input that can't be.
///
/// A process that dies after the invitation leaves an identity that belongs to nobody: the same request sends the message again and goes on from there.
///
/// # Errors
/// [`AppError::Forbidden`] without `user:invite` for the whole tenant; those of the user pool and of the database. What a person can mend is in the inner
/// result: `TAKEN` for an address that any user has, wherever they are; `NOT_ALLOWED` for roles and permissions that aren't the viewer's to give.
pub async fn invite(services: &Services, viewer: &Viewer, request: InviteUser) -> Result<Result<User, Vec<UserError>>, AppError> {
    viewer.require_all(Permission::UserInvite)?;
    match recalled(services, viewer, &request).await? {
        Recalled::New(_) => {}
        Recalled::Answer(id) => return remembered(services, viewer, &id).await.map(Ok),
        Recalled::Refused(error) => return Ok(Err(vec![error])),
    }
    let viewer = &standing::confirmed(services, viewer).await?;
    viewer.require_all(Permission::UserInvite)?;
    let form = match checked(services, viewer, &request).await? {
        Ok(form) => form,
        Err(errors) => return Ok(Err(errors)),
    };
    match identity(services, &form.email).await? {
        Ok(subject) => enter(services, viewer, &request, &subject).await,
        Err(error) => taken(services, viewer, &request, error).await,
    }
}

/// Writes somebody who has an identity, as invited. 4 requests: 5 R, and a transaction of 8 W and 1 for index 1; with an idempotency key 1 request and 1 R, and
/// 2 W more. Again as much each time somebody was faster to use the key.
///
/// # Errors
/// As [`invite`].
pub async fn enter(services: &Services, viewer: &Viewer, request: &InviteUser, subject: &str) -> Result<Result<User, Vec<UserError>>, AppError> {
    viewer.require_all(Permission::UserInvite)?;
    let tenant = &viewer.tenant;
    let now = services.clock.now();
    let id = UserId::new(now, &services.entropy.id());
    let change = Change::new("user.invited", now, viewer.origin());
    for attempt in 0..ATTEMPTS {
        // Asked in every attempt: what was refused may have been the key, used a moment ago.
        let pending = match recalled(services, viewer, request).await? {
            Recalled::New(pending) => pending,
            Recalled::Answer(id) => return remembered(services, viewer, &id).await.map(Ok),
            Recalled::Refused(error) => return Ok(Err(vec![error])),
        };
        let viewer = &standing::confirmed(services, viewer).await?;
        viewer.require_all(Permission::UserInvite)?;
        let form = match checked(services, viewer, request).await? {
            Ok(form) => form,
            Err(errors) => return Ok(Err(errors)),
        };
        let person = NewPerson {
            id,
            subject: subject.to_owned(),
            email: form.email,
            name: form.name,
            roles: form.roles,
            grants: form.grants,
            change: change.clone(),
            status: UserStatus::Invited,
            agent: None,
            others: pending.map(|pending| pending.part(tenant, id, now)).into_iter().chain(standing::while_confirmed(viewer, id)).collect(),
        };
        match enrol(services, tenant, person).await? {
            Enrolled::Done(user, _) => return Ok(Ok(user)),
            Enrolled::Taken => return taken(services, viewer, request, address_taken()).await,
            Enrolled::Changed => back_off(services, attempt).await,
        }
    }
    Err(busy())
}

/// The subject of a new identity for a lower-case address, to which the message of an invitation was sent. 1 request to the user pool; when the address
/// has an identity 2 more and 1 R.
///
/// # Errors
/// Those of the user pool and of the database. In the inner result [`address_taken`] when a user of any tenant has it.
pub(crate) async fn identity(services: &Services, email: &str) -> Result<Result<String, UserError>, AppError> {
    match services.identities.invite(email).await? {
        NewIdentity::Created(subject) => Ok(Ok(subject)),
        NewIdentity::Exists(subject) => {
            if tenants::by_subject(&services.core, &subject).await?.is_some() {
                return Ok(Err(address_taken()));
            }
            // An earlier request ended before it wrote the user, and its message may be gone by now. Or another one is about to write them: who comes first does.
            services.identities.resend(email).await?;
            Ok(Ok(subject))
        }
    }
}

/// An address is somebody's. It isn't said whose, nor where: it may be somebody in another tenant.
pub(crate) fn address_taken() -> UserError {
    UserError::new("email", FieldErrorCode::Taken, "This address has a user already. Use another.")
}

/// Somebody to be invited, as they can be written.
struct Form {
    email: String,
    name: String,
    roles: Vec<RoleId>,
    grants: Vec<Grant>,
}

/// The input looked at whole, so that everything that is wrong is named at once. 1 request and 2 R for the roles.
async fn checked(services: &Services, viewer: &Viewer, request: &InviteUser) -> Result<Result<Form, Vec<UserError>>, AppError> {
    let mut errors: Vec<UserError> = Vec::new();
    let email = form::address(&request.email).map_err(|error| errors.push(error.into())).ok();
    let name = person_name("name", &request.name).map_err(|error| errors.push(error.into())).ok();
    // As they are now, not as this process remembers them: what a role grants decides who may give it.
    let settings = settings::load(&services.core, &viewer.tenant.scope).await?;
    let roles = if request.roles.is_empty() {
        let telephonist = settings.role_by_code(TELEPHONIST).ok_or_else(|| AppError::Broken("a tenant has no telephonist's role".to_owned()))?;
        Ok(vec![telephonist.id])
    } else {
        form::held(&settings, &request.roles)
    };
    let roles = roles.and_then(|roles| standing::check_roles(viewer, &settings, &roles).map(|()| roles).map_err(|error| vec![error]));
    let roles = roles.map_err(|refused| errors.extend(refused)).ok();
    let grants = form::granted(&request.permissions);
    let grants = grants.and_then(|grants| standing::check_grants(viewer, &settings, &grants).map(|()| grants).map_err(|error| vec![error]));
    let grants = grants.map_err(|refused| errors.extend(refused)).ok();
    Ok(match (email, name, roles, grants) {
        (Some(email), Some(name), Some(roles), Some(grants)) => Ok(Form { email, name, roles, grants }),
        _ => Err(errors),
    })
}

async fn recalled(services: &Services, viewer: &Viewer, request: &InviteUser) -> Result<Recalled, AppError> {
    recall(services, &viewer.tenant, "userInvite", request.idempotency_key.as_deref(), request).await
}

/// An address is taken, unless it was by this same request when it came before.
async fn taken(services: &Services, viewer: &Viewer, request: &InviteUser, error: UserError) -> Result<Result<User, Vec<UserError>>, AppError> {
    match recalled(services, viewer, request).await? {
        Recalled::Answer(id) => remembered(services, viewer, &id).await.map(Ok),
        Recalled::New(_) => Ok(Err(vec![error])),
        Recalled::Refused(error) => Ok(Err(vec![error])),
    }
}

/// The user whom a request with the same key invited, as they are now.
async fn remembered(services: &Services, viewer: &Viewer, id: &str) -> Result<User, AppError> {
    let broken = || AppError::Broken("an idempotency entry names no user".to_owned());
    let id = UserId::parse(id).ok_or_else(broken)?;
    people::user(&services.core, &viewer.tenant.scope, id).await?.ok_or_else(broken)
}
