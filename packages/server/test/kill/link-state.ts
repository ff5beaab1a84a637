// What the links of one or two people have come to, and what each act makes of it: the pure side of the kill runs. After a
// kill the server must show what stood before the act that was under way, or what stands after it, and nothing between.

export type ActName = 'link' | 'merge' | 'undo' | 'unlink' | 'add' | 'remove'

export interface LinkState {
  readonly joined: boolean
  /** The second one's connected account and metadata: unlinking leaves the first with primary, and drops the other. */
  readonly held: Held
  /** What undoing the standing link brings back. */
  readonly before: Held | undefined
  readonly links: number
  readonly undone: number
  /** How many events of each type are recorded. */
  readonly events: Readonly<Record<string, number>>
}

export interface Held {
  readonly accountIsSeconds: boolean
  readonly hasMetadata: boolean
}

export const atFirst: LinkState = {
  joined: false,
  held: { accountIsSeconds: true, hasMetadata: true },
  before: undefined,
  links: 0,
  undone: 0,
  events: {},
}

export const EVENT_TYPES = [
  'identity.linked',
  'identity.unlinked',
  'link.undone',
  'user.linked',
  'user.restored',
  'user.retired',
] as const

/** Two users become one. */
export const merged = (state: LinkState): LinkState => ({
  ...state,
  joined: true,
  held: { accountIsSeconds: false, hasMetadata: state.held.hasMetadata },
  before: state.held,
  links: state.links + 1,
  events: counted(state, 'user.linked', 'user.retired'),
})

export const parted = (state: LinkState): LinkState => ({
  ...state,
  joined: false,
  held: state.before ?? state.held,
  before: undefined,
  undone: state.undone + 1,
  events: counted(state, 'link.undone', 'user.restored'),
})

/** The identity becomes a user of its own, with nothing. */
export const unlinked = (state: LinkState): LinkState => ({
  ...state,
  joined: false,
  held: { accountIsSeconds: false, hasMetadata: false },
  before: undefined,
  events: counted(state, 'identity.unlinked'),
})

/** An identity that nobody had is added to a user. */
export const added = (state: LinkState): LinkState => ({
  ...state,
  joined: true,
  links: state.links + 1,
  events: counted(state, 'identity.linked'),
})

export const removed = (state: LinkState): LinkState => ({
  ...state,
  joined: false,
  events: counted(state, 'identity.unlinked'),
})

export const takenBack = (state: LinkState): LinkState => ({
  ...removed(state),
  undone: state.undone + 1,
  events: counted(state, 'identity.unlinked', 'link.undone'),
})

function counted({ events }: LinkState, ...types: readonly (typeof EVENT_TYPES)[number][]): LinkState['events'] {
  return { ...events, ...Object.fromEntries(types.map((type) => [type, (events[type] ?? 0) + 1])) }
}
