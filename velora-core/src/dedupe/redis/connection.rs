//! One server or a cluster, behind one connection that all calls share.

use std::time::Duration;

use redis::aio::{ConnectionManager, ConnectionManagerConfig};
use redis::cluster::ClusterClient;
use redis::cluster_async::ClusterConnection;
use redis::{Client, FromRedisValue, IntoConnectionInfo, RedisResult, ScriptInvocation};

use super::fault;
use crate::dedupe::StoreOptions;
use crate::dedupe::durable::unavailable;
use crate::dedupe::open::refused;
use crate::error::{ConfigError, StoreError};

/// What a URL says.
pub(super) enum Address {
    One(Client),
    /// Any node of it; the others are found from there.
    Cluster(redis::ConnectionInfo),
}

#[derive(Clone)]
pub(super) enum Connection {
    One(ConnectionManager),
    Cluster(ClusterConnection),
}

impl Address {
    pub(super) fn parse(url: &str) -> Result<Self, ConfigError> {
        // The parser's own words may hold a part of the URL.
        let unreadable = |_| refused("it is not a URL of Redis that can be read");
        if url.contains('#') {
            return Err(refused("certificates are always verified"));
        }
        if url.starts_with("rediss:") {
            // `redis` would panic where a process has two providers, or none.
            let _ = rustls::crypto::ring::default_provider().install_default();
        }
        let (plain, cluster) = match url.split_once('?') {
            Some((plain, "cluster=true")) => (plain, true),
            Some(_) => return Err(refused("its query can be `?cluster=true` alone")),
            None => (url, false),
        };
        let info = plain.into_connection_info().map_err(unreadable)?;
        Ok(match cluster {
            true => Self::Cluster(info),
            false => Self::One(Client::open(info).map_err(unreadable)?),
        })
    }

    pub(super) async fn open(&self, options: StoreOptions) -> RedisResult<Connection> {
        let timeout = options.timeout();
        match self {
            Self::One(client) => {
                let config = ConnectionManagerConfig::new()
                    .set_connection_timeout(Some(timeout))
                    .set_response_timeout(Some(timeout))
                    .set_min_delay(Duration::from_millis(20))
                    .set_max_delay(Duration::from_millis(500))
                    // The event comes again, and a call has its own limit.
                    .set_number_of_retries(3);
                let manager = ConnectionManager::new_with_config(client.clone(), config);
                manager.await.map(Connection::One)
            }
            Self::Cluster(info) => {
                let client = ClusterClient::builder([info.clone()])
                    .connection_timeout(timeout)
                    .response_timeout(timeout)
                    .retries(3)
                    .build()?;
                let connection = client.get_async_connection().await?;
                Ok(Connection::Cluster(connection))
            }
        }
    }
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

    /// A server that makes room by forgetting would forget claims.
    pub(super) async fn check_memory(&self) -> Result<(), StoreError> {
        let mut info = redis::cmd("INFO");
        info.arg("memory");
        let text: String = match self.clone() {
            Self::One(mut one) => info.query_async(&mut one).await.map_err(fault)?,
            // Each node of a cluster has its own; the operator answers for them.
            Self::Cluster(_) => return Ok(()),
        };
        let value = |name: &str| {
            let line = text.lines().find_map(|line| line.strip_prefix(name));
            line.unwrap_or_default().trim()
        };
        let limit = value("maxmemory:");
        let policy = value("maxmemory_policy:");
        if limit != "0" && !limit.is_empty() && policy != "noeviction" {
            return Err(unavailable(format_args!(
                "its maxmemory-policy is `{policy}`, which forgets claims; set `noeviction`"
            )));
        }
        Ok(())
    }
}
