// What agents and devices ask, in every state.
import type { AskedUse } from '../../src/domain/asked-use.ts'
import { renderActivate } from '../../src/web/pages/activate.ts'
import { type ApproveView, renderApprove } from '../../src/web/pages/approve.ts'
import type { Html } from '../../src/web/pages/html.ts'
import type { PageFrame } from '../../src/web/pages/layout.ts'
import type { SampleWords } from './page-samples.ts'

const AT = 1_795_338_840

export function approveSamples(frame: PageFrame, words: SampleWords): readonly { name: string; html: Html }[] {
  const form = { action: '/approve', state: 'a', csrf: 'c' }
  const asked: ApproveView = {
    frame,
    form,
    kind: 'ciba',
    status: 'asked',
    client: { name: words.app, firstParty: false },
    audience: words.publisher,
    scopes: [
      { value: 'read:orders', description: words.description },
      { value: 'write:orders', description: words.description },
      { value: words.scope },
    ],
    message: words.purpose.slice(0, 64),
    userCode: undefined,
    use: undefined,
    askedAt: AT,
    expiresAt: AT + 300,
    user: { name: words.person, address: words.address },
    shown: 'shown',
  }
  const device: ApproveView = {
    ...asked,
    kind: 'device',
    client: { name: words.app, firstParty: true },
    message: undefined,
    userCode: 'BCDF-GHJK',
    scopes: [{ value: 'openid' }, { value: 'offline_access' }],
  }
  const call: AskedUse = {
    kind: 'call',
    connection: 'code',
    accountId: 'cac_a',
    label: words.account,
    validSeconds: 0,
    method: 'POST',
    origin: 'https://api.code.test',
    path: '/repos/acme/tenon/pulls',
    query: '?draft=true',
    body: { bytes: 70, type: 'application/json', hash: 'h', text: words.purpose },
  }
  const common = { connection: 'code', accountId: 'cac_a', label: words.account, validSeconds: 900 }
  const uses: readonly AskedUse[] = [
    call,
    { ...call, body: { bytes: 100_000, type: 'text/plain', hash: 'h', text: words.purpose } },
    { ...call, query: '', body: { bytes: 70, type: 'image/png', hash: 'h', text: undefined } },
    {
      ...common,
      kind: 'calls',
      origin: 'https://api.code.test',
      methods: ['POST', 'DELETE'],
      paths: ['/repos/*/*/pulls'],
    },
    { ...common, kind: 'calls', origin: 'https://api.code.test', methods: undefined, paths: undefined },
    { ...common, kind: 'token', scopes: ['calendar.read', words.scope] },
    { ...common, kind: 'token', scopes: [] },
  ]
  const code = { frame, form: { action: '/activate', csrf: 'c' }, typed: undefined, error: undefined }
  return [
    { name: 'approve', html: renderApprove(asked) },
    { name: 'approve-bare', html: renderApprove({ ...asked, audience: undefined, message: undefined, scopes: [] }) },
    ...uses.map((use, at) => ({
      name: `approve-use-${at}`,
      html: renderApprove({ ...asked, kind: 'use' as const, use, scopes: [], audience: words.provider }),
    })),
    { name: 'approve-device', html: renderApprove(device) },
    ...(['allowed', 'denied', 'over'] as const).map((status) => ({
      name: `approve-${status}`,
      html: renderApprove({ ...asked, status }),
    })),
    { name: 'activate', html: renderActivate(code) },
    {
      name: 'activate-wrong',
      html: renderActivate({ ...code, typed: words.nickname, error: { code: 'device_code_unknown' } }),
    },
  ]
}
