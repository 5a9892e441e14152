//! Makes Rust of `api/portblock.api`; the types it imports come from `barrow-messages`.

fn main() {
    let messages = std::env::var("DEP_BARROW_MESSAGES_API_DIR")
        .expect("barrow-messages tells its dependents where its definitions are");
    barrow_api::build::Builder::new()
        .api_dir("api")
        .import_crate(messages, "::barrow_messages")
        .run();
}
