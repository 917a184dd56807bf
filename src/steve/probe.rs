//! The eyes of the limits: readings taken when they are wanted, triggers armed where the kernel
//! allows it.

use crate::ledger::{Limit, Readings, Resource, Settings};
use crate::sys::events::Events;
use crate::sys::pressure::{self, Trigger};
use crate::sys::readings;

/// What the limits are held against.
pub(super) struct Probe {
    files: readings::Readings,
    triggers: [Option<Trigger>; 3],
    /// What each trigger is armed at.
    armed: [Option<i64>; 3],
}

const RESOURCES: [(Resource, pressure::Resource); 3] = [
    (Resource::Cpu, pressure::Resource::Cpu),
    (Resource::Memory, pressure::Resource::Memory),
    (Resource::Io, pressure::Resource::Io),
];

impl Probe {
    pub(super) fn open() -> Self {
        Probe {
            files: readings::Readings::open(),
            triggers: [None, None, None],
            armed: [None; 3],
        }
    }

    /// Whether the kernel keeps account of the pressure on `resource`.
    pub(super) fn has_pressure(&self, resource: Resource) -> bool {
        let (_, file) = RESOURCES[resource as usize];
        self.files.pressure(file).is_ok()
    }

    /// Reads what the limits that are `wanted` are held against.
    pub(super) fn read(&self, wanted: impl Fn(Limit) -> bool) -> Readings {
        let wanted = |limit| wanted(limit).then_some(());
        let pressure = |(resource, file)| {
            wanted(Limit::Pressure(resource)).and_then(|()| self.files.pressure(file).ok())
        };
        Readings {
            load1: wanted(Limit::Load).and_then(|()| self.files.load().ok()),
            memory_available: wanted(Limit::Memory)
                .and_then(|()| self.files.memory().ok())
                .map(|memory| memory.available),
            pressure: RESOURCES.map(pressure),
        }
    }

    /// Makes the triggers follow `settings`. Where the kernel allows none, looking again from time
    /// to time must do.
    pub(super) fn arm(&mut self, settings: &Settings, events: &Events) {
        for (resource, file) in RESOURCES {
            let place = resource as usize;
            let wanted = settings.max_pressure[place];
            if self.armed[place] != wanted {
                self.armed[place] = wanted;
                let trigger = wanted.and_then(|percent| Trigger::arm(file, percent).ok());
                self.triggers[place] =
                    trigger.filter(|trigger| events.watch_trigger(trigger, file).is_ok());
            }
        }
    }

    /// Does without the trigger for `resource`, which has failed and would be told of for ever.
    pub(super) fn disarm(&mut self, resource: pressure::Resource) {
        self.triggers[resource as usize] = None;
    }
}
