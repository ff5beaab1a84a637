/** HubSpot: errors of its own make, tokens in paths, and a refresh token that always is the same. */
import { type Answer, type Json, jsonAnswer, textAnswer } from '../http.ts'
import { OAUTH2 } from '../oauth2.ts'
import type { Provider } from '../provider.ts'
import type { Call } from '../shape.ts'
import { inPlaceOf, tail, type Vendor } from './parts.ts'

const HUB = 62_515

export const hubspot: Vendor = {
  defaults: { refresh: 'always', accessTokenSeconds: 1800 },
  shape: {
    ...OAUTH2,
    kind: 'vendor',
    routes: [
      ...OAUTH2.routes.filter(({ endpoint }) => endpoint !== 'userinfo' && endpoint !== 'revoke'),
      { endpoint: 'userinfo', path: '/oauth/v1/access-tokens/*', handle: describeToken },
      { endpoint: 'revoke', path: '/oauth/v1/refresh-tokens/*', handle: deleteRefreshToken },
    ],
    defaultSubject: (providerName, userKey) => OAUTH2.defaultSubject(providerName, userKey).replace(/\D/g, ''),
    refusal: (reason) =>
      reason === 'bad_refresh_token'
        ? { status: 400, error: 'BAD_REFRESH_TOKEN' }
        : { status: 400, error: reason.toUpperCase() },
    quirks: {
      clientAuth: 'post',
      requestBody: 'form',
      errorFields: (status, message) => ({ status, message, correlationId: '0' }),
      tokenFields: ({ scope, ...fields }, { refreshToken }) => ({ ...fields, refresh_token: refreshToken }),
    },
    connection(provider, scope) {
      const { strategy, options } = inPlaceOf('hubspot', 'oauth')(provider, scope)
      const { userinfo, revoke } = provider.endpoints
      const endpoints = {
        // Cast: `inPlaceOf` made it.
        ...(options.endpoints as Json),
        userinfo: userinfo?.replace('*', '{access_token}'),
        revocation: revoke?.replace('*', '{token}'),
      }
      return { strategy, options: { ...options, endpoints } }
    },
  },
}

function describeToken(provider: Provider, call: Call): Answer {
  const held = provider.grants.findLiveAccessToken(tail(call))
  if (held === undefined) return jsonAnswer(404, { status: 'error', message: 'no such token' })
  const user = provider.users.get(held.family.userKey)
  return jsonAnswer(200, {
    token: tail(call),
    user: user.email,
    user_id: Number(user.sub),
    hub_id: HUB,
    hub_domain: 'acme.example',
    scopes: held.scopes,
  })
}

/** Ends what is to come; access tokens live on until their time is over. */
function deleteRefreshToken(provider: Provider, call: Call): Answer {
  if (call.request.method !== 'DELETE') return jsonAnswer(405, { message: 'Method Not Allowed' }, { allow: 'DELETE' })
  const family = provider.grants.findFamily(tail(call))
  if (family === undefined || family.dead) return jsonAnswer(404, { status: 'error', message: 'no such token' })
  provider.grants.endFamily(family)
  return textAnswer(204, '')
}
