// A browser's cookie jar, as strict as browsers are about prefixes, paths, and which site a request comes from.

export interface Cookie {
  readonly name: string
  readonly value: string
  readonly host: string
  readonly path: string
  readonly secure: boolean
  readonly httpOnly: boolean
  readonly sameSite: 'strict' | 'lax' | 'none'
  /** The `Set-Cookie` line that it came by. */
  readonly line: string
}

export class CookieJar {
  cookies: Cookie[] = []

  /** Takes a `Set-Cookie` line of `from` as a browser would; what breaks the rules of its prefix is dropped. */
  take(line: string, from: URL): void {
    const [pair = '', ...attributes] = line.split(';').map((part) => part.trim())
    const cut = pair.indexOf('=')
    if (cut < 0) return
    const given = new Map(attributes.map((one) => [one.split('=')[0]?.toLowerCase() ?? '', attributeValue(one)]))
    const cookie: Cookie = {
      name: pair.slice(0, cut),
      value: pair.slice(cut + 1),
      host: from.hostname,
      path: given.get('path') ?? '/',
      secure: given.has('secure'),
      httpOnly: given.has('httponly'),
      sameSite: siteRule(given.get('samesite')),
      line,
    }
    if (cookie.secure && !isSecure(from)) return
    if (cookie.name.startsWith('__Host-') && (!cookie.secure || cookie.path !== '/' || given.has('domain'))) return
    if (cookie.sameSite === 'none' && !cookie.secure) return
    this.cookies = this.cookies.filter((one) => one.name !== cookie.name || one.host !== cookie.host)
    if (!isOver(given)) this.cookies.push(cookie)
  }

  /** The `Cookie` header of a request; undefined when there is none to send. */
  header(target: URL, method: string, from: string | undefined): string | undefined {
    const foreign = from !== undefined && siteOf(from) !== siteOf(target.href)
    const sent = this.cookies
      .filter(
        ({ host, path, secure }) =>
          host === target.hostname && target.pathname.startsWith(path) && (!secure || isSecure(target)),
      )
      .filter(({ sameSite }) => !foreign || sameSite === 'none' || (sameSite === 'lax' && method === 'GET'))
    return sent.length === 0 ? undefined : sent.map(({ name, value }) => `${name}=${value}`).join('; ')
  }
}

/** What a browser says of where a request comes from (Fetch Metadata). */
export function fetchSite(
  from: string | undefined,
  target: string,
): 'none' | 'same-origin' | 'same-site' | 'cross-site' {
  if (from === undefined) return 'none'
  if (new URL(from).origin === new URL(target).origin) return 'same-origin'
  return siteOf(from) === siteOf(target) ? 'same-site' : 'cross-site'
}

const attributeValue = (attribute: string) => attribute.slice(attribute.indexOf('=') + 1).trim()

const siteRule = (given: string | undefined) => {
  const rule = given?.toLowerCase()
  return rule === 'none' || rule === 'strict' ? rule : 'lax'
}

function isOver(given: ReadonlyMap<string, string>): boolean {
  const maxAge = given.get('max-age')
  if (maxAge !== undefined) return Number(maxAge) <= 0
  const expires = given.get('expires')
  return expires !== undefined && Date.parse(expires) <= Date.now()
}

const isSecure = ({ protocol, hostname }: URL) =>
  protocol === 'https:' || hostname === '127.0.0.1' || hostname === 'localhost'

/** Hosts are literal here: a site is scheme and host, whatever the port. */
function siteOf(url: string): string {
  const { protocol, hostname } = new URL(url)
  return `${protocol}//${hostname}`
}
