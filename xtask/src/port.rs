//! Which port the emulator listens on.

use anyhow::{Result, bail};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::time::Duration;

/// LocalStack's port, which every AWS tool's examples name.
pub(crate) const USUAL: u16 = 4566;
/// How many ports after the usual one are tried.
const RANGE: u16 = 100;

/// The port asked for, or the first free one from the usual one on.
pub(crate) fn choose(asked: Option<u16>, is_free: impl Fn(u16) -> bool) -> Result<u16> {
    match asked {
        Some(port) if is_free(port) => Ok(port),
        Some(port) => bail!(
            "port {port} is taken by another program. Leave out --port and a free one is picked, or name another: \
             ./dev up --port {}",
            (port.saturating_add(1)..=u16::MAX).find(|&next| is_free(next)).unwrap_or(USUAL),
        ),
        None => match (USUAL..USUAL + RANGE).find(|&port| is_free(port)) {
            Some(port) => Ok(port),
            None => bail!("no port from {USUAL} to {} is free. Name one: ./dev up --port N", USUAL + RANGE - 1),
        },
    }
}

/// Whether nobody listens there.
pub(crate) fn is_free(port: u16) -> bool {
    let address = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
    // Some systems let us bind beside a listener on every interface: so ask whether somebody answers, too.
    TcpListener::bind(address).is_ok() && TcpStream::connect_timeout(&address, Duration::from_millis(200)).is_err()
}

/// Any free port, from those the system hands out.
pub(crate) fn any() -> Result<u16> {
    Ok(TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?.local_addr()?.port())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_usual_port_is_taken_when_free_and_the_next_free_one_otherwise() {
        assert_eq!(choose(None, |_| true).unwrap(), USUAL);
        assert_eq!(choose(None, |port| port > 4568).unwrap(), 4569);
        assert!(choose(None, |_| false).unwrap_err().to_string().contains("--port"));
    }

    #[test]
    fn a_port_asked_for_is_never_replaced() {
        assert_eq!(choose(Some(5000), |_| true).unwrap(), 5000);
        let error = choose(Some(5000), |port| port > 5001).unwrap_err().to_string();
        assert!(error.contains("5000 is taken") && error.contains("--port 5002"), "{error}");
        assert!(choose(Some(u16::MAX), |_| false).is_err());
    }

    #[test]
    fn a_listener_makes_a_port_taken() {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let port = listener.local_addr().unwrap().port();
        assert!(!is_free(port));
        drop(listener);
        assert!(is_free(port));
    }
}
