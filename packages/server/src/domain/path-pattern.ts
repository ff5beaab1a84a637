// Patterns of the paths of a provider's API: `*` is one segment, `**` at the end is what is left.

/**
 * Whether a path fits. Compared as a provider may read it: decoded, without regard to case, and with an encoded slash
 * both as a character and as a slash, so that no spelling of a path escapes a pattern that means it.
 *
 * @param path as it is sent, with its percent signs right.
 */
export function fitsPath(pattern: string, path: string): boolean {
  const wanted = segmentsOf(pattern).map((one) => one.toLowerCase())
  const raw = segmentsOf(path).map(decoded)
  return fits(wanted, raw) || fits(wanted, segmentsOf(raw.join('/')))
}

const segmentsOf = (path: string): string[] => path.split('/').filter((one) => one !== '')

const decoded = (segment: string): string => decodeURIComponent(segment).toLowerCase()

function fits(pattern: readonly string[], segments: readonly string[]): boolean {
  const open = pattern.at(-1) === '**'
  const wanted = open ? pattern.slice(0, -1) : pattern
  if (open ? segments.length < wanted.length : segments.length !== wanted.length) return false
  return wanted.every((one, at) => one === '*' || one === segments[at])
}
