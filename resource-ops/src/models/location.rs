use arm_core::{open_enum, wire};
use serde::Deserialize;

/// A region, or an edge zone that belongs to one.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct Location {
    /// The physical zone behind each logical zone of this subscription; in another subscription, the same number can be
    /// another zone.
    #[serde(default, deserialize_with = "wire::without_nulls")]
    pub availability_zone_mappings: Vec<AvailabilityZoneMappings>,
    /// The display name, such as `West Europe`.
    pub display_name: Option<String>,
    /// `/subscriptions/{id}/locations/{name}`
    pub id: Option<String>,
    /// Geography, and the paired region.
    pub metadata: Option<LocationMetadata>,
    /// The name to use in requests, such as `westeurope`.
    pub name: String,
    /// The name with its geography, such as `(Europe) West Europe`.
    pub regional_display_name: Option<String>,
    /// The subscription id. The service currently omits it.
    pub subscription_id: Option<String>,
    /// Region or edge zone.
    #[serde(default)]
    #[serde(rename = "type")]
    pub location_type: Option<LocationType>,
}

/// One zone of a region.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct AvailabilityZoneMappings {
    /// The zone in requests, such as `1`.
    pub logical_zone: Option<String>,
    /// The physical zone, such as `westeurope-az2`.
    pub physical_zone: Option<String>,
}

/// Where a region is.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct LocationMetadata {
    /// The data residency boundary, such as `Europe`.
    pub geography: Option<String>,
    /// The continent or market, such as `Europe` or `US`.
    pub geography_group: Option<String>,
    /// The region that an edge zone belongs to.
    pub home_location: Option<String>,
    /// Degrees north, as text.
    pub latitude: Option<String>,
    /// Degrees east, as text.
    pub longitude: Option<String>,
    /// The region paired with this one for failover; empty for newer regions.
    #[serde(default, deserialize_with = "wire::without_nulls")]
    pub paired_region: Vec<PairedRegion>,
    /// The province or state, such as `Netherlands`.
    pub physical_location: Option<String>,
    /// Whether Azure recommends it for new deployments.
    pub region_category: Option<RegionCategory>,
    /// Physical, or a logical group of regions such as `europe`.
    pub region_type: Option<RegionType>,
}

/// The other region of a pair.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct PairedRegion {
    /// `/subscriptions/{id}/locations/{name}`
    pub id: Option<String>,
    /// The name, such as `northeurope`.
    pub name: Option<String>,
    /// The subscription id. The service currently omits it.
    pub subscription_id: Option<String>,
}

open_enum! {
    /// Whether Azure recommends a region.
    pub enum RegionCategory {
        /// Recommended: it has availability zones, or will have.
        Recommended = "Recommended",
        /// An older name of `Other`.
        Extended = "Extended",
        /// For disaster recovery or data residency.
        Other = "Other",
    }
}

open_enum! {
    /// Whether a region is physical or logical.
    pub enum RegionType {
        /// Datacenters in one place.
        Physical = "Physical",
        /// A group of regions, which contains no resources of its own.
        Logical = "Logical",
    }
}

open_enum! {
    /// The kind of a location.
    pub enum LocationType {
        /// A region.
        Region = "Region",
        /// A small site that belongs to a region.
        EdgeZone = "EdgeZone",
    }
}
