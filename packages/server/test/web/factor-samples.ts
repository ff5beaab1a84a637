// Second steps, passkeys and codes by mail, in every state.
import { renderNewPasskey } from '../../src/web/pages/account-passkey.ts'
import type { PageFrame } from '../../src/web/pages/layout.ts'
import { renderLogin } from '../../src/web/pages/login.ts'
import { type MfaView, renderMfa } from '../../src/web/pages/mfa.ts'
import { renderAppSetup, renderRecoveryCodes } from '../../src/web/pages/second-step-setup.ts'
import { renderVerifyEmail } from '../../src/web/pages/verify-email.ts'
import type { Sample, SampleWords } from './page-samples.ts'

const form = { action: '/u/mfa', state: 'hKFo2SBWZ1Jz', csrf: 'b2s4c3JmLXRva2Vu' }
const options = { challenge: 'AAAA', rpId: 'id.acme.example' }

export function factorSamples(frame: PageFrame, words: SampleWords): readonly Sample[] {
  const mfa: MfaView = { frame, form, totp: true, recovery: true, passkey: options, problem: undefined }
  const connections = [{ name: 'google-oauth2', displayName: words.provider }]
  const login = { frame, form, appName: words.app, connections, passkey: options }
  const verify = { frame, form, address: words.address, mayCancel: true }
  const key = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567'
  const uri = `otpauth://totp/Acme:ada?issuer=Acme&secret=${key}`
  const email = { value: words.address, error: { code: 'address_invalid' } } as const
  return [
    { name: 'mfa', html: renderMfa(mfa) },
    { name: 'mfa-wrong', html: renderMfa({ ...mfa, problem: 'code_wrong' }) },
    { name: 'mfa-passkey', html: renderMfa({ ...mfa, stepUp: true, totp: false, problem: 'passkey_refused' }) },
    { name: 'mfa-recovery-wrong', html: renderMfa({ ...mfa, totp: false, passkey: undefined, problem: 'code_wrong' }) },
    { name: 'login-email', html: renderLogin({ ...login, email: {} }) },
    { name: 'login-email-wrong', html: renderLogin({ ...login, password: {}, email }) },
    { name: 'login-passkey', html: renderLogin({ ...login, connections: [], notice: { code: 'passkey-refused' } }) },
    { name: 'verify-email-sign-in', html: renderVerifyEmail({ ...verify, reason: 'sign-in', code: '12345678' }) },
    { name: 'verify-email-step-up', html: renderVerifyEmail({ ...verify, reason: 'step-up' }) },
    { name: 'second-step-app', html: renderAppSetup({ frame, form, key, uri, wrong: false }) },
    { name: 'second-step-app-wrong', html: renderAppSetup({ frame, form, key, uri, wrong: true }) },
    { name: 'recovery-codes', html: renderRecoveryCodes(frame, ['abcd-efgh-jkmn-pqrs', 'bcde-fghj-kmnp-qrst']) },
    {
      name: 'account-passkey',
      html: renderNewPasskey({ frame, form, options, connection: 'passkeys', label: words.account }),
    },
  ]
}
