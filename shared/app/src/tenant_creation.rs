//! Making a tenant: its record and keys, the statuses and roles it starts with, and an administrator. What is there stays, so the same request again
//! completes what an earlier one left undone.

use std::sync::Arc;

use switchboard_domain::change::{Change, Origin, Revisioned};
use switchboard_domain::field_error::{FieldError, FieldErrorCode};
use switchboard_domain::ids::{RoleId, StatusId, TenantId, UserId};
use switchboard_domain::permission::{SEEDED_ROLES, SeededRole, covers};
use switchboard_domain::person::{self, ADMIN, Role, UserStatus};
use switchboard_domain::sealing::TenantKeyring;
use switchboard_domain::status::{self, ContactStatus, SeededStatus};
use switchboard_domain::tenant::{BOOKING_BUFFER_MINUTES, CALLING_DAY_START, HEARTBEAT_TIMEOUT_SECONDS, RETENTION_DAYS, Tenant};
use switchboard_domain::tenant_settings::{checked_country, checked_name, checked_slug, checked_time_zone};
use switchboard_platform::{Keys, NewIdentity};
use switchboard_store::tenants::{self, OpenTenant};
use switchboard_store::{people, settings};

use crate::error::{AppError, UserError};
use crate::people::{ATTEMPTS, back_off, busy};
use crate::services::Services;
use crate::users::{self, Enrolled, NewPerson};

/// The tenant that is asked for.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct NewTenant {
    /// The word for it in drop folders.
    pub slug: String,
    /// What people call it.
    pub name: String,
    /// ISO 3166-1 country in which numbers without a prefix are read.
    pub country: String,
    /// IANA time zone.
    pub time_zone: String,
    /// The address with which its administrator signs in.
    pub admin_email: String,
    /// The administrator's name.
    pub admin_name: String,
    /// The password the administrator has at once; with none they are invited by a message.
    pub admin_password: Option<String>,
}

/// What became of it.
#[derive(Clone)]
pub struct MadeTenant {
    /// The tenant.
    pub tenant: Arc<OpenTenant>,
    /// Whether it wasn't there before.
    pub is_new: bool,
    /// How many statuses and roles were written.
    pub completed: usize,
    /// What became of the administrator.
    pub administrator: MadeAdministrator,
}

/// What became of the administrator.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MadeAdministrator {
    /// They can sign in with the password that was given.
    Active,
    /// A message was sent to them.
    Invited,
    /// They were invited before, and a message was sent again.
    InvitedAgain,
    /// They signed in before; nothing was done.
    AlreadyThere,
}

/// Makes a tenant, or completes the one of this slug and name, whose country and time zone stay as they are. 13 transactions of 4 W for the statuses and
/// roles, one for the administrator, and 2 W for the record; 2 requests to the key service, and 1 to 3 to the user pool.
///
/// # Errors
/// Those of the database, the key service and the user pool. What a person can mend is in the inner result, with the fields `slug`, `name`, `country`,
/// `timeZone`, `admin` and `adminName`: `TAKEN` for the slug of another tenant, and for an address with a user elsewhere; `CONFLICT` for that of a user
/// of this tenant who is no administrator.
pub async fn create(services: &Services, keys: &Keys, kms_key: &str, request: &NewTenant) -> Result<Result<MadeTenant, Vec<UserError>>, AppError> {
    let checked = match checked(request) {
        Ok(checked) => checked,
        Err(errors) => return Ok(Err(errors.into_iter().map(UserError::from).collect())),
    };
    let (tenant, is_new) = match opened(services, keys, kms_key, &checked).await? {
        Ok(opened) => opened,
        Err(error) => return Ok(Err(vec![error])),
    };
    let completed = complete(services, &tenant).await?;
    Ok(match administrator(services, &tenant, &checked).await? {
        Ok(administrator) => Ok(MadeTenant { tenant, is_new, completed, administrator }),
        Err(error) => Err(vec![error]),
    })
}

