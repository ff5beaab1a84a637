// The OpenAPI document as a page: nothing is fetched from anywhere, and no script runs.
import { isJsonObject, isString, type JsonObject, type JsonValue } from '../../lib/json.ts'
import { badge, dots, heading, section, softLine, textLink } from './components.ts'
import { type Html, html, nothing } from './html.ts'
import { type PageFrame, renderLetter } from './layout.ts'
import { say, sayPlain } from './locale.ts'

/** @param document as `GET /openapi.json` shows it. */
export function renderApiDocs(frame: PageFrame, document: JsonObject): Html {
  const operations = operationsOf(document)
  const tags = [...new Set(operations.map(({ tag }) => tag))]
  const content = html`${heading(say(frame, 'api.title'), say(frame, 'api.lead'))}
<p>${textLink('/openapi.json', say(frame, 'api.document'))}</p>
${softLine(dots(tags.map((tag) => html`<a href="#tag-${tag}">${tag}</a>`)))}
${tags.map((tag) => section(`tag-${tag}`, tag, html`${operations.filter((one) => one.tag === tag).map((one) => operation(frame, one))}`))}
${section('shared', say(frame, 'api.shared'), html`${Object.entries(sharedOf(document)).map(([name, schema]) => shape(name, schema))}`)}`
  return renderLetter(frame, { page: 'api-docs', title: sayPlain(frame, 'api.title'), width: 'long', content })
}

interface ShownOperation {
  readonly tag: string
  readonly method: string
  readonly path: string
  readonly described: JsonObject
}

const object = (value: JsonValue | undefined): JsonObject => (isJsonObject(value) ? value : {})
const objects = (value: JsonValue | undefined): readonly JsonObject[] =>
  Array.isArray(value) ? value.filter(isJsonObject) : []
const text = (value: JsonValue | undefined): string => (isString(value) ? value : '')

function operationsOf({ paths }: JsonObject): readonly ShownOperation[] {
  return Object.entries(object(paths)).flatMap(([path, methods]) =>
    Object.entries(object(methods)).map(([method, described]) => {
      const tags = object(described).tags
      return { tag: Array.isArray(tags) ? text(tags[0]) : '', method, path, described: object(described) }
    }),
  )
}

const sharedOf = ({ components }: JsonObject): JsonObject => object(object(components).schemas)

function operation(frame: PageFrame, { method, path, described }: ShownOperation): Html {
  const scopes = objects(described.security).flatMap(({ oauth2 }) => (Array.isArray(oauth2) ? oauth2.map(text) : []))
  return html`<details id="${text(described.operationId)}">
<summary>${badge(method.toUpperCase())} <code>${path}</code> <span class="soft">${text(described.summary)}</span></summary>
<div class="stack">
<p class="small">${say(frame, 'api.scopes')}: ${dots(scopes.map((scope) => html`<code>${scope}</code>`))}</p>
${parameters(frame, objects(described.parameters))}
${body(frame, object(described.requestBody))}
<h3>${say(frame, 'api.answers')}</h3>
${Object.entries(object(described.responses)).map(([status, answer]) => content(status, object(answer)))}
</div>
</details>`
}

function parameters(frame: PageFrame, all: readonly JsonObject[]): Html {
  if (all.length === 0) return nothing
  const line = ({ name, in: place, required, schema }: JsonObject) =>
    html`<li><code>${text(name)}</code> <span class="small soft">${text(place)}${required === true && html`, ${say(frame, 'api.required')}`}</span>${source(schema)}</li>`
  return html`<h3>${say(frame, 'api.parameters')}</h3>
<ul>${all.map(line)}</ul>`
}

function body(frame: PageFrame, request: JsonObject): Html {
  const [type, described] = Object.entries(object(request.content))[0] ?? []
  if (type === undefined) return nothing
  return html`<h3>${say(frame, 'api.body')}</h3>
<p class="small soft">${dots(Object.keys(object(request.content)))}</p>
${source(object(described).schema)}`
}

function content(status: string, answer: JsonObject): Html {
  const [described] = Object.values(object(answer.content))
  const schema = object(described).schema
  return html`<p>${badge(status)} ${text(answer.description)}</p>${schema !== undefined && source(schema)}`
}

const shape = (name: string, schema: JsonValue): Html =>
  html`<details id="shape-${name}"><summary><code>${name}</code></summary>${source(schema)}</details>`

/** A schema as it is written. One that is only named leads to where it stands. */
function source(schema: JsonValue | undefined): Html {
  const named = text(object(schema).$ref).split('/').at(-1)
  if (named !== undefined && named !== '') return html`<p><a href="#shape-${named}"><code>${named}</code></a></p>`
  return html`<pre class="small">${JSON.stringify(schema ?? {}, null, 2)}</pre>`
}
