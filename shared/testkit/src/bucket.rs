//! A bucket in the process: what of S3 the code asks for, on the client's own wire. It keeps no versions, and no lock.

use std::collections::BTreeMap;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use aws_sdk_s3::config::{BehaviorVersion, Credentials, Region};
use aws_smithy_runtime_api::client::http::{HttpClient, HttpConnector, HttpConnectorFuture, HttpConnectorSettings, SharedHttpClient, SharedHttpConnector};
use aws_smithy_runtime_api::client::orchestrator::{HttpRequest, HttpResponse};
use aws_smithy_runtime_api::client::result::ConnectorError;
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponents;
use aws_smithy_runtime_api::http::StatusCode;
use aws_smithy_types::body::SdkBody;
use jiff::Timestamp;
use percent_encoding::percent_decode_str;
use switchboard_domain::clock::Clock;
use switchboard_platform::Files;

/// Keys of one page of a list, fewer than S3's own so that tests have several.
const PAGE: usize = 5;

/// A bucket.
#[derive(Clone)]
pub struct Bucket {
    inside: Arc<Mutex<Inside>>,
    clock: Arc<dyn Clock>,
}

impl std::fmt::Debug for Bucket {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_tuple("Bucket").field(&self.keys()).finish()
    }
}

#[derive(Debug, Default)]
struct Inside {
    files: BTreeMap<String, (Vec<u8>, Timestamp)>,
    /// Writes that still come through; none when all do.
    writes_left: Option<usize>,
    locked: BTreeMap<String, String>,
}

/// An answer before it is one: its status, its entity tag, its body.
struct Answer(u16, Option<String>, Vec<u8>);

impl Bucket {
    /// An empty bucket, whose files are as old as this clock says.
    #[must_use]
    pub fn new(clock: Arc<dyn Clock>) -> Self {
        Self { inside: Arc::default(), clock }
    }

    /// The bucket as the code knows it, over a client that tries nothing again.
    #[must_use]
    pub fn files(&self) -> Files {
        let config = aws_sdk_s3::Config::builder()
            .behavior_version(BehaviorVersion::latest())
            .retry_config(aws_sdk_s3::config::retry::RetryConfig::disabled())
            .http_client(SharedHttpClient::new(self.clone()))
            .endpoint_url("http://bucket.test")
            .force_path_style(true)
            .region(Region::new("ca-central-1"))
            .credentials_provider(Credentials::new("test", "test", None, None, "testkit"));
        Files::new(aws_sdk_s3::Client::from_conf(config.build()), "bucket")
    }

    /// The keys of all files, in order.
    #[must_use]
    pub fn keys(&self) -> Vec<String> {
        self.lock().files.keys().cloned().collect()
    }

    /// What is in a file.
    #[must_use]
    pub fn get(&self, key: &str) -> Option<Vec<u8>> {
        self.lock().files.get(key).map(|(bytes, _)| bytes.clone())
    }

    /// Until when a file is locked, as it was asked for.
    #[must_use]
    pub fn locked_until(&self, key: &str) -> Option<String> {
        self.lock().locked.get(key).cloned()
    }

    /// Writes a file behind the code's back.
    pub fn put(&self, key: &str, bytes: Vec<u8>) {
        let now = self.clock.now();
        self.lock().files.insert(key.to_owned(), (bytes, now));
    }

    /// Removes a file behind the code's back; what was in it.
    pub fn remove(&self, key: &str) -> Option<Vec<u8>> {
        self.lock().files.remove(key).map(|(bytes, _)| bytes)
    }

    /// Lets so many writes through and none after them, as if whoever writes were killed there; `None` lets all through.
    pub fn let_through(&self, writes: Option<usize>) {
        self.lock().writes_left = writes;
    }

