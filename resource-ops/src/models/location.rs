use arm_core::{open_enum, wire};
use serde::Deserialize;

/// A region, or an edge zone that belongs to a region.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct Location {
    /// The physical zone behind each logical zone of this subscription. In another subscription, the same logical zone
    /// can be a different physical zone.
    #[serde(default, deserialize_with = "wire::without_nulls")]
    pub availability_zone_mappings: Vec<AvailabilityZoneMappings>,
    /// The display name, such as `West Europe`.
    pub display_name: Option<String>,
    /// `/subscriptions/{id}/locations/{name}`
    pub id: Option<String>,
    /// The geography and the paired region.
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

/// The logical and physical name of one zone of a region.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct AvailabilityZoneMappings {
    /// The zone in requests, such as `1`.
    pub logical_zone: Option<String>,
    /// The physical zone, such as `westeurope-az2`.
    pub physical_zone: Option<String>,
}

/// The location of a region, and the region paired with it.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct LocationMetadata {
    /// The data residency boundary, such as `Europe`.
    pub geography: Option<String>,
    /// The continent or market, such as `Europe` or `US`.
    pub geography_group: Option<String>,
    /// The region to which an edge zone belongs.
    pub home_location: Option<String>,
    /// The latitude in degrees north, as text.
    pub latitude: Option<String>,
    /// The longitude in degrees east, as text.
    pub longitude: Option<String>,
    /// The region paired with this one for failover; empty if there is none, as for many newer regions.
    #[serde(default, deserialize_with = "wire::without_nulls")]
    pub paired_region: Vec<PairedRegion>,
    /// The country, province or state, such as `Netherlands`.
    pub physical_location: Option<String>,
    /// Whether Azure recommends the region for new deployments.
    pub region_category: Option<RegionCategory>,
    /// Whether this is a physical region, or a logical group of regions such as `europe`.
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
        /// Recommended: the region has availability zones, or will have them.
        Recommended = "Recommended",
        /// An older name for `Other`.
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
        /// A group of regions that contains no resources itself.
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
