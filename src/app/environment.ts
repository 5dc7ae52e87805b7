/**
 * What the environment says about the process: `NODE_ENV`, as most libraries of Node read it. This is the only file of `src/`
 * that reads the environment.
 */
export const isProduction = (): boolean => process.env['NODE_ENV'] === 'production'
