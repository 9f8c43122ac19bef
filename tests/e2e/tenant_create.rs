//! Making a tenant, which only the operator can: with all a tenant starts with, an administrator who can sign in, and the same when it is asked for again.

use std::collections::BTreeSet;
use std::process::Output;

use serde_json::{Value, json};

use crate::stack::api::Api;
use crate::stack::mutations::with_fragments;
use crate::stack::tenant::{Tenant, address, operator};
use crate::stack::{ADMIN, Stack, fresh, setting};

/// All that a new tenant has.
async fn all(api: &Api) -> Value {
    let query = "{ viewer { tenant { ...tenant } } contactStatuses { ...status } roles { ...role } users(first: 100) { nodes { ...user } }
        teams { nodes { id } } contacts { nodes { id } } imports { nodes { id } } }";
    api.data(&with_fragments(query), json!({})).await
}

fn assert_refused(output: &Output, why: &str) {
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(!output.status.success() && !said.trim().is_empty() && !said.contains("panicked"), "{why}: {said}");
}

/// Makes a tenant, or tries to.
async fn create(slug: &str, name: &str, admin: &str, options: &[&str]) -> Output {
    operator(&[&["tenant", "create", slug, "--name", name, "--admin", admin][..], options].concat()).await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_new_tenant_has_what_every_tenant_starts_with_and_made_again_it_stays_as_it_is() {
    let tenant = Tenant::with(&["--country", "FR", "--time-zone", "Europe/Paris"]).await;
    let (api, slug) = (&tenant.api, tenant.slug.as_str());
    let (name, admin) = (format!("The {slug}"), tenant.admin.email.as_str());
    let made = all(api).await;
    let shown = &made["viewer"]["tenant"];
    assert_eq!((&shown["name"], &shown["country"], &shown["timeZone"], &shown["version"]), (&json!(name), &json!("FR"), &json!("Europe/Paris"), &json!(1)));
    let codes = |list: &str| made[list].as_array().unwrap().iter().map(|entry| entry["code"].as_str().unwrap()).collect::<BTreeSet<_>>();
    let statuses = ["attempted", "callback_requested", "converted", "do_not_call", "in_discussion", "interested", "new", "not_interested"];
    assert_eq!(codes("contactStatuses"), statuses.into());
    assert_eq!(codes("roles"), ["admin", "agent", "manager", "supervisor", "telephonist"].into());
    assert!(made["roles"].as_array().unwrap().iter().all(|role| role["system"] == true), "{made}");
    let [user] = &made["users"]["nodes"].as_array().unwrap()[..] else { panic!("not one user: {made}") };
    assert_eq!((&user["name"], &user["email"], &user["status"], &user["roles"][0]["code"]), (&json!("Mona Maker"), &json!(admin), &json!("ACTIVE"), &json!("admin")));
    for list in ["teams", "contacts", "imports"] {
        assert_eq!(made[list]["nodes"], json!([]), "{list}");
    }

    let again = create(slug, &name, admin, &["--admin-name", "Mona Maker", "--country", "FR", "--time-zone", "Europe/Paris"]).await;
    assert!(again.status.success(), "{}", String::from_utf8_lossy(&again.stderr));
    assert_eq!(all(api).await, made, "there was nothing to complete");
    assert_refused(&create(slug, "Somebody Else", admin, &[]).await, "the slug is another tenant's");
    assert_refused(&create("demo", "Somebody Else", &address("admin"), &[]).await, "the slug is a demo tenant's");
    assert_eq!(all(api).await, made);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_wrong_with_a_new_tenant_is_said_and_nobody_can_sign_in_to_it() {
    let stack = Stack::connect().await;
    let (slug, email) = (fresh::word("refused"), address("refused"));
    let wrong: [(&str, &str, &str, &[&str]); 8] = [
        ("Not A Slug", "Name", &email, &[]),
        ("-", "Name", &email, &[]),
        (&slug, " ", &email, &[]),
        (&slug, "Name", "nobody", &[]),
        (&slug, "Name", &email, &["--country", "Utopia"]),
        (&slug, "Name", &email, &["--time-zone", "Mars/Olympus"]),
        (&slug, "Name", &email, &["--admin-name"]),
        (&slug, "Name", &email, &["--nonsense", "x"]),
    ];
    for (slug, name, admin, options) in wrong {
        assert_refused(&create(slug, name, admin, options).await, &format!("{slug} {name} {admin} {options:?}"));
    }
    assert_refused(&operator(&["tenant", "create"]).await, "no slug");
    assert_refused(&operator(&["tenant", "create", &slug, "--name", "Name"]).await, "no administrator");
    let identity = stack.cognito().admin_get_user().user_pool_id(setting("USER_POOL_ID")).username(&email).send().await;
    assert!(identity.is_err(), "nobody was made");

    // An address is one user's in all tenants.
    assert_refused(&create(&slug, "Name", ADMIN, &[]).await, "the address is somebody's");
    let viewer = stack.sign_in(ADMIN).await.data("{ viewer { tenant { name } user { status roles { code } } } }", json!({})).await["viewer"].take();
    assert_eq!(viewer, json!({ "tenant": { "name": "Demo Inc." }, "user": { "status": "ACTIVE", "roles": [{ "code": "admin" }] } }));
}
