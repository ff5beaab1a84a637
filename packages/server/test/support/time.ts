// Hours that pass in an instant: for rules about how old something is, which a busy machine must not decide.
const SystemDate = Date
let aheadMs = 0

/** The system's clock, ahead by what has passed so far. */
class MovedDate extends SystemDate {
  constructor(...given: readonly unknown[]) {
    // The built-in tells its forms apart by how many arguments there are; all of them go on as they came.
    if (given.length === 0) super(MovedDate.now())
    else super(...(given as [number]))
  }

  static override now(): number {
    return SystemDate.now() + aheadMs
  }
}

// From the start: who keeps `Date.now` for later keeps one that moves.
globalThis.Date = MovedDate as DateConstructor

/**
 * Moves the clock of this process forward, for the servers and providers in it and for the test itself. Timers keep
 * their pace. Whatever has a lifetime ages at once, so that lifetimes in tests can be longer than any machine is slow.
 */
export function passTime(seconds: number): void {
  aheadMs += seconds * 1000
}
