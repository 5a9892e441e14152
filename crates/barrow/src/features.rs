//! The features of the node that this program runs, in the order in which they register.

use barrow_engine::{Builder, Engine};
use barrow_features::{
    arp::ArpFeature, ethernet::EthernetFeature, interface::InterfaceFeature, ip::IpFeature,
    loopback::LoopbackFeature, neighbor::NeighborFeature,
};

/// A node with all of them. A feature may use what those before it provide.
pub(crate) fn builder() -> Builder {
    Engine::builder()
        .feature(InterfaceFeature)
        .feature(EthernetFeature)
        .feature(IpFeature)
        .feature(NeighborFeature::default())
        .feature(ArpFeature)
        .feature(LoopbackFeature)
}
