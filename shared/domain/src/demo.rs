//! The demo data: two tenants with everything a newcomer wants to see, the same on every machine but for what is encrypted.

use jiff::{SignedDuration, Timestamp};

use crate::contact::{AttributeValue, ContactInput};
use crate::ids::{IdEntropy, RoleId, StatusId, TeamId, TenantId, UserId};
use crate::permission::SEEDED_ROLES;
use crate::person::MembershipRole;
use crate::status;

/// A demo tenant.
pub struct DemoTenant {
    /// Its word in drop folders.
    pub slug: &'static str,
    /// Its name.
    pub name: &'static str,
    /// Its users.
    pub people: &'static [DemoPerson],
    /// The names of its teams.
    pub teams: &'static [&'static str],
    /// Who is in which team.
    pub memberships: &'static [DemoMembership],
    /// How many contacts it has.
    pub contacts: u32,
    /// Keeps its ids and contacts apart from the other's.
    number: u8,
}

/// A user of a demo tenant, who is also an agent.
pub struct DemoPerson {
    /// The address to sign in with.
    pub email: &'static str,
    /// The name.
    pub name: &'static str,
    /// The code of the role.
    pub role: &'static str,
}

/// The place of one of a demo tenant's people in one of its teams.
pub struct DemoMembership {
    /// The index of the team.
    pub team: usize,
    /// The index of the person.
    pub person: usize,
    /// What they are in it.
    pub role: MembershipRole,
}

const fn person(email: &'static str, name: &'static str, role: &'static str) -> DemoPerson {
    DemoPerson { email, name, role }
}

const fn member(team: usize, person: usize, role: MembershipRole) -> DemoMembership {
    DemoMembership { team, person, role }
}

/// Both demo tenants; they are in Canada, on Toronto's time.
pub const TENANTS: [DemoTenant; 2] = [
    DemoTenant {
        slug: "demo",
        name: "Demo Inc.",
        people: &[
            person("admin@demo.test", "Ada Admin", "admin"),
            person("manager@demo.test", "Marc Manager", "manager"),
            person("supervisor@demo.test", "Sofia Supervisor", "supervisor"),
            person("telephonist@demo.test", "Théo Tremblay", "telephonist"),
            person("telephonist2@demo.test", "Tara Thompson", "telephonist"),
            person("telephonist3@demo.test", "Tariq Toussaint", "telephonist"),
            person("agent@demo.test", "Agnès Field", "agent"),
        ],
        teams: &["Est", "West"],
        memberships: &[
            member(0, 2, MembershipRole::Supervisor),
            member(0, 3, MembershipRole::Agent),
            member(0, 4, MembershipRole::Agent),
            member(0, 6, MembershipRole::Agent),
            member(1, 2, MembershipRole::Supervisor),
            member(1, 5, MembershipRole::Agent),
        ],
        contacts: 1_500,
        number: 1,
    },
    DemoTenant {
        slug: "other",
        name: "Other Ltd.",
        people: &[person("admin@other.test", "Olga Other", "admin")],
        teams: &["Sales"],
        memberships: &[],
        contacts: 500,
        number: 2,
    },
];

/// The country of both tenants.
pub const COUNTRY: &str = "CA";
/// The time zone of both tenants.
pub const TIME_ZONE: &str = "America/Toronto";
/// When the demo's records were made: 1 October 2026, 13:00 UTC.
pub const BEGINNING: i64 = 1_790_859_600;

/// What a demo contact starts with.
pub struct DemoContact {
    /// Its values.
    pub input: ContactInput,
    /// When it was made.
    pub created_at: Timestamp,
    /// The code of its status.
    pub status: &'static str,
    /// The index of the telephonist whose it is, among the tenant's people.
    pub assignee: Option<usize>,
    /// The index of the team in whose pool it is.
    pub team: Option<usize>,
}

impl DemoTenant {
    fn entropy(&self, kind: u8, index: usize) -> IdEntropy {
        let mut entropy = [self.number; 10];
        entropy[1] = kind;
        entropy[9] = u8::try_from(index).unwrap_or(u8::MAX);
        entropy
    }

    /// When the tenant was made.
    #[must_use]
    pub fn created_at(&self) -> Timestamp {
        Timestamp::from_second(BEGINNING).unwrap_or(Timestamp::UNIX_EPOCH)
    }

