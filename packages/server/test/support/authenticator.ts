// A person's device that makes and shows passkeys, in software: WebAuthn by hand, so that each part can be wrong.
import { createHash, generateKeyPairSync, type KeyObject, randomBytes, sign } from 'node:crypto'

export interface PasskeyOptions {
  readonly challenge: string
  readonly user?: { readonly id: string }
}

/** What an answer says otherwise than it should. */
export interface Lie {
  readonly origin?: string
  readonly rpId?: string
  readonly challenge?: string
  /** The device did not ask who is there. */
  readonly unverified?: boolean
  readonly counter?: number
  readonly userHandle?: string
}

const [PRESENT, VERIFIED, ATTESTED] = [0x01, 0x04, 0x40]
const sha256 = (data: string | Buffer) => createHash('sha256').update(data).digest()

export class Authenticator {
  readonly id = randomBytes(16)
  readonly #origin: string
  readonly #keys: { publicKey: KeyObject; privateKey: KeyObject }
  #userHandle = ''
  #counter = 0

  constructor(origin: string) {
    this.#origin = origin
    this.#keys = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  }

  /** The answer to `navigator.credentials.create`, as JSON. */
  make(options: PasskeyOptions, lie: Lie = {}): string {
    this.#userHandle = options.user?.id ?? ''
    const { x = '', y = '' } = this.#keys.publicKey.export({ format: 'jwk' })
    // COSE (RFC 9053 §7.1): EC2, ES256, P-256.
    const key = Buffer.concat([
      Buffer.from('a5010203262001215820', 'hex'),
      Buffer.from(x, 'base64url'),
      Buffer.from('225820', 'hex'),
      Buffer.from(y, 'base64url'),
    ])
    const length = Buffer.from([0, this.id.length])
    const data = Buffer.concat([this.#head(ATTESTED, lie), Buffer.alloc(16), length, this.id, key])
    // { fmt: 'none', attStmt: {}, authData }
    const size = Buffer.from([0x58, data.length])
    const attestation = Buffer.from('a363666d74646e6f6e656761747453746d74a0686175746844617461', 'hex')
    return this.#credential({
      clientDataJSON: this.#client('webauthn.create', options, lie).toString('base64url'),
      attestationObject: Buffer.concat([attestation, size, data]).toString('base64url'),
      transports: ['internal'],
    })
  }

  /** The answer to `navigator.credentials.get`, as JSON. */
  show(options: PasskeyOptions, lie: Lie = {}): string {
    this.#counter++
    const data = this.#head(0, lie)
    const client = this.#client('webauthn.get', options, lie)
    const signature = sign('sha256', Buffer.concat([data, sha256(client)]), this.#keys.privateKey)
    return this.#credential({
      clientDataJSON: client.toString('base64url'),
      authenticatorData: data.toString('base64url'),
      signature: signature.toString('base64url'),
      userHandle: lie.userHandle ?? this.#userHandle,
    })
  }

  #head(more: number, { rpId, unverified = false, counter }: Lie): Buffer {
    const flags = PRESENT | (unverified ? 0 : VERIFIED) | more
    const head = Buffer.alloc(5)
    head.writeUInt8(flags, 0)
    head.writeUInt32BE(counter ?? this.#counter, 1)
    return Buffer.concat([sha256(rpId ?? new URL(this.#origin).hostname), head])
  }

  #client(type: string, { challenge }: PasskeyOptions, lie: Lie): Buffer {
    const data = { type, challenge: lie.challenge ?? challenge, origin: lie.origin ?? this.#origin, crossOrigin: false }
    return Buffer.from(JSON.stringify(data))
  }

  #credential(response: object): string {
    const id = this.id.toString('base64url')
    const rest = { type: 'public-key', clientExtensionResults: {}, authenticatorAttachment: 'platform' }
    return JSON.stringify({ id, rawId: id, ...rest, response })
  }
}