/// The request with its values as they are kept.
fn checked(request: &NewTenant) -> Result<NewTenant, Vec<FieldError>> {
    let mut errors = Vec::new();
    let mut take = |result: Result<String, FieldError>| result.map_err(|error| errors.push(error)).unwrap_or_default();
    let checked = NewTenant {
        slug: take(checked_slug("slug", &request.slug)),
        name: take(checked_name("name", &request.name)),
        country: take(checked_country("country", &request.country)),
        time_zone: take(checked_time_zone("timeZone", &request.time_zone)),
        admin_email: take(users::address(&request.admin_email).map_err(|error| FieldError { field: "admin".to_owned(), ..error })),
        admin_name: take(person::person_name("adminName", &request.admin_name)),
        admin_password: request.admin_password.clone(),
    };
    if errors.is_empty() { Ok(checked) } else { Err(errors) }
}

/// The tenant of the slug, made when there is none, and whether it was.
async fn opened(services: &Services, keys: &Keys, kms_key: &str, request: &NewTenant) -> Result<Result<(Arc<OpenTenant>, bool), UserError>, AppError> {
    let (core, now) = (&services.core, services.clock.now());
    let taken = |whose: &str| {
        let message = format!("The slug {} belongs to {whose}. Give that name to complete it, or choose another slug.", request.slug);
        UserError::new("slug", FieldErrorCode::Taken, message)
    };
    let known = tenants::by_slug(core, &request.slug).await?;
    let id = known.unwrap_or_else(|| TenantId::new(now, &services.entropy.id()));
    // A slug without a record is what an earlier run left that ended between the two.
    let record = match known {
        Some(id) => tenants::load(core, id).await?.map(|(_, record)| record),
        None => None,
    };
    if let Some(record) = &record
        && record.name != request.name
    {
        return Ok(Err(taken(&format!("“{}”", record.name))));
    }
    let is_new = record.is_none();
    if is_new {
        let keyring = TenantKeyring::generate(id, services.entropy.as_ref());
        let wrapped_keyring = keys.wrap_keyring(kms_key, id, &keyring.to_bytes()).await?;
        let tenant = Tenant {
            id,
            record: Revisioned::created(Change::new("tenant.created", now, Origin::system())),
            slug: request.slug.clone(),
            name: request.name.clone(),
            time_zone: request.time_zone.clone(),
            country: request.country.clone(),
            calling_day_start: CALLING_DAY_START,
            booking_buffer_minutes: BOOKING_BUFFER_MINUTES,
            heartbeat_timeout_seconds: HEARTBEAT_TIMEOUT_SECONDS,
            retention_days: RETENTION_DAYS,
            record_contact_views: false,
            shards: 1,
            wrapped_keyring,
        };
        if tenants::create(core, &tenant).await?.is_none() {
            return Ok(Err(taken("a tenant that was made a moment ago")));
        }
    }
    // Read back rather than kept: of two who complete the same tenant at once, the keys of one are there.
    let tenant = services.tenants.open(id).await?.ok_or_else(|| AppError::Broken("the tenant was made and is not there".to_owned()))?;
    Ok(Ok((tenant, is_new)))
}

/// Writes the seeded statuses and roles whose codes the tenant doesn't have, nor had, and gives the administrators' role, which nobody can change, the
/// permissions it lacks; how many were written. One at a time, each decided on all that are there, so that of two who do it at once no code comes twice.
async fn complete(services: &Services, tenant: &OpenTenant) -> Result<usize, AppError> {
    let mut written = 0;
    for attempt in 0..ATTEMPTS {
        let (done, count) = write_missing(services, tenant).await?;
        written += count;
        if done {
            services.tenants.forget_settings(&tenant.scope);
            return Ok(written);
        }
        back_off(services, attempt).await;
    }
    Err(busy())
}

