-- The table of `d1.mjs`: `wrangler d1 execute CLAIMS --remote --file d1.sql`. Without `--remote` it
-- is made for `wrangler dev` only.
CREATE TABLE claims (key TEXT NOT NULL PRIMARY KEY, epoch INTEGER NOT NULL, state TEXT NOT NULL, until INTEGER NOT NULL) WITHOUT ROWID;
CREATE INDEX claims_until ON claims (until);
