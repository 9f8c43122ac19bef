//! A bulk job over many contacts whose worker is killed three times on the way: that none is missed or done twice, what it takes, and that memory
//! stays flat. Run by `./dev bench bulk`; `CONTACTS` says how many (100,000 when it isn't set).
#![expect(clippy::expect_used, clippy::unwrap_used, reason = "a benchmark that can't be set up fails")]

use std::time::{Duration, Instant};

use jiff::SignedDuration;
use switchboard_app::AppError;
use switchboard_app::bulk::{BulkMessage, Stopped, change_contacts};
use switchboard_domain::bulk_job::{BulkAction, BulkJob, Outcome};
use switchboard_domain::change::{Change, Origin};
use switchboard_domain::clock::Clock;
use switchboard_domain::contact::{Contact, ContactDraft, ContactFilter, ContactInput, OnInvalid};
use switchboard_domain::ids::{BulkJobId, ContactId};
use switchboard_store::{Freshness, bulk_jobs, contacts as store};
use switchboard_testkit::World;

fn main() {
    let count = std::env::var("CONTACTS").ok().and_then(|count| count.parse().ok()).unwrap_or(100_000);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    runtime.block_on(Box::pin(run(count)));
}

async fn run(count: usize) {
    let world = World::new().await;
    let ids = filled(&world, count).await;
    let (services, tenant) = (&world.services, &world.tenant);
    let agent = world.viewer("telephonist").await.agent();
    world.clock.advance(SignedDuration::from_secs(1));
    let now = world.clock.now();
    let id = BulkJobId::new(now, &services.entropy.id());
    let action = BulkAction::Assign { assignee: Some(agent), team: None };
    let origin = world.viewer("admin").await.origin();
    let job = BulkJob::asked(id, action, ContactFilter::default(), origin, now, now + SignedDuration::from_millis(1));
    bulk_jobs::create(&services.core, tenant, &job, Vec::new(), services.entropy.as_ref()).await.unwrap();
    let message = BulkMessage { tenant: tenant.record.id, job: id };

    world.database.meter.reset();
    let begun = Instant::now();
    let later = || Instant::now() + Duration::from_secs(36_000);
    let batches = u32::try_from(count / 200).expect("few batches");
    let (memory_before, mut memory_most) = (memory(), 0);
    // Killed when a batch was applied and isn't counted yet, at a quarter and at a half; and anywhere else once.
    for kill_at in [batches / 4 + 1, batches / 2 + 1] {
        let keep = async |batch: u32, _: &[Outcome]| if batch == kill_at { Err(AppError::Unavailable("killed")) } else { Ok(()) };
        assert!(change_contacts(services, &message, later(), &keep).await.is_err());
        memory_most = memory_most.max(memory());
    }
    let keep = async |_: u32, _: &[Outcome]| Ok::<(), AppError>(());
    tokio::time::timeout(Duration::from_millis(1_234), change_contacts(services, &message, later(), &keep)).await.ok();
    while change_contacts(services, &message, later(), &keep).await.unwrap() != Stopped::Ended {}
    let (taken, usage) = (begun.elapsed(), world.database.meter.usage());
    memory_most = memory_most.max(memory());

    let job = bulk_jobs::get(&services.core, tenant, id).await.unwrap().unwrap();
    let (mut right, mut missed, mut twice) = (0, 0, 0);
    for ids in ids.chunks(1_000) {
        for stored in store::get_many(&services.core, tenant, ids, Freshness::Strong).await.unwrap() {
            match stored.contact.record.version {
                2 if stored.contact.details.assignee == Some(agent) => right += 1,
                0 | 1 => missed += 1,
                _ => twice += 1,
            }
        }
    }
    println!("{count} contacts assigned by a job whose worker was killed three times: {right} once, {missed} not, {twice} more than once");
    println!("the job says {:?}: {:?}", job.status, job.tally);
    let requests: u64 = usage.requests.values().map(|count| *count as u64).sum();
    let (seconds, each) = (taken.as_secs_f64(), count as f64);
    println!(
        "{seconds:.0} s, {:.0} contacts/s; for each contact {:.3} requests, {:.3} R, {:.3} W",
        each / seconds,
        requests as f64 / each,
        usage.read_units / each,
        usage.total_write_units() / each
    );
    println!("memory of the process with the embedded engine in it: {memory_before} MiB before, {memory_most} MiB at most while it ran");
    assert!(right == count && missed == 0 && twice == 0, "a contact was missed or done twice");
}

/// What the process has of the machine's memory, in MiB, where the system tells.
fn memory() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap_or_default();
    line.trim().trim_end_matches(" kB").parse::<u64>().unwrap_or(0) / 1_024
}

async fn filled(world: &World, count: usize) -> Vec<ContactId> {
    let services = &world.services;
    let settings = services.tenants.settings(&world.tenant.scope).await.unwrap();
    let defaults = world.tenant.defaults();
    let mut ids = Vec::with_capacity(count);
    for from in (0..count).step_by(1_000) {
        let mut contacts: Vec<Contact> = (from..(from + 1_000).min(count))
            .map(|number| {
                let input = ContactInput { phone: format!("+1514{:07}", 2_000_000 + number), name: Some("Zoé Roy".to_owned()), ..ContactInput::default() };
                let draft = ContactDraft::validate(&input, &defaults, OnInvalid::Fail).expect("a valid contact").draft;
                let id = world.tenant.keyring.slot(&draft.phone.e164);
                world.clock.advance(SignedDuration::from_millis(1));
                let change = Change::new("contact.created", world.clock.now(), Origin::system());
                Contact::created(id, draft.into_details(&defaults, settings.statuses[0].id, None, None), change)
            })
            .collect();
        ids.extend(contacts.iter().map(|contact| contact.id.clone()));
        store::create_many(&services.core, &world.tenant, &settings, &mut contacts, services.entropy.as_ref()).await.unwrap();
    }
    ids
}
