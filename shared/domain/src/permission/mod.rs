//! What one may do: permissions, their scope, and the roles a tenant starts with.

mod roles;
mod table;

use std::fmt;
use std::str::FromStr;

pub use roles::{SEEDED_ROLES, SeededRole};
pub use table::Permission;

/// Whose records a permission reaches; a wider scope includes the narrower ones.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Scope {
    /// The user's own.
    Own,
    /// Those of the user's teams.
    Team,
    /// The whole tenant's.
    All,
}

impl Scope {
    /// Every scope, the narrowest first.
    pub const EVERY: [Self; 3] = [Self::Own, Self::Team, Self::All];

    /// The written form.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Own => "OWN",
            Self::Team => "TEAM",
            Self::All => "ALL",
        }
    }
}

/// A permission with its scope, written `noun:verb:SCOPE`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Grant {
    /// What is allowed.
    pub permission: Permission,
    /// On whose records.
    pub scope: Scope,
}

impl fmt::Display for Grant {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}:{}", self.permission.as_str(), self.scope.as_str())
    }
}

impl FromStr for Grant {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        let (permission, scope) = text.rsplit_once(':').ok_or(())?;
        let permission = Permission::ALL.into_iter().find(|known| known.as_str() == permission).ok_or(())?;
        let scope = Scope::EVERY.into_iter().find(|known| known.as_str() == scope).ok_or(())?;
        Ok(Self { permission, scope })
    }
}

/// The widest scope in which `grants` allow `permission`.
#[must_use]
pub fn widest(grants: &[Grant], permission: Permission) -> Option<Scope> {
    grants.iter().filter(|grant| grant.permission == permission).map(|grant| grant.scope).max()
}

/// Whether who holds `held` has all of `given`, each in at least that scope. Nobody gives what they don't have.
#[must_use]
pub fn covers(held: &[Grant], given: &[Grant]) -> bool {
    given.iter().all(|grant| widest(held, grant.permission) >= Some(grant.scope))
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use proptest::prelude::*;

    use super::*;

    const fn grant(permission: Permission, scope: Scope) -> Grant {
        Grant { permission, scope }
    }

    #[test]
    fn every_grant_reads_back_from_its_written_form() {
        for permission in Permission::ALL {
            for scope in Scope::EVERY {
                let grant = Grant { permission, scope };
                assert_eq!(grant.to_string().parse(), Ok(grant));
            }
        }
        for wrong in ["", ":", "contact:read", "contact:read:", "contact:read:EVERYTHING", "contact:read:all", " contact:read:ALL", "contact:fly:ALL", "contact::ALL"] {
            assert_eq!(wrong.parse::<Grant>(), Err(()), "{wrong}");
        }
    }

    #[test]
    fn every_permission_is_a_noun_and_a_verb_of_its_own_said_in_one_sentence() {
        let mut written = HashSet::new();
        for permission in Permission::ALL {
            let text = permission.as_str();
            assert!(written.insert(text), "{text} is there twice");
            let (noun, verb) = text.split_once(':').expect("a noun and a verb");
            for word in [noun, verb] {
                assert!(!word.is_empty() && word.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'_'), "{text}");
            }
            let variant: String = text.split([':', '_']).flat_map(|word| word[..1].to_uppercase().chars().chain(word[1..].chars()).collect::<Vec<_>>()).collect();
            assert_eq!(format!("{permission:?}"), variant);
            let description = permission.description();
            assert!(description.starts_with(|first: char| first.is_ascii_uppercase()) && description.ends_with('.'), "{text}: {description}");
            assert_eq!(description.matches('.').count(), 1, "{text}: {description}");
            assert!(!description.contains('|'), "it stands in a table: {description}");
        }
    }

    #[test]
    fn a_wider_scope_includes_the_narrower() {
        assert!(Scope::EVERY.is_sorted());
        let grants = [grant(Permission::ContactRead, Scope::Own), grant(Permission::ContactRead, Scope::All)];
        assert_eq!(widest(&grants, Permission::ContactRead), Some(Scope::All));
        assert_eq!(widest(&grants, Permission::AuditRead), None);
        assert_eq!(widest(&[], Permission::ContactRead), None);
    }

    #[test]
    fn one_covers_what_one_holds_as_widely_and_nothing_else() {
        let team = [grant(Permission::AgentRead, Scope::Team)];
        assert!(covers(&team, &[]));
        assert!(covers(&team, &[grant(Permission::AgentRead, Scope::Own), grant(Permission::AgentRead, Scope::Team)]));
        assert!(!covers(&team, &[grant(Permission::AgentRead, Scope::All)]));
        assert!(!covers(&team, &[grant(Permission::AgentRead, Scope::Own), grant(Permission::TeamRead, Scope::Own)]));
        assert!(!covers(&[], &team));
    }

    fn any_grants() -> impl Strategy<Value = Vec<Grant>> {
        // Of few permissions, so that two lists often name the same ones.
        let one = (0..6_usize, 0..Scope::EVERY.len()).prop_map(|(permission, scope)| grant(Permission::ALL[permission], Scope::EVERY[scope]));
        prop::collection::vec(one, 0..8)
    }

    proptest! {
        #[test]
        fn covering_is_having_each_permission_as_widely(held in any_grants(), given in any_grants()) {
            let each = Permission::ALL.into_iter().all(|permission| widest(&held, permission) >= widest(&given, permission));
            prop_assert_eq!(covers(&held, &given), each);
        }

        #[test]
        fn one_covers_oneself(grants in any_grants()) {
            prop_assert!(covers(&grants, &grants));
        }

        #[test]
        fn who_covers_another_covers_whom_that_one_covers(one in any_grants(), other in any_grants(), third in any_grants()) {
            prop_assert!(!(covers(&one, &other) && covers(&other, &third)) || covers(&one, &third));
        }

        #[test]
        fn holding_more_never_covers_less_and_giving_more_never_needs_less(held in any_grants(), given in any_grants(), more in any_grants()) {
            let with_more = |grants: &[Grant]| [grants, &more].concat();
            prop_assert!(!covers(&held, &given) || covers(&with_more(&held), &given));
            prop_assert!(!covers(&held, &with_more(&given)) || covers(&held, &given));
            prop_assert_eq!(covers(&held, &with_more(&given)), covers(&held, &given) && covers(&held, &more));
        }
    }
}
