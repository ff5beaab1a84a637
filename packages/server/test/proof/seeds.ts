// Bugs to plant, one at a time: lines of the server as they would read if somebody had not thought of it.

import { BOTH_THERE, BY_MAIL, INTERRUPTED, MOVED_AWAY, NOBODY_THERE, type Root, SQUATTED, TWO_EACH } from './roots.ts'

/** Replaces `from`, which stands in the file exactly once. */
export interface Edit {
  /** Below `src/`. */
  readonly file: string
  readonly from: string
  readonly to: string
}

export interface Seed {
  readonly name: string
  readonly edits: readonly Edit[]
  /** From where it shows after the fewest moves. */
  readonly root: Root
}

export const SEEDS: readonly Seed[] = [
  {
    name: 'join on an unverified email',
    root: NOBODY_THERE,
    edits: [
      {
        file: 'accounts/sign-in-facts.ts',
        from: 'email === undefined || identity || grade === 0',
        to: 'email === undefined || identity',
      },
      { file: 'domain/sign-in.ts', from: 'if (grade === 0) return create', to: 'if (false) return create' },
      { file: 'domain/sign-in.ts', from: '...(grade < 2 ?', to: '...(false ?' },
    ],
  },
  {
    name: 'an unlinked identity returns by its email',
    root: BOTH_THERE,
    edits: [
      {
        file: 'domain/sign-in.ts',
        from: "...(tombstoned ? (['tombstone_expires'] as const) : []),",
        to: '',
      },
    ],
  },
  {
    name: 'a proof is not tied to the subject',
    root: BOTH_THERE,
    edits: [
      { file: 'flows/prove.ts', from: 'if (user?.userId !== pending.userId) {', to: 'if (user === undefined) {' },
      {
        file: 'flows/suggest.ts',
        from: 'return recordArrival(deps, tx, proof, { user: added.user, request, at })',
        to: 'return recordArrival(deps, tx, arrival, { user: added.user, request, at })',
      },
    ],
  },
  {
    name: "state is not tied to the session's user",
    root: BOTH_THERE,
    edits: [
      {
        file: 'flows/upstream-callback.ts',
        from: "if (kind !== 'login' && sessionUid !== request.session?.uid) throw new FlowError('wrong_user')",
        to: '',
      },
      {
        file: 'flows/account-link.ts',
        from: "if (transaction.userId !== userId) throw new FlowError('wrong_user')",
        to: '',
      },
    ],
  },
  {
    name: 'the sweep of an account that somebody prepared is forgotten',
    root: SQUATTED,
    edits: [
      {
        file: 'flows/reset-password.ts',
        from: 'await sweepOwnAccount(tx, deps.vault, { userId: user.userId, address: proof.address, kept, at })',
        to: '',
      },
    ],
  },
  {
    name: 'the sweep of who sat on an address is forgotten',
    root: NOBODY_THERE,
    edits: [
      {
        file: 'flows/sign-up.ts',
        from: 'await sweepSquatters(tx, deps.vault, { address, ownerId: made.userId, at: now })',
        to: '',
      },
    ],
  },
  {
    name: 'a changed email counts as proven',
    root: NOBODY_THERE,
    edits: [
      {
        file: 'accounts/update-user.ts',
        from: "word: { source: 'operator', grade: 0 }",
        to: "word: { source: 'operator', grade: 3 }",
      },
    ],
  },
  {
    name: 'tokens stay behind when their identity is unlinked',
    root: BOTH_THERE,
    edits: [
      {
        file: 'accounts/drop-identity.ts',
        from: 'if (kept !== undefined) await vault.drop(tx, kept, at)',
        to: 'if (kept !== undefined) vault.drop',
      },
    ],
  },
  {
    name: 'a merge forgets where the secondary went',
    root: TWO_EACH,
    edits: [{ file: 'accounts/link.ts', from: 'tx.users.addAlias(secondaryUserId, primaryUserId, at),', to: '' }],
  },
  {
    name: 'a session that came about meanwhile agrees to a merge',
    root: INTERRUPTED,
    edits: [
      {
        file: 'flows/ways.ts',
        from: 'const isOfSession = session !== undefined && session.userId === interaction.begunAs',
        to: 'const isOfSession = session !== undefined',
      },
    ],
  },
  {
    name: 'what a provider said of an address stays when its account is taken away',
    root: BY_MAIL,
    edits: [
      {
        file: 'accounts/drop-identity.ts',
        from: 'if (wasTheirs) await restateEvidence(tx, identity, at)',
        to: '',
      },
    ],
  },
  {
    name: 'any code that is typed counts as the one that was mailed',
    root: BY_MAIL,
    edits: [{ file: 'flows/mail-sign-in.ts', from: "if (verdict !== 'right') return verdict", to: '' }],
  },
  {
    name: 'whoever reads a mailbox gets it back for an account that was never theirs',
    root: MOVED_AWAY,
    edits: [
      {
        file: 'flows/prove-address.ts',
        from: 'word.address === user.email && word.grade >= 2',
        to: 'word.address === user.email && word.grade >= 1',
      },
    ],
  },
]
