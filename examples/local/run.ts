// npm run example -- NAME [--port N]     starts Tenon by TLS, providers and the example's app, and stays until Ctrl-C
import { once } from 'node:events'
import { parseArgs } from 'node:util'
import { isExample, NAMES, startExample } from './world.ts'

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { port: { type: 'string', default: '0' } },
})
const [name = ''] = positionals

if (isExample(name)) {
  const interrupted = Promise.race([once(process, 'SIGINT'), once(process, 'SIGTERM')])
  const example = await startExample(name, Number(values.port))
  console.log(`Open ${example.url}/ in a browser that lets you pass the certificate of ${example.issuer}`)
  for (const line of example.scene.hints) console.log(line)
  console.log('Ctrl-C ends it.')
  await interrupted
  await example.stop()
} else {
  console.error(`npm run example -- NAME [--port N]; the names are ${NAMES.join(', ')}`)
  process.exit(2)
}
