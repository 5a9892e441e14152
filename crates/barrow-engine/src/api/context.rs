//! What a handler sees of the request's client.

use super::{Client, ClientIndex};

/// The client and the request that is handled.
#[derive(Debug)]
pub struct ApiContext<'a> {
    client: &'a Client,
    context: u32,
    close: bool,
}

impl<'a> ApiContext<'a> {
    pub(super) fn new(client: &'a Client, context: u32) -> Self {
        Self {
            client,
            context,
            close: false,
        }
    }

    /// The client's index.
    pub fn client_index(&self) -> ClientIndex {
        self.client.index()
    }

    /// The name the client gave itself.
    pub fn client_name(&self) -> String {
        self.client.name()
    }

    /// The client.
    pub fn client(&self) -> &'a Client {
        self.client
    }

    /// The number that the client will find in the answer.
    pub fn context(&self) -> u32 {
        self.context
    }

    /// Closes the connection once the answer is sent.
    pub fn close_after_reply(&mut self) {
        self.close = true;
    }

    pub(super) fn closes(&self) -> bool {
        self.close
    }
}
