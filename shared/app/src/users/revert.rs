//! Bringing a user back to the name, the roles and the single permissions that they had at an earlier version. Whether they can sign in stays.

use std::collections::BTreeSet;

use switchboard_domain::audit::{Fields, value_of};
use switchboard_domain::ids::{RoleId, UserId};
use switchboard_domain::permission::Permission;
use switchboard_domain::person::User;
use switchboard_store::people;

use super::update::{UpdateUser, update_as};
use crate::audit::revert::{Then, Versions, in_the_clear, said_at, unreadable};
use crate::error::{AppError, UserError};
use crate::services::Services;
use crate::viewer::Viewer;

/// Gives a user the name, roles and permissions that they had, each as far as the viewer could give it. As `update`.
///
/// # Errors
/// As `update`. What a person can mend is in the inner result.
pub(crate) async fn revert(services: &Services, viewer: &Viewer, id: UserId, versions: Versions) -> Result<Result<User, Vec<UserError>>, AppError> {
    viewer.require_all(Permission::UserUpdate).or_else(|_| viewer.require_all(Permission::UserSetRoles))?;
    let user = people::user(&services.core, &viewer.tenant.scope, id).await?.ok_or(AppError::NotFound)?;
    let then = said_at(services, viewer, (&user, &id.to_string(), &user.record), versions, in_the_clear).await?;
    let request = match then {
        Then::Now => return Ok(Ok(user)),
        Then::Said(fields) => request_of(&user, &fields).ok_or_else(unreadable)?,
        Then::Refused(error) => return Ok(Err(vec![error])),
    };
    let request = UpdateUser { expected_version: versions.expected, ..request };
    let updated = update_as(services, viewer, request, versions.change(services, viewer, "user.reverted")).await?;
    Ok(updated.map_err(|errors| versions.told(errors, "userUpdate")))
}

/// What makes a user again what they were when these were their audited fields, only what differs, so that nothing more is asked of who does it; none when they
/// aren't those of a user.
fn request_of(user: &User, fields: &Fields) -> Option<UpdateUser> {
    let name: String = value_of(fields, "name")??;
    let roles: Vec<RoleId> = value_of(fields, "roles")??;
    let permissions: Vec<String> = value_of(fields, "permissions")?.unwrap_or_default();
    let had: BTreeSet<RoleId> = user.roles.iter().copied().collect();
    let may: BTreeSet<String> = user.grants.iter().map(ToString::to_string).collect();
    Some(UpdateUser {
        id: Some(user.id),
        name: (name != user.name).then_some(Some(name)),
        roles: (roles.iter().copied().collect::<BTreeSet<_>>() != had).then(|| Some(roles.into_iter().map(Some).collect())),
        permissions: (permissions.iter().cloned().collect::<BTreeSet<_>>() != may).then_some(Some(permissions)),
        ..UpdateUser::default()
    })
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;
    use proptest::collection::btree_set;
    use proptest::prelude::*;
    use serde_json::json;
    use switchboard_domain::audit::Audited;
    use switchboard_domain::change::{Change, Origin, Revisioned};
    use switchboard_domain::permission::{Grant, Scope};
    use switchboard_domain::person::UserStatus;

    use super::*;

    fn user(name: &str, roles: Vec<RoleId>, grants: Vec<Grant>) -> User {
        User {
            id: UserId::new(Timestamp::UNIX_EPOCH, &[1; 10]),
            record: Revisioned::created(Change::new("user.invited", Timestamp::UNIX_EPOCH, Origin::system())),
            subject: "subject".to_owned(),
            name: name.to_owned(),
            sealed_email: Vec::new(),
            status: UserStatus::Active,
            roles,
            grants,
            signed_out_at: None,
            activated_at: None,
        }
    }

    fn any_user() -> impl Strategy<Value = User> {
        ("[A-C]", btree_set(0..3_u8, 0..3), btree_set(0..3_usize, 0..3)).prop_map(|(name, roles, grants)| {
            let roles = roles.into_iter().rev().map(|seed| RoleId::new(Timestamp::UNIX_EPOCH, &[seed; 10])).collect();
            let grants = grants.into_iter().rev().map(|place| Grant { permission: Permission::ALL[place], scope: Scope::All }).collect();
            user(&name, roles, grants)
        })
    }

    proptest! {
        #[test]
        fn only_what_differs_is_asked_for_and_all_of_that(now in any_user(), then in any_user()) {
            let request = request_of(&now, &then.audit_fields()).unwrap();
            prop_assert_eq!((request.name.is_some(), request.permissions.is_some()), (now.name != then.name, now.grants != then.grants));
            let name = request.name.flatten().unwrap_or(now.name);
            let roles = request.roles.flatten().map_or(now.roles, |roles| roles.into_iter().flatten().collect());
            prop_assert_eq!((name, roles), (then.name, then.roles));
            if let Some(permissions) = request.permissions.flatten() {
                let had: BTreeSet<String> = then.grants.iter().map(ToString::to_string).collect();
                prop_assert_eq!(permissions.into_iter().collect::<BTreeSet<_>>(), had);
            }
        }
    }

    #[test]
    fn fields_of_something_else_are_no_user() {
        let zoe = user("Zoé", Vec::new(), Vec::new());
        let fields = |roles| Fields::from([("name".to_owned(), json!("Zoé")), ("roles".to_owned(), roles)]);
        assert!(request_of(&zoe, &fields(json!([]))).is_some());
        assert!(request_of(&zoe, &fields(json!(["admin"]))).is_none());
        assert!(request_of(&zoe, &Fields::new()).is_none());
    }
}
