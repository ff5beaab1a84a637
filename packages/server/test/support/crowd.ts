// People in numbers, written beside a running deployment: each has one identity, an address of their own, no sign-in.
import { createUser } from '../../src/accounts/users.ts'
import { systemClock } from '../../src/lib/time.ts'
import { openStorage } from '../../src/storage/open.ts'
import { PASSWORDS } from './tenant.ts'

export interface CrowdMember {
  readonly userId: string
  /** What names the identity in `POST /api/v2/users/{id}/identities`. */
  readonly identity: { readonly provider: string; readonly user_id: string }
}

export async function addCrowd(databaseUrl: string, name: string, count: number): Promise<readonly CrowdMember[]> {
  const storage = await openStorage({ url: databaseUrl })
  try {
    const connection = await storage.connections.findByName(PASSWORDS)
    if (connection === undefined) throw new Error('the tenant file has not been applied')
    const people = Array.from({ length: count }, (_, number) => `${name}-${number}`)
    const made = await storage.transaction(async (tx) => {
      const users: CrowdMember[] = []
      for (const subject of people) {
        const email = `${subject}@crowd.test`
        const profileData = { name: subject, email, email_verified: true }
        const proven = { grade: 3, source: 'operator', at: systemClock() } as const
        const { userId } = await createUser(tx, { connection, subject, profileData, email, ...proven })
        users.push({ userId, identity: { provider: connection.strategy, user_id: subject } })
      }
      return users
    })
    return made
  } finally {
    await storage.close()
  }
}
