// Whole records for tests that care about two or three of their members.
import { randomUUID } from 'node:crypto'
import type { StoredAccount } from '../../src/domain/tokenset.ts'
import type { Identity, User } from '../../src/domain/user.ts'
import type {
  Artifact,
  ArtifactKind,
  ClientRecord,
  ConnectionRecord,
  ConnectRequest,
  LinkRecord,
  MailProof,
  RevocationJob,
  UpstreamTransaction,
} from '../../src/storage/records.ts'
import type { PasswordRecord, Repositories, Storage } from '../../src/storage/storage.ts'

/** A name that no other test uses: the tests of one database share its tables. */
export const unique = (what: string): string => `${what}-${randomUUID().slice(0, 13)}`

export const bytes = (...values: number[]): Uint8Array => Uint8Array.from(values)

export const NOW = 1_800_000_000

export const sampleUser = (over: Partial<User> = {}): User => ({
  userId: unique('acme|user'),
  email: undefined,
  emailVerified: false,
  profile: {},
  userMetadata: {},
  appMetadata: {},
  blocked: false,
  createdAt: NOW,
  updatedAt: NOW,
  lastLogin: undefined,
  lastIp: undefined,
  loginsCount: 0,
  ...over,
})

/** Stores a new user, as one does: the id first. */
export async function insertUser(tx: Repositories, over: Partial<User> = {}): Promise<User> {
  const user = sampleUser(over)
  await tx.users.claimId(user.userId)
  await tx.users.insert(user)
  return user
}

export const storedUser = (storage: Storage, over: Partial<User> = {}): Promise<User> =>
  storage.transaction((tx) => insertUser(tx, over))

export const sampleIdentity = (over: Partial<Identity> & Pick<Identity, 'userId'>): Identity => ({
  connectionId: 'con_acme',
  subject: unique('subject'),
  position: 0,
  profileData: {},
  createdAt: NOW,
  lastLogin: undefined,
  ...over,
})

export const samplePassword = (over: Partial<PasswordRecord> = {}): PasswordRecord => ({
  connectionId: 'con_password',
  subject: unique('subject'),
  address: `${unique('ada')}@example.test`,
  hash: 'argon2id$1',
  changedAt: NOW,
  ...over,
})

export const sampleClient = (over: Partial<ClientRecord> = {}): ClientRecord => ({
  clientId: unique('client'),
  secretHash: 'a'.repeat(64),
  document: { name: 'Agent', grant_types: ['authorization_code'], nested: { yes: true, none: null, n: 1.5 } },
  createdAt: NOW,
  updatedAt: NOW,
  ...over,
})

export const sampleConnection = (over: Partial<ConnectionRecord> = {}): ConnectionRecord => ({
  id: unique('con'),
  name: unique('acme'),
  strategy: 'oidc',
  document: { options: { issuer: 'https://acme.test/' } },
  secretEnvelope: bytes(1, 0, 255),
  createdAt: NOW,
  updatedAt: NOW,
  ...over,
})

export const sampleArtifact = <K extends ArtifactKind>(
  over: Partial<Artifact> & { readonly kind: K },
): Artifact & { readonly kind: K } => ({
  idHash: unique('hash'),
  uid: undefined,
  grantId: undefined,
  userId: undefined,
  clientId: undefined,
  payload: { iat: NOW },
  createdAt: NOW,
  expiresAt: NOW + 3600,
  consumedAt: undefined,
  successorEnvelope: undefined,
  identityKey: undefined,
  ...over,
})

export const sampleTransaction = (over: Partial<UpstreamTransaction> = {}): UpstreamTransaction => ({
  stateHash: unique('state'),
  kind: 'login',
  connectionId: 'con_acme',
  callbackPath: '/login/callback/acme',
  browserHash: 'b'.repeat(64),
  interactionHash: 'i'.repeat(64),
  sessionUid: undefined,
  userId: undefined,
  clientId: 'web',
  nonce: 'n',
  verifierEnvelope: bytes(9, 8, 7),
  scopes: ['openid'],
  createdAt: NOW,
  expiresAt: NOW + 600,
  ...over,
})

export const sampleConnect = (over: Partial<ConnectRequest> & Pick<ConnectRequest, 'userId'>): ConnectRequest => ({
  authSessionHash: unique('auth-session'),
  ticketHash: unique('ticket'),
  connectCodeHash: undefined,
  clientId: 'web',
  connectionId: 'con_acme',
  redirectUri: 'https://app.test/cb',
  state: undefined,
  codeChallenge: undefined,
  scopes: ['repo', 'read:user'],
  authorizationParams: { prompt: 'consent' },
  dpopThumbprint: undefined,
  status: 'created',
  browserHash: undefined,
  sessionUid: undefined,
  pendingEnvelope: undefined,
  createdAt: NOW,
  expiresAt: NOW + 600,
  ...over,
})

export const sampleProof = (over: Partial<MailProof> & Pick<MailProof, 'userId'>): MailProof => ({
  idHash: unique('proof'),
  kind: 'verify',
  address: 'ada@example.test',
  boundTo: '',
  attempts: 0,
  createdAt: NOW,
  expiresAt: NOW + 600,
  ...over,
})

export const sampleAccount = (over: Partial<StoredAccount> & Pick<StoredAccount, 'userId'>): StoredAccount => ({
  id: unique('cac'),
  connectionId: 'con_acme',
  subject: unique('subject'),
  purpose: 'agents',
  label: 'Ada at Acme',
  isDefault: false,
  clientId: 'web',
  scopesAsked: ['read', 'write'],
  scopesGranted: ['read'],
  health: 'ok',
  healthReason: undefined,
  extras: { instance_url: 'https://acme.test' },
  createdAt: NOW,
  connectedAt: NOW,
  lastUsedAt: undefined,
  accessExpiresAt: NOW + 3600,
  refreshExpiresAt: undefined,
  hasRefreshToken: true,
  generation: 1,
  intentGeneration: undefined,
  intentStartedAt: undefined,
  envelope: bytes(0, 1, 2, 250),
  ...over,
})

export const sampleRevocation = (over: Partial<RevocationJob> = {}): RevocationJob => ({
  id: unique('revocation'),
  userId: 'acme|gone',
  connectionId: 'con_acme',
  accountId: unique('cac'),
  subject: 'subject',
  hint: 'refresh_token',
  envelope: bytes(4, 4),
  attempts: 0,
  dueAt: NOW,
  ...over,
})

export const sampleLink = (over: Partial<LinkRecord> = {}): LinkRecord => ({
  id: unique('lnk'),
  primaryUserId: unique('acme|primary'),
  secondaryUserId: unique('acme|secondary'),
  identity: { connectionId: 'con_acme', subject: unique('subject') },
  clientId: undefined,
  actor: undefined,
  rule: 'management',
  proof: { by: 'scope', scope: 'update:users' },
  plan: { identities: [{ outcome: 'moved' }] },
  planHash: 'hash',
  createdAt: NOW,
  undoUntil: NOW + 100,
  undoneAt: undefined,
  undoneBy: undefined,
  ...over,
})
