// Instants and durations are whole seconds everywhere but at timers.

export type EpochSeconds = number

/** Tells the time to services; pure code gets it as an argument. */
export type Clock = () => EpochSeconds

export const systemClock: Clock = () => Math.floor(Date.now() / 1000)

export const toIso = (at: EpochSeconds): string => new Date(at * 1000).toISOString()
