// A mail server as small as it can be: takes every mail, refuses what it is told to, remembers what was said to it.
import { once } from 'node:events'
import { type AddressInfo, createServer, type Socket } from 'node:net'

export interface ReceivedMail {
  readonly sender: string
  readonly recipients: readonly string[]
  /** Head and body as they came, without the closing dot. */
  readonly raw: string
}

export interface TestSmtpServer {
  readonly port: number
  readonly mails: readonly ReceivedMail[]
  /** Credentials of AUTH PLAIN as they came. */
  readonly logins: readonly string[]
  /** What the next `RCPT TO` commands are answered. */
  refuseNext(...answers: readonly string[]): void
  /** From now on it takes mails and never says so. */
  hold(): void
  stop(): Promise<void>
}

export async function startSmtpServer(): Promise<TestSmtpServer> {
  const mails: ReceivedMail[] = []
  const logins: string[] = []
  const refusals: string[] = []
  const sockets = new Set<Socket>()
  const memory: Memory = { mails, logins, refusals, holding: false }
  const server = createServer((socket) => {
    sockets.add(socket)
    socket.on('error', () => {})
    talk(socket, memory)
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  return {
    // Listening on TCP, so that it has an address with a port.
    port: (server.address() as AddressInfo).port,
    mails,
    logins,
    refuseNext: (...answers) => void refusals.push(...answers),
    hold() {
      memory.holding = true
    },
    async stop() {
      for (const socket of sockets) socket.destroy()
      server.close()
      await once(server, 'close')
    },
  }
}

interface Memory {
  readonly mails: ReceivedMail[]
  readonly logins: string[]
  readonly refusals: string[]
  holding: boolean
}

function talk(socket: Socket, memory: Memory): void {
  const { mails, logins, refusals } = memory
  let sender = ''
  let recipients: string[] = []
  let body: string[] | undefined
  let rest = ''
  const say = (line: string) => socket.write(`${line}\r\n`)
  const hear = (line: string) => {
    if (body !== undefined) {
      if (line !== '.') return void body.push(line.replace(/^\./, ''))
      mails.push({ sender, recipients, raw: body.join('\r\n') })
      body = undefined
      recipients = []
      return memory.holding ? undefined : say('250 taken')
    }
    if (/^EHLO/i.test(line)) return say('250-mail.test\r\n250 AUTH PLAIN')
    if (/^AUTH PLAIN /i.test(line)) {
      logins.push(Buffer.from(line.slice('AUTH PLAIN '.length), 'base64').toString().split('\0').slice(1).join(':'))
      return say('235 welcome')
    }
    if (/^MAIL FROM:/i.test(line)) sender = /<(.*?)>/.exec(line)?.[1] ?? ''
    if (/^RCPT TO:/i.test(line)) {
      const refusal = refusals.shift()
      if (refusal !== undefined) return say(refusal)
      recipients.push(/<(.*?)>/.exec(line)?.[1] ?? '')
    }
    if (/^QUIT/i.test(line)) return socket.end('221 bye\r\n')
    if (!/^DATA/i.test(line)) return say('250 fine')
    body = []
    return say('354 go on')
  }
  socket.on('data', (chunk) => {
    const lines = (rest + chunk.toString('latin1')).split('\r\n')
    rest = lines.pop() ?? ''
    for (const line of lines) hear(line)
  })
  say('220 mail.test ESMTP')
}
