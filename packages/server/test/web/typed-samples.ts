// Samples of the pages on which a person types a credential, or says which of their accounts is meant.
import { type EnterCredentialView, renderEnterCredential } from '../../src/web/pages/enter-credential.ts'
import type { PageFrame } from '../../src/web/pages/layout.ts'
import { renderWhichAccount } from '../../src/web/pages/which-account.ts'
import type { Sample, SampleWords } from './page-samples.ts'

const AT = 1_763_800_000

export function typedSamples(frame: PageFrame, words: SampleWords): readonly Sample[] {
  const form = { action: '/u/credential', state: 'state', csrf: 'csrf-of-this-browser' }
  const connection = { name: 'crm', displayName: words.provider }
  const key: EnterCredentialView = {
    frame,
    form,
    connection,
    kind: 'api_key',
    client: { name: words.app, isGiven: false },
    replaces: undefined,
    asksLabel: true,
    label: words.account,
    username: undefined,
    hosts: [words.host],
    helpUrl: 'https://crm.example/keys',
    scopes: [words.scope],
    problem: undefined,
  }
  const basic: EnterCredentialView = {
    ...key,
    kind: 'basic',
    client: undefined,
    asksLabel: false,
    username: words.account,
    helpUrl: undefined,
    scopes: [],
  }
  const account = { id: 'cac_aaaaaaaaaaaaaaaaaaaaaaaa', label: words.account, needsReconnecting: false, lastUsedAt: AT }
  const which = { frame, form: { ...form, action: '/u/which-account' }, connection, client: { name: words.app } }
  const other = { id: 'cac_b', label: words.person, needsReconnecting: true, lastUsedAt: undefined }
  return [
    { name: 'enter-credential', html: renderEnterCredential(key) },
    {
      name: 'enter-credential-label',
      html: renderEnterCredential({ ...key, client: { name: words.app, isGiven: true }, problem: 'label_bad' }),
    },
    { name: 'enter-credential-basic', html: renderEnterCredential({ ...basic, problem: 'username_bad' }) },
    ...(['secret_missing', 'secret_bad', 'secret_refused', 'secret_unchecked'] as const).map((problem) => ({
      name: `enter-credential-${problem}`,
      html: renderEnterCredential({ ...basic, replaces: words.account, problem }),
    })),
    {
      name: 'which-account',
      html: renderWhichAccount({ ...which, accounts: [account, other], isTyped: false, asksThere: false }),
    },
    {
      name: 'which-account-typed',
      html: renderWhichAccount({ ...which, accounts: [account], isTyped: true, asksThere: true }),
    },
  ]
}
