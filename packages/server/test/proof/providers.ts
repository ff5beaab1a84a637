// What comes back from providers, in place of the network to them: the code of an answer names the account there.
import type { Connector, UpstreamAccount } from '../../src/upstream/connector.ts'
import type { Connectors } from '../../src/upstream/connectors.ts'
import { ACCOUNTS, type AccountName } from './people.ts'

const HOUR_SECONDS = 3600

export const providers: Connectors = {
  for: ({ name }) => connectorOf(name),
}

const connectorOf = (provider: string): Connector => ({
  scopes: { ask: () => ['openid', 'email'], missing: () => [], spellings: (granted) => granted },
  traits: {
    refreshTokenGraceSeconds: undefined,
    revocationEnds: 'grant',
    refreshTokenEndsAfterSeconds: undefined,
    apiHosts: [],
    asksWhichAccount: true,
    apiHeader: { name: 'authorization', prefix: 'Bearer ' },
  },
  async authorizationUrl({ state }) {
    return new URL(`https://${provider}.test/authorize?state=${state}`)
  },
  async checkAnswer() {},
  async redeem(answer) {
    const name = answer.get('code') ?? ''
    if (!isAccountName(name) || ACCOUNTS[name].provider !== provider)
      throw new Error(`${provider} gave no code ${name}`)
    return accountOf(name)
  },
  async refresh() {
    throw new Error('nothing is refreshed: the clock stands still')
  },
  async revoke() {
    return 'revoked'
  },
})

const isAccountName = (name: string): name is AccountName => Object.hasOwn(ACCOUNTS, name)

function accountOf(name: AccountName): UpstreamAccount {
  const { subject, email } = ACCOUNTS[name]
  return {
    subject,
    profile: { name },
    email,
    emailVerified: true,
    authoritativeDomains: [],
    upstreamName: name,
    tokenset: {
      accessToken: `access to ${name}`,
      refreshToken: `refresh of ${name}`,
      tokenType: 'Bearer',
      accessExpiresAt: 1_800_000_000 + HOUR_SECONDS,
      refreshExpiresAt: undefined,
      scopes: ['openid', 'email'],
    },
    claims: {},
  }
}
