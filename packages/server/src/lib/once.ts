// Work that is done once for each object, for as long as somebody holds that object.

/** The same function, which reads each record once: whoever hands out records hands out the same one while it stays the same. */
export function once<R extends object, T>(read: (record: R) => T): (record: R) => T {
  const known = new WeakMap<R, T>()
  return (record) => {
    const found = known.get(record) ?? read(record)
    known.set(record, found)
    return found
  }
}
