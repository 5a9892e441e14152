//! Every message of the crate by its type, for tests that go through all of them.

/// Invokes `$run::<module::Message>($argument)` for every message, in the order of `crcs.txt`.
macro_rules! for_each_message {
    ($run:ident($($argument:expr),*)) => {
        for_each_message! { @all $run ($($argument),*)
            memclnt: MemclntCreate MemclntCreateReply MemclntDelete MemclntDeleteReply
                RxThreadExit MemclntRxThreadSuspend MemclntReadTimeout RpcCall RpcCallReply
                GetFirstMsgId GetFirstMsgIdReply ApiVersions ApiVersionsReply TracePluginMsgIds
                SockclntCreate SockclntCreateReply SockclntDelete SockclntDeleteReply
                SockInitShm SockInitShmReply MemclntKeepalive MemclntKeepaliveReply ControlPing
                ControlPingReply MemclntCreateV2 MemclntCreateV2Reply GetApiJson
                GetApiJsonReply;
            vlib: Cli CliInband CliReply CliInbandReply GetNodeIndex GetNodeIndexReply
                AddNodeNext AddNodeNextReply ShowThreads ShowThreadsReply GetNodeGraph
                GetNodeGraphReply GetNextIndex GetNextIndexReply GetF64EndianValue
                GetF64EndianValueReply GetF64IncrementByOne GetF64IncrementByOneReply;
            vpe: ShowVersion ShowVersionReply ShowVpeSystemTime ShowVpeSystemTimeReply LogDump
                LogDetails;
            interface: SwInterfaceSetFlags SwInterfaceSetFlagsReply SwInterfaceSetPromisc
                SwInterfaceSetPromiscReply HwInterfaceSetMtu HwInterfaceSetMtuReply
                SwInterfaceSetMtu SwInterfaceSetMtuReply SwInterfaceSetIpDirectedBroadcast
                SwInterfaceSetIpDirectedBroadcastReply SwInterfaceEvent WantInterfaceEvents
                WantInterfaceEventsReply SwInterfaceDetails SwInterfaceDump
                SwInterfaceAddDelAddress SwInterfaceAddDelAddressReply
                SwInterfaceAddressReplaceBegin SwInterfaceAddressReplaceBeginReply
                SwInterfaceAddressReplaceEnd SwInterfaceAddressReplaceEndReply
                SwInterfaceSetTable SwInterfaceSetTableReply SwInterfaceGetTable
                SwInterfaceGetTableReply SwInterfaceSetUnnumbered SwInterfaceSetUnnumberedReply
                SwInterfaceClearStats SwInterfaceClearStatsReply SwInterfaceTagAddDel
                SwInterfaceTagAddDelReply SwInterfaceAddDelMacAddress
                SwInterfaceAddDelMacAddressReply SwInterfaceSetMacAddress
                SwInterfaceSetMacAddressReply SwInterfaceGetMacAddress
                SwInterfaceGetMacAddressReply SwInterfaceSetRxMode SwInterfaceSetRxModeReply
                SwInterfaceSetRxPlacement SwInterfaceSetRxPlacementReply
                SwInterfaceSetTxPlacement SwInterfaceSetTxPlacementReply
                SwInterfaceSetInterfaceName SwInterfaceSetInterfaceNameReply
                SwInterfaceRxPlacementDump SwInterfaceRxPlacementDetails
                SwInterfaceTxPlacementGet SwInterfaceTxPlacementGetReply
                SwInterfaceTxPlacementDetails InterfaceNameRenumber InterfaceNameRenumberReply
                CreateSubif CreateSubifReply CreateVlanSubif CreateVlanSubifReply DeleteSubif
                DeleteSubifReply CreateLoopback CreateLoopbackReply CreateLoopbackInstance
                CreateLoopbackInstanceReply DeleteLoopback DeleteLoopbackReply
                CollectDetailedInterfaceStats CollectDetailedInterfaceStatsReply
                PcapSetFilterFunction PcapSetFilterFunctionReply PcapTraceOn PcapTraceOnReply
                PcapTraceOff PcapTraceOffReply SwInterfaceSetDefaultRxMode
                SwInterfaceSetDefaultRxModeReply SwInterfaceGetDefaultRxMode
                SwInterfaceGetDefaultRxModeReply;
            ip: IpTableAddDel IpTableAddDelReply IpTableAddDelV2 IpTableAddDelV2Reply
                IpTableAllocate IpTableAllocateReply IpTableDump IpTableReplaceBegin
                IpTableReplaceBeginReply IpTableReplaceEnd IpTableReplaceEndReply IpTableFlush
                IpTableFlushReply IpTableDetails IpRouteAddDel IpRouteAddDelV2
                IpRouteAddDelReply IpRouteAddDelV2Reply IpRouteDump IpRouteV2Dump
                IpRouteDetails IpRouteV2Details IpRouteLookup IpRouteLookupV2
                IpRouteLookupReply IpRouteLookupV2Reply SetIpFlowHash SetIpFlowHashReply
                SetIpFlowHashV2 SetIpFlowHashV2Reply SetIpFlowHashV3 SetIpFlowHashV3Reply
                SetIpFlowHashRouterId SetIpFlowHashRouterIdReply SwInterfaceIp4EnableDisable
                SwInterfaceIp4EnableDisableReply IpAddressDetails IpAddressDump
                IpUnnumberedDetails IpUnnumberedDump IpDetails IpDump IpPathMtuUpdate
                IpPathMtuUpdateReply IpPathMtuGet IpPathMtuGetReply IpPathMtuDetails
                IpPathMtuReplaceBegin IpPathMtuReplaceBeginReply IpPathMtuReplaceEnd
                IpPathMtuReplaceEndReply;
            ip_neighbor: IpNeighborAddDel IpNeighborAddDelReply IpNeighborDump
                IpNeighborDetails IpNeighborConfig IpNeighborConfigReply IpNeighborConfigGet
                IpNeighborConfigGetReply IpNeighborReplaceBegin IpNeighborReplaceBeginReply
                IpNeighborReplaceEnd IpNeighborReplaceEndReply IpNeighborFlush
                IpNeighborFlushReply WantIpNeighborEvents WantIpNeighborEventsReply
                IpNeighborEvent WantIpNeighborEventsV2 WantIpNeighborEventsV2Reply
                IpNeighborEventV2;
            arp: ProxyArpAddDel ProxyArpAddDelReply ProxyArpDump ProxyArpDetails
                ProxyArpIntfcEnableDisable ProxyArpIntfcEnableDisableReply ProxyArpIntfcDump
                ProxyArpIntfcDetails;
            pg: PgCreateInterface PgCreateInterfaceV2 PgCreateInterfaceV3
                PgCreateInterfaceReply PgCreateInterfaceV2Reply PgCreateInterfaceV3Reply
                PgDeleteInterface PgDeleteInterfaceReply PgInterfaceEnableDisableCoalesce
                PgInterfaceEnableDisableCoalesceReply PgCapture PgCaptureReply PgEnableDisable
                PgEnableDisableReply;
            tapv2: TapCreateV3 TapCreateV3Reply TapCreateV2 TapCreateV2Reply TapDeleteV2
                TapDeleteV2Reply SwInterfaceTapV2Dump SwInterfaceTapV2Details;
            af_packet: AfPacketCreate AfPacketCreateReply AfPacketCreateV2
                AfPacketCreateV2Reply AfPacketCreateV3 AfPacketCreateV3Reply AfPacketDelete
                AfPacketDeleteReply AfPacketSetL4CksumOffload AfPacketSetL4CksumOffloadReply
                AfPacketDump AfPacketDetails;
            feature: FeatureEnableDisable FeatureEnableDisableReply FeatureIsEnabled
                FeatureIsEnabledReply;
            tracedump: TraceSetFilters TraceSetFiltersReply TraceCapturePackets
                TraceCapturePacketsReply TraceClearCapture TraceClearCaptureReply TraceDump
                TraceDumpReply TraceDetails TraceClearCache TraceClearCacheReply TraceV2Dump
                TraceV2Details;
            graph: GraphNodeGet GraphNodeGetReply GraphNodeDetails;
            dhcp: DhcpClientConfig DhcpClientConfigReply DhcpComplEvent DhcpClientDump
                DhcpClientDetails;
        }
    };
    (@all $run:ident $arguments:tt $($module:ident: $($message:ident)*;)*) => {
        $(for_each_message! { @module $run $arguments $module $($message)* })*
    };
    (@module $run:ident ($($argument:expr),*) $module:ident) => {};
    (@module $run:ident ($($argument:expr),*) $module:ident $message:ident $($more:ident)*) => {
        $run::<barrow_messages::$module::$message>($($argument),*);
        for_each_message! { @module $run ($($argument),*) $module $($more)* }
    };
}
