// The tenant of the search: the policy that joins the most, three providers, mailed codes, an app and its backend.
import { MAILBOXES } from './people.ts'

const clients = ['spa']
const oidc = { strategy: 'oidc', enabled_clients: clients }
const provider = (name: string) => ({
  issuer: `https://${name}.test/`,
  client_id: 'tenon',
  client_secret: 'of-upstream',
})

export const SETTINGS = {
  rate_limits: { enabled: false },
  linking: { policy: 'auto_when_authoritative' },
} as const

export const TENANT = {
  settings: SETTINGS,
  clients: [
    { client_id: 'spa', name: 'Pages', app_type: 'spa', callbacks: ['https://spa.test/cb'] },
    { client_id: 'm2m', client_secret: 'm2m-secret-m2m-secret', name: 'Backend', app_type: 'non_interactive' },
  ],
  connections: [
    {
      ...oidc,
      name: 'corp',
      connected_accounts: { active: true },
      options: { ...provider('corp'), trust_email: true, email_domains: ['corp.example'] },
    },
    { ...oidc, name: 'club', options: { ...provider('club'), trust_email: true } },
    { ...oidc, name: 'rogue', options: provider('rogue') },
    { name: MAILBOXES, strategy: 'email', enabled_clients: clients },
  ],
} as const
