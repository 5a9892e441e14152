//! What the codec does with well-formed and with hostile input.

mod cases;
mod maker;
mod properties;

use barrow_api::{NoImports, Schema, parse, resolve};

use super::Codec;

/// Definitions that have every kind of field.
const API: &str = r#"
    option version = "1.0.0";
    enum color : u8 { RED = 1, GREEN = 2, BLUE = 200, };
    enum depth : i32 { DEEP = -5, FLAT = 0, };
    enumflag options : u16 { OPTION_A = 1, OPTION_B = 2, OPTION_C = 0x8000, };
    enum address_family : u8 { ADDRESS_IP4 = 0, ADDRESS_IP6 = 1, };
    typedef u8 ip4_address[4];
    typedef u8 ip6_address[16];
    typedef u8 mac_address[6];
    typedef u32 interface_index;
    typedef f64 timestamp;
    union address_union {
        vl_api_ip4_address_t ip4 [case=ADDRESS_IP4];
        vl_api_ip6_address_t ip6 [case=ADDRESS_IP6];
    };
    typedef address {
        vl_api_address_family_t af;
        vl_api_address_union_t un [discriminator=af];
    };
    typedef prefix { vl_api_address_t address; u8 len; };
    union any { u32 number; vl_api_mac_address_t mac; u8 octet; };
    typedef hop { vl_api_address_t via; u8 weight [default=1]; };
    typedef route { vl_api_prefix_t prefix; u8 n_hops; vl_api_hop_t hops[n_hops]; };
    define numbers {
        u32 client_index; u32 context;
        bool yes [default=true]; u8 a; u16 b; u32 c [default=0xffffffff]; u64 d;
        i8 e; i16 f; i32 g; i64 h; f64 i [default=1.5]; vl_api_timestamp_t j;
        vl_api_interface_index_t k [default=0xffffffff];
    };
    define numbers_reply { u32 context; i32 retval; };
    autoreply define names {
        u32 client_index; u32 context;
        vl_api_color_t color [default=2]; vl_api_depth_t depth; vl_api_options_t options;
        string fixed[8]; u8 tag[3]; u16 words[2]; vl_api_mac_address_t macs[2]; string text[];
    };
    autoreply define add_route {
        u32 client_index; u32 context; bool is_add [default=true]; vl_api_route_t route;
    };
    autoreply define either { u32 client_index; u32 context; vl_api_any_t value; };
    autoreply define blob {
        u32 client_index; u32 context; u16 size; u8 kind; u8 data[size];
    };
    autoreply define nothing { u32 client_index; u32 context; };
    define odd_reply { u32 client_index; u32 context; i32 retval; };
    define odd { u32 context; u8 x; };
    define shout_event { u32 client_index; u32 pid; };
    autoreply define want_shouts { u32 client_index; u32 context; };
    service { rpc want_shouts returns want_shouts_reply events shout_event; };
"#;

fn schema() -> Schema {
    resolve(&parse(API).unwrap(), &NoImports).unwrap()
}

fn codec() -> Codec {
    Codec::new([&schema()]).unwrap()
}
