// The scopes that a connection asks for when a client names none.
import { isJsonObject, isString, stringsOf } from '../../lib/json.ts'
import type { ConnectionRecord } from '../../storage/records.ts'

export function scopesOfConnection({ document }: Pick<ConnectionRecord, 'document'>): readonly string[] {
  const scope = isJsonObject(document.options) ? document.options.scope : undefined
  return isString(scope) ? scope.split(/[\s,]+/).filter((one) => one !== '') : stringsOf(scope)
}
