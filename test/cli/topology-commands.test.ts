import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, it } from 'vitest'
import { millraceHere as millrace } from '../support/run-command.ts'

describe('topologies on the command line', () => {
  const folder = mkdtempSync(join(tmpdir(), 'millrace-describe-'))
  afterAll(() => rmSync(folder, { recursive: true, force: true }))

  /** A program that counts under a store of that name. */
  const program = (name: string, store: string, output = 'counts'): string => {
    const file = join(folder, `${name}.ts`)
    writeFileSync(
      file,
      `import { long, string, topic, topology } from '${process.cwd()}/src/index.ts'
       const words = topic('words', { value: string })
       export const counting = topology('counting', (builder) => {
         builder.stream(words).groupByKey().count({ store: '${store}' }).toStream()
           .to(topic('${output}', { value: long }))
       })`,
    )
    return file
  }

  it('are described as text, as a flow chart, as a graph', async () => {
    const file = program('described', 'counts')
    const text = await millrace(['describe', file])
    expect(text.stdout).toMatch(
      /^Topologies:\n {3}Sub-topology: 0\n {4}Source: stream-0000 \(topics: \[words\]\)\n/,
    )
    expect((await millrace(['describe', '--mermaid', file])).stdout).toMatch(/^flowchart LR\n/)
    expect((await millrace(['describe', '--dot', file])).stdout).toMatch(/^digraph topologies \{\n/)
    expect(await millrace(['describe', '--dot', '--json', file])).toMatchObject({ code: 2 })
  })

  it('are compared with an earlier version, which fails where something breaks', async () => {
    const before = join(folder, 'before.json')
    writeFileSync(before, (await millrace(['describe', '--json', program('first', 'counts')])).stdout)
    const same = await millrace(['diff', before, program('same', 'counts')])
    expect(same).toMatchObject({ code: 0, stdout: '' })
    const renamed = await millrace(['diff', before, program('renamed', 'words-counted')])
    expect(renamed.code).toBe(1)
    expect(renamed.stdout).toMatch(
      /^breaking counting STORE_RENAMED: store 'words-counted' seems to be 'counts'/,
    )
    const missing = await millrace(['diff', join(folder, 'none.json'), program('same', 'counts')])
    expect(missing.code).toBe(2)
    expect(missing.stderr).toContain('millrace describe --json FILE >')
  })

  it.each([
    ['{}'],
    ['[]'],
    ['[1]'],
    ['null'],
    ['"text"'],
    ['{"name":"counting"}'],
    ['[{"name":"counting","sources":[1],"sinks":[],"repartitions":[],"stores":[],"steps":[]}]'],
    ['not JSON'],
  ])('are not compared with %s', async (content) => {
    const before = join(folder, 'garbage.json')
    writeFileSync(before, content)
    const { code, stdout, stderr } = await millrace(['diff', before, program('sound', 'counts')])
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' })
    expect(stderr).toMatch(/^millrace: .*garbage.json.*make it with: millrace describe --json FILE > .*\n$/)
  })

  it.each([
    ['workflows', 5, 'workflows'],
    ['workflows', [{ name: 'a', startedBy: 'b', steps: 5 }], 'workflows.0.steps'],
    ['steps', [{ name: null, verb: 'map', stores: 5, lengths: {}, emit: null }], 'steps.0.stores'],
    ['steps', [{ name: null, verb: 'map', stores: [], lengths: 5, emit: null }], 'steps.0.lengths'],
    [
      'stores',
      [{ name: 's', kind: 'keyValue', key: 'a', value: 'b', valueSchema: 5 }],
      'stores.0.valueSchema',
    ],
    ['owner', 5, 'owner'],
  ])('are not compared with a snapshot that is damaged: %s %j', async (part, value, place) => {
    const before = join(folder, 'damaged.json')
    const sound = program('sound', 'counts')
    const [snapshot] = JSON.parse((await millrace(['describe', '--json', sound])).stdout)
    writeFileSync(before, JSON.stringify([{ ...snapshot, [part]: value }]))
    const { code, stdout, stderr } = await millrace(['diff', before, sound])
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' })
    expect(stderr).toContain(`damaged.json holds no topologies (topologies.0.${place}: `)
  })

  it('are compared under another name where one is gone and one is new', async () => {
    const before = join(folder, 'renamed.json')
    const snapshot = JSON.parse((await millrace(['describe', '--json', program('first', 'counts')])).stdout)
    writeFileSync(before, JSON.stringify([{ ...snapshot[0], name: 'counting-words' }]))
    const { code, stdout } = await millrace(['diff', before, program('first', 'counts')])
    expect(code).toBe(1)
    expect(stdout).toMatch(/^breaking counting APPLICATION_RENAMED/)
  })

  it('are checked: a warning is told, and an error fails', async () => {
    expect(await millrace(['check', program('sound', 'counts')])).toMatchObject({ code: 0, stdout: '' })
    const loop = await millrace(['check', program('loop', 'counts', 'words')])
    expect(loop.code).toBe(0)
    expect(loop.stdout).toMatch(/^warning TOPIC_LOOP: counting: 'to-0003' writes to 'words'/)
    const broken = await millrace(['check', program('broken', 'no name')])
    expect(broken.code).toBe(1)
    expect(broken.stderr).toContain("its changelog can't be called 'counting-no name-changelog'")
  })
})
