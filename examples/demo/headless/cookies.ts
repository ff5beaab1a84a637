// Cookies as browsers keep them (RFC 6265), as far as one machine needs it: by host, whatever the port.

interface Cookie {
  readonly name: string
  readonly value: string
  readonly host: string
  readonly path: string
}

export class CookieJar {
  #cookies: readonly Cookie[] = []

  take(url: string, headers: readonly string[]): void {
    for (const header of headers) {
      const { cookie, isGone } = parse(header, new URL(url))
      const others = this.#cookies.filter(
        ({ name, host, path }) => name !== cookie.name || host !== cookie.host || path !== cookie.path,
      )
      this.#cookies = isGone ? others : [...others, cookie]
    }
  }

  /** The `Cookie` header; empty when there is none. Loopback counts as secure, as in browsers. */
  header(url: string): string {
    const { hostname, pathname } = new URL(url)
    return this.#cookies
      .filter(({ host, path }) => host === hostname && isBelow(pathname, path))
      .map(({ name, value }) => `${name}=${value}`)
      .join('; ')
  }
}

function parse(header: string, { hostname, pathname }: URL): { readonly cookie: Cookie; readonly isGone: boolean } {
  const [pair = '', ...attributes] = header.split(/;\s*/)
  const cut = pair.indexOf('=')
  const given = new Map(attributes.map((one) => [one.split('=')[0]?.toLowerCase(), one.slice(one.indexOf('=') + 1)]))
  const folder = pathname.slice(0, pathname.lastIndexOf('/')) || '/'
  const cookie = {
    name: pair.slice(0, cut),
    value: pair.slice(cut + 1),
    host: hostname,
    path: given.get('path') ?? folder,
  }
  const ends = given.get('expires')
  return { cookie, isGone: given.get('max-age') === '0' || (ends !== undefined && Date.parse(ends) < Date.now()) }
}

const isBelow = (pathname: string, path: string): boolean =>
  pathname === path || pathname.startsWith(path.endsWith('/') ? path : `${path}/`)
