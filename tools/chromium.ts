// Browser tests run in a real Chromium: the one that CHROMIUM names, one that is installed, or Debian's.
import { existsSync } from 'node:fs'
import { findProgram, installDebianPackage } from './lib/debian.ts'

const NAMES = ['chromium', 'chromium-browser', 'google-chrome', 'google-chrome-stable']
const MAC = [
  '/Applications/Google Chrome.app/Contents/MacOS/Google Chrome',
  '/Applications/Chromium.app/Contents/MacOS/Chromium',
]

/**
 * Returns the path of a Chromium, which it installs when none is found and the system is a Debian of ours.
 *
 * @throws {Error} when there is none and it cannot be installed, or CHROMIUM names no file.
 */
export function ensureChromium(): string {
  const named = process.env.CHROMIUM
  if (named) {
    if (!existsSync(named)) throw new Error(`CHROMIUM names ${named}, which does not exist`)
    return named
  }
  const present = findChromium()
  if (present !== undefined) return present
  installDebianPackage('chromium', 'no Chromium found')
  const installed = findChromium()
  if (installed === undefined) throw new Error('Chromium was installed and is not found in PATH')
  return installed
}

function findChromium(): string | undefined {
  const inPath = NAMES.map(findProgram).find((path) => path !== undefined)
  return inPath ?? MAC.find((path) => existsSync(path))
}
