//! One piece of work for all who wait for it.

use std::collections::HashMap;
use std::future::Future;
use std::hash::Hash;
use std::sync::{Arc, Mutex};

use tokio::sync::watch;

/// Runs at most one task per key at a time. Whoever asks meanwhile waits for the same result; whoever goes away does
/// not stop the work.
#[derive(Debug)]
pub struct SingleFlight<K, V> {
    flights: Arc<Mutex<HashMap<K, watch::Receiver<Option<V>>>>>,
}

impl<K, V> Default for SingleFlight<K, V> {
    fn default() -> Self {
        Self { flights: Arc::default() }
    }
}

impl<K, V> SingleFlight<K, V>
where
    K: Eq + Hash + Clone + Send + 'static,
    V: Clone + Send + Sync + 'static,
{
    /// The result of the work under `key`, begun now unless it is under way. `None` only where the work panicked.
    pub async fn run<F>(&self, key: K, work: impl FnOnce() -> F) -> Option<V>
    where
        F: Future<Output = V> + Send + 'static,
    {
        let mut receiver = self.join(key, work);
        // Dropping the sender without a value means that the task panicked; waiting then ends with an error.
        let value = receiver.wait_for(Option::is_some).await.ok()?;
        value.clone()
    }

    /// Begins the work unless it is under way, without waiting for it.
    pub fn start<F>(&self, key: K, work: impl FnOnce() -> F)
    where
        F: Future<Output = V> + Send + 'static,
    {
        drop(self.join(key, work));
    }

    fn join<F>(&self, key: K, work: impl FnOnce() -> F) -> watch::Receiver<Option<V>>
    where
        F: Future<Output = V> + Send + 'static,
    {
        let mut flights = self.flights.lock().expect("no panic while holding it");
        if let Some(receiver) = flights.get(&key) {
            return receiver.clone();
        }
        let (sender, receiver) = watch::channel(None);
        flights.insert(key.clone(), receiver.clone());
        let landing = Landing { flights: Arc::clone(&self.flights), key };
        let future = work();
        tokio::spawn(async move {
            let value = future.await;
            // The key is free before the result is out, so that whoever sees the result can begin anew.
            drop(landing);
            sender.send_replace(Some(value));
        });
        receiver
    }
}

/// Frees the key however the task ends.
struct Landing<K: Eq + Hash, V> {
    flights: Arc<Mutex<HashMap<K, watch::Receiver<Option<V>>>>>,
    key: K,
}

impl<K: Eq + Hash, V> Drop for Landing<K, V> {
    fn drop(&mut self) {
        self.flights.lock().expect("no panic while holding it").remove(&self.key);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::atomic::{AtomicU32, Ordering};
    use std::time::Duration;

    #[tokio::test]
    async fn waiters_share_one_run() {
        let flight = Arc::new(SingleFlight::<&str, u32>::default());
        let runs = Arc::new(AtomicU32::new(0));
        let tasks: Vec<_> = (0..50)
            .map(|_| {
                let (flight, runs) = (flight.clone(), runs.clone());
                tokio::spawn(async move {
                    flight
                        .run("k", || async move {
                            tokio::time::sleep(Duration::from_millis(50)).await;
                            runs.fetch_add(1, Ordering::SeqCst) + 1
                        })
                        .await
                })
            })
            .collect();
        for task in tasks {
            assert_eq!(task.await.unwrap(), Some(1));
        }
        assert_eq!(runs.load(Ordering::SeqCst), 1);
    }

    #[tokio::test]
    async fn a_waiter_that_leaves_does_not_stop_the_work_and_a_panic_ends_it() {
        let flight = Arc::new(SingleFlight::<&str, u32>::default());
        let first = flight.run("k", || async {
            tokio::time::sleep(Duration::from_millis(50)).await;
            7
        });
        assert!(tokio::time::timeout(Duration::from_millis(5), first).await.is_err());
        assert_eq!(flight.run("k", || async { 8 }).await, Some(7));
        assert_eq!(flight.run("p", || async { panic!("on purpose") }).await, None);
        assert_eq!(flight.run("p", || async { 9 }).await, Some(9));
    }
}
