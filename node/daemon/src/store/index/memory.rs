//! An engine in memory, for tests: the same promises, nothing on disk. Clones share one content.

use std::collections::BTreeMap;
use std::ops::ControlFlow;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::{IndexBatch, IndexError, IndexStore, Table, Visitor};

type Content = BTreeMap<(Table, Vec<u8>), Vec<u8>>;

/// The engine.
#[derive(Clone, Debug, Default)]
pub struct MemoryIndex {
    content: Arc<Mutex<Content>>,
}

impl MemoryIndex {
    fn lock(&self) -> MutexGuard<'_, Content> {
        self.content.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl IndexStore for MemoryIndex {
    fn commit(&self, batch: &IndexBatch) -> Result<(), IndexError> {
        let mut content = self.lock();
        for operation in &batch.operations {
            let key = (operation.table, operation.key.clone());
            match &operation.value {
                Some(value) => content.insert(key, value.clone()),
                None => content.remove(&key),
            };
        }
        Ok(())
    }

    fn get(&self, table: Table, key: &[u8]) -> Result<Option<Vec<u8>>, IndexError> {
        Ok(self.lock().get(&(table, key.to_vec())).cloned())
    }

    fn iter(&self, table: Table, prefix: &[u8], visit: Visitor<'_>) -> Result<(), IndexError> {
        let found: Vec<_> = self
            .lock()
            .range((table, prefix.to_vec())..)
            .take_while(|((of, key), _)| *of == table && key.starts_with(prefix))
            .map(|((_, key), value)| (key.clone(), value.clone()))
            .collect();
        for (key, value) in found {
            if let ControlFlow::Break(()) = visit(&key, &value) {
                break;
            }
        }
        Ok(())
    }

    fn verify(&self) -> Result<(), IndexError> {
        Ok(())
    }

    fn name(&self) -> &'static str {
        "memory"
    }
}
