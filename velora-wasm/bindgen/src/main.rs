//! `velora-bindgen MODULE.wasm FOLDER NAME`: the JavaScript beside a wasm module, and the
//! module without what only wasm-bindgen reads.
//!
//! `cargo install wasm-bindgen-cli` would do the same, but its version is no part of the
//! lock file and has to be that of the library to the last digit.

use std::env::args;
use std::error::Error;

use wasm_bindgen_cli_support::Bindgen;

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = args().skip(1).collect();
    let [module, folder, name] = arguments.as_slice() else {
        return Err("usage: velora-bindgen MODULE.wasm FOLDER NAME".into());
    };
    // The bundlers' form leaves it to us how the module is started.
    let mut bindgen = Bindgen::new();
    bindgen.input_path(module).bundler(true)?.out_name(name);
    bindgen.remove_producers_section(true).typescript(true);
    bindgen.generate(folder)?;
    Ok(())
}
