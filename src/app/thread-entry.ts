import module from 'node:module'
import { workerData } from 'node:worker_threads'

/**
 * What a worker thread runs first. Where the process keeps what was compiled, its threads read it too, which is a third
 * of the CPU of their start; that has to be said before anything large is imported.
 */
const { compileCacheDirectory } = workerData as { readonly compileCacheDirectory: string | undefined }
if (compileCacheDirectory !== undefined) module.enableCompileCache(compileCacheDirectory)
await import('./thread-program.ts')
