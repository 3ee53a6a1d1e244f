//! One connection to a broker: requests go out, whole answers come in.

use std::io;
use std::net::SocketAddr;
use std::time::Duration;

use bytes::{Buf, Bytes, BytesMut};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::time::timeout;

use super::protocol;
use crate::connector::is_local;
use crate::connector::kafka::client::Reach;

const CONNECT: Duration = Duration::from_secs(10);
const LARGEST_ANSWER: usize = 512 << 20;

#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) struct Address {
    pub(super) host: String,
    pub(super) port: u16,
}

pub(super) struct Link {
    stream: TcpStream,
    client: String,
    correlation: i32,
}

#[derive(Debug, thiserror::Error)]
pub(super) enum LinkError {
    #[error("{0}")]
    Io(#[from] io::Error),
    #[error("no answer in time")]
    Late,
    #[error("an answer that makes no sense")]
    Malformed,
    #[error("the broker does not speak the version of Fetch that is needed")]
    TooOld,
    #[error("the broker is announced at an address of this machine")]
    Local,
}

impl From<protocol::Malformed> for LinkError {
    fn from(_: protocol::Malformed) -> Self {
        LinkError::Malformed
    }
}

impl Link {
    /// Connects and makes sure that the broker can be talked to.
    pub(super) async fn open(address: &Address, client: &str, reach: Reach) -> Result<Link, LinkError> {
        let stream = timeout(CONNECT, connect(address, reach)).await.map_err(|_| LinkError::Late)??;
        stream.set_nodelay(true)?;
        let mut link = Link { stream, client: client.to_owned(), correlation: 0 };
        let answer = link.ask(protocol::versions_request, CONNECT).await?;
        match protocol::speaks_fetch(answer)? {
            true => Ok(link),
            false => Err(LinkError::TooOld),
        }
    }

    /// Sends what `request` makes of a number and the client's name, and waits for its answer.
    pub(super) async fn ask(
        &mut self,
        request: impl FnOnce(i32, &str) -> BytesMut,
        patience: Duration,
    ) -> Result<Bytes, LinkError> {
        self.correlation = self.correlation.wrapping_add(1);
        let request = request(self.correlation, &self.client);
        timeout(patience, self.exchange(&request)).await.map_err(|_| LinkError::Late)?
    }

    async fn exchange(&mut self, request: &[u8]) -> Result<Bytes, LinkError> {
        self.stream.write_all(request).await?;
        let size = usize::try_from(self.stream.read_i32().await?).map_err(|_| LinkError::Malformed)?;
        if size > LARGEST_ANSWER {
            return Err(LinkError::Malformed);
        }
        let mut answer = BytesMut::with_capacity(size);
        while answer.len() < size {
            let left = size - answer.len();
            if (&mut self.stream).take(left as u64).read_buf(&mut answer).await? == 0 {
                return Err(io::Error::from(io::ErrorKind::UnexpectedEof).into());
            }
        }
        let mut answer = answer.freeze();
        match answer.try_get_i32() {
            Ok(correlation) if correlation == self.correlation => Ok(answer),
            _ => Err(LinkError::Malformed),
        }
    }
}

async fn connect(address: &Address, reach: Reach) -> Result<TcpStream, LinkError> {
    let found = tokio::net::lookup_host((address.host.as_str(), address.port)).await?;
    let found: Vec<SocketAddr> = found.collect();
    if reach == Reach::NotLocal && found.iter().any(|found| is_local(found.ip())) {
        return Err(LinkError::Local);
    }
    Ok(TcpStream::connect(&*found).await?)
}
