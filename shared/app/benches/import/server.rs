//! What of S3 and SQS the functions ask for, for other processes: a bucket for uploads, one for results and a queue of the testkit over HTTP, on one address.
//! The dropped file lies on the disk, so that a large one takes no memory.

use std::fs::File;
use std::io::{BufRead, BufReader, Read, Result, Seek, SeekFrom, Write, copy};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::PathBuf;
use std::sync::Arc;
use std::thread;

use aws_smithy_runtime_api::client::http::HttpConnector;
use aws_smithy_runtime_api::client::orchestrator::HttpRequest;
use aws_smithy_types::body::SdkBody;
use futures::executor::block_on;
use switchboard_testkit::{Bucket, Mailbox};

/// The entity tag of the dropped file.
pub(crate) const TAG: &str = "list";

/// What there is.
pub(crate) struct Storage {
    /// The bucket named `uploads`, but for the dropped file.
    pub(crate) uploads: Bucket,
    /// The bucket named `results`.
    pub(crate) results: Bucket,
    /// Every queue.
    pub(crate) messages: Mailbox,
    /// The key of the dropped file, and where it lies.
    pub(crate) dropped: (String, PathBuf),
}

/// Serves until the process ends; where.
pub(crate) fn serve(storage: Arc<Storage>) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let address = listener.local_addr().expect("an address");
    thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            let storage = Arc::clone(&storage);
            // A client that goes away ends its connection, which is no fault of anybody.
            thread::spawn(move || connection(&stream, &storage).ok());
        }
    });
    address
}

/// A request of HTTP/1.1.
struct Request {
    method: String,
    path: String,
    headers: Vec<(String, String)>,
    body: Vec<u8>,
}

impl Request {
    fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(given, _)| given == name).map(|(_, value)| value.as_str())
    }

    /// The next request on a connection; none when there are no more.
    fn read(input: &mut BufReader<&TcpStream>, mut output: &TcpStream) -> Result<Option<Self>> {
        let mut line = String::new();
        if input.read_line(&mut line)? == 0 {
            return Ok(None);
        }
        let mut words = line.split_whitespace().map(str::to_owned);
        let (method, path) = (words.next().unwrap_or_default(), words.next().unwrap_or_default());
        let mut headers = Vec::new();
        loop {
            let mut line = String::new();
            input.read_line(&mut line)?;
            let Some((name, value)) = line.split_once(':') else { break };
            headers.push((name.to_ascii_lowercase(), value.trim().to_owned()));
        }
        let mut request = Self { method, path, headers, body: Vec::new() };
        if request.header("expect").is_some() {
            output.write_all(b"HTTP/1.1 100 Continue\r\n\r\n")?;
        }
        let length = request.header("content-length").and_then(|length| length.parse().ok()).unwrap_or(0);
        request.body = vec![0; length];
        input.read_exact(&mut request.body)?;
        Ok(Some(request))
    }
}

fn connection(stream: &TcpStream, storage: &Storage) -> Result<()> {
    stream.set_nodelay(true)?;
    let mut input = BufReader::new(stream);
    while let Some(request) = Request::read(&mut input, stream)? {
        let key = request.path.strip_prefix("/uploads/").map(|key| key.split('?').next().unwrap_or_default());
        if matches!(request.method.as_str(), "GET" | "HEAD") && key == Some(storage.dropped.0.as_str()) {
            send_dropped(&request, storage, stream)?;
        } else {
            pass_on(request, storage, stream)?;
        }
    }
    Ok(())
}

/// The dropped file, or the range of it that is asked for.
fn send_dropped(request: &Request, storage: &Storage, mut stream: &TcpStream) -> Result<()> {
    let tag = format!("\"{TAG}\"");
    if request.header("if-match").is_some_and(|wanted| wanted != tag) {
        return stream.write_all(b"HTTP/1.1 412 Precondition Failed\r\ncontent-length: 0\r\n\r\n");
    }
    let mut file = File::open(&storage.dropped.1)?;
    let bytes = file.metadata()?.len();
    let range = request.header("range").and_then(|range| range.strip_prefix("bytes=")?.split_once('-'));
    let (first, end) = range.and_then(|(first, last)| Some((first.parse::<u64>().ok()?, last.parse::<u64>().ok()? + 1))).unwrap_or((0, bytes));
    let (status, end) = (if range.is_some() { 206 } else { 200 }, end.min(bytes));
    let length = end.saturating_sub(first);
    stream.write_all(format!("HTTP/1.1 {status} OK\r\netag: {tag}\r\ncontent-length: {length}\r\n\r\n").as_bytes())?;
    if request.method == "HEAD" {
        return Ok(());
    }
    file.seek(SeekFrom::Start(first))?;
    copy(&mut file.take(length), &mut stream)?;
    Ok(())
}

/// Any other request, answered by the bucket or the queue it is for.
fn pass_on(request: Request, storage: &Storage, mut stream: &TcpStream) -> Result<()> {
    let is_message = request.header("x-amz-target").is_some();
    let (is_head, is_result) = (request.method == "HEAD", request.path.starts_with("/results"));
    let mut passed = HttpRequest::new(SdkBody::from(request.body));
    passed.set_method(&request.method).expect("a method");
    passed.set_uri(request.path).expect("a path");
    for (name, value) in request.headers {
        passed.headers_mut().append(name, value);
    }
    let answer = if is_message {
        storage.messages.call(passed)
    } else if is_result {
        storage.results.call(passed)
    } else {
        storage.uploads.call(passed)
    };
    let answer = block_on(answer).map_err(std::io::Error::other)?;
    let body = answer.body().bytes().unwrap_or_default();
    let tag = answer.headers().get("etag").map(|tag| format!("etag: {tag}\r\n")).unwrap_or_default();
    let length = if is_head { 0 } else { body.len() };
    // In one piece: the client waits for the rest of what comes in two.
    let mut bytes = format!("HTTP/1.1 {} OK\r\n{tag}content-length: {length}\r\n\r\n", answer.status().as_u16()).into_bytes();
    bytes.extend_from_slice(&body[..length]);
    stream.write_all(&bytes)
}
