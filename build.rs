//! Gives the shared library its name for the loader: without it, programs would record the path
//! that they were linked with.

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    let target = std::env::var("CARGO_CFG_TARGET_OS").unwrap_or_default();
    if target == "linux" {
        // The number changes with the ABI, not with every version.
        println!("cargo::rustc-cdylib-link-arg=-Wl,-soname,libcaffe2_qtensor.so.0");
    }
}
