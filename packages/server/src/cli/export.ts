// `tenon export`: every user with identities and metadata, a line of JSON each.
import { once } from 'node:events'
import { exportUsers } from '../api/management/export-users.ts'
import type { CommandInput, ExitStatus } from './command.ts'
import { withDeployment } from './deployment-access.ts'

export const exportAll = (input: CommandInput): Promise<ExitStatus> =>
  withDeployment<ExitStatus>(input, async ({ storage }) => {
    const dangerouslyWithPasswords = input.commandLine.isOn('dangerously-with-passwords')
    for await (const user of exportUsers(storage, { dangerouslyWithPasswords })) {
      input.print(JSON.stringify(user))
      // A reader that is slower than the database must not fill the memory.
      if (process.stdout.writableNeedDrain) await once(process.stdout, 'drain')
    }
    return 0
  })
