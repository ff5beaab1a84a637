// What tests of links ask for, of whichever world is open.
import assert from 'node:assert/strict'
import type { User } from '../../src/domain/user.ts'
import { path, type World } from './world.ts'

export const pairOf = (primary: User, secondary: User, more = {}) => ({
  primary_user_id: primary.userId,
  secondary_user_id: secondary.userId,
  ...more,
})

export const refused = (answer: { status: number; json: { errorCode?: string } }, status: number, code: string) =>
  assert.deepEqual([answer.status, answer.json?.errorCode], [status, code])

export function linkCalls(world: () => World) {
  const call = (method: string, at: string, body?: unknown, w = world()) =>
    w.management(w.machineToken(), method, at, body)
  const patch = async (userId: string, body: unknown, w = world()) =>
    assert.equal((await call('PATCH', path(userId), body, w)).status, 200)
  const find = (userId: string) => call('GET', path(userId))
  return {
    call,
    patch,
    find,
    preview: (primary: User, secondary: User) => call('POST', '/links/preview', pairOf(primary, secondary)),
    async merge(primary: User, secondary: User, w = world()) {
      const answer = await call('POST', '/links', pairOf(primary, secondary), w)
      assert.equal(answer.status, 201, answer.text)
      return answer.json
    },
    undo: (id: string, body: unknown = {}, w = world()) => call('POST', `/links/${id}/undo`, body, w),
    history: (userId: string) => call('GET', `${path(userId)}/links`),
    async identityOf({ userId }: User) {
      const [identity] = await world().storage.identities.listOfUser(userId)
      if (identity === undefined) throw new Error('no identity')
      return identity
    },
    /** A primary and a secondary with metadata, and an account of the secondary's. */
    async couple(name: string, w = world()) {
      const primary = await w.person(`${name}-one`)
      const secondary = await w.person(`${name}-two`, { connection: 'files' })
      const account = await w.account(secondary.userId, 'code', `${name}-code`)
      await patch(primary.userId, { user_metadata: { theme: 'dark', shared: { a: 1 } } }, w)
      await patch(secondary.userId, { user_metadata: { city: 'Bath', shared: { b: 2 } } }, w)
      return { primary, secondary, account }
    },
    /** All that is kept of these people, but for what every write raises. */
    async everythingOf(...users: readonly User[]) {
      const { storage, accessToken } = world()
      return Promise.all(
        users.map(async ({ userId }) => {
          const accounts = await storage.accounts.listOfUser(userId)
          return {
            view: (await find(userId)).text,
            identities: await storage.identities.listOfUser(userId),
            evidence: await storage.evidence.listOfUser(userId),
            stops: await storage.agentStops.listOfUser(userId),
            accounts: accounts.map((one) => ({ ...one, generation: 0 })),
            access: await Promise.all(accounts.map(({ id }) => accessToken(id))),
          }
        }),
      )
    },
  }
}
