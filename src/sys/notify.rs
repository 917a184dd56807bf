//! Word to the service manager: the protocol of `sd_notify(3)`.

use rustix::io::write;
use std::env;
use std::ffi::OsStr;
use std::io::{Error, ErrorKind, Result};
use std::os::linux::net::SocketAddrExt;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::net::{SocketAddr, UnixDatagram};

/// The service manager's socket.
#[derive(Debug)]
pub struct Notify(UnixDatagram);

impl Notify {
    /// Connects to the socket that $NOTIFY_SOCKET names; `None` where nobody wants to hear.
    ///
    /// # Errors
    /// Those of `socket(2)` and `connect(2)`, and [`ErrorKind::InvalidInput`] for a name that is neither a path nor abstract.
    pub fn connect() -> Result<Option<Notify>> {
        env::var_os("NOTIFY_SOCKET")
            .map(|name| Notify::to(&name))
            .transpose()
    }

    fn to(name: &OsStr) -> Result<Notify> {
        let address = match name.as_bytes() {
            [b'/', ..] => SocketAddr::from_pathname(name)?,
            [b'@', name @ ..] => SocketAddr::from_abstract_name(name)?,
            _ => return Err(Error::from(ErrorKind::InvalidInput)),
        };
        let socket = UnixDatagram::unbound()?;
        socket.connect_addr(&address)?;
        socket.set_nonblocking(true)?;
        Ok(Notify(socket))
    }

    /// Sends one state, such as `READY=1`. A manager that does not listen is no concern of ours.
    pub fn send(&self, state: &str) {
        let _ = write(&self.0, state.as_bytes());
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sys::scratch::Directory;
    use std::process::id;

    fn received(socket: &UnixDatagram) -> Vec<u8> {
        let mut buffer = [0; 64];
        let size = socket.recv(&mut buffer).unwrap();
        buffer[..size].to_vec()
    }

    #[test]
    fn a_state_reaches_a_socket_that_has_a_path() {
        let directory = Directory::new("notify");
        let path = directory.path().join("socket");
        let manager = UnixDatagram::bind(&path).unwrap();
        Notify::to(path.as_os_str()).unwrap().send("READY=1");
        assert_eq!(received(&manager), b"READY=1");
    }

    #[test]
    fn a_state_reaches_an_abstract_socket() {
        let name = format!("steve-unit-{}", id());
        let address = SocketAddr::from_abstract_name(&name).unwrap();
        let manager = UnixDatagram::bind_addr(&address).unwrap();
        Notify::to(OsStr::new(&format!("@{name}")))
            .unwrap()
            .send("STOPPING=1");
        assert_eq!(received(&manager), b"STOPPING=1");
    }

    #[test]
    fn a_name_of_another_kind_is_an_error_and_so_is_nobody_there() {
        assert_eq!(
            Notify::to(OsStr::new("socket")).unwrap_err().kind(),
            ErrorKind::InvalidInput
        );
        assert_eq!(
            Notify::to(OsStr::new("/none/socket")).unwrap_err().kind(),
            ErrorKind::NotFound
        );
    }
}
