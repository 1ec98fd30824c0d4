//! The regions of a subscription.

use serde_json::{Value, json};

use crate::{
    http::{Call, Method, Reply},
    services::subscriptions,
    state::{Surface, World},
};

pub(crate) const SURFACE: Surface = Surface {
    types: &[("Microsoft.Resources/subscriptions/locations", subscriptions::VERSIONS)],
    answer,
    ..Surface::EMPTY
};

/// A physical region: its name, display name, geography and group of geographies, longitude and latitude, physical
/// location, paired region, and whether it has three availability zones.
struct Region(Name, Name, Name, Name, (Name, Name), Name, Option<Name>, bool);

type Name = &'static str;

/// Documented: the regions of the public cloud, their locations and pairs, and which have zones.
#[rustfmt::skip]
const PUBLIC: &[Region] = &[
    Region("eastus", "East US", "United States", "US", ("-79.8164", "37.3719"), "Virginia", Some("westus"), true),
    Region("westus2", "West US 2", "United States", "US", ("-119.852", "47.233"), "Washington", Some("westcentralus"), true),
    Region("australiaeast", "Australia East", "Australia", "Asia Pacific", ("151.2094", "-33.86"), "New South Wales", Some("australiasoutheast"), true),
    Region("southeastasia", "Southeast Asia", "Asia Pacific", "Asia Pacific", ("103.833", "1.283"), "Singapore", Some("eastasia"), true),
    Region("northeurope", "North Europe", "Europe", "Europe", ("-6.2597", "53.3478"), "Ireland", Some("westeurope"), true),
    Region("swedencentral", "Sweden Central", "Sweden", "Europe", ("17.14127", "60.67488"), "Gävle", Some("swedensouth"), true),
    Region("uksouth", "UK South", "United Kingdom", "Europe", ("-0.799", "50.941"), "London", Some("ukwest"), true),
    Region("westeurope", "West Europe", "Europe", "Europe", ("4.9", "52.3667"), "Netherlands", Some("northeurope"), true),
    Region("centralus", "Central US", "United States", "US", ("-93.6208", "41.5908"), "Iowa", Some("eastus2"), true),
    Region("southafricanorth", "South Africa North", "South Africa", "Africa", ("28.21837", "-25.73134"), "Johannesburg", Some("southafricawest"), true),
    Region("centralindia", "Central India", "India", "Asia Pacific", ("73.9197", "18.5822"), "Pune", Some("southindia"), true),
    Region("eastasia", "East Asia", "Asia Pacific", "Asia Pacific", ("114.188", "22.267"), "Hong Kong", Some("southeastasia"), true),
    Region("japaneast", "Japan East", "Japan", "Asia Pacific", ("139.77", "35.68"), "Tokyo, Saitama", Some("japanwest"), true),
    Region("koreacentral", "Korea Central", "Korea", "Asia Pacific", ("126.978", "37.5665"), "Seoul", Some("koreasouth"), true),
    Region("canadacentral", "Canada Central", "Canada", "Canada", ("-79.383", "43.653"), "Toronto", Some("canadaeast"), true),
    Region("francecentral", "France Central", "France", "Europe", ("2.373", "46.3772"), "Paris", Some("francesouth"), true),
    Region("germanywestcentral", "Germany West Central", "Germany", "Europe", ("8.682127", "50.110924"), "Frankfurt", Some("germanynorth"), true),
    Region("italynorth", "Italy North", "Italy", "Europe", ("9.18109", "45.46888"), "Milan", None, true),
    Region("norwayeast", "Norway East", "Norway", "Europe", ("10.752245", "59.913868"), "Norway", Some("norwaywest"), true),
    Region("polandcentral", "Poland Central", "Poland", "Europe", ("21.01666", "52.23334"), "Warsaw", None, true),
    Region("spaincentral", "Spain Central", "Spain", "Europe", ("-3.4209", "40.4259"), "Madrid", None, true),
    Region("switzerlandnorth", "Switzerland North", "Switzerland", "Europe", ("8.564572", "47.451542"), "Zurich", Some("switzerlandwest"), true),
    Region("uaenorth", "UAE North", "UAE", "Middle East", ("55.316666", "25.266666"), "Dubai", Some("uaecentral"), true),
    Region("brazilsouth", "Brazil South", "Brazil", "South America", ("-46.633", "-23.55"), "Sao Paulo State", Some("southcentralus"), true),
    Region("israelcentral", "Israel Central", "Israel", "Middle East", ("33.4506633", "31.2655698"), "Israel", None, true),
    Region("qatarcentral", "Qatar Central", "Qatar", "Middle East", ("51.439327", "25.551462"), "Doha", None, true),
    Region("southcentralus", "South Central US", "United States", "US", ("-98.5", "29.4167"), "Texas", Some("northcentralus"), true),
    Region("eastus2", "East US 2", "United States", "US", ("-78.3889", "36.6681"), "Virginia", Some("centralus"), true),
    Region("westus3", "West US 3", "United States", "US", ("-112.074036", "33.448376"), "Phoenix", Some("eastus"), true),
    Region("westus", "West US", "United States", "US", ("-122.417", "37.783"), "California", Some("eastus"), false),
    Region("northcentralus", "North Central US", "United States", "US", ("-87.6278", "41.8819"), "Illinois", Some("southcentralus"), false),
    Region("westcentralus", "West Central US", "United States", "US", ("-110.234", "40.89"), "Wyoming", Some("westus2"), false),
    Region("japanwest", "Japan West", "Japan", "Asia Pacific", ("135.5022", "34.6939"), "Osaka", Some("japaneast"), false),
    Region("australiasoutheast", "Australia Southeast", "Australia", "Asia Pacific", ("144.9631", "-37.8136"), "Victoria", Some("australiaeast"), false),
    Region("koreasouth", "Korea South", "Korea", "Asia Pacific", ("129.0756", "35.1796"), "Busan", Some("koreacentral"), false),
    Region("southindia", "South India", "India", "Asia Pacific", ("80.1636", "12.9822"), "Chennai", Some("centralindia"), false),
    Region("canadaeast", "Canada East", "Canada", "Canada", ("-71.217", "46.817"), "Quebec", Some("canadacentral"), false),
    Region("ukwest", "UK West", "United Kingdom", "Europe", ("-3.084", "53.427"), "Cardiff", Some("uksouth"), false),
];

