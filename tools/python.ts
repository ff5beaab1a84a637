// The Python of the guides runs on a Python 3 that is installed, or on Debian's.
import { findProgram, installDebianPackage } from './lib/debian.ts'

/** Returns the path of a Python 3, which it installs when none is found and the system is a Debian of ours. @throws {Error} */
export function ensurePython(): string {
  const present = findProgram('python3')
  if (present !== undefined) return present
  installDebianPackage('python3', 'no Python found')
  const installed = findProgram('python3')
  if (installed === undefined) throw new Error('Python was installed and is not found in PATH')
  return installed
}
