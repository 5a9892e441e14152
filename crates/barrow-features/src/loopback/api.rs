//! `create_loopback`, `create_loopback_instance`, `delete_loopback`
//! (`vpp:src/vnet/interface.api`, handled in `vpp:src/vnet/ethernet/interface.c`).

use super::Loopbacks;
use crate::interface::{InterfaceError, SwIfIndex};
use barrow_engine::api::{ApiError, ApiRegisterError, ApiRegistry};
use barrow_messages::interface::{
    CreateLoopback, CreateLoopbackInstance, CreateLoopbackInstanceReply, CreateLoopbackReply,
    DeleteLoopback, DeleteLoopbackReply,
};
use barrow_messages::interface_types::InterfaceIndex;

pub(super) fn register(
    api: &mut ApiRegistry,
    loopbacks: &Loopbacks,
) -> Result<(), ApiRegisterError> {
    let own = loopbacks.clone();
    api.request(move |_, request: CreateLoopback| {
        let (retval, sw_if_index) = told(own.create(request.mac_address, None));
        Ok(CreateLoopbackReply {
            retval,
            sw_if_index,
        })
    })?;
    let own = loopbacks.clone();
    api.request(move |_, request: CreateLoopbackInstance| {
        let instance = request.is_specified.then_some(request.user_instance);
        let (retval, sw_if_index) = told(own.create(request.mac_address, instance));
        Ok(CreateLoopbackInstanceReply {
            retval,
            sw_if_index,
        })
    })?;
    let own = loopbacks.clone();
    api.request(move |_, request: DeleteLoopback| {
        own.delete(request.sw_if_index.into())?;
        Ok(DeleteLoopbackReply::default())
    })
}

/// Return value and index of a reply: an error has the index ~0. An instance that is not to be had is
/// INVALID_REGISTRATION (-31), whatever the reason.
fn told(result: Result<SwIfIndex, InterfaceError>) -> (i32, InterfaceIndex) {
    let number = match result {
        Ok(index) => return (0, index.into()),
        Err(InterfaceError::AlreadyExists | InterfaceError::InvalidValue("instance")) => {
            ApiError::INVALID_REGISTRATION
        }
        Err(error) => error.into(),
    };
    (number.0, SwIfIndex::NONE.into())
}

#[cfg(test)]
mod tests {
    use crate::interface::test_device::{Plan, node};
    use crate::interface::{Interfaces, SwIfIndex};
    use barrow_messages::ethernet_types::MacAddress;
    use barrow_messages::interface::{
        CreateLoopback, CreateLoopbackInstance, CreateVlanSubif, DeleteLoopback,
    };
    use barrow_messages::interface_types::InterfaceIndex;

    const NOTHING: InterfaceIndex = InterfaceIndex(u32::MAX);

    #[test]
    fn a_loopback_has_the_lowest_number_and_an_address_made_of_it() {
        let mut bed = node();
        let first = bed.request(&CreateLoopback::default());
        assert_eq!((first.retval, first.sw_if_index), (0, InterfaceIndex(1)));
        let mac_address = MacAddress([2, 0, 0, 0, 0, 7]);
        let second = bed.request(&CreateLoopback { mac_address });
        let interfaces: Interfaces = bed.table();
        let seen = |index: InterfaceIndex| {
            let hw = interfaces.hw_of(index.into()).unwrap();
            (hw.name.clone(), hw.mac)
        };
        let made = MacAddress([0xde, 0xad, 0, 0, 0, 0]);
        assert_eq!(seen(first.sw_if_index), ("loop0".to_owned(), made));
        assert_eq!(seen(second.sw_if_index), ("loop1".to_owned(), mac_address));
    }

    #[test]
    fn a_group_address_is_refused() {
        let mut bed = node();
        let mac_address = MacAddress([1, 0, 0, 0, 0, 7]);
        let reply = bed.request(&CreateLoopback { mac_address });
        assert_eq!((reply.retval, reply.sw_if_index), (-7, NOTHING));
    }

    #[test]
    fn an_instance_is_to_be_had_once() {
        let mut bed = node();
        let mut create = |user_instance, is_specified| {
            let reply = bed.request(&CreateLoopbackInstance {
                mac_address: MacAddress::default(),
                is_specified,
                user_instance,
            });
            (reply.retval, reply.sw_if_index)
        };
        assert_eq!(create(5, true), (0, InterfaceIndex(1)));
        assert_eq!(create(5, true), (-31, NOTHING));
        assert_eq!(create(0, false), (0, InterfaceIndex(2)));
        // vpp:src/vnet/ethernet/interface.c, loopback_instance_alloc: 16384 of them.
        assert_eq!(create(16_384, true), (-31, NOTHING));
        assert_eq!(create(16_383, true), (0, InterfaceIndex(3)));
        let interfaces: Interfaces = bed.table();
        assert_eq!(interfaces.by_name("loop5"), Some(SwIfIndex(1)));
        assert_eq!(interfaces.by_name("loop0"), Some(SwIfIndex(2)));
    }

    #[test]
    fn deletion_frees_index_name_and_number_and_takes_sub_interfaces_along() {
        let mut bed = node();
        let sw_if_index = bed.request(&CreateLoopback::default()).sw_if_index;
        let vlan = CreateVlanSubif {
            sw_if_index,
            vlan_id: 5,
        };
        bed.request(&vlan);
        let delete = DeleteLoopback { sw_if_index };
        assert_eq!(bed.retval(&delete), 0);
        let interfaces: Interfaces = bed.table();
        assert_eq!(interfaces.iter_indexes().count(), 1);
        assert_eq!(bed.retval(&delete), -2);
        assert_eq!(
            bed.request(&CreateLoopback::default()).sw_if_index,
            sw_if_index
        );
        assert_eq!(
            interfaces.name(sw_if_index.into()),
            Some("loop0".to_owned())
        );
    }

    #[test]
    fn only_loopbacks_are_deleted() {
        let mut bed = node();
        let (eth, _) = Plan::ethernet("eth0").add(&bed);
        let delete = |sw_if_index| DeleteLoopback { sw_if_index };
        assert_eq!(bed.retval(&delete(eth.into())), -2);
        assert_eq!(bed.retval(&delete(InterfaceIndex(0))), -2);
        assert_eq!(bed.retval(&delete(InterfaceIndex(9999))), -2);
    }
}