    /// The tenant's id.
    #[must_use]
    pub fn id(&self) -> TenantId {
        TenantId::new(self.created_at(), &self.entropy(0, 0))
    }

    /// The id of a seeded role.
    #[must_use]
    pub fn role_id(&self, code: &str) -> RoleId {
        let index = SEEDED_ROLES.iter().position(|role| role.code == code).unwrap_or(0);
        RoleId::new(self.created_at(), &self.entropy(1, index))
    }

    /// The id of a seeded status.
    #[must_use]
    pub fn status_id(&self, code: &str) -> StatusId {
        let index = status::SEEDED.iter().position(|status| status.code == code).unwrap_or(0);
        StatusId::new(self.created_at(), &self.entropy(2, index))
    }

    /// The id of one of its people.
    #[must_use]
    pub fn user_id(&self, index: usize) -> UserId {
        UserId::new(self.created_at(), &self.entropy(3, index))
    }

    /// The id of one of its teams.
    #[must_use]
    pub fn team_id(&self, index: usize) -> TeamId {
        TeamId::new(self.created_at(), &self.entropy(4, index))
    }

    /// The members of one of its teams.
    pub fn members_of(&self, team: usize) -> impl Iterator<Item = &'static DemoMembership> + use<> {
        self.memberships.iter().filter(move |membership| membership.team == team)
    }

    /// The places of one of its people in teams.
    pub fn teams_of(&self, person: usize) -> impl Iterator<Item = &'static DemoMembership> + use<> {
        self.memberships.iter().filter(move |membership| membership.person == person)
    }

    /// Its contacts, oldest first: Canadian names, places and numbers of the exchange 555, which is kept for fiction and directories.
    pub fn contacts(&self) -> impl Iterator<Item = DemoContact> + '_ {
        (0..self.contacts).map(|index| self.contact(index))
    }

    fn contact(&self, index: u32) -> DemoContact {
        let mut dice = Dice(u64::from(self.number) << 32 | u64::from(index));
        let place = &PLACES[index as usize % PLACES.len()];
        let line = index / PLACES.len() as u32 * 13 % 10_000;
        let first = dice.pick(&FIRST_NAMES);
        let last = dice.pick(&LAST_NAMES);
        let email = format!("{}.{}{index}@example.com", crate::text::fold(first), crate::text::fold(last));
        let telephonists: Vec<usize> = (0..self.people.len()).filter(|person| self.people[*person].role == "telephonist").collect();
        let (assignee, team) = match dice.below(10) {
            0..4 if !telephonists.is_empty() => (Some(telephonists[dice.below(telephonists.len() as u64) as usize]), None),
            4 => (None, Some(dice.below(self.teams.len() as u64) as usize)),
            _ => (None, None),
        };
        let status = match dice.below(20) {
            0..12 => status::NEW,
            12..15 => "attempted",
            15 => "callback_requested",
            16 => "in_discussion",
            17 => "interested",
            18 => "not_interested",
            _ => status::CONVERTED,
        };
        let input = ContactInput {
            phone: format!("+1{}555{line:04}", place.area_code),
            name: Some(format!("{first} {last}")),
            email: (dice.below(4) > 0).then_some(email),
            address: Some(format!("{} {}", dice.below(9_000) + 1, dice.pick(&STREETS))),
            city: Some(place.city.to_owned()),
            region: Some(place.region.to_owned()),
            postal_code: Some(format!("{} {}{}{}", place.forward_sortation, dice.below(10), dice.pick(&["A", "B", "C", "E", "G", "H"]), dice.below(10))),
            source: Some((*dice.pick(&["direct_website", "referral", "google_ads", "facebook_ads", "cold_call"])).to_owned()),
            attributes: vec![("Interest".to_owned(), AttributeValue::String((*dice.pick(&["solar panels", "heat pump", "windows", "insulation"])).to_owned()))],
            ..ContactInput::default()
        };
        let created_at = self.created_at().saturating_add(SignedDuration::from_secs(i64::from(index) * 90)).unwrap_or(self.created_at());
        DemoContact { input, created_at, status, assignee, team }
    }
}

struct Place {
    city: &'static str,
    region: &'static str,
    area_code: &'static str,
    forward_sortation: &'static str,
}

