// The interfaces describe themselves: a document for programs, a page for people.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { request } from '../support/http.ts'
import { startServer } from '../support/server.ts'

const server = await startServer()

test('the page shows every operation of the document, from this host alone and without a script', async () => {
  const document = (await request(`${server.url}/openapi.json`)).json
  assert.equal(document.openapi, '3.1.0')
  const page = await request(`${server.url}/docs/api`)
  assert.equal(page.status, 200)
  assert.match(page.text, /<body[^>]* data-page="api-docs"/)
  const policy = String(page.headers['content-security-policy'])
  assert.match(policy, /default-src 'none'/)
  assert.doesNotMatch(policy, /script-src|https?:|\*/)
  assert.doesNotMatch(page.text, /<script|(?:src|href)="(?:https?:)?\/\//)
  for (const [path, methods] of Object.entries<Record<string, { operationId: string }>>(document.paths)) {
    assert.ok(page.text.includes(`<code>${path}</code>`), path)
    for (const { operationId } of Object.values(methods))
      assert.ok(page.text.includes(`id="${operationId}"`), operationId)
  }
})

test('the proxy stands in the document for every method that it knows, and a policy where a client is changed', async () => {
  const { paths } = (await request(`${server.url}/openapi.json`)).json
  const proxy = paths['/me/v1/proxy/{account}/{path}']
  assert.deepEqual(Object.keys(proxy), ['get', 'head', 'post', 'put', 'patch', 'delete'])
  for (const name of ['account', 'path', 'tenon-host', 'tenon-purpose'])
    assert.ok(
      proxy.post.parameters.some((one: { name: string }) => one.name === name),
      name,
    )
  assert.ok(proxy.post.responses.default && proxy.post.responses[403])
  const { properties } = paths['/api/v2/clients/{id}'].patch.requestBody.content['application/json'].schema
  assert.match(JSON.stringify(properties.policy), /observe.*per_minute.*valid_seconds/)
})
