// Refusals that are thrown: each with a stable `code` and a sentence for the public. The API they surface in decides on status and shape.

/** What every refusal of ours has in common. The message says nothing secret; `cause` is for the operator. */
export abstract class Refusal extends Error {
  readonly code: string

  constructor(code: string, message: string, options?: ErrorOptions) {
    super(message, options)
    this.name = new.target.name
    this.code = code
  }
}

/** What was named does not exist, or not for this caller. */
export class NotFound extends Refusal {}

/** It exists already, or somebody else was faster. */
export class Conflict extends Refusal {}

/** The request asks for something that has no meaning. */
export class Invalid extends Refusal {}

/** The caller may not. */
export class Forbidden extends Refusal {}

/** More is asked at once than gets done; nothing was changed. */
export class Overloaded extends Refusal {
  /** When a place may be free again. */
  readonly retryAfterSeconds = 5

  constructor() {
    super('temporarily_unavailable', 'Too many requests wait already: try again a little later.')
  }
}
