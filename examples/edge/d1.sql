-- The table of `d1.mjs`, as a migration: `wrangler d1 execute CLAIMS --file d1.sql`.
CREATE TABLE claims (key TEXT NOT NULL PRIMARY KEY, epoch INTEGER NOT NULL, state TEXT NOT NULL, until INTEGER NOT NULL) WITHOUT ROWID;
CREATE INDEX claims_until ON claims (until);
