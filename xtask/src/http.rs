//! Requests to this machine: no names, no proxies, no encryption.

use anyhow::{Context, Result};
use std::io::{Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpStream};
use std::time::Duration;

/// An answer.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) body: String,
}

/// Asks a local port for `GET path`.
pub(crate) fn get(port: u16, path: &str, patience: Duration) -> Result<Answer> {
    request(port, "GET", path, "", patience)
}

/// Sends a local port `POST path` with a body.
pub(crate) fn post(port: u16, path: &str, body: &str, patience: Duration) -> Result<Answer> {
    request(port, "POST", path, body, patience)
}

fn request(port: u16, method: &str, path: &str, body: &str, patience: Duration) -> Result<Answer> {
    let address = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
    let mut stream = TcpStream::connect_timeout(&address, patience)?;
    stream.set_read_timeout(Some(patience))?;
    stream.set_write_timeout(Some(patience))?;
    // In HTTP 1.0 an answer's body simply goes on to the end.
    write!(stream, "{method} {path} HTTP/1.0\r\nHost: 127.0.0.1:{port}\r\nContent-Length: {}\r\n\r\n{body}", body.len())?;
    let mut text = Vec::new();
    stream.read_to_end(&mut text)?;
    parse(&String::from_utf8_lossy(&text)).with_context(|| format!("port {port} does not speak HTTP"))
}

fn parse(text: &str) -> Option<Answer> {
    let (head, body) = text.split_once("\r\n\r\n")?;
    let mut words = head.lines().next()?.split(' ');
    words.next()?.strip_prefix("HTTP/")?;
    Some(Answer { status: words.next()?.parse().ok()?, body: body.to_owned() })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn status_and_body_are_found() {
        let answer = |status, body: &str| Some(Answer { status, body: body.to_owned() });
        assert_eq!(parse("HTTP/1.1 200 OK\r\ncontent-type: a\r\n\r\n{}\r\n\r\n"), answer(200, "{}\r\n\r\n"));
        assert_eq!(parse("HTTP/1.0 503 \r\n\r\n"), answer(503, ""));
        assert_eq!(parse("SSH-2.0-OpenSSH\r\n\r\n"), None);
        assert_eq!(parse(""), None);
    }
}
