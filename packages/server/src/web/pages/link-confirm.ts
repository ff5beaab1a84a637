// A client asks to connect an account that was just proved upstream. Nothing is written before the yes.
import type { EpochSeconds } from '../../lib/time.ts'
import type { SignInWay } from './account.ts'
import {
  abilities,
  chip,
  choicePair,
  facts,
  heading,
  linkButton,
  maskedAddress,
  monogram,
  notice,
  ownWords,
  section,
  softLine,
  textLink,
} from './components.ts'
import { typedKey } from './enter-credential.ts'
import { type FormTarget, form } from './forms.ts'
import { type Html, type HtmlValue, html } from './html.ts'
import { type PageFrame, renderLetter } from './layout.ts'
import { day, listOf, say, sayPlain } from './locale.ts'
import { type Abilities, type AskedScope, describeScopes } from './scopes.ts'
import { said } from './text.ts'

export interface LinkConfirmView {
  readonly frame: PageFrame
  /** Takes `action=confirm`, `action=cancel` and `prompt=select_account`. */
  readonly form: FormTarget
  /** Who asks; undefined when it is the person, from their own pages. */
  readonly client?: LinkClient | undefined
  readonly user: LinkUser
  readonly account: LinkAccount
  readonly scopes: readonly AskedScope[]
  /** From now on the account signs its person in. */
  readonly forSignIn: boolean
  /** Its tokens are kept for the client. */
  readonly keepsTokens: boolean
  /** When access ends by itself. */
  readonly until?: EpochSeconds | undefined
  /** Where the person can stop it. */
  readonly manageUrl?: string | undefined
  /** The provider can be asked for another account. */
  readonly mayChooseAnother: boolean
  /** It can be made to ask which one; else the person signs out there first. */
  readonly asksThere: boolean
  /** The person typed a key or password of theirs; `isGiven`: the client sees it. */
  readonly typed?: { readonly isGiven: boolean } | undefined
  /** Label of the account that was meant: this is another one. */
  readonly insteadOf?: string | undefined
}

export interface LinkClient {
  readonly name: string
  readonly kind: 'app' | 'agent'
  readonly publisher?: string | undefined
  readonly host?: string | undefined
  /** What it says that it wants this for. */
  readonly purpose?: string | undefined
}

export interface LinkUser {
  readonly name: string
  readonly address?: string | undefined
  readonly ways: readonly SignInWay[]
}

export interface LinkAccount {
  readonly connection: string
  readonly connectionDisplayName: string
  /** Login or name at the provider; its subject when there is neither. */
  readonly name: string
  readonly address?: string | undefined
}

export function renderLinkConfirm(view: LinkConfirmView): Html {
  const { frame, form: target, client, account } = view
  const values = { connection: account.connectionDisplayName }
  const no = { value: 'cancel', words: say(frame, 'page.cancel') }
  const yes = { value: 'confirm', words: say(frame, yesKey(view)) }
  const title = client === undefined ? 'add.title' : 'link.title'
  const content = html`${instead(view)}${heading(say(frame, title, values), leadOf(view))}
<div class="join">
${yourCard(view)}
${otherCard(view)}
</div>
${client && section('who', say(frame, client.purpose === undefined ? 'link.who' : 'link.who-and-what'), whoAsks(frame, client))}
${whatItMay(view)}
${form(target, { name: 'link-confirm' }, choicePair(no, yes))}
${softLine(ifNot(view))}`
  return renderLetter(frame, {
    page: 'link-confirm',
    title: sayPlain(frame, title, values),
    width: 'two',
    content,
  })
}

/** What becomes of what was just learnt. */
function ifNot({ frame, client, account, typed }: LinkConfirmView): Html {
  const values = { connection: account.connectionDisplayName }
  if (client === undefined) return typed ? say(frame, 'typed.if-no.own') : say(frame, 'add.if-no', values)
  return typed
    ? say(frame, 'typed.if-no.confirm', { client: client.name })
    : say(frame, 'link.if-no', { ...values, client: client.name })
}

function yesKey({ client, insteadOf }: LinkConfirmView) {
  if (insteadOf !== undefined) return 'link.instead.confirm'
  return client === undefined ? 'add.confirm' : 'link.confirm'
}

/** Never taken for the one that was meant (T-CONN-08): the person says what becomes of it. */
function instead({ frame, insteadOf, account, typed }: LinkConfirmView): Html | undefined {
  if (insteadOf === undefined) return undefined
  const words = say(frame, typed ? 'typed.instead' : 'link.instead', {
    meant: insteadOf,
    connection: account.connectionDisplayName,
  })
  return notice(words, { tone: 'warn', announce: true })
}