    fn lock(&self) -> MutexGuard<'_, Inside> {
        self.inside.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn answer(&self, request: &HttpRequest) -> Result<Answer, ConnectorError> {
        let uri = request.uri();
        let path = uri.split_once("://").map_or(uri, |(_, rest)| rest).split_once('/').map_or("", |(_, path)| path);
        let (path, query) = path.split_once('?').unwrap_or((path, ""));
        let key = path.split_once('/').map_or("", |(_, key)| key);
        let key = decoded(key);
        let header = |name: &str| request.headers().get(name).map(str::to_owned);
        let mut inside = self.lock();
        Ok(match (request.method(), key.as_str()) {
            ("GET", "") => Answer(200, None, listed(&inside, query).into_bytes()),
            ("GET" | "HEAD", key) => match inside.files.get(key) {
                Some((bytes, _)) => Answer(200, Some(tag(bytes)), if request.method() == "GET" { bytes.clone() } else { Vec::new() }),
                None => refused(404, "NoSuchKey"),
            },
            ("PUT", key) => {
                let there = inside.files.get(key).map(|(bytes, _)| tag(bytes));
                if header("if-none-match").is_some() && there.is_some() {
                    return Ok(refused(412, "PreconditionFailed"));
                }
                match (header("if-match"), there) {
                    (Some(_), None) => return Ok(refused(404, "NoSuchKey")),
                    (Some(wanted), Some(there)) if wanted != there => return Ok(refused(412, "PreconditionFailed")),
                    _ => {}
                }
                match &mut inside.writes_left {
                    Some(0) => return Err(ConnectorError::io("the writer is dead".into())),
                    Some(left) => *left -= 1,
                    None => {}
                }
                let bytes = request.body().bytes().unwrap_or_default().to_vec();
                let tag = tag(&bytes);
                inside.locked.extend(header("x-amz-object-lock-retain-until-date").map(|until| (key.to_owned(), until)));
                inside.files.insert(key.to_owned(), (bytes, self.clock.now()));
                Answer(200, Some(tag), Vec::new())
            }
            ("DELETE", key) => {
                inside.files.remove(key);
                Answer(204, None, Vec::new())
            }
            _ => refused(501, "NotImplemented"),
        })
    }
}

/// The entity tag of a file, in its quotes.
fn tag(bytes: &[u8]) -> String {
    let mut hasher = DefaultHasher::new();
    bytes.hash(&mut hasher);
    format!("\"{:016x}\"", hasher.finish())
}

fn decoded(text: &str) -> String {
    percent_decode_str(text).decode_utf8_lossy().into_owned()
}

fn refused(status: u16, code: &str) -> Answer {
    Answer(status, None, format!("<Error><Code>{code}</Code><Message>{code}</Message></Error>").into_bytes())
}

/// One page of a list, as `ListObjectsV2` writes it.
fn listed(inside: &Inside, query: &str) -> String {
    let query: BTreeMap<String, String> = query.split('&').filter_map(|part| part.split_once('=')).map(|(name, value)| (decoded(name), decoded(value))).collect();
    let part = |name: &str| query.get(name).map(String::as_str);
    let (prefix, delimiter) = (part("prefix").unwrap_or_default(), part("delimiter"));
    let after = part("continuation-token").or(part("start-after")).unwrap_or_default();
    let most = part("max-keys").and_then(|most| most.parse().ok()).unwrap_or(PAGE).min(PAGE);
    let mut rows: Vec<(String, Option<Timestamp>)> = Vec::new();
    for (key, (_, written_at)) in inside.files.iter().filter(|(key, _)| key.starts_with(prefix)) {
        let folder = delimiter.and_then(|delimiter| key[prefix.len()..].split_once(delimiter).map(|(folder, _)| format!("{prefix}{folder}{delimiter}")));
        let row = folder.map_or_else(|| (key.clone(), Some(*written_at)), |folder| (folder, None));
        if row.0.as_str() > after && rows.last() != Some(&row) {
            rows.push(row);
        }
    }
    let has_more = rows.len() > most;
    rows.truncate(most);
    let mut xml = format!("<ListBucketResult><IsTruncated>{has_more}</IsTruncated>");
    if let Some((last, _)) = rows.last().filter(|_| has_more) {
        xml.push_str(&format!("<NextContinuationToken>{last}</NextContinuationToken>"));
    }
    for (key, written_at) in rows {
        xml.push_str(&match written_at.map(|at| Timestamp::from_second(at.as_second()).unwrap_or(at)) {
            Some(at) => format!("<Contents><Key>{key}</Key><LastModified>{at}</LastModified></Contents>"),
            None => format!("<CommonPrefixes><Prefix>{key}</Prefix></CommonPrefixes>"),
        });
    }
    xml + "</ListBucketResult>"
}

impl HttpConnector for Bucket {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        HttpConnectorFuture::ready(self.answer(&request).map(|Answer(status, tag, body)| {
            let status = StatusCode::try_from(status).expect("a status");
            let mut response = HttpResponse::new(status, SdkBody::from(body));
            if let Some(tag) = tag {
                response.headers_mut().insert("etag", tag);
            }
            response
        }))
    }
}

impl HttpClient for Bucket {
    fn http_connector(&self, _: &HttpConnectorSettings, _: &RuntimeComponents) -> SharedHttpConnector {
        SharedHttpConnector::new(self.clone())
    }
}
