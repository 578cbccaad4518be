//! The Lua scripts: one for each operation, each on one key.
//!
//! A key holds `c:<epoch>:<until>` while it is claimed, `d:<epoch>` while it is done and
//! `f:<epoch>` after a release. The server's clock, in microseconds, decides expiry. It is also
//! the next epoch, unless the last epoch is later, so epochs grow even though keys expire. All
//! numbers are below 2^53, which Lua represents exactly.

use redis::Script;

pub(super) struct Scripts {
    pub(super) claim: Script,
    pub(super) commit: Script,
    pub(super) release: Script,
    pub(super) renew: Script,
}

/// Returns the epoch (above 0) if the claim is fresh; below 0, the microseconds for which the
/// key stays in flight; 0 if it is done. `ARGV[1]` is the lease in microseconds, `ARGV[2]` how
/// long the key is kept, in ms. A new key, as is nearly always the case, needs only `SET`. If
/// there is no memory left for it, known keys are still answered.
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

/// The beginning of the other three: 0 unless the key is claimed under exactly this epoch.
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
