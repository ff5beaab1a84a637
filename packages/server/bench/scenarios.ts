// What is measured: the three ways to bring a client and a subject.
import { VAULT_GRANT } from '../src/protocol/grant-types.ts'
import type { Deployment } from './deployment.ts'
import { type Measured, measure, ROUNDS, type Side } from './measure.ts'
import type { Load, Server } from './processes.ts'
import { CONNECTION, secret, signAssertions } from './seed.ts'

export type ScenarioName = 'secret' | 'assertion' | 'access_token'

export interface Scenario {
  readonly title: string
  readonly prepare: (deployment: Deployment) => Promise<Pick<Side, 'bodies' | 'once' | 'seconds'>>
}

/** What saturates one process, each with one request under way: with fewer it waits for its database now and then. */
export const CONNECTIONS = 64

const PEOPLE = 1000
/** Each assertion serves once and is dear to sign: fewer people, so that a few thousand find everything warm as well. */
const SIGNERS_PEOPLE = 500
const ASSERTIONS_PER_ROUND = 1200
/** As many as the others send in their time for warming up. */
const ASSERTIONS_TO_WARM = 8000
/** A round ends when all of its assertions were sent. */
const LONG_ENOUGH = 10

const BARE_SECONDS = 0.4
/** It is small. */
const BARE_WARM_SECONDS = 2

export const SCENARIOS: Readonly<Record<ScenarioName, Scenario>> = {
  secret: {
    title: 'client secret, refresh token',
    async prepare({ seed }) {
      const people = await seed.people({ count: PEOPLE, clientId: 'web' })
      return always(
        people.map(({ refreshToken }) => form({ ...asSecret('web'), ...REFRESH, subject_token: refreshToken })),
      )
    },
  },
  assertion: {
    title: 'private_key_jwt (RS256), refresh token',
    async prepare({ seed, issuer }) {
      const people = await seed.people({ count: SIGNERS_PEOPLE, clientId: 'signer' })
      const assertions = signAssertions(ASSERTIONS_TO_WARM + ROUNDS * ASSERTIONS_PER_ROUND, issuer)
      const bodies = assertions.map((assertion, index) =>
        form({
          client_assertion_type: 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer',
          client_assertion: assertion,
          ...REFRESH,
          subject_token: people[index % people.length]?.refreshToken ?? '',
        }),
      )
      const endOf = (round: number) => ASSERTIONS_TO_WARM + round * ASSERTIONS_PER_ROUND
      return {
        bodies: (round) => bodies.slice(round === 0 ? 0 : endOf(round - 1), endOf(round)),
        once: true,
        seconds: LONG_ENOUGH,
      }
    },
  },
  access_token: {
    title: 'client secret, access token (RS256)',
    async prepare({ seed, issuer }) {
      const people = await seed.people({ count: PEOPLE, clientId: 'web' })
      const tokens = await seed.accessTokens(people, issuer)
      return always(tokens.map((token) => form({ ...asSecret('api'), ...ACCESS, subject_token: token })))
    },
  },
}

export interface Tools {
  readonly load: Load
  readonly bare: Server
}

/** Against the bare server, which is sent the same. */
export async function runScenario(
  name: ScenarioName,
  deployment: Deployment,
  { load, bare }: Tools,
  how: Pick<Side, 'connections' | 'seconds' | 'warmSeconds'>,
): Promise<Measured> {
  const prepared = await SCENARIOS[name].prepare(deployment)
  const own: Side = { load, server: deployment.server, ...prepared, ...how }
  return measure(bareSide({ load, bare }, own), own)
}

export const bareSide = ({ load, bare }: Tools, { bodies, connections }: Side): Side => ({
  load,
  server: bare,
  bodies: () => bodies(0),
  seconds: BARE_SECONDS,
  warmSeconds: BARE_WARM_SECONDS,
  connections,
})

export const secretForm = (subjectToken: string): string =>
  form({ ...asSecret('web'), ...REFRESH, subject_token: subjectToken })

const always = (bodies: readonly string[]) => ({ bodies: () => bodies })
const asSecret = (clientId: string) => ({ client_id: clientId, client_secret: secret })
const REFRESH = { subject_token_type: 'urn:ietf:params:oauth:token-type:refresh_token' }
const ACCESS = { subject_token_type: 'urn:ietf:params:oauth:token-type:access_token' }

const form = (fields: Readonly<Record<string, string>>): string =>
  String(
    new URLSearchParams({
      grant_type: VAULT_GRANT,
      requested_token_type: 'http://auth0.com/oauth/token-type/federated-connection-access-token',
      connection: CONNECTION,
      ...fields,
    }),
  )
