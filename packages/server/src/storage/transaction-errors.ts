// What ends a transaction beside the errors of its work: a mark that stood, and bugs of those who use one.

/** Something that serves once has served before. */
export class MarkStood extends Error {}

/** A `tx` was used after its transaction. */
export class TransactionEnded extends Error {
  readonly code = 'transaction_ended'
  constructor() {
    super('this transaction has ended')
  }
}

/** The work awaited something else than its `tx` (the network, another transaction) while others waited for it. */
export class TransactionHeld extends Error {
  readonly code = 'transaction_held'
  constructor() {
    super('a transaction was held open for too long: its work may await nothing but its tx')
  }
}
