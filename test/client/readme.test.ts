import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { compileFunction } from 'node:vm';
import ts from 'typescript';

const root = path.join(__dirname, '../..');
const readme = readFileSync(path.join(root, 'client/README.md'), 'utf8');
const snippets = [...readme.matchAll(/```ts\n([\s\S]*?)```/g)].map(([, code]) => code ?? '');

describe('the README of the client', () => {
  test('shows the use with pg.Pool in five lines beside the import of pg', () => {
    const lines = (snippets[0] ?? '')
      .split('\n')
      .filter((line) => line !== '' && !line.includes("from 'pg'"));
    expect(lines).toHaveLength(5);
  });

  test('shows code that compiles under the strictest settings of this project', () => {
    const files = new Map(
      snippets.map((code, index) => [path.join(root, `client/readme-snippet-${index}.ts`), code]),
    );
    const { config } = ts.readConfigFile(path.join(root, 'tsconfig.json'), (name) =>
      ts.sys.readFile(name),
    ) as {
      config: { compilerOptions: object };
    };
    const { options } = ts.convertCompilerOptionsFromJson(config.compilerOptions, root);
    const host = ts.createCompilerHost(options);
    const readFile = host.readFile.bind(host);
    const fileExists = host.fileExists.bind(host);
    host.readFile = (name) => files.get(name) ?? readFile(name);
    host.fileExists = (name) => files.has(name) || fileExists(name);
    const getSourceFile = host.getSourceFile.bind(host);
    host.getSourceFile = (name, language) => {
      const code = files.get(name);
      return code === undefined ? getSourceFile(name, language) : ts.createSourceFile(name, code, language);
    };
    const paths = {
      'rotor/client': [path.join(root, 'client/index.ts')],
      'rotor/client/testing': [path.join(root, 'client/testing.ts')],
    };
    const program = ts.createProgram([...files.keys()], { ...options, incremental: false, paths }, host);
    const messages = ts
      .getPreEmitDiagnostics(program)
      .map(({ messageText }) => ts.flattenDiagnosticMessageText(messageText, '\n'));
    expect(snippets).toHaveLength(5);
    expect(messages).toEqual([]);
  });

  test('names every error of the client that it mentions, and only names that exist', async () => {
    const exported: Readonly<Record<string, unknown>> = await import('../../client');
    const named = [
      ...readme.matchAll(
        /`(\w+(?:Unavailable|Unreadable|Failed|Malformed|Foreign|Short|Invalid|Unsupported))`/g,
      ),
    ];
    expect(named.length).toBeGreaterThan(2);
    for (const [, name] of named) expect(exported).toHaveProperty(name ?? '');
  });

  test('explains every event that the client tells, and no other', () => {
    const source = readFileSync(path.join(root, 'client/client-event.ts'), 'utf8');
    const told = [...source.matchAll(/readonly type: '([\w-]+)'/g)].map(([, type]) => type);
    const explained = [...readme.matchAll(/^\| `([\w-]+)` \| `\w+`.* \|$/gm)].map(([, type]) => type);
    expect(told.length).toBeGreaterThan(5);
    expect(explained).toEqual(told);
  });

  test('shows a test of an application that passes', async () => {
    const code = snippets.at(-1) ?? '';
    const { outputText } = ts.transpileModule(code, {
      compilerOptions: {
        module: ts.ModuleKind.CommonJS,
        target: ts.ScriptTarget.ES2022,
        esModuleInterop: true,
      },
    });
    const modules: Readonly<Record<string, unknown>> = {
      'node:assert/strict': assert,
      'rotor/client': await import('../../client'),
      'rotor/client/testing': await import('../../client/testing'),
    };
    const body = `return (async () => {${outputText}})()`;
    const run = compileFunction(body, ['require', 'exports']);
    await (Reflect.apply(run, undefined, [(name: string) => modules[name], {}]) as Promise<void>);
  });
});
