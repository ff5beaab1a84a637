// `{domain}` and `{tenant}` of a profile, filled from a connection's options: the provider's software on somebody's host.
import type { Connection } from '../domain/connection.ts'
import { isString } from '../lib/json.ts'
import type { Endpoints, ProviderProfile } from './catalogue/profile.ts'
import { ConnectionUnavailable } from './errors.ts'

export interface Filling {
  /** @throws {ConnectionUnavailable} the connection does not say what stands there. */
  readonly fill: (text: string) => string
  readonly endpoints: (endpoints: Endpoints) => Endpoints
}

const HOST = /^(?=.{1,253}$)[a-z0-9](?:[a-z0-9-]*[a-z0-9])?(?:\.[a-z0-9](?:[a-z0-9-]*[a-z0-9])?)*(?::\d{1,5})?$/i
const TENANT = /^[\w.-]{1,128}$/
/** As an issuer names it whose tokens name their own tenant. */
const ANY_TENANT = '{tid}'

/** A host or tenant that is none is refused: what it is put into decides who gets our secret. */
export function fillingOf({ options }: Pick<Connection, 'options'>, { placeholders }: ProviderProfile): Filling {
  const domain = (): string => chosen('domain', options.domain, placeholders.domain?.default, HOST)
  const tenant = (): string => chosen('tenant_domain', options.tenant_domain, placeholders.tenant?.default, TENANT)
  const fill = (text: string): string =>
    text.replaceAll('{domain}', () => domain()).replaceAll('{tenant}', () => tenant())
  const issuer = (text: string): string =>
    text.includes('{tenant}') && placeholders.tenant?.any?.includes(tenant())
      ? fill(text.replaceAll('{tenant}', ANY_TENANT))
      : fill(text)
  return {
    fill,
    endpoints: (endpoints) =>
      Object.fromEntries(
        Object.entries(endpoints).flatMap(([name, url]) =>
          url === undefined ? [] : [[name, name === 'issuer' ? issuer(url) : fill(url)]],
        ),
      ),
  }
}

function chosen(option: string, given: unknown, fallback: string | undefined, form: RegExp): string {
  const value = isString(given) && given !== '' ? given : fallback
  if (value === undefined) throw new ConnectionUnavailable(`options.${option} is missing`)
  if (!form.test(value)) throw new ConnectionUnavailable(`options.${option} is not what it should be`)
  return value.toLowerCase()
}
