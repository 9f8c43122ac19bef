//! What is done with rows that leave a choice.

use serde::{Deserialize, Serialize};

use crate::contact::{Defaults, OnInvalid};
use crate::field_error::{FieldError, FieldErrorCode};
use crate::phone;

/// What a row does to a record that is there.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum OnExisting {
    /// Changes it.
    #[default]
    Update,
    /// Nothing; the row is left out.
    Skip,
    /// Nothing; the row fails.
    Fail,
}

/// What a row does to a record that was deleted.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum OnDeleted {
    /// Brings it back, with the row's values.
    #[default]
    Restore,
    /// Nothing; the row is left out.
    Skip,
}

/// What a blank cell does to the value that a record has.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum BlankCells {
    /// Nothing.
    #[default]
    Keep,
    /// Empties it.
    Clear,
}

/// What is done with rows that leave a choice. What isn't given is as in [`ImportOptions::default`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct ImportOptions {
    /// A record that is there.
    pub on_existing: OnExisting,
    /// A record that was deleted.
    pub on_deleted: OnDeleted,
    /// A cell that says nothing.
    pub blank_cells: BlankCells,
    /// The country whose numbers need no international prefix, ISO 3166-1 alpha-2; none for the tenant's.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub default_country: Option<String>,
    /// An optional value that isn't valid.
    pub on_invalid: OnInvalid,
    /// Whether a team that isn't there is made; a row that names one fails otherwise.
    pub create_teams: bool,
}

impl Default for ImportOptions {
    /// Records that are there are changed, deleted ones brought back, blank cells change nothing, values that aren't valid are set aside with a warning,
    /// and teams are made.
    fn default() -> Self {
        Self {
            on_existing: OnExisting::Update,
            on_deleted: OnDeleted::Restore,
            blank_cells: BlankCells::Keep,
            default_country: None,
            on_invalid: OnInvalid::Warn,
            create_teams: true,
        }
    }
}

impl ImportOptions {
    /// The options with the country in its one form; a blank one is none.
    ///
    /// # Errors
    /// `INVALID` of `defaultCountry` when there is no such country.
    pub fn checked(self) -> Result<Self, FieldError> {
        let code = self.default_country.as_deref().map(|given| given.trim().to_uppercase()).filter(|code| !code.is_empty());
        if code.as_deref().is_some_and(|code| !phone::is_country(code)) {
            let message = "defaultCountry is not a country. Give its two-letter code, such as CA.";
            return Err(FieldError::new("defaultCountry", FieldErrorCode::Invalid, message));
        }
        Ok(Self { default_country: code, ..self })
    }

    /// What stands in for what a row doesn't give: as for the tenant, but for the country.
    #[must_use]
    pub fn defaults(&self, tenant: Defaults) -> Defaults {
        Defaults { country: self.default_country.clone().unwrap_or(tenant.country), ..tenant }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_country_that_is_none_is_refused() {
        let given = |country: &str| ImportOptions { default_country: Some(country.to_owned()), ..ImportOptions::default() }.checked();
        for wrong in ["ZZ", "CAN", "Canada", "1"] {
            let error = given(wrong).unwrap_err();
            assert_eq!((error.field.as_str(), error.code), ("defaultCountry", FieldErrorCode::Invalid), "{wrong}");
        }
        assert_eq!(given(" fr ").unwrap().default_country.as_deref(), Some("FR"));
        assert_eq!(given(" ").unwrap(), ImportOptions::default());
    }

    #[test]
    fn a_country_of_the_import_stands_before_the_tenants() {
        let tenant = || Defaults { country: "CA".to_owned(), time_zone: "America/Toronto".to_owned() };
        let french = ImportOptions { default_country: Some("FR".to_owned()), ..ImportOptions::default() }.defaults(tenant());
        assert_eq!((french.country.as_str(), french.time_zone.as_str()), ("FR", "America/Toronto"));
        assert_eq!(ImportOptions::default().defaults(tenant()).country, "CA");
    }

    #[test]
    fn what_is_not_written_down_is_as_by_default() {
        assert_eq!(serde_json::from_str::<ImportOptions>("{}").unwrap(), ImportOptions::default());
        let options = ImportOptions {
            on_existing: OnExisting::Fail,
            on_deleted: OnDeleted::Skip,
            blank_cells: BlankCells::Clear,
            default_country: Some("FR".to_owned()),
            on_invalid: OnInvalid::Fail,
            create_teams: false,
        };
        let text = serde_json::to_string(&options).unwrap();
        assert_eq!(text, r#"{"on_existing":"FAIL","on_deleted":"SKIP","blank_cells":"CLEAR","default_country":"FR","on_invalid":"FAIL","create_teams":false}"#);
        assert_eq!(serde_json::from_str::<ImportOptions>(&text).unwrap(), options);
    }
}
