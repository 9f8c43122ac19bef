//! Making a tenant with its first administrator.

use anyhow::{Result, bail};
use switchboard_app::tenant_creation::{self, MadeAdministrator, NewTenant};
use switchboard_domain::demo;
use switchboard_lambda::{Aws, setting};

/// Who the administrator is called until they are told by name.
const ADMIN_NAME: &str = "Administrator";

/// Reads what follows `tenant create`: the slug, then options in any order. Nothing when it isn't that.
pub(crate) fn parse(words: &[&str]) -> Option<NewTenant> {
    let [slug, options @ ..] = words else { return None };
    let mut tenant = NewTenant {
        slug: (*slug).to_owned(),
        country: demo::COUNTRY.to_owned(),
        time_zone: demo::TIME_ZONE.to_owned(),
        admin_name: ADMIN_NAME.to_owned(),
        ..NewTenant::default()
    };
    for option in options.chunks(2) {
        let [option, value] = option else { return None };
        let place = match *option {
            "--name" => &mut tenant.name,
            "--admin" => &mut tenant.admin_email,
            "--admin-name" => &mut tenant.admin_name,
            "--country" => &mut tenant.country,
            "--time-zone" => &mut tenant.time_zone,
            _ => return None,
        };
        (*value).clone_into(place);
    }
    (!slug.starts_with('-') && !tenant.name.is_empty() && !tenant.admin_email.is_empty()).then_some(tenant)
}

/// Makes the tenant, or completes it, and says what was done. Where `DEMO_PASSWORD` is set, as on the local stack, the administrator has it at once;
/// elsewhere they are sent a message.
pub(crate) async fn create(aws: &Aws, mut tenant: NewTenant) -> Result<()> {
    let services = aws.services()?;
    let key = setting("TENANT_KEY_ARN")?;
    // Asked for by name, so that a missing one is named before anything is made.
    setting("USER_POOL_ID")?;
    tenant.admin_password = setting("DEMO_PASSWORD").ok();
    let made = match tenant_creation::create(&services, &aws.keys(), &key, &tenant).await? {
        Ok(made) => made,
        Err(errors) => bail!("{}", errors.into_iter().map(|error| error.error.message).collect::<Vec<_>>().join("\n")),
    };
    let (slug, email) = (&tenant.slug, &tenant.admin_email);
    let state = if made.is_new { "made" } else { "there already" };
    println!("{slug}: {state}, {} statuses and roles written", made.completed);
    match made.administrator {
        MadeAdministrator::Active => println!("{slug}: {email} can sign in"),
        MadeAdministrator::Invited => println!("{slug}: a message with a password for the first sign-in was sent to {email}"),
        MadeAdministrator::InvitedAgain => println!("{slug}: another message was sent to {email}, who has yet to sign in"),
        MadeAdministrator::AlreadyThere => println!("{slug}: {email} is an administrator already"),
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(line: &str) -> Option<NewTenant> {
        parse(&line.split_whitespace().collect::<Vec<_>>())
    }

    #[test]
    fn options_come_in_any_order_and_the_place_is_toronto_unless_told() {
        let tenant = of("acme --admin ada@acme.test --name Acme").unwrap();
        assert_eq!((tenant.slug.as_str(), tenant.name.as_str(), tenant.admin_email.as_str()), ("acme", "Acme", "ada@acme.test"));
        assert_eq!((tenant.country.as_str(), tenant.time_zone.as_str(), tenant.admin_name.as_str()), ("CA", "America/Toronto", "Administrator"));
        let told = of("acme --country FR --time-zone Europe/Paris --admin-name Ada --name Acme --admin ada@acme.test").unwrap();
        assert_eq!((told.country.as_str(), told.time_zone.as_str(), told.admin_name.as_str()), ("FR", "Europe/Paris", "Ada"));
    }

    #[test]
    fn what_is_missing_or_unknown_is_not_guessed() {
        for line in [
            "",
            "acme",
            "acme --name Acme",
            "acme --admin ada@acme.test",
            "acme --name Acme --admin",
            "acme --name Acme --admin ada@acme.test --shards 2",
            "acme extra --name Acme --admin ada@acme.test",
            "--name Acme --admin ada@acme.test",
        ] {
            assert_eq!(of(line), None, "{line:?}");
        }
    }
}
