import { linkSync, readdirSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { randomInt } from 'node:crypto'
import { sleep } from '../base/clock.ts'
import { systemClock } from '../base/system-clock.ts'
import type { Claim, Claimant } from './claim.ts'
import { claimantOf, createClaim, deleteUnfinished, isLive, isUnfinished } from './claim.ts'

/** The outcome of `lockDirectory`. */
export type DirectoryLock =
  | { readonly kind: 'locked'; readonly release: () => void }
  | { readonly kind: 'taken'; readonly holder: Claimant }

/**
 * Locks a directory for one holder: a process, a container, or one of several holders in one process. The lock ends with
 * its process, however that ends, and a process that is stopped (SIGSTOP) keeps it. Rejects with Node's file error where
 * the directory takes no lock, as on a full or read-only disk.
 *
 * A holder first creates a claim with a name of its own and then looks for other live claims. Whichever of two holders is
 * second sees the claim of the first, so at most one of them finds no other. A claim is never reused, so deleting one
 * whose process has ended cannot delete a newer lock.
 *
 * @example
 * const lock = await lockDirectory('data')
 * if (lock.kind === 'taken') throw new Error(`process ${lock.holder.pid} uses it`)
 * // ... work in the directory ...
 * lock.release()
 */
export const lockDirectory = async (directory: string): Promise<DirectoryLock> => {
  for (let attempt = 1; ; attempt++) {
    const holder = await holderOfDirectory(directory)
    if (holder !== undefined) return { kind: 'taken', holder }
    const claim = await createClaim(directory)
    const [rival] = await liveClaimsIn(directory, claim.name)
    if (rival === undefined) return lockedBy(directory, claim)
    claim.release()
    if (attempt === attempts) return { kind: 'taken', holder: rival.claimant }
    await sleep(systemClock, randomInt(shortestPauseMs, longestPauseMs))
  }
}

/** The live holder of a directory; undefined where it is free. Changes nothing but the claims of ended processes. */
export const holderOfDirectory = async (directory: string): Promise<Claimant | undefined> => {
  const claims = await liveClaimsIn(directory)
  return claims.find(({ name }) => name.endsWith(heldSuffix))?.claimant
}

/** True for the name of a file that `lockDirectory` writes. */
export const isLockFile = (name: string): boolean => isUnfinished(name) || claimantNamedBy(name) !== undefined

/** How often two processes that claim a directory at the same moment retry before they leave it. */
const attempts = 8
/** Two rivals that wait for random times do not meet again and again. */
const shortestPauseMs = 5
const longestPauseMs = 50

/** A second name of a claim, which distinguishes a holder from a process that is still trying. */
const heldSuffix = '-held'

interface LiveClaim {
  readonly name: string
  readonly claimant: Claimant
}

/** The claims of others whose process is alive; those of ended processes are deleted. */
const liveClaimsIn = async (directory: string, own?: string): Promise<readonly LiveClaim[]> => {
  const live: LiveClaim[] = []
  for (const name of readdirSync(directory)) {
    deleteUnfinished(directory, name)
    const claimant = claimantNamedBy(name)
    if (claimant === undefined || name === own) continue
    if (await isLive(directory, name, claimant)) live.push({ name, claimant })
    else rmSync(join(directory, name), { force: true })
  }
  return live
}

const claimantNamedBy = (name: string): Claimant | undefined =>
  claimantOf(name.endsWith(heldSuffix) ? name.slice(0, -heldSuffix.length) : name)

const lockedBy = (directory: string, claim: Claim): DirectoryLock => {
  const held = join(directory, `${claim.name}${heldSuffix}`)
  try {
    linkSync(join(directory, claim.name), held)
  } catch {
    // A filesystem without hard links: others find the claim itself, after some attempts.
  }
  const release = (): void => {
    rmSync(held, { force: true })
    claim.release()
  }
  return { kind: 'locked', release }
}
