// Ends with 0 when the server of this container answers: for HEALTHCHECK, in an image that has no curl.
const port = process.env.TENON_PORT ?? '4000'
try {
  const { status } = await fetch(`http://127.0.0.1:${port}/healthz`, { signal: AbortSignal.timeout(2500) })
  process.exitCode = status === 200 ? 0 : 1
} catch {
  process.exitCode = 1
}
