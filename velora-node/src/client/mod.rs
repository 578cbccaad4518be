//! The clients of the four systems.

mod billing;
mod billing_parts;
mod curae;
mod events_text;
mod extra;
mod health;
mod health_export;
mod options;
mod streams;
mod tv;
