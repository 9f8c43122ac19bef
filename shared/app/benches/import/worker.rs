//! A process that is one of the functions: it answers a line for each message it is given, and ends with its input. And the handle on one.

use std::io::{BufRead, BufReader, Write};
use std::net::SocketAddr;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

use data_encoding::HEXLOWER;
use switchboard_app::imports::ImportServices;
use switchboard_domain::ids::TenantId;
use switchboard_domain::imports::CHUNK_ROWS;
use switchboard_domain::sealing::TenantKeyring;
use switchboard_lambda::{Aws, setting};
use switchboard_store::tenants::{self, OpenTenant};
use switchboard_testkit::World;

use crate::steps;

/// The environment variable that says which function a process is: `plan` or `rows`.
pub(crate) const ROLE: &str = "IMPORT_BENCH_ROLE";
const TENANT: &str = "IMPORT_BENCH_TENANT";
/// The keyring in hexadecimal digits: there is no key service to open it.
const KEYRING: &str = "IMPORT_BENCH_KEYRING";
/// A hundredth of a second is what `/proc` counts processor time in on every Linux.
const TICKS_A_SECOND: f64 = 100.0;

/// Is a function until there are no more messages.
pub(crate) fn run(role: &str) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    let services = runtime.block_on(Box::pin(services()));
    for message in std::io::stdin().lines() {
        let message = message.expect("a line");
        let answer = match role {
            "plan" => runtime.block_on(Box::pin(steps::plan(&services, &message))),
            _ => runtime.block_on(Box::pin(steps::rows(&services, &message))),
        };
        let line = answer.map_or_else(|error| format!("error {error}"), |answer| format!("ok {answer}"));
        println!("{}", line.replace('\n', " "));
    }
}

/// The services as the functions make them, with the tenant's keyring open.
async fn services() -> ImportServices {
    let aws = Aws::from_environment().await;
    let services = ImportServices {
        services: aws.services().expect("the tables"),
        uploads: aws.files("UPLOADS_BUCKET").expect("a bucket"),
        results: aws.files("RESULTS_BUCKET").expect("a bucket"),
        rows: aws.queue("IMPORT_ROWS_QUEUE_URL").expect("a queue"),
        chunk_rows: CHUNK_ROWS,
    };
    let id = TenantId::parse(&setting(TENANT).expect("a tenant")).expect("the id of a tenant");
    let keys = HEXLOWER.decode(setting(KEYRING).expect("a keyring").as_bytes()).expect("hexadecimal digits");
    let keyring = TenantKeyring::from_bytes(id, &keys).expect("a keyring");
    let (scope, record) = tenants::load(&services.services.core, id).await.expect("the database").expect("the tenant");
    services.services.tenants.keep(OpenTenant { scope, record, keyring });
    services
}

/// A running function.
pub(crate) struct Worker {
    role: &'static str,
    child: Child,
    input: ChildStdin,
    output: BufReader<ChildStdout>,
}

impl Worker {
    /// Starts one over a world's engine, and the buckets and queues at an address.
    pub(crate) fn start(role: &'static str, world: &World, engine: &str, storage: SocketAddr) -> Self {
        let mut command = Command::new(std::env::current_exe().expect("this program"));
        command
            .env(ROLE, role)
            .env(TENANT, world.tenant.record.id.to_string())
            .env(KEYRING, HEXLOWER.encode(&world.tenant.keyring.to_bytes()))
            // As in the template.
            .env("MIMALLOC_ALLOW_THP", "0")
            .env("AWS_REGION", "ca-central-1")
            .env("AWS_ACCESS_KEY_ID", "test")
            .env("AWS_SECRET_ACCESS_KEY", "test")
            .env("AWS_EC2_METADATA_DISABLED", "true")
            .env("AWS_ENDPOINT_URL", format!("http://{storage}"))
            .env("AWS_ENDPOINT_URL_DYNAMODB", engine)
            .env("CORE_TABLE", "core")
            .env("AUDIT_TABLE", "audit")
            .env("UPLOADS_BUCKET", "uploads")
            .env("RESULTS_BUCKET", "results")
            .env("IMPORT_ROWS_QUEUE_URL", format!("http://{storage}/rows"));
        let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().expect("a process");
        let input = child.stdin.take().expect("its input");
        let output = BufReader::new(child.stdout.take().expect("its output"));
        Self { role, child, input, output }
    }

    /// Hands it a message and waits for its answer, which isn't an error.
    pub(crate) fn ask(&mut self, message: &str) -> String {
        self.answer(message).unwrap_or_else(|error| panic!("import-{}: {error}", self.role))
    }

    /// Hands it a message and waits for its answer.
    pub(crate) fn answer(&mut self, message: &str) -> Result<String, String> {
        writeln!(self.input, "{message}").expect("a process that listens");
        let mut line = String::new();
        self.output.read_line(&mut line).expect("an answer");
        let answer = line.trim_end();
        answer.strip_prefix("ok ").map(str::to_owned).ok_or_else(|| answer.to_owned())
    }

    /// The processor time it has used, its own and the system's for it, in seconds.
    pub(crate) fn processor_seconds(&self) -> f64 {
        let stat = self.about("stat");
        // Behind the program's name in brackets: the state, ten numbers, and the two times.
        let fields = stat.rsplit(')').next().unwrap_or_default().split_whitespace().skip(11).take(2);
        fields.filter_map(|field| field.parse::<f64>().ok()).sum::<f64>() / TICKS_A_SECOND
    }

    /// The most memory it ever had, in megabytes of 2²⁰ bytes.
    pub(crate) fn most_memory(&self) -> f64 {
        let status = self.about("status");
        let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).expect("a Linux");
        line.trim().trim_end_matches(" kB").parse::<f64>().expect("a number") / 1024.0
    }

    fn about(&self, what: &str) -> String {
        std::fs::read_to_string(format!("/proc/{}/{what}", self.child.id())).expect("a Linux")
    }
}

impl Drop for Worker {
    fn drop(&mut self) {
        // It may have ended by itself, which is as good.
        self.child.kill().ok();
        self.child.wait().ok();
    }
}