/// Writes what is missing until somebody else changes the settings; whether nobody did, and how many were written.
async fn write_missing(services: &Services, tenant: &OpenTenant) -> Result<(bool, usize), AppError> {
    let (core, scope, now) = (&services.core, &tenant.scope, services.clock.now());
    let created = |action: &str| Revisioned::created(Change::new(action, now, Origin::system()));
    let settings = settings::load(core, scope).await?;
    let mut revision = settings.revision;
    let mut written = 0;
    for seeded in status::SEEDED.iter().filter(|seeded| settings.statuses.iter().all(|status| status.code != seeded.code)) {
        let status = seeded_status(seeded, StatusId::new(now, &services.entropy.id()), created("contact_status.created"));
        if !settings::write_status(core, scope, revision, &status, None, Vec::new()).await? {
            return Ok((false, written));
        }
        (revision, written) = (revision + 1, written + 1);
    }
    for seeded in SEEDED_ROLES.iter().filter(|seeded| settings.roles.iter().all(|role| role.code != seeded.code)) {
        let role = seeded_role(seeded, RoleId::new(now, &services.entropy.id()), created("role.created"));
        if !settings::write_role(core, scope, revision, &role, None, Vec::new()).await? {
            return Ok((false, written));
        }
        (revision, written) = (revision + 1, written + 1);
    }
    let everything = SEEDED_ROLES.iter().find(|seeded| seeded.code == ADMIN).map_or(&[][..], |seeded| seeded.grants);
    if let Some(role) = settings.role_by_code(ADMIN).filter(|role| !covers(&role.grants, everything)) {
        let record = role.record.changed(Change::new("role.updated", now, Origin::system()));
        let complete = Role { record, grants: everything.to_vec(), ..role.clone() };
        if !settings::write_role(core, scope, revision, &complete, Some(role.record.revision), Vec::new()).await? {
            return Ok((false, written));
        }
        written += 1;
    }
    Ok((true, written))
}

/// Makes the administrator, unless the address has one here.
async fn administrator(services: &Services, tenant: &OpenTenant, request: &NewTenant) -> Result<Result<MadeAdministrator, UserError>, AppError> {
    let (core, identities, email) = (&services.core, &services.identities, request.admin_email.as_str());
    let settings = settings::load(core, &tenant.scope).await?;
    let role = settings.role_by_code(ADMIN).ok_or_else(|| AppError::Broken("the tenant has no administrators' role".to_owned()))?.id;
    if let Some(id) = people::user_by_email(core, tenant, email).await? {
        return already_there(services, tenant, request, role, id).await;
    }
    let taken = || UserError::new("admin", FieldErrorCode::Taken, "This address has a user already. Use another.");
    let identity = if request.admin_password.is_some() { identities.register(email).await? } else { identities.invite(email).await? };
    let subject = match identity {
        NewIdentity::Created(subject) => subject,
        NewIdentity::Exists(subject) => {
            if tenants::by_subject(core, &subject).await?.is_some() {
                return Ok(Err(taken()));
            }
            // An earlier run ended before it made the user. Its message may be gone by now.
            if request.admin_password.is_none() {
                identities.resend(email).await?;
            }
            subject
        }
    };
    // Not before it is known that nobody else has the address.
    let (status, action, made) = match &request.admin_password {
        Some(password) => {
            identities.set_password(email, password).await?;
            (UserStatus::Active, "user.created", MadeAdministrator::Active)
        }
        None => (UserStatus::Invited, "user.invited", MadeAdministrator::Invited),
    };
    let id = UserId::new(services.clock.now(), &services.entropy.id());
    for attempt in 0..ATTEMPTS {
        let person = NewPerson {
            id,
            subject: subject.clone(),
            email: request.admin_email.clone(),
            name: request.admin_name.clone(),
            roles: vec![role],
            grants: Vec::new(),
            change: Change::new(action, services.clock.now(), Origin::system()),
            status,
            agent: None,
            others: Vec::new(),
        };
        match users::enrol(services, tenant, person).await? {
            Enrolled::Done(..) => return Ok(Ok(made)),
            Enrolled::Taken => return Ok(Err(taken())),
            Enrolled::Changed => back_off(services, attempt).await,
        }
    }
    Err(busy())
}