const fn place(city: &'static str, region: &'static str, area_code: &'static str, forward_sortation: &'static str) -> Place {
    Place { city, region, area_code, forward_sortation }
}

const PLACES: [Place; 10] = [
    place("Montréal", "QC", "514", "H3A"),
    place("Québec", "QC", "418", "G1R"),
    place("Gatineau", "QC", "819", "J8X"),
    place("Toronto", "ON", "416", "M5V"),
    place("Ottawa", "ON", "613", "K1P"),
    place("Halifax", "NS", "902", "B3J"),
    place("Winnipeg", "MB", "204", "R3C"),
    place("Regina", "SK", "306", "S4P"),
    place("Calgary", "AB", "403", "T2P"),
    place("Vancouver", "BC", "604", "V6B"),
];

const FIRST_NAMES: [&str; 24] = [
    "Zoé",
    "Liam",
    "Emma",
    "Noah",
    "Olivia",
    "Léa",
    "Gabriel",
    "Chloé",
    "William",
    "Alice",
    "Thomas",
    "Rosalie",
    "Benjamin",
    "Florence",
    "Jacob",
    "Charlotte",
    "Félix",
    "Amelia",
    "Louis",
    "Maëlle",
    "Nathan",
    "Aïcha",
    "Wei",
    "Priya",
];

const LAST_NAMES: [&str; 24] = [
    "Tremblay",
    "Gagnon",
    "Roy",
    "Côté",
    "Bouchard",
    "Gélinas",
    "Morin",
    "Lavoie",
    "Fortin",
    "Pelletier",
    "Smith",
    "Brown",
    "Wilson",
    "MacDonald",
    "Taylor",
    "Campbell",
    "Anderson",
    "Lee",
    "Nguyen",
    "Singh",
    "O'Brien",
    "Beaulieu",
    "Lévesque",
    "St-Pierre",
];

const STREETS: [&str; 8] =
    ["rue Sainte-Catherine", "Main Street", "boulevard Saint-Laurent", "King Street West", "avenue du Parc", "Queen Street", "rue Principale", "Granville Street"];

/// SplitMix64 (Steele, Lea, Flood 2014): numbers that look random and are the same everywhere.
struct Dice(u64);

impl Dice {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    fn below(&mut self, limit: u64) -> u64 {
        self.next() % limit.max(1)
    }

    fn pick<'a, T>(&mut self, list: &'a [T]) -> &'a T {
        &list[self.below(list.len() as u64) as usize]
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::contact::{ContactDraft, Defaults, OnInvalid};

    #[test]
    fn two_thousand_contacts_are_valid_and_no_two_of_a_tenant_share_a_number() {
        let defaults = Defaults { country: COUNTRY.to_owned(), time_zone: TIME_ZONE.to_owned() };
        let mut total = 0;
        for tenant in &TENANTS {
            let mut numbers = std::collections::HashSet::new();
            for contact in tenant.contacts() {
                let draft = ContactDraft::validate(&contact.input, &defaults, OnInvalid::Fail).unwrap().draft;
                assert!(numbers.insert(draft.phone.e164));
                total += 1;
            }
        }
        assert_eq!(total, 2_000);
    }

    #[test]
    fn teams_have_people_and_nobody_is_in_one_twice() {
        for tenant in &TENANTS {
            let places: std::collections::HashSet<(usize, usize)> = tenant.memberships.iter().map(|place| (place.team, place.person)).collect();
            assert_eq!(places.len(), tenant.memberships.len());
            assert!(tenant.memberships.iter().all(|place| place.team < tenant.teams.len() && place.person < tenant.people.len()));
        }
        let demo = &TENANTS[0];
        for team in 0..demo.teams.len() {
            assert_eq!(demo.members_of(team).filter(|place| place.role == MembershipRole::Supervisor).count(), 1);
        }
        for (index, person) in demo.people.iter().enumerate() {
            let expected = match person.role {
                "supervisor" => demo.teams.len(),
                "telephonist" | "agent" => 1,
                _ => 0,
            };
            assert_eq!(demo.teams_of(index).count(), expected, "{}", person.name);
        }
    }

    #[test]
    fn every_role_has_someone() {
        for role in &SEEDED_ROLES {
            assert!(TENANTS[0].people.iter().any(|person| person.role == role.code), "{}", role.code);
        }
    }
}
