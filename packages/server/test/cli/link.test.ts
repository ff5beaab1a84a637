import assert from 'node:assert/strict'
import { rmSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { after, before, test } from 'node:test'
import { createUser } from '../../src/accounts/users.ts'
import { openKeyring } from '../../src/crypto/keyring.ts'
import type { Grade } from '../../src/domain/user.ts'
import { openStorage } from '../../src/storage/open.ts'
import { runTenon, scratch } from './run.ts'

const AT = 1_700_000_000
const ADDRESS = 'ada@corp.test'
const dataDir = scratch()

const CONNECTIONS = {
  corp: { trust_email: true, email_domains: ['corp.test'] },
  social: { trust_email: true },
  loose: {},
} as const

const run = (...args: string[]) => runTenon([...args, '--data-dir', dataDir])

before(async () => {
  assert.equal((await run('migrate')).code, 0)
  openKeyring({ source: `file:${join(dataDir, 'vault.key')}`, create: true, pollMs: 0 }).close()
  const storage = await openStorage({ url: `sqlite:${join(dataDir, 'tenon.db')}` })
  await storage.transaction(async (tx) => {
    for (const [name, options] of Object.entries(CONNECTIONS))
      await tx.connections.insert({
        id: `con_${name}`,
        name,
        strategy: 'oidc',
        document: { name, strategy: 'oidc', options },
        secretEnvelope: undefined,
        createdAt: AT,
        updatedAt: AT,
      })
    const person = (name: keyof typeof CONNECTIONS, subject: string, grade: Grade, at: number) =>
      createUser(tx, {
        connection: { id: `con_${name}`, name, strategy: 'oidc' },
        subject,
        profileData: { name: subject, email: ADDRESS, email_verified: grade > 0 },
        email: ADDRESS,
        grade,
        source: `connection:con_${name}`,
        at,
      })
    await person('corp', 'first', 2, AT)
    await person('social', 'second', 1, AT + 10)
    await person('loose', 'third', 0, AT + 20)
  })
  await storage.close()
})
after(() => rmSync(dirname(dataDir), { recursive: true, force: true }))

const explain = async (...args: string[]) => {
  const ended = await run('link', 'explain', '--json', ...args)
  assert.equal(ended.code, 0, ended.stderr)
  return JSON.parse(ended.stdout)
}
const arrival = (connection: string, subject: string) => [
  ...['--connection', connection, '--subject', subject],
  ...['--email', 'Ada@Corp.test', '--email-verified'],
]

test('link explain: a sign-in by rule, reason, grades, and what would have led elsewhere', async () => {
  const known = await explain('--connection', 'corp', '--subject', 'first')
  assert.deepEqual([known.rule, known.reason, known.user_id], ['S1', 'identity_known', 'oidc|corp|first'])
  const suggested = await explain(...arrival('social', 'new'))
  assert.deepEqual(
    [suggested.rule, suggested.decision, suggested.grade, suggested.user_id],
    ['S8', 'suggest', 1, 'oidc|corp|first'],
  )
  assert.deepEqual(suggested.otherwise, ['policy_auto', 'authoritative_connection'])
  const joined = await explain(...arrival('corp', 'new'), '--policy', 'auto_when_authoritative')
  assert.deepEqual([joined.rule, joined.decision, joined.grade], ['S7', 'join', 2])
  assert.equal((await explain(...arrival('loose', 'new'))).rule, 'S10')
  const there = await explain(...arrival('corp', 'first'), '--session', 'oidc|social|second')
  assert.equal(there.rule, 'S2')
})

test('link explain: says the same in sentences, and writes nothing', async () => {
  const { code, stdout } = await run('link', 'explain', ...arrival('social', 'new'))
  assert.equal(code, 0)
  assert.match(stdout, /^Decision {3}suggest oidc\|corp\|first$/m)
  assert.match(stdout, /^Reason {5}address_proven_by_another: A user has proven/m)
  assert.match(stdout, /^Otherwise {2}policy_auto: /m)
  assert.ok(!stdout.includes('ada@'), 'no address')
})

test('link explain: two users by the plan of their merge, or by what forbids it', async () => {
  const plan = await explain('--primary', 'oidc|corp|first', '--secondary', 'oidc|social|second')
  assert.equal(plan.decision, 'merge')
  assert.ok(plan.plan_hash.length > 16)
  assert.deepEqual(
    plan.identities.map((one: { outcome: string }) => one.outcome),
    ['kept', 'moved'],
  )
  const unproven = await explain('--primary', 'oidc|loose|third', '--secondary', 'oidc|corp|first')
  assert.deepEqual([unproven.decision, unproven.reason], ['refuse', 'address_unproven'])
  const { stdout } = await run('link', 'explain', '--primary', 'oidc|corp|first', '--secondary', 'oidc|corp|first')
  assert.match(stdout, /^Reason {5}self_link: Both sides are the same user\.$/m)
})

test('link explain: what is missing or unknown is status 2, naming the flag', async () => {
  for (const [args, pointer] of [
    [[], '--connection'],
    [['--connection', 'corp'], '--subject'],
    [['--connection', 'nobody', '--subject', 'x'], '--connection'],
    [['--connection', 'corp', '--subject', 'x', '--email', 'not an address'], '--email'],
    [['--connection', 'corp', '--subject', 'x', '--policy', 'always'], '--policy'],
    [['--primary', 'oidc|corp|first'], '--secondary'],
  ] as const) {
    const { code, stderr } = await run('link', 'explain', ...args)
    assert.equal(code, 2, args.join(' '))
    assert.equal(JSON.parse(stderr).pointer, pointer)
  }
})

test('link simulate: what a policy would have done with the present users', async () => {
  const simulate = async (...args: string[]) => {
    const { code, stdout, stderr } = await run('link', 'simulate', '--json', ...args)
    assert.equal(code, 0, stderr)
    return stdout
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line))
  }
  const [suggestion, ...rest] = await simulate()
  const pair = { connection_id: 'con_social', subject: 'second', from: 'oidc|social|second', into: 'oidc|corp|first' }
  assert.deepEqual(suggestion, { decision: 'suggest', rule: 'S8', reason: 'address_proven_by_another', ...pair })
  assert.deepEqual(rest, [
    {
      policy: 'suggest',
      present_policy: 'suggest',
      examined: 2,
      outcomes: [
        { decision: 'suggest', rule: 'S8', reason: 'address_proven_by_another', count: 1 },
        { decision: 'create', rule: 'S10', reason: 'address_unproven', count: 1 },
      ],
    },
  ])
  const [off] = await simulate('--policy', 'off')
  assert.deepEqual(off.outcomes.map((one: { reason: string }) => one.reason).sort(), ['address_unproven', 'policy_off'])
  const { stdout } = await run('link', 'simulate', '--policy', 'auto_when_authoritative')
  assert.match(stdout, /^Policy auto_when_authoritative; the settings say suggest\.$/m)
  assert.match(stdout, /^Looked at 2 identities/m)
})
