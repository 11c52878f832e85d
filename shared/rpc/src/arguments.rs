//! A request's parameters as typed values, whether they came by position or by name.

use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::error::{INVALID_PARAMS, RpcError, TYPE_ERROR};
use crate::jsonrpc::Params;
use crate::methods::Method;

/// The parameters of one request, in the order in which the method's table entry names them.
#[derive(Clone, Debug)]
pub struct Arguments {
    method: &'static Method,
    values: Vec<Value>,
}

impl Arguments {
    /// Puts parameters in the method's order.
    ///
    /// # Errors
    /// -32602 for one parameter too many, a name that the method does not know, or a required one that is missing.
    pub fn new(method: &'static Method, params: Params) -> Result<Arguments, RpcError> {
        let refuse = |what: String| {
            let usage = method.usage();
            Err(RpcError::new(INVALID_PARAMS, format!("{what}; usage: {usage}")))
        };
        let values = match params {
            Params::Positional(values) => {
                if values.len() > method.params.len() {
                    let (name, max, given) = (method.name, method.params.len(), values.len());
                    return refuse(format!("{name} takes at most {max} parameters, not {given}"));
                }
                values
            }
            Params::Named(mut named) => {
                let values =
                    method.params.iter().map(|param| named.remove(param.name).unwrap_or(Value::Null)).collect();
                if let Some(name) = named.keys().next() {
                    return refuse(format!("{} has no parameter {name:?}", method.name));
                }
                values
            }
        };
        let arguments = Arguments { method, values };
        for (index, param) in method.params.iter().enumerate() {
            if param.required && arguments.value(index).is_none() {
                return refuse(format!("parameter {:?} is missing", param.name));
            }
        }
        Ok(arguments)
    }

    /// The method's entry in the table.
    pub fn method(&self) -> &'static Method {
        self.method
    }

    /// A parameter that must be there.
    ///
    /// # Errors
    /// -32602 if it is missing, -3 if it is not a `T`.
    pub fn required<T: DeserializeOwned>(&self, name: &str) -> Result<T, RpcError> {
        self.optional(name)?.ok_or_else(|| {
            let usage = self.method.usage();
            let message = format!("parameter {name:?} is missing; usage: {usage}");
            RpcError::new(INVALID_PARAMS, message)
        })
    }

    /// A parameter that may be missing or null.
    ///
    /// # Errors
    /// -3 if it is there and not a `T`.
    pub fn optional<T: DeserializeOwned>(&self, name: &str) -> Result<Option<T>, RpcError> {
        let position = self.method.params.iter().position(|p| p.name == name);
        debug_assert!(position.is_some(), "{} has no {name}", self.method.name);
        let Some(value) = position.and_then(|index| self.value(index)) else {
            return Ok(None);
        };
        serde_json::from_value(value.clone())
            .map(Some)
            .map_err(|error| RpcError::new(TYPE_ERROR, format!("parameter {name:?}: {error}")))
    }

    fn value(&self, index: usize) -> Option<&Value> {
        self.values.get(index).filter(|value| !value.is_null())
    }
}
