//! Aggregate functions of a module: scalar ones that belong together by their names.
//!
//! | export | what it does |
//! |---|---|
//! | `total_create_state()->S` | the state of no rows |
//! | `total_accumulate(S,A…)->S` | a row comes |
//! | `total_retract(S,A…)->S` | a row is taken back; without it only over inputs that never do |
//! | `total_merge(S,S)->S` | two states together; without it not in session windows and where states are merged |
//! | `total_finish(S)->R` | the result |

use std::collections::BTreeMap;

use super::module::Function;
use super::signature::{AbiType, Signature};

const ACCUMULATE: &str = "_accumulate";

#[derive(Clone, Debug)]
pub(crate) struct AggregateParts {
    pub(crate) name: String,
    pub(crate) arguments: Vec<AbiType>,
    pub(crate) state: AbiType,
    pub(crate) result: AbiType,
    pub(crate) create: Function,
    pub(crate) accumulate: Function,
    pub(crate) retract: Option<Function>,
    pub(crate) merge: Option<Function>,
    pub(crate) finish: Function,
}

impl AggregateParts {
    /// The aggregate function that `accumulate` belongs to; `None` when it belongs to none.
    pub(super) fn of(functions: &BTreeMap<String, Function>, accumulate: &Signature) -> Result<Option<Self>, String> {
        let Some(name) = accumulate.name.strip_suffix(ACCUMULATE).filter(|name| !name.is_empty()) else {
            return Ok(None);
        };
        let part = |what: &str, arguments: &[&AbiType], gives: Option<&AbiType>| {
            let name = format!("{name}_{what}");
            functions.values().find(|function| {
                let signature = &function.signature;
                signature.name == name
                    && !signature.table
                    && signature.arguments.iter().eq(arguments.iter().copied())
                    && gives.is_none_or(|gives| signature.result == *gives)
            })
        };
        let state = &accumulate.result;
        let Some((first, arguments)) = accumulate.arguments.split_first() else { return Ok(None) };
        let (create, finish) = (part("create_state", &[], Some(state)), part("finish", &[state], None));
        if create.is_none() && finish.is_none() {
            // A function that happens to be named so.
            return Ok(None);
        }
        if first != state || accumulate.table {
            return Err(format!(
                "{name}{ACCUMULATE} has to take its state first and to give it: ({state}, …)->{state}."
            ));
        }
        let missing = |what: &str, form: String| format!("The aggregate '{name}' has no {name}_{what}{form}.");
        let create = create.ok_or_else(|| missing("create_state", format!("()->{state}")))?;
        let finish = finish.ok_or_else(|| missing("finish", format!("({state})->…")))?;
        let row: Vec<&AbiType> = accumulate.arguments.iter().collect();
        let Some(own) = functions.values().find(|function| function.signature == *accumulate) else { return Ok(None) };
        Ok(Some(AggregateParts {
            name: name.to_owned(),
            arguments: arguments.to_vec(),
            state: state.clone(),
            result: finish.signature.result.clone(),
            create: create.clone(),
            accumulate: own.clone(),
            retract: part("retract", &row, Some(state)).cloned(),
            merge: part("merge", &[state, state], Some(state)).cloned(),
            finish: finish.clone(),
        }))
    }

    /// What the function for `part` is or would be called.
    pub(crate) fn part_name(&self, part: &str) -> String {
        format!("{}_{part}", self.name)
    }

    /// Whether a function is there only for an aggregate one.
    pub(super) fn is_part(functions: &BTreeMap<String, Function>, signature: &Signature) -> bool {
        let parts = ["_create_state", ACCUMULATE, "_retract", "_merge", "_finish"];
        let Some(name) = parts.iter().find_map(|part| signature.name.strip_suffix(part)) else { return false };
        let accumulate = format!("{name}{ACCUMULATE}");
        let mut own = functions.values().filter(|function| function.signature.name == accumulate);
        own.any(|function| matches!(Self::of(functions, &function.signature), Ok(Some(_))))
    }
}
