//! The statements of `claimIn` and `commitIn`, which run on the host's own connection.

use napi::bindgen_prelude::Either;
use napi_derive::napi;
use velora_core::Key;
use velora_core::dedupe::{Claimed, InTransaction, Statement, Value};

use crate::failure::{Answer, answer};
use crate::store::StoreAnswer;

/// The SQL statements to run, and how to read their results.
#[napi]
pub struct NativeStatements(pub(crate) InTransaction);

/// A statement and its parameters.
#[napi(object, object_from_js = false)]
pub struct StatementParts {
    pub sql: &'static str,
    pub values: Vec<Either<String, i64>>,
}

#[napi]
impl NativeStatements {
    /// `sqlite` or `postgres`.
    #[napi(getter, catch_unwind)]
    pub fn database(&self) -> &'static str {
        self.0.database()
    }

    #[napi(catch_unwind)]
    pub fn claim(&self, key: String) -> StatementParts {
        shown(self.0.claim(&Key::from(key.as_str())))
    }

    /// Interprets the row that `claim` returned.
    #[napi(catch_unwind)]
    pub fn fresh(&self, row: i64) -> StoreAnswer {
        claimed(self.0.fresh(row))
    }

    #[napi(catch_unwind)]
    pub fn standing(&self, key: String) -> StatementParts {
        shown(self.0.standing(&Key::from(key.as_str())))
    }

    /// Interprets the row that `standing` returned, if it returned one.
    #[napi(catch_unwind)]
    pub fn stands(&self, row: Option<Vec<i64>>) -> StoreAnswer {
        let row = match row.as_deref() {
            Some(&[state, micros]) => Some((state, micros)),
            _ => None,
        };
        claimed(self.0.stands(row))
    }

    #[napi(catch_unwind)]
    pub fn commit(&self, key: String, epoch: i64) -> StatementParts {
        let epoch = u64::try_from(epoch).unwrap_or(u64::MAX);
        shown(self.0.commit(&Key::from(key.as_str()), epoch))
    }

    /// Interprets the number of rows that `commit` changed. Errors: `lease_lost`.
    #[napi(catch_unwind)]
    pub fn committed(&self, rows: u32) -> Answer<bool> {
        answer(self.0.committed(u64::from(rows)).map(|()| true))
    }
}

fn claimed(claimed: Claimed) -> StoreAnswer {
    let (state, epoch, retry_after) = match claimed {
        Claimed::Fresh(epoch) => ("fresh", Some(epoch as f64), None),
        Claimed::InFlight { retry_after } => ("in_flight", None, Some(retry_after.as_secs_f64())),
        Claimed::Done => ("done", None, None),
    };
    StoreAnswer {
        state: state.to_owned(),
        epoch,
        retry_after,
        code: None,
    }
}

fn shown(statement: Statement) -> StatementParts {
    let values = statement.values.into_iter().map(|value| match value {
        Value::Text(text) => Either::A(text),
        Value::Integer(number) => Either::B(number),
    });
    StatementParts {
        sql: statement.sql,
        values: values.collect(),
    }
}
