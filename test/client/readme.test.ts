import { readFileSync } from 'node:fs';
import path from 'node:path';
import ts from 'typescript';

const root = path.join(__dirname, '../..');
const readme = readFileSync(path.join(root, 'client/README.md'), 'utf8');
const snippet = /```ts\n([\s\S]*?)```/.exec(readme)?.[1] ?? '';

describe('the README of the client', () => {
  test('shows the use with pg.Pool in five lines beside the import of pg', () => {
    const lines = snippet.split('\n').filter((line) => line !== '' && !line.includes("from 'pg'"));
    expect(lines).toHaveLength(5);
  });

  test('shows code that compiles under the strictest settings of this project', () => {
    const file = path.join(root, 'client/readme-snippet.ts');
    const { config } = ts.readConfigFile(path.join(root, 'tsconfig.json'), (name) =>
      ts.sys.readFile(name),
    ) as {
      config: { compilerOptions: object };
    };
    const { options } = ts.convertCompilerOptionsFromJson(config.compilerOptions, root);
    const host = ts.createCompilerHost(options);
    const readFile = host.readFile.bind(host);
    const fileExists = host.fileExists.bind(host);
    host.readFile = (name) => (name === file ? snippet : readFile(name));
    host.fileExists = (name) => name === file || fileExists(name);
    const getSourceFile = host.getSourceFile.bind(host);
    host.getSourceFile = (name, language) =>
      name === file ? ts.createSourceFile(name, snippet, language) : getSourceFile(name, language);
    const program = ts.createProgram(
      [file],
      { ...options, incremental: false, paths: { 'rotor/client': [path.join(root, 'client/index.ts')] } },
      host,
    );
    const messages = ts
      .getPreEmitDiagnostics(program)
      .map(({ messageText }) => ts.flattenDiagnosticMessageText(messageText, '\n'));
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
});
