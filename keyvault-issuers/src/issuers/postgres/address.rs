use std::{fmt, net::IpAddr};

use arm_core::printable;

/// Where a server listens: a host name, an IP address, or the directory of a socket; and a port.
#[derive(Clone, PartialEq, Eq)]
pub(super) struct Address {
    pub(super) host: String,
    pub(super) port: u16,
}

impl fmt::Debug for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", printable(&self.host), self.port)
    }
}

impl Address {
    pub(super) fn new(host: &str, port: u16) -> Self {
        Self { host: host.to_ascii_lowercase(), port }
    }

    /// Reads comma-separated lists of hosts and ports. `None` if a port is not a number.
    pub(super) fn list(hosts: Option<&str>, ports: Option<&str>) -> Option<Vec<Self>> {
        let ports: Vec<&str> =
            ports.map(|ports| ports.split(',').map(str::trim).collect()).unwrap_or_default();
        let hosts = hosts.into_iter().flat_map(|hosts| hosts.split(',')).map(str::trim).enumerate();
        let address = |(at, host): (usize, &str)| {
            let (host, own) = match host.strip_prefix('[').and_then(|rest| rest.split_once(']')) {
                Some((host, rest)) => (host, rest.strip_prefix(':')),
                // An IPv6 address has several colons; a socket directory may have any number.
                None if host.starts_with('/') || host.matches(':').count() != 1 => (host, None),
                None => host.split_once(':').map_or((host, None), |(host, port)| (host, Some(port))),
            };
            let port = own.or(ports.get(at).or(ports.first()).copied()).filter(|port| !port.is_empty());
            Some(Self::new(host, port.map_or(Some(5432), |port| port.parse().ok())?))
        };
        hosts.map(address).collect()
    }

    pub(super) fn is_local(&self) -> bool {
        let loopback = |address: IpAddr| address.is_loopback();
        self.host.starts_with('/') || self.host == "localhost" || self.host.parse().is_ok_and(loopback)
    }
}
