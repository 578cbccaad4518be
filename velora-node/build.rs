//! Links the addon against the symbols of its host.

fn main() {
    napi_build::setup();
}
