//! The scripts: one a verb, each on one key.
//!
//! A key holds `c:<epoch>:<until>` while it is claimed, `d:<epoch>` while it is done and
//! `f:<epoch>` after a release. The server's clock, in microseconds, decides expiry and
//! is the next epoch, unless the last one is later: so epochs grow though keys expire.
//! The whole is below 2^53, which Lua counts exactly.

use redis::Script;

pub(super) struct Scripts {
    pub(super) claim: Script,
    pub(super) commit: Script,
    pub(super) release: Script,
    pub(super) renew: Script,
}

/// Above 0 it is fresh, and that is its epoch; below 0 it is in flight, for so many
/// microseconds more; 0 is done. The lease is in microseconds; the claim itself, epoch and
/// all, is kept for `ARGV[2]` ms. A new key, as nearly all are, needs nothing but `SET`;
/// where no memory is left for it, what is known is still answered.
const CLAIM: &str = "
local time = redis.call('TIME')
local now = time[1] * 1000000 + time[2]
local till = now + ARGV[1]
local claimed = string.format('c:%.0f:%.0f', now, till)
local new = redis.pcall('SET', KEYS[1], claimed, 'PX', ARGV[2], 'NX')
if new and new.ok then return now end
local held = redis.call('GET', KEYS[1])
if not held then return new end
local state, last, standing = string.match(held, '^(%a):(%d+):?(%d*)$')
if state == 'd' then return 0 end
if state == 'c' and tonumber(standing) > now then return now - standing end
local epoch = math.max(now, last + 1)
redis.call('SET', KEYS[1], string.format('c:%.0f:%.0f', epoch, till), 'PX', ARGV[2])
return epoch
";

/// What the other three begin with: 0 unless the key is claimed under just this epoch.
macro_rules! held {
    ($then:literal) => {
        concat!(
            "
local held = redis.call('GET', KEYS[1])
if not held then return 0 end
local state, epoch = string.match(held, '^(%a):(%d+)')
if state ~= 'c' or epoch ~= ARGV[1] then return 0 end
",
            $then,
            "return 1
"
        )
    };
}

const COMMIT: &str = held!("redis.call('SET', KEYS[1], 'd:' .. epoch, 'PX', ARGV[2])\n");

const RELEASE: &str = held!("redis.call('SET', KEYS[1], 'f:' .. epoch, 'PX', ARGV[2])\n");

const RENEW: &str = held!(
    "local time = redis.call('TIME')
local till = time[1] * 1000000 + time[2] + ARGV[3]
redis.call('SET', KEYS[1], string.format('c:%s:%.0f', epoch, till), 'PX', ARGV[2])
"
);

impl Scripts {
    pub(super) fn new() -> Self {
        Self {
            claim: Script::new(CLAIM),
            commit: Script::new(COMMIT),
            release: Script::new(RELEASE),
            renew: Script::new(RENEW),
        }
    }
}
