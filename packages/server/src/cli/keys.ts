// `tenon keys …`: the keys that sign tokens and those that seal the vault, while servers go on serving.
import { toIso } from '../lib/time.ts'
import { readSigningKeys, rotateSigningKeys } from '../oauth/signing-keys.ts'
import { keyReferences, pruneVaultKeys, rotateVaultKeys } from '../vault/key-rotation.ts'
import type { CommandInput, ExitStatus } from './command.ts'
import { type DeploymentAccess, withDeployment } from './deployment-access.ts'

/** Shows ids and states, never a key. */
export const listKeys = (input: CommandInput): Promise<ExitStatus> =>
  withDeployment<ExitStatus>(input, async ({ storage, keyring, clock }) => {
    // Opens each, so that a key that cannot sign shows here and not at the next sign-in.
    await readSigningKeys({ storage, keyring, clock })
    input.print('Signing keys')
    for (const { kid, state, changedAt } of await storage.signingKeys.list()) {
      input.print(`  ${kid}  ${state.padEnd(8)}  since ${toIso(changedAt)}`)
    }
    input.print('Vault keys')
    for (const [id, count] of await keyReferences({ storage, keyring })) {
      const state = id === keyring.activeKeyId ? 'active' : keyring.ids().includes(id) ? 'kept' : 'MISSING'
      input.print(`  ${id}  ${state.padEnd(8)}  seals ${count}`)
    }
    return 0
  })

/** Both kinds, when neither is named. */
export const rotateKeys = (input: CommandInput): Promise<ExitStatus> =>
  withDeployment<ExitStatus>(input, async (access) => {
    const both = !input.commandLine.isOn('signing') && !input.commandLine.isOn('vault')
    if (both || input.commandLine.isOn('signing')) await rotateSigning(input, access)
    if (both || input.commandLine.isOn('vault')) await rotateVault(input, access)
    return 0
  })

export const pruneKeys = (input: CommandInput): Promise<ExitStatus> =>
  withDeployment<ExitStatus>(input, async (access) => {
    const removed = await pruneVaultKeys(access)
    input.print(removed.length === 0 ? 'Every vault key is in use.' : `Removed ${removed.join(', ')}.`)
    return 0
  })

async function rotateSigning(input: CommandInput, access: DeploymentAccess): Promise<void> {
  input.print(`New tokens are signed by ${await rotateSigningKeys(access)}; older ones verify until they end.`)
}

async function rotateVault(input: CommandInput, access: DeploymentAccess): Promise<void> {
  const { activeKeyId, resealed } = await rotateVaultKeys(access)
  input.print(`The vault is sealed by ${activeKeyId}; ${resealed} envelopes were brought under it.`)
}
