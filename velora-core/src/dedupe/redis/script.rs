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

/// `{0, epoch}` is fresh, `{1, microseconds left}` in flight, `{2, 0}` done. The lease
/// is in microseconds; the claim itself, epoch and all, is kept for `ARGV[2]` ms.
const CLAIM: &str = "
local time = redis.call('TIME')
local now = time[1] * 1000000 + time[2]
local epoch = now
local held = redis.call('GET', KEYS[1])
if held then
  local state, last, till = string.match(held, '^(%a):(%d+):?(%d*)$')
  if state == 'd' then return {2, 0} end
  if state == 'c' and tonumber(till) > now then return {1, tonumber(till) - now} end
  if tonumber(last) >= epoch then epoch = tonumber(last) + 1 end
end
local claimed = string.format('c:%.0f:%.0f', epoch, now + ARGV[1])
redis.call('SET', KEYS[1], claimed, 'PX', ARGV[2])
return {0, epoch}
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