function leadOf({ frame, client, forSignIn }: LinkConfirmView): Html {
  if (client !== undefined) return say(frame, 'link.lead', { client: client.name })
  return say(frame, forSignIn ? 'add.lead.sign-in' : 'add.lead.agents')
}

function yourCard({ frame, user }: LinkConfirmView): Html {
  const ways = listOf(
    frame,
    user.ways.map((way) => (way.kind === 'password' ? say(frame, 'account.way.password') : said(way.displayName))),
  )
  return html`<section class="card" aria-labelledby="yours">
<h2 class="kicker" id="yours">${say(frame, 'link.yours', { tenant: frame.tenantName })}</h2>
${chip(monogram(user.name), html`<b>${said(user.name)}</b>`, user.address !== undefined && maskedAddress(user.address))}
${user.ways.length > 0 && html`<dl class="push"><dt>${say(frame, 'link.ways')}</dt><dd>${ways}</dd></dl>`}
</section>`
}

function otherCard({ frame, form: target, account, client, mayChooseAnother, asksThere }: LinkConfirmView): Html {
  const { connection, connectionDisplayName, name, address } = account
  const title = say(frame, 'link.account-at', { account: name, connection: connectionDisplayName })
  const another = linkButton(
    'prompt',
    'select_account',
    say(frame, 'link.another', { connection: connectionDisplayName }),
  )
  return html`<section class="card" aria-labelledby="other">
<h2 class="kicker" id="other">${say(frame, client === undefined ? 'add.other' : 'link.other')}</h2>
${chip(monogram(connectionDisplayName, { hueBy: connection }), title, address !== undefined && maskedAddress(address))}
${
  mayChooseAnother &&
  html`<div class="push small">${form(target, {}, another)}${
    !asksThere && html`<p class="soft">${say(frame, 'link.another.first', { connection: connectionDisplayName })}</p>`
  }</div>`
}
</section>`
}

function whoAsks(frame: PageFrame, client: LinkClient): Html {
  const { name, kind, publisher, host, purpose } = client
  const line =
    publisher !== undefined && host !== undefined
      ? say(frame, 'link.made-by', { publisher, host })
      : host !== undefined && say(frame, 'consent.at', { host })
  return html`${chip(monogram(name), say(frame, `link.who.${kind}`, { client: name }), line && html`<span class="small soft">${line}</span>`)}
${purpose !== undefined && ownWords(frame, purpose)}`
}

function whatItMay(view: LinkConfirmView): Html {
  const { frame, scopes, account, client, keepsTokens } = view
  const asked = describeScopes(scopes)
  const may =
    asked.items.length > 0
      ? abilities(frame, asked)
      : html`<p class="can-nothing">${
          keepsTokens
            ? say(frame, 'link.may.unnamed', { connection: account.connectionDisplayName })
            : say(frame, 'link.may.nothing')
        }</p>`
  // What nobody keeps, nobody may do anything with.
  const isBare = client === undefined && !keepsTokens
  const title = isBare
    ? say(frame, 'add.terms')
    : say(frame, client === undefined ? 'add.may' : 'link.may', { account: account.name })
  return html`<section aria-labelledby="may"><h2 id="may">${title}</h2>
${!isBare && may}
${facts(terms(view, asked), 'ruled')}
</section>`
}

function terms(view: LinkConfirmView, asked: Abilities): readonly (readonly [HtmlValue, HtmlValue])[] {
  const { frame, client, forSignIn, keepsTokens, typed } = view
  const tenant = { tenant: frame.tenantName }
  const rows: (readonly [HtmlValue, HtmlValue])[] = [
    [
      say(frame, 'link.sign-in'),
      forSignIn ? say(frame, 'link.sign-in.yes', tenant) : say(frame, 'link.sign-in.no', tenant),
    ],
    [say(frame, 'link.how-long'), howLong(view)],
  ]
  if (asked.whileAway) rows.push([say(frame, 'can.away'), say(frame, 'can.away.yes')])
  const key =
    client === undefined
      ? say(frame, 'add.key.text', tenant)
      : say(frame, 'link.key.text', { ...tenant, client: client.name })
  if (keepsTokens) rows.push([say(frame, 'link.key'), typed ? typedKey(frame, client && { ...client, ...typed }) : key])
  return rows
}

function howLong({ frame, until, manageUrl }: LinkConfirmView): Html {
  const page = manageUrl === undefined ? undefined : textLink(manageUrl, say(frame, 'link.account-page'))
  if (until === undefined)
    return page ? say(frame, 'link.until-stopped-account', { page }) : say(frame, 'link.until-stopped')
  const end = day(frame, until)
  return page ? say(frame, 'link.until-account', { day: end, page }) : say(frame, 'link.until', { day: end })
}