/// Documented: the regions of Azure US Government.
#[rustfmt::skip]
const US_GOVERNMENT: &[Region] = &[
    Region("usgovvirginia", "USGov Virginia", "US Gov", "US Gov", ("-78.3889", "36.6681"), "Virginia", Some("usgovtexas"), true),
    Region("usgovtexas", "USGov Texas", "US Gov", "US Gov", ("-98.5", "29.4167"), "Texas", Some("usgovvirginia"), false),
    Region("usgovarizona", "USGov Arizona", "US Gov", "US Gov", ("-112.0773", "33.4484"), "Phoenix", Some("usgovtexas"), false),
];

/// Documented: the regions of Azure China.
#[rustfmt::skip]
const CHINA: &[Region] = &[
    Region("chinanorth3", "China North 3", "China", "China", ("114.918", "40.82"), "Hebei", Some("chinaeast3"), true),
    Region("chinaeast3", "China East 3", "China", "China", ("120.307", "31.483"), "Jiangsu", Some("chinanorth3"), false),
    Region("chinanorth2", "China North 2", "China", "China", ("116.388", "39.9289"), "Beijing", Some("chinaeast2"), false),
    Region("chinaeast2", "China East 2", "China", "China", ("121.2", "31.3"), "Shanghai", Some("chinanorth2"), false),
];

fn answer(_: &mut World, call: &Call) -> Option<Reply> {
    let path = call.path();
    let (Method::Get, ["subscriptions", id, "locations"]) = (call.method, path.as_slice()) else {
        return None;
    };
    let regions = match call.host.cloud.login {
        "login.microsoftonline.us" => US_GOVERNMENT,
        "login.chinacloudapi.cn" => CHINA,
        _ => PUBLIC,
    };
    let value: Vec<Value> = regions.iter().map(|region| region.show(id, call.api_version())).collect();
    Some(Reply::ok(json!({ "value": value })))
}

impl Region {
    /// Recorded: newer api-versions show more of a region.
    fn show(&self, subscription: &str, version: &str) -> Value {
        let Region(name, text, geography, group, (longitude, latitude), place, pair, zones) = *self;
        let id = |name: &str| format!("/subscriptions/{subscription}/locations/{name}");
        let mut shown = json!({ "id": id(name), "name": name, "displayName": text });
        if version < "2019-11-01" {
            shown["longitude"] = json!(longitude);
            shown["latitude"] = json!(latitude);
            return shown;
        }
        let shown_group = if group == "Africa" { "South Africa" } else { group };
        shown["regionalDisplayName"] = json!(format!("({shown_group}) {text}"));
        let pair = pair.map(|name| json!({ "name": name, "id": id(name) }));
        shown["metadata"] = json!({
            "regionType": "Physical",
            "regionCategory": if zones { "Recommended" } else { "Other" },
            "geographyGroup": group,
            "longitude": longitude,
            "latitude": latitude,
            "physicalLocation": place,
            "pairedRegion": pair.into_iter().collect::<Vec<_>>(),
        });
        if version >= "2020-01-01" {
            shown["type"] = json!("Region");
        }
        if version >= "2022-12-01" {
            shown["metadata"]["geography"] = json!(geography);
            if zones {
                let zone =
                    |n: u8| json!({ "logicalZone": n.to_string(), "physicalZone": format!("{name}-az{n}") });
                shown["availabilityZoneMappings"] = json!((1..=3).map(zone).collect::<Vec<_>>());
            }
        }
        shown
    }
}
