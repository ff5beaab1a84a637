// Loaded before a server that a test starts as a process: its clock is ahead by what a file says, in seconds. The file is
// read at the start, and again at each SIGUSR2; then its own name is answered beside it.
import { readFileSync, writeFileSync } from 'node:fs'
import { passTime } from './time.ts'

const file = process.env.CLOCK_FILE ?? ''
let ahead = 0

const follow = () => {
  const wanted = Number(readFileSync(file, 'utf8'))
  passTime(wanted - ahead)
  ahead = wanted
  writeFileSync(`${file}.now`, String(ahead))
}

follow()
process.on('SIGUSR2', follow)
