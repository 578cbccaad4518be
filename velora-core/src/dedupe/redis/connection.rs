//! A server or a cluster, behind one connection that all calls share.

use std::collections::HashMap;
use std::time::Duration;

use redis::aio::MultiplexedConnection;
use redis::cluster::ClusterClient;
use redis::cluster_async::ClusterConnection;
use redis::cluster_routing::{MultipleNodeRoutingInfo, RoutingInfo};
use redis::io::tcp::TcpSettings;
use redis::io::tcp::socket2::TcpKeepalive;
use redis::{
    AsyncConnectionConfig, Client, FromRedisValue, IntoConnectionInfo, RedisResult,
    ScriptInvocation,
};

use super::fault::{Fault, Of};
use crate::dedupe::StoreOptions;
use crate::dedupe::durable::unavailable;
use crate::dedupe::open::refused;
use crate::error::{ConfigError, StoreError};

/// The server or cluster that a URL names.
#[expect(clippy::large_enum_variant, reason = "a store has one")]
pub(super) enum Address {
    One(Client),
    /// Any node of the cluster; the others are discovered from it.
    Cluster(ClusterClient),
}

/// Neither kind recovers from every fault by itself: a connection to one server ends at its
/// first fault, and one to a cluster waits for ever for a node that has fallen silent.
#[derive(Clone)]
pub(super) enum Connection {
    One(MultiplexedConnection),
    Cluster(ClusterConnection),
}

impl Address {
    pub(super) fn parse(url: &str, options: StoreOptions) -> Result<Self, ConfigError> {
        // The parser's own message may contain a part of the URL.
        let unreadable = |_| refused("it is not a valid Redis URL");
        if url.contains('#') {
            return Err(refused("certificates are always verified"));
        }
        if url.starts_with("rediss:") {
            // `redis` would panic if the process has two crypto providers, or none.
            let _ = rustls::crypto::ring::default_provider().install_default();
        }
        let (plain, cluster) = match url.split_once('?') {
            Some((plain, "cluster=true")) => (plain, true),
            Some(_) => return Err(refused("its query can only be `?cluster=true`")),
            None => (url, false),
        };
        let info = plain.into_connection_info().map_err(unreadable)?;
        let timeout = options.timeout();
        if !cluster {
            let info = info.set_tcp_settings(watchful(timeout));
            return Client::open(info).map(Self::One).map_err(unreadable);
        }
        ClusterClient::builder([info])
            .tcp_settings(watchful(timeout))
            // If a node is gone, time is left to connect to the others and to call them.
            .connection_timeout(timeout / 3)
            .response_timeout(timeout)
            .retries(3)
            .build()
            .map(Self::Cluster)
            .map_err(unreadable)
    }

    /// A connection to a server that can make claims and keeps them.
    pub(super) async fn open(&self) -> Result<Connection, Fault> {
        let opened = self.connect().await?;
        opened.check().await?;
        Ok(opened)
    }

    async fn connect(&self) -> RedisResult<Connection> {
        match self {
            Self::One(client) => {
                // Connecting counts towards the timeout of the call.
                let config = AsyncConnectionConfig::new()
                    .set_connection_timeout(None)
                    .set_response_timeout(None);
                let opened = client.get_multiplexed_async_connection_with_config(&config);
                opened.await.map(Connection::One)
            }
            Self::Cluster(client) => {
                let opened = client.get_async_connection();
                opened.await.map(Connection::Cluster)
            }
        }
    }
}

/// Lets the kernel detect a peer that has vanished, even between calls.
fn watchful(timeout: Duration) -> TcpSettings {
    let probes = TcpKeepalive::new()
        .with_time(Duration::from_secs(15))
        .with_interval(Duration::from_secs(5));
    let settings = TcpSettings::default().set_keepalive(probes);
    #[cfg(any(target_os = "android", target_os = "fuchsia", target_os = "linux"))]
    let settings = settings.set_user_timeout(timeout);
    #[cfg(not(any(target_os = "android", target_os = "fuchsia", target_os = "linux")))]
    let _ = timeout;
    settings
}

impl Connection {
    pub(super) async fn invoke<T: FromRedisValue>(
        &self,
        invocation: &ScriptInvocation<'_>,
    ) -> RedisResult<T> {
        match self.clone() {
            Self::One(mut one) => invocation.invoke_async(&mut one).await,
            Self::Cluster(mut cluster) => invocation.invoke_async(&mut cluster).await,
        }
    }

    /// Checks that the server can make claims and keeps them.
    pub(super) async fn check(&self) -> Result<(), Fault> {
        let said = self.info().await?;
        let said = said.iter().try_for_each(|info| check(info));
        said.map_err(|told| {
            let of = Of::Place;
            Fault { told, of }
        })
    }

    /// The `INFO` of each server that holds a part of the keys.
    async fn info(&self) -> RedisResult<Vec<String>> {
        let info = redis::cmd("INFO");
        match self.clone() {
            Self::One(mut one) => Ok(vec![info.query_async(&mut one).await?]),
            Self::Cluster(mut cluster) => {
                let primaries = (MultipleNodeRoutingInfo::AllMasters, None);
                let said = cluster.route_command(info, RoutingInfo::MultiNode(primaries));
                let said: HashMap<String, String> = redis::from_redis_value(said.await?)?;
                Ok(said.into_values().collect())
            }
        }
    }
}

fn check(info: &str) -> Result<(), StoreError> {
    let value = |name: &str| {
        let line = info.lines().find_map(|line| line.strip_prefix(name));
        line.unwrap_or_default().trim()
    };
    if value("role:") == "slave" {
        return Err(unavailable("it is a replica, which cannot store claims"));
    }
    // A server that evicts keys to make room would forget claims.
    let limit = value("maxmemory:");
    let policy = value("maxmemory_policy:");
    if limit != "0" && !limit.is_empty() && policy != "noeviction" {
        return Err(unavailable(format_args!(
            "its maxmemory-policy is `{policy}`, which forgets claims; set `noeviction`"
        )));
    }
    Ok(())
}
