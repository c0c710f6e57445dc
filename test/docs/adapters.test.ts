import { existsSync } from 'node:fs';
import path from 'node:path';
import {
  adapterDefinitions,
  type AdapterName,
  adapterNames,
  resolveAdapter,
} from '../../adapters/definitions';
import { AdapterError } from '../../adapters/errors';
import { read, root } from './markdown';

const page = read('docs/adapters.md');

/** The rows of the table, by the adapter's name. */
const rows: Readonly<Record<string, readonly string[]>> = Object.fromEntries(
  [...page.matchAll(/^\| \[`([a-z]+)`\]\(.*\) \| (.+) \|$/gm)].map(([, name = '', cells = '']) => [
    name,
    cells.split(' | '),
  ]),
);

const quoted = (text = '') => [...text.matchAll(/`([^`]+)`/g)].map(([, word = '']) => word);

/** What each adapter may do by settings that ask for everything. */
const grants: Readonly<Record<AdapterName, () => ReturnType<typeof resolveAdapter>>> = {
  ecs: () => resolveAdapter('ecs', { service: 'arn:service' }),
  lambda: () => resolveAdapter('lambda', { function: 'arn:function', alias: 'live' }),
  kubernetes: () =>
    resolveAdapter('kubernetes', {
      endpoint: 'https://cluster.example.com',
      certificateAuthority: 'Y2E=',
      cluster: 'shop',
      namespace: 'shop',
      kind: 'Deployment',
      name: 'orders',
    }),
  https: () => resolveAdapter('https', { url: 'https://example.com/', signingSecretArn: 'arn:key' }),
  ssm: () => resolveAdapter('ssm', { documentName: 'Reload', targets: { tags: { role: ['orders'] } } }),
  rds: () => resolveAdapter('rds', { dbProxyName: 'shop' }),
};

test('the table has every adapter, in the order of the registry', () => {
  expect(Object.keys(rows)).toEqual(adapterNames);
});

describe.each(adapterNames)('adapter %s', (name) => {
  test('has its settings in the table, all of them and no others', () => {
    const { settings } = adapterDefinitions[name];
    expect(quoted(rows[name]?.[0])).toEqual(Object.keys(settings.shape));
  });

  test('has its grants in the table, all of them and no others', () => {
    const actions = new Set(grants[name]().grants.flatMap((grant) => grant.actions));
    expect(new Set(quoted(rows[name]?.[1]))).toEqual(actions);
  });

  test('has a section in which each of its refusals stands', async () => {
    const [, section = ''] = page.split(new RegExp(`^## .*\`${name}\`$`, 'm'));
    expect(section).not.toBe('');
    const file = `adapters/${name}/errors`;
    const errors = existsSync(path.join(root, `${file}.ts`))
      ? ((await import(`../../${file}`)) as Readonly<Record<string, unknown>>)
      : {};
    const refusals = Object.values(errors).flatMap((member) => {
      const error: unknown = typeof member === 'function' ? Reflect.construct(member, ['x']) : undefined;
      return error instanceof AdapterError && error.permanent ? [error.name] : [];
    });
    expect(refusals.filter((error) => !section.split(/^## /m)[0]?.includes(error))).toEqual([]);
  });
});
