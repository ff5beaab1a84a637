// Scopes in plain words: what an app may read, what it may change, and where a person should look twice.
import type { MessageKey } from './locale.ts'

export type AbilityGroup = 'read' | 'change' | 'danger' | 'other'

/** A scope as it was asked for, with the operator's own words when the API is ours. */
export interface AskedScope {
  readonly value: string
  readonly description?: string | undefined
  /** Of the connection: short words mean something else at each provider. */
  readonly strategy?: string | undefined
}

/** Scopes at a provider. */
export const askedAt = (strategy: string | undefined, scopes: readonly string[]): readonly AskedScope[] =>
  scopes.map((value) => ({ value, strategy }))

export interface Ability {
  readonly group: AbilityGroup
  /** A sentence of ours, the operator's words, or the bare scope when nobody can say what it means. */
  readonly words: { readonly key: ScopeMessageKey } | { readonly description: string } | { readonly scope: string }
}

export interface Abilities {
  readonly items: readonly Ability[]
  /** `offline_access` was asked for: it goes on when nobody is there. */
  readonly whileAway: boolean
}

type ScopeMessageKey = Extract<MessageKey, `scope.${string}`>
type Meaning = readonly (readonly [AbilityGroup, ScopeMessageKey])[]

const CALENDAR_READ: Meaning = [['read', 'scope.calendar.read']]
const CALENDAR_WRITE: Meaning = [...CALENDAR_READ, ['change', 'scope.calendar.write']]
const MAIL_READ: Meaning = [['read', 'scope.mail.read']]
const MAIL_CHANGE: Meaning = [...MAIL_READ, ['change', 'scope.mail.change']]
const MAIL_SEND: Meaning = [['danger', 'scope.mail.send']]
const FILES_READ: Meaning = [['read', 'scope.files.read']]
const FILES_ALL: Meaning = [...FILES_READ, ['change', 'scope.files.write'], ['danger', 'scope.files.delete']]
const CONTACTS_READ: Meaning = [['read', 'scope.contacts.read']]
const ORG_ADMIN: Meaning = [
  ['read', 'scope.org.read'],
  ['danger', 'scope.org.admin'],
]
const PROFILE: Meaning = [['read', 'scope.profile']]
const ALL_READ: Meaning = [['read', 'scope.all.read']]
const ALL_CHANGE: Meaning = [...ALL_READ, ['change', 'scope.all.change']]
const ACCOUNT: Meaning = [['read', 'scope.account']]
const EMAIL: Meaning = [['read', 'scope.email']]

const GOOGLE = 'https://www.googleapis.com/auth/'

