// How the present Management API client tells its caller of a refusal.
import assert from 'node:assert/strict'
import { ManagementError } from 'auth0'

/** For `assert.rejects`. */
export const refusedWith =
  (statusCode: number, errorCode?: string) =>
  (error: unknown): true => {
    assert.ok(error instanceof ManagementError, String(error))
    assert.equal(error.statusCode, statusCode)
    const body = error.body as { readonly errorCode?: string } | undefined
    if (errorCode !== undefined) assert.equal(body?.errorCode, errorCode)
    return true
  }

/** The server has no such path. */
export const absent = (call: () => Promise<unknown>): Promise<void> => assert.rejects(call, refusedWith(404))
