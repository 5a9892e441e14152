//! The messages (`vpp:src/vnet/feature/feature.api`, handled in `feature_api.c` there).

use super::switches::Switches;
use crate::interface::{InterfaceError, Interfaces, SwIfIndex};
use barrow_engine::api::{ApiError, ApiRegisterError, ApiRegistry};
use barrow_engine::{ArcError, ArcTable};
use barrow_messages::feature::{
    FeatureEnableDisable, FeatureEnableDisableReply, FeatureIsEnabled, FeatureIsEnabledReply,
};
use barrow_messages::interface_types::InterfaceIndex;

pub(super) fn register(
    api: &mut ApiRegistry,
    arcs: &ArcTable,
    switches: &Switches,
    interfaces: &Interfaces,
) -> Result<(), ApiRegisterError> {
    let (own, known) = (switches.clone(), interfaces.clone());
    api.request(move |_, request: FeatureEnableDisable| {
        let index = existing(&known, request.sw_if_index)?;
        let arc = request.arc_name.to_string_lossy();
        let feature = request.feature_name.to_string_lossy();
        let switched = own.set(index, &arc, &feature, request.enable);
        switched.map_err(|error| match error {
            ArcError::UnknownArc(_) | ArcError::UnknownFeature { .. } => ApiError::INVALID_VALUE,
            _ => ApiError::CANNOT_ENABLE_DISABLE_FEATURE,
        })?;
        Ok(FeatureEnableDisableReply::default())
    })?;
    let (own, known) = (arcs.clone(), interfaces.clone());
    api.request(move |_, request: FeatureIsEnabled| {
        let index = existing(&known, request.sw_if_index)?;
        let arc = request.arc_name.to_string_lossy();
        let feature = request.feature_name.to_string_lossy();
        // For what does not exist `vnet_feature_is_enabled` (`feature.c`) gives an error number, which the
        // handler stores in a `bool`.
        let is_enabled = own.is_enabled(&arc, &feature, index.0).unwrap_or(true);
        Ok(FeatureIsEnabledReply {
            retval: 0,
            is_enabled,
        })
    })
}

fn existing(interfaces: &Interfaces, index: InterfaceIndex) -> Result<SwIfIndex, InterfaceError> {
    let index = SwIfIndex::from(index);
    match interfaces.sw(index) {
        Some(_) => Ok(index),
        None => Err(InterfaceError::NoSuchInterface),
    }
}
