// On to a provider that wants our question posted: one button, because nothing here runs scripts.
import { heading } from './components.ts'
import { type Html, html, safeUrl } from './html.ts'
import { type PageFrame, renderLetter } from './layout.ts'
import { say, sayPlain } from './locale.ts'

export interface GoUpstreamView {
  readonly frame: PageFrame
  readonly connectionName: string
  readonly connectionDisplayName: string
  /** The provider's; the form is for its eyes, so that it holds nothing of ours but the question. */
  readonly action: string
  readonly fields: Readonly<Record<string, string>>
}

export function renderGoUpstream({ frame, action, fields, ...connection }: GoUpstreamView): Html {
  const values = { connection: connection.connectionDisplayName, tenant: frame.tenantName }
  const inputs = Object.entries(fields).map(
    ([name, value]) => html`<input type="hidden" name="${name}" value="${value}">`,
  )
  const content = html`${heading(say(frame, 'go-upstream.title', values), say(frame, 'go-upstream.lead', values))}
<form method="post" action="${safeUrl(action)}" data-form="go-upstream" data-connection="${connection.connectionName}">${inputs}
<button class="btn go full"><span>${say(frame, 'go-upstream.go')}</span></button>
</form>`
  return renderLetter(frame, { page: 'go-upstream', title: sayPlain(frame, 'go-upstream.title', values), content })
}
