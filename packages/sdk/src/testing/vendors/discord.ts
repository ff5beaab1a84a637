/** Discord: form requests alone, ids as long texts of digits, and one revocation for all that was granted. */
import { OAUTH2 } from '../oauth2.ts'
import { decimalSubject } from '../users.ts'
import { aboutMe, inPlaceOf, type Vendor } from './parts.ts'

export const discord: Vendor = {
  defaults: { refresh: 'always', rotation: 'rotating', accessTokenSeconds: 604_800, revocationEnds: 'grant' },
  shape: {
    ...OAUTH2,
    kind: 'vendor',
    routes: [
      ...OAUTH2.routes.filter(({ endpoint }) => endpoint !== 'userinfo'),
      {
        endpoint: 'userinfo',
        path: '/api/users/@me',
        handle: aboutMe('GET', ({ sub, login, name, email, emailVerified }) => ({
          id: sub,
          username: login,
          global_name: name,
          email,
          verified: emailVerified === true,
        })),
      },
    ],
    defaultSubject: (providerName, userKey) => decimalSubject(`${providerName}:${userKey}`, 18),
    quirks: { requestBody: 'form' },
    connection: inPlaceOf('discord', 'identify email'),
  },
}
