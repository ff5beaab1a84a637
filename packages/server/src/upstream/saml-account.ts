// Who a SAML assertion is about. What names the person must be theirs for good: a persistent NameID, or an attribute that
// the operator says is immutable (linking.md §1; threats T-SAML-07, T-PRE-06).
import type { Connection } from '../domain/connection.ts'
import { isJsonObject, isString, type JsonObject, stringsOf } from '../lib/json.ts'
import { OIDC_CLAIMS } from './catalogue/generic.ts'
import type { UpstreamAccount } from './connector.ts'
import { ConnectionUnavailable, UpstreamRefused } from './errors.ts'
import { emailClaim, readProfile, upstreamName } from './profile-claims.ts'
import type { NameId, SamlAssertion } from './saml-assertion.ts'
import { isChangeableName } from './settings.ts'
import { readSubject } from './subject.ts'

export const PERSISTENT = 'urn:oasis:names:tc:SAML:2.0:nameid-format:persistent'

export interface SamlNames {
  /** Undefined: the persistent NameID. */
  readonly subject: string | undefined
  /** Our claim → names of attributes, the first that is there counts. */
  readonly claims: Readonly<Record<string, readonly string[]>>
  /** The operator says that an address of this provider's is proven. */
  readonly trustsAddresses: boolean
}

const CLAIM = 'http://schemas.xmlsoap.org/ws/2005/05/identity/claims'
const USUAL: Readonly<Record<string, readonly string[]>> = {
  email: ['email', 'mail', `${CLAIM}/emailaddress`, 'urn:oid:0.9.2342.19200300.100.1.3'],
  name: ['name', 'displayName', `${CLAIM}/name`, 'urn:oid:2.16.840.1.113730.3.1.241'],
  given_name: ['given_name', 'givenName', `${CLAIM}/givenname`, 'urn:oid:2.5.4.42'],
  family_name: ['family_name', 'sn', `${CLAIM}/surname`, 'urn:oid:2.5.4.4'],
}

/** @throws {ConnectionUnavailable} the attribute that is to name people is one that changes. */
export function samlNamesOf({ options }: Pick<Connection, 'options'>): SamlNames {
  const { user_id: mapped, ...fields } = isJsonObject(options.fieldsMap) ? options.fieldsMap : {}
  const subject = isString(options.user_id_attribute) ? options.user_id_attribute : listOf(mapped)[0]
  if (subject !== undefined && isChangeableName(subject))
    throw new ConnectionUnavailable('options.user_id_attribute names something changeable')
  const claims = Object.fromEntries(Object.entries(fields).map(([field, names]) => [field, listOf(names)]))
  return { subject, claims: { ...USUAL, ...claims }, trustsAddresses: options.trust_email === true }
}

const listOf = (names: unknown): readonly string[] => (isString(names) ? [names] : stringsOf(names))

export function samlAccountOf(
  assertion: SamlAssertion,
  names: SamlNames,
  audience: string,
): Omit<UpstreamAccount, 'once'> {
  const { attributes } = assertion
  const said = Object.fromEntries(
    Object.entries(names.claims).flatMap(([claim, from]) => {
      const value = from.map((name) => attributes.get(name)?.[0]).find((one) => one !== undefined)
      return value === undefined ? [] : [[claim, value]]
    }),
  )
  const subject = subjectOf(assertion, names.subject, audience)
  const profile = readProfile(said, OIDC_CLAIMS)
  const { email, emailVerified } = emailClaim(said.email, names.trustsAddresses)
  const claims: JsonObject = Object.fromEntries([...attributes].map(([name, values]) => [name, [...values]]))
  return {
    subject,
    profile,
    email,
    emailVerified,
    authoritativeDomains: [],
    upstreamName: upstreamName(profile, email, subject),
    tokenset: undefined,
    claims,
  }
}

function subjectOf(
  { nameId, attributes, issuer }: SamlAssertion,
  attribute: string | undefined,
  audience: string,
): string {
  if (attribute === undefined) return readSubject(requirePersistent(nameId, issuer, audience), 'string')
  const values = attributes.get(attribute) ?? []
  if (values.length !== 1) throw new UpstreamRefused('subject_invalid', { detail: 'user_id_attribute' })
  return readSubject(values[0], 'string')
}

/** A transient NameID is another one each time; an address, or a name of no stated kind, may become somebody else's. */
function requirePersistent(nameId: NameId | undefined, issuer: string, audience: string): string {
  if (nameId?.format !== PERSISTENT) throw new UpstreamRefused('subject_invalid', { detail: 'name id format' })
  const { value, nameQualifier = issuer, spNameQualifier = audience } = nameId
  // Persistent names are pairwise: one that was made by or for others names nobody here (saml-core §8.3.7).
  if (nameQualifier !== issuer || spNameQualifier !== audience)
    throw new UpstreamRefused('subject_invalid', { detail: 'name id qualifier' })
  return value
}
