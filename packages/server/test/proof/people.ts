// Who takes part, what they have at providers, and what each of them holds.

export type Who = 'victim' | 'attacker'
/** Each has a browser. The attacker gets at the victim's now and then, and does nothing there in the victim's name. */
export type Place = Who

export const OTHER: Readonly<Record<Who, Who>> = { victim: 'attacker', attacker: 'victim' }

/** Mailboxes, which nobody but their owner reads. */
export const ADDRESSES: Readonly<Record<Who, string>> = {
  victim: 'v@corp.example',
  attacker: 'a@corp.example',
}
export const PASSWORDS: Readonly<Record<Who, string>> = {
  victim: 'a phrase of the victim',
  attacker: 'a phrase of the attacker',
}

/**
 * `corp` is honest, gives out the addresses of its domain, and its tokens are kept. `club` is trusted and sloppy: it calls
 * any address verified. `rogue` is hostile: it says whatever helps, and copies subjects of other providers.
 */
export const PROVIDERS = ['corp', 'club', 'rogue'] as const
export type ProviderName = (typeof PROVIDERS)[number]

export interface ProviderAccount {
  readonly provider: ProviderName
  readonly subject: string
  readonly email: string
}

export const ACCOUNTS = {
  'corp/v': { provider: 'corp', subject: 'v', email: ADDRESSES.victim },
  'corp/a': { provider: 'corp', subject: 'a', email: ADDRESSES.attacker },
  'club/v': { provider: 'club', subject: 'v', email: ADDRESSES.victim },
  'club/a': { provider: 'club', subject: 'a', email: ADDRESSES.victim },
  'rogue/v': { provider: 'rogue', subject: 'v', email: ADDRESSES.victim },
} as const satisfies Readonly<Record<string, ProviderAccount>>
export type AccountName = keyof typeof ACCOUNTS

/** Whose they are at the beginning. `corp/v` may be given to the attacker once the victim has unlinked it. */
export const OWN: Readonly<Record<Who, readonly AccountName[]>> = {
  victim: ['corp/v', 'club/v'],
  attacker: ['corp/a', 'club/a', 'rogue/v'],
}

export const PASSED_ON: AccountName = 'corp/v'

/** The connection at which a mailbox signs in, by a code that is mailed to it. */
export const MAILBOXES = 'email'

/** The pages that ask something. */
export const QUESTIONS = ['suggest', 'choose', 'conflict', 'prove', 'merge', 'add'] as const
export type Question = (typeof QUESTIONS)[number]

/** What somebody is in the middle of; whatever they begin next takes its place. */
export type Journey = {
  /**
   * At its beginning they saw that they were signed in as themselves, or as nobody. The victim looks at that before they
   * begin, and not again until it is over.
   */
  readonly own: boolean
} & (
  | { readonly kind: 'code'; readonly uid: string; readonly code: string | undefined }
  /** On the account page: the code went to the address that the account is to go by. */
  | { readonly kind: 'address'; readonly place: Place; readonly uid: string; readonly code: string | undefined }
  /** Signs in, or proves: undefined where the code went to a mailbox that they do not read. */
  | { readonly kind: 'mail-code'; readonly place: Place; readonly uid: string; readonly code: string | undefined }
  /** The provider sent its answer, and the browser has not followed it yet. */
  | {
      readonly kind: 'answer'
      readonly place: Place
      readonly account: AccountName
      readonly path: string
      readonly state: string
    }
  | {
      readonly kind: 'question'
      readonly place: Place
      readonly question: Question
      readonly uid: string
      /** The arrival for which somebody is to be proven. */
      readonly proof: string | undefined
    }
)

/** What the people hold and know. The rest stands in the database. */
export interface People {
  /** The session cookie of each browser, and who signed in with it. */
  readonly sessions: Readonly<Partial<Record<Place, { readonly cookie: string; readonly by: Who }>>>
  readonly journeys: Readonly<Partial<Record<Who, Journey>>>
  /** A single-page app keeps an access token for whoever was signed in when it was opened. */
  readonly apps: Readonly<Partial<Record<Who, { readonly userId: string; readonly grantId: string }>>>
  /** "This was not me" links, from their mails. */
  readonly tickets: Readonly<Record<Who, readonly string[]>>
  /** They sign in, and prove, by mailed codes as well: looked at from some roots, for it makes every state wider. */
  readonly byMail: boolean
  /** `corp/v` is the attacker's now. */
  readonly passedOn: boolean
  /** Users that the victim was signed in as by their own doing. */
  readonly entered: readonly string[]
}

export const NOBODY: People = {
  sessions: {},
  journeys: {},
  apps: {},
  tickets: { victim: [], attacker: [] },
  byMail: false,
  passedOn: false,
  entered: [],
}

/** The provider accounts by which somebody can sign in now. */
export const accountsOf = (who: Who, { passedOn }: People): readonly AccountName[] => {
  if (!passedOn) return OWN[who]
  return who === 'attacker' ? [...OWN.attacker, PASSED_ON] : OWN.victim.filter((name) => name !== PASSED_ON)
}
