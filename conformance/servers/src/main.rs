//! `velora-servers`: a PostgreSQL and a Redis of one's own, for the tests of other
//! languages. A line of input, `postgres` or `redis`, is answered with the URL of an
//! empty place in a server that starts when it is first asked for. All end with the input.

use std::io::{self, BufRead, Write};

use velora_servers::{Postgres, Redis};

fn main() -> io::Result<()> {
    for line in io::stdin().lock().lines() {
        let url = match line?.as_str() {
            "postgres" => Postgres::shared().new_url(),
            "redis" => Redis::shared().new_url(),
            _ => return Err(io::Error::other("a line is `postgres` or `redis`")),
        };
        println!("{url}");
        io::stdout().flush()?;
    }
    Ok(())
}
