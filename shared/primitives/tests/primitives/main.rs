//! Properties, published vectors and tables of named cases for the types that everything else is made of.

mod addresses;
mod amounts;
mod bip340;
mod known_answers;
mod merkle;
mod networks;
mod policies;
mod round_trips;
mod sighash;
mod strategies;
mod targets;