const MEANINGS: ReadonlyMap<string, Meaning> = new Map<string, Meaning>([
  ['openid', [['read', 'scope.openid']]],
  ['profile', PROFILE],
  ['email', EMAIL],
  ['phone', [['read', 'scope.phone']]],
  ['address', [['read', 'scope.address']]],

  ['calendar.read', CALENDAR_READ],
  ['calendar.write', CALENDAR_WRITE],

  [`${GOOGLE}userinfo.profile`, PROFILE],
  [`${GOOGLE}userinfo.email`, EMAIL],
  [`${GOOGLE}calendar`, [...CALENDAR_WRITE, ['danger', 'scope.calendar.manage']]],
  [`${GOOGLE}calendar.readonly`, CALENDAR_READ],
  [`${GOOGLE}calendar.events`, CALENDAR_WRITE],
  [`${GOOGLE}calendar.events.readonly`, CALENDAR_READ],
  [`${GOOGLE}gmail.readonly`, MAIL_READ],
  [`${GOOGLE}gmail.modify`, [...MAIL_CHANGE, ...MAIL_SEND]],
  [`${GOOGLE}gmail.compose`, [['change', 'scope.mail.change'], ...MAIL_SEND]],
  [`${GOOGLE}gmail.send`, MAIL_SEND],
  ['https://mail.google.com/', [...MAIL_CHANGE, ...MAIL_SEND, ['danger', 'scope.mail.delete']]],
  [`${GOOGLE}drive`, FILES_ALL],
  [`${GOOGLE}drive.readonly`, FILES_READ],
  [`${GOOGLE}drive.file`, [['change', 'scope.files.own']]],
  [`${GOOGLE}contacts`, [...CONTACTS_READ, ['change', 'scope.contacts.write']]],
  [`${GOOGLE}contacts.readonly`, CONTACTS_READ],
  [
    `${GOOGLE}tasks`,
    [
      ['read', 'scope.tasks.read'],
      ['change', 'scope.tasks.write'],
    ],
  ],
  [`${GOOGLE}tasks.readonly`, [['read', 'scope.tasks.read']]],

  [
    'repo',
    [
      ['read', 'scope.repo.read'],
      ['change', 'scope.repo.write'],
    ],
  ],
  ['public_repo', [['change', 'scope.repo.public']]],
  ['repo:status', [['change', 'scope.repo.status']]],
  ['delete_repo', [['danger', 'scope.repo.delete']]],
  ['workflow', [['change', 'scope.workflow']]],
  ['gist', [['change', 'scope.gist']]],
  ['notifications', [['change', 'scope.notifications']]],
  [
    'user',
    [
      ['read', 'scope.user.read'],
      ['change', 'scope.user.write'],
      ['read', 'scope.user.email'],
      ['change', 'scope.user.follow'],
    ],
  ],
  ['read:user', [['read', 'scope.user.read']]],
  ['user:email', [['read', 'scope.user.email']]],
  ['user:follow', [['change', 'scope.user.follow']]],
  ['read:org', [['read', 'scope.org.read']]],
  ['write:org', ORG_ADMIN],
  ['admin:org', ORG_ADMIN],
  ['admin:repo_hook', [['danger', 'scope.repo.hooks']]],
  ['admin:public_key', [['danger', 'scope.keys.admin']]],
  ['admin:gpg_key', [['danger', 'scope.keys.admin']]],
  ['read:packages', [['read', 'scope.packages.read']]],
  ['write:packages', [['change', 'scope.packages.write']]],
  ['delete:packages', [['danger', 'scope.packages.delete']]],

  ['User.Read', ACCOUNT],
  ['Calendars.Read', CALENDAR_READ],
  ['Calendars.ReadWrite', [...CALENDAR_WRITE, ['danger', 'scope.calendar.manage']]],
  ['Mail.Read', MAIL_READ],
  ['Mail.ReadWrite', [...MAIL_CHANGE, ['danger', 'scope.mail.delete']]],
  ['Mail.Send', MAIL_SEND],
  ['Files.Read', FILES_READ],
  ['Files.ReadWrite', FILES_ALL],
  ['Contacts.Read', CONTACTS_READ],
  ['Contacts.ReadWrite', [...CONTACTS_READ, ['change', 'scope.contacts.write']]],
  [
    'Tasks.ReadWrite',
    [
      ['read', 'scope.tasks.read'],
      ['change', 'scope.tasks.write'],
    ],
  ],

  ['channels:read', [['read', 'scope.chat.read']]],
  ['channels:history', [['read', 'scope.chat.read']]],
  ['groups:history', [['read', 'scope.chat.private']]],
  ['im:history', [['read', 'scope.chat.private']]],
  ['chat:write', [['change', 'scope.chat.write']]],
  ['users:read', [['read', 'scope.people.read']]],
  ['users:read.email', [['read', 'scope.people.read']]],

  ['read:me', ACCOUNT],
  ['identify', ACCOUNT],
  ['read_user', [['read', 'scope.user.read']]],
  ['account_info.read', ACCOUNT],
  ['files.metadata.read', FILES_READ],
  ['files.content.read', FILES_READ],
  ['files.content.write', [['change', 'scope.files.write']]],

  ['root_readonly', FILES_READ],
  ['root_readwrite', FILES_ALL],
  ['read:jira-user', [['read', 'scope.people.read']]],
  ['read:jira-work', [['read', 'scope.jira.read']]],
  [
    'write:jira-work',
    [
      ['read', 'scope.jira.read'],
      ['change', 'scope.jira.write'],
    ],
  ],
  ['crm.objects.contacts.read', CONTACTS_READ],
  ['crm.objects.contacts.write', [...CONTACTS_READ, ['change', 'scope.contacts.write']]],
  ['read_api', ALL_READ],
  ['read_repository', [['read', 'scope.repo.read']]],
  ['write_repository', [['change', 'scope.repo.write']]],
  ['current_user:read', ACCOUNT],
  ['user.info.basic', PROFILE],
  ['public_profile', PROFILE],
  ['user-read-email', EMAIL],
  ['user:read:email', EMAIL],
  ['user.email:read', EMAIL],
  ['AaaServer.profile.READ', ACCOUNT],
  ['me:read', ACCOUNT],
  ['account:read', [['read', 'scope.workplace.read']]],
  ['tweet.read', [['read', 'scope.posts.read']]],
  ['tweet.write', [['change', 'scope.posts.write']]],
  ['users.read', [['read', 'scope.user.read']]],
  ['users.email', EMAIL],
  ['w_member_social', [['change', 'scope.posts.write']]],
])

