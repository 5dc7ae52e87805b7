/**
 * Finishes `npm run build`: lays what is published into `dist/`, whose own package.json points at the built files.
 * `npm publish dist` publishes it; the checkout itself runs its TypeScript and is never published.
 */
import { copyFileSync, globSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'

const source = JSON.parse(readFileSync('package.json', 'utf8')) as Record<string, unknown>
const door = (path: string): object => ({ types: `./${path}.d.ts`, default: `./${path}.js` })

const published = {
  ...source,
  bin: { millrace: 'bin/millrace.js' },
  exports: { '.': door('index'), './testing': door('testing/index'), './broker': door('broker/index') },
  imports: undefined,
  files: undefined,
  scripts: undefined,
  devDependencies: undefined,
  // The matchers of `millrace/testing` tell Vitest's types of themselves; nothing of it is loaded.
  peerDependencies: { vitest: '>=4' },
  peerDependenciesMeta: { vitest: { optional: true } },
  allowScripts: undefined,
}

mkdirSync('dist/bin', { recursive: true })
writeFileSync('dist/package.json', `${JSON.stringify(published, null, 2)}\n`)
for (const file of ['README.md', 'CHANGELOG.md', 'LICENSE', 'SECURITY.md', ...globSync('bin/*.js')])
  copyFileSync(file, `dist/${file}`)