/// What is left to do for a user who has the address: another message, or the password, when they never signed in.
async fn already_there(
    services: &Services,
    tenant: &OpenTenant,
    request: &NewTenant,
    role: RoleId,
    id: UserId,
) -> Result<Result<MadeAdministrator, UserError>, AppError> {
    let user = people::user(&services.core, &tenant.scope, id).await?.ok_or_else(|| AppError::Broken("an address leads to no user".to_owned()))?;
    if !user.roles.contains(&role) || user.status == UserStatus::Disabled {
        let message = "This address is that of a user of the tenant who is no administrator, or disabled. Use another.";
        return Ok(Err(UserError::new("admin", FieldErrorCode::Conflict, message)));
    }
    if user.status == UserStatus::Active {
        return Ok(Ok(MadeAdministrator::AlreadyThere));
    }
    if let Some(password) = &request.admin_password {
        services.identities.set_password(&request.admin_email, password).await?;
        return Ok(Ok(MadeAdministrator::Active));
    }
    services.identities.resend(&request.admin_email).await?;
    Ok(Ok(MadeAdministrator::InvitedAgain))
}

/// A status that a tenant starts with.
pub(crate) fn seeded_status(seeded: &SeededStatus, id: StatusId, record: Revisioned) -> ContactStatus {
    ContactStatus {
        id,
        record,
        code: seeded.code.to_owned(),
        name: seeded.name.to_owned(),
        color: seeded.color.to_owned(),
        order: seeded.order,
        exclude_from_call_list: seeded.exclude_from_call_list,
        system: seeded.system,
        retired: false,
        deleted_at: None,
    }
}

/// A role that a tenant starts with.
pub(crate) fn seeded_role(seeded: &SeededRole, id: RoleId, record: Revisioned) -> Role {
    Role { id, record, code: seeded.code.to_owned(), name: seeded.name.to_owned(), grants: seeded.grants.to_vec(), system: true, deleted_at: None }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn request() -> NewTenant {
        NewTenant {
            slug: "acme".to_owned(),
            name: " Acme ".to_owned(),
            country: "ca".to_owned(),
            time_zone: "america/toronto".to_owned(),
            admin_email: "Ada@Acme.TEST".to_owned(),
            admin_name: " Ada ".to_owned(),
            admin_password: None,
        }
    }

    #[test]
    fn values_are_tidied() {
        let checked = checked(&request()).unwrap();
        assert_eq!((checked.name.as_str(), checked.country.as_str(), checked.time_zone.as_str()), ("Acme", "CA", "America/Toronto"));
        assert_eq!((checked.admin_email.as_str(), checked.admin_name.as_str()), ("ada@acme.test", "Ada"));
    }

    #[test]
    fn everything_that_is_wrong_is_named_at_once() {
        let errors = checked(&NewTenant { country: "Canada".to_owned(), admin_email: "ada".to_owned(), ..NewTenant::default() }).unwrap_err();
        let fields: Vec<_> = errors.iter().map(|error| (error.field.as_str(), error.code)).collect();
        let expected = [
            ("slug", FieldErrorCode::Blank),
            ("name", FieldErrorCode::Blank),
            ("country", FieldErrorCode::Invalid),
            ("timeZone", FieldErrorCode::Blank),
            ("admin", FieldErrorCode::Invalid),
            ("adminName", FieldErrorCode::Blank),
        ];
        assert_eq!(fields, expected);
        assert_eq!(checked(&NewTenant { admin_email: " ".to_owned(), ..request() }).unwrap_err()[0].code, FieldErrorCode::Blank);
    }
}
