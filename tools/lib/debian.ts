// What a fresh Debian lacks is installed by its own package manager, and said aloud before.
import { spawnSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { delimiter, join } from 'node:path'

/** The path of a program in PATH, or `undefined`. */
export function findProgram(name: string): string | undefined {
  return (process.env.PATH ?? '')
    .split(delimiter)
    .map((folder) => join(folder, name))
    .find((file) => existsSync(file))
}

/**
 * Installs one Debian package. Output goes to standard error.
 *
 * @throws {Error} that names the package when this is no Debian, or we are not root, or the installation fails.
 */
export function installDebianPackage(name: string, reason: string): void {
  if (process.getuid?.() !== 0 || findProgram('apt-get') === undefined) {
    throw new Error(`${reason}: please install ${name} with your package manager`)
  }
  console.error(`${reason}: installing the Debian package ${name} …`)
  const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' }
  for (const step of [['update'], ['install', '-y', '--no-install-recommends', name]]) {
    const { status } = spawnSync('apt-get', ['-q', ...step], { env, stdio: ['ignore', 2, 2] })
    if (status !== 0) throw new Error(`${reason}: "apt-get ${step.join(' ')}" failed`)
  }
}