const SALESFORCE: ReadonlyMap<string, Meaning> = new Map([
  ['id', ACCOUNT],
  ['api', ALL_CHANGE],
  ['full', ALL_CHANGE],
])

/** Words that say nothing without the provider in whose mouth they are: by strategy. */
const MEANINGS_AT: Readonly<Record<string, ReadonlyMap<string, Meaning>>> = {
  apple: new Map([['name', PROFILE]]),
  docusign: new Map([['signature', [['change', 'scope.signature']]]]),
  gitlab: new Map([['api', ALL_CHANGE]]),
  hubspot: new Map([['oauth', ACCOUNT]]),
  linear: new Map([
    ['read', ALL_READ],
    ['write', ALL_CHANGE],
  ]),
  reddit: new Map([['identity', ACCOUNT]]),
  salesforce: SALESFORCE,
  'salesforce-sandbox': SALESFORCE,
  strava: new Map([['read', [['read', 'scope.public.read']]]]),
  'stripe-connect': new Map([
    ['read_only', ALL_READ],
    ['read_write', ALL_CHANGE],
  ]),
  trello: new Map([
    ['read', ALL_READ],
    ['write', ALL_CHANGE],
  ]),
  zendesk: new Map([
    ['read', ALL_READ],
    ['write', ALL_CHANGE],
  ]),
}

/** Salesforce's name for it; elsewhere nobody asks for it. */
const AWAY: ReadonlySet<string> = new Set(['offline_access', 'refresh_token'])

/** Says what scopes allow, each thing once, in the order asked. What has no words of ours stays as it is. */
export function describeScopes(scopes: readonly AskedScope[]): Abilities {
  const items = new Map<string, Ability>()
  for (const scope of scopes) {
    if (AWAY.has(scope.value)) continue
    for (const ability of abilitiesOf(scope)) items.set(`${ability.group} ${JSON.stringify(ability.words)}`, ability)
  }
  return { items: [...items.values()], whileAway: scopes.some((scope) => AWAY.has(scope.value)) }
}

function abilitiesOf({ value, description, strategy = '' }: AskedScope): readonly Ability[] {
  if (description) return [{ group: groupByName(value), words: { description } }]
  const meaning = MEANINGS_AT[strategy]?.get(value) ?? MEANINGS.get(value)
  if (!meaning) return [{ group: 'other', words: { scope: value } }]
  return meaning.map(([group, key]) => ({ group, words: { key } }))
}

/** Only for our own APIs, whose operator named and described the scope; a stranger's `read:` promises nothing. */
function groupByName(scope: string): AbilityGroup {
  if (/^(read|list|view|get):|[.:](read|readonly)$/.test(scope)) return 'read'
  if (/^(delete|remove|admin):/.test(scope)) return 'danger'
  return /^(create|update|write|edit):|[.:]write$/.test(scope) ? 'change' : 'other'
}
