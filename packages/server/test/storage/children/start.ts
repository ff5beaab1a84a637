// Starts a child of this folder and listens to it.
import { type ChildProcess, fork } from 'node:child_process'
import { on, once } from 'node:events'
import { join } from 'node:path'
import { after } from 'node:test'

export type ChildName = 'writer' | 'lock-holder' | 'migrator'

const children = new Set<ChildProcess>()
// One that stayed, because its test failed, would keep the whole run waiting.
after(() => Promise.all([...children].map(killHard)))

export function startChild(name: ChildName, ...args: string[]): ChildProcess {
  const child = fork(join(import.meta.dirname, `${name}.ts`), args, { stdio: ['ignore', 'inherit', 'inherit', 'ipc'] })
  children.add(child)
  return child
}

/** The child's next message. Ask before it can be sent. */
export async function nextMessage(child: ChildProcess): Promise<unknown> {
  const [message] = await once(child, 'message')
  return message
}

/** Every message until `isLast` says that it has seen enough. */
export async function messagesUntil(child: ChildProcess, isLast: (message: unknown) => boolean): Promise<unknown[]> {
  const messages: unknown[] = []
  for await (const [message] of on(child, 'message')) {
    messages.push(message)
    if (isLast(message)) break
  }
  return messages
}

/** Ends a child as a power cut would: it gets to do nothing any more. */
export async function killHard(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return
  const gone = once(child, 'exit')
  child.kill('SIGKILL')
  await gone
}
