//! Network addresses: whether one lies in a network.

use super::Scalar;
use super::string::shorten;
use crate::{Call, Family};
use arrow::array::ArrayRef;
use model::{Error, Result};
use std::net::IpAddr;

/// The functions of network addresses.
pub const FAMILY: Family = Family { title: "IP address functions", scalars: SCALARS, aggregates: &[] };

const SCALARS: &[Scalar] = &[Scalar::new(
    "contains",
    &["(varchar, ipaddress) -> boolean"],
    contains,
    "Whether an address lies in a network such as `10.0.0.0/8`.",
)];

/// A network: the bits of its addresses and how many of them are the same in all.
#[derive(Debug, Clone, Copy)]
struct Network {
    bits: u128,
    prefix: u32,
}

impl Network {
    fn parse(text: &str) -> Result<Network> {
        let broken = |why: &str| {
            Error::invalid(format!("'{}' is no network", shorten(text)))
                .why(why)
                .hint("a network is written as 10.0.0.0/8 or 2001:db8::/32")
        };
        let (address, length) = text.split_once('/').ok_or_else(|| broken("there is no / in it"))?;
        let address: IpAddr = address.parse().map_err(|_| broken("its address cannot be read"))?;
        let length: u32 = length.parse().map_err(|_| broken("its prefix length is no number"))?;
        let (bits, most) = match address {
            IpAddr::V4(v4) => (u128::from(v4.to_ipv6_mapped()), 32),
            IpAddr::V6(v6) => (u128::from(v6), 128),
        };
        if length > most {
            return Err(broken("its prefix is longer than its address"));
        }
        Ok(Network { bits, prefix: length + 128 - most })
    }

    fn contains(&self, address: u128) -> bool {
        (self.bits ^ address).checked_shr(128 - self.prefix).unwrap_or(0) == 0
    }
}

fn contains(call: &Call<'_>) -> Result<ArrayRef> {
    let (networks, addresses) = (call.strings(0)?, call.bytes(1)?);
    let constant = if networks.constant { networks.get(0) } else { None };
    let constant = constant.map(Network::parse).transpose()?;
    call.build_booleans(|row| {
        let (Some(network), Some(address)) = (networks.get(row), addresses.get(row)) else { return Ok(None) };
        let network = match constant {
            Some(network) => network,
            None => Network::parse(network)?,
        };
        let address: [u8; 16] =
            address.try_into().map_err(|_| Error::internal("an address does not have 16 bytes"))?;
        Ok(Some(network.contains(u128::from_be_bytes(address))))
    })
}
