import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createLog } from '../../src/lib/log.ts'

function lines(write: (log: ReturnType<typeof createLog>) => void): string {
  const written: string[] = []
  write(createLog({ stream: { write: (line: string) => written.push(line) } }))
  for (const line of written) assert.ok(JSON.parse(line))
  return written.join('')
}

const JWT = 'eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiJhZGEifQ.c2lnbmF0dXJl'

test('log: members that hold secrets are redacted, whatever they hold', () => {
  const text = lines((log) =>
    log.info({
      body: { client_secret: 'hunter2', code: 'hunter2' },
      headers: { authorization: 'x hunter2' },
      password: 'hunter2',
    }),
  )
  assert.doesNotMatch(text, /hunter2/)
})

test('log: tokens, credentials and addresses are taken out of any text', () => {
  const text = lines((log) => {
    log.info(`got ${JWT} from ada.lovelace+x@mail.example.test`)
    log.info({ note: 'Authorization: Bearer abcdefghijklmnop', url: 'postgres://tenon:hunter2@db.internal/tenon' })
    log.error({ err: new Error(`duplicate key (email)=(eve@example.test) ${JWT}`) })
  })
  assert.doesNotMatch(text, /eyJ|ada\.|eve@|abcdefghijklmnop|hunter2/)
})

test('log: an error shows its code and causes, and nothing that a driver hung on it', () => {
  const cause = Object.assign(new Error('unique violation'), {
    code: '23505',
    detail: 'Key (x)=(hunter2)',
    parameters: ['hunter2'],
  })
  const text = lines((log) => log.error({ err: new Error('failed', { cause }) }))
  assert.match(text, /23505/)
  assert.match(text, /unique violation/)
  assert.doesNotMatch(text, /hunter2/)
})

test('log: an outcome keeps its code, and line breaks stay inside the line', () => {
  const text = lines((log) => log.warn({ code: 'worker_died', note: 'a\nb\u001b[31m' }, 'one\ntwo'))
  assert.match(text, /"code":"worker_died"/)
  assert.equal(text.trim().split('\n').length, 1)
})

test('log: an error that says when to come again is a warning', () => {
  const levels = (error: Error) =>
    lines((log) => {
      log.error({ err: error }, 'background work failed')
      log.fatal({ err: error }, 'the end')
    })
      .split('\n')
      .filter(Boolean)
      .map((line) => JSON.parse(line).level)
  assert.deepEqual(levels(new Error('broken')), ['error', 'fatal'])
  assert.deepEqual(levels(Object.assign(new Error('busy'), { retryAfterSeconds: 5 })), ['warn', 'fatal'])
})
