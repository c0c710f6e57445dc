import { fork, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import * as fs from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { makeKeyPair } from '../../rotators/ssh/key-pair';
import { serverProgram, serverPrograms } from './debian';
import { onceFree } from './server-process';

/** A host that is reached over SSH: a real sshd with a home and files of keys of its own, for the user who runs this. */
export interface SshHost {
  readonly port: number;
  readonly hostKey: string;
  readonly username: string;
  /** What `~` is on this host. */
  readonly home: string;
  /** Where its user's keys stand: `.ssh/authorized_keys` in its home. */
  readonly keys: string;
  /** Refuses connections until `listen`, at the same port. Those that are open stay open. */
  deafen(): Promise<void>;
  listen(): Promise<void>;
}

/** How a host is to be. */
export interface SshHostOptions {
  /** Lines of the file of keys. */
  readonly authorized: string;
  /** Keys that log in as the same user and stand elsewhere. */
  readonly admins?: string;
  /** Further lines of sshd's configuration. */
  readonly lines?: readonly string[];
}

/** Hosts on the loopback interface, and what their logs say. */
export interface SshHosts {
  add(options: SshHostOptions): Promise<SshHost>;
  /** The log of each connection so far, the oldest first. */
  logs(): Promise<readonly string[]>;
  /** Ends the hosts and removes what they kept. May be called again. */
  stop(): Promise<void>;
}

/**
 * Prepares to start hosts: each listens on a port of its own and has sshd answer every connection, as inetd would. So a
 * connection has a log to itself, and no server is left behind when this process is killed: sshd ends with its connection.
 *
 * The user's own files are not touched: HOME is set to a folder of the host's. ServerMissing where there is no sshd.
 */
export async function startSshHosts(): Promise<SshHosts> {
  const program = serverProgram(serverPrograms.ssh);
  const isRoot = process.getuid?.() === 0;
  // Where sshd locks its unprivileged half in; Debian makes it when it starts the service.
  if (isRoot) await fs.mkdir('/run/sshd', { recursive: true, mode: 0o755 });
  // Nobody else may write to a folder above a file of keys, or sshd does not believe it; /tmp is open to all.
  const folder = await fs.mkdtemp(path.join(isRoot ? '/run' : os.tmpdir(), 'rotor-ssh-'));
  await fs.chmod(folder, 0o755);
  const door = new Door(program, folder);
  let count = 0;
  let stopped: Promise<void> | undefined;

  return {
    add: async ({ authorized, admins = '', lines = [] }) => {
      count += 1;
      const home = path.join(folder, `host-${count}`);
      await fs.mkdir(path.join(home, '.ssh'), { recursive: true, mode: 0o700 });
      const place = (name: string) => path.join(home, name);
      const host = makeKeyPair('');
      const config = place('sshd_config');
      await fs.writeFile(place('host_key'), host.privateKey, { mode: 0o600 });
      await fs.writeFile(place('admin_keys'), admins, { mode: 0o600 });
      await fs.writeFile(place('.ssh/authorized_keys'), authorized, { mode: 0o600 });
      await fs.writeFile(config, configuration(home, isRoot, lines));
      const port = await door.listen(0, config);
      return {
        port,
        hostKey: host.publicKey,
        username: os.userInfo().username,
        home,
        keys: place('.ssh/authorized_keys'),
        deafen: () => door.deafen(port),
        listen: async () => {
          await onceFree(() => door.listen(port, config));
        },
      };
    },
    logs: async () => {
      const files = await fs.readdir(folder).catch(() => []);
      const logs = files.filter((file) => file.startsWith('connection-')).sort();
      return Promise.all(logs.map((file) => fs.readFile(path.join(folder, file), 'utf8')));
    },
    stop: () => (stopped ??= door.stop()),
  };
}

/** sshd-door.mjs, which listens for the hosts and outlives this process just long enough to clear up. */
class Door {
  private readonly child: ChildProcess;
  private readonly waiting = new Map<number, (answer: DoorAnswer) => void>();
  private asked = 0;

  constructor(program: string, folder: string) {
    this.child = fork(path.join(__dirname, 'sshd-door.mjs'), [program, folder], {
      cwd: '/',
      env: { PATH: '/usr/bin:/bin' },
      execArgv: [],
      stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
      // A signal of the terminal's is for this process; the other one hears when this one ends.
      detached: true,
    });
    // It alone must not keep this process alive.
    this.child.unref();
    this.child.channel?.unref();
    this.child.on('message', (answer: DoorAnswer) => {
      this.waiting.get(answer.id)?.(answer);
      this.waiting.delete(answer.id);
    });
    const gone = () => {
      for (const [id, settle] of this.waiting)
        settle({ id, error: 'the process that listens for the hosts is gone' });
      this.waiting.clear();
    };
    this.child.once('exit', gone);
    this.child.once('error', gone);
  }

  /** Takes connections at `port`, or at a free one where it is 0; answers which. */
  async listen(port: number, config: string): Promise<number> {
    const { port: taken } = await this.ask({ listen: { port, config } });
    if (taken === undefined) throw new Error('no free port on 127.0.0.1');
    return taken;
  }

  async deafen(port: number): Promise<void> {
    await this.ask({ deafen: port });
  }

  /** Ends listeners and connections, and resolves when the folder is gone. */
  async stop(): Promise<void> {
    if (!this.child.connected) return;
    const exited = once(this.child, 'exit');
    this.child.ref();
    this.child.disconnect();
    await exited;
  }

  private async ask(request: object): Promise<DoorAnswer> {
    this.asked += 1;
    const id = this.asked;
    this.child.channel?.ref();
    try {
      const answer = await new Promise<DoorAnswer>((resolve, reject) => {
        this.waiting.set(id, resolve);
        this.child.send({ id, ...request }, (error) => {
          if (error !== null) reject(error);
        });
      });
      if (answer.error !== undefined) throw new Error(answer.error);
      return answer;
    } finally {
      this.waiting.delete(id);
      if (this.waiting.size === 0) this.child.channel?.unref();
    }
  }
}

/** What the door answers to the question `id`. */
interface DoorAnswer {
  readonly id: number;
  readonly port?: number;
  readonly error?: string;
}

function configuration(home: string, isRoot: boolean, lines: readonly string[]): string {
  return [
    ...lines,
    `HostKey ${home}/host_key`,
    `AuthorizedKeysFile ${home}/.ssh/authorized_keys ${home}/admin_keys`,
    `SetEnv HOME=${home}`,
    `StrictModes ${isRoot ? 'yes' : 'no'}`,
    'PermitRootLogin prohibit-password',
    'PasswordAuthentication no',
    'KbdInteractiveAuthentication no',
    'UsePAM no',
    'UseDNS no',
    'PermitUserRC no',
    'PrintMotd no',
    'PidFile none',
    // From DEBUG1 on it says by which program a client came.
    'LogLevel DEBUG1',
    '',
  ].join('\n');
}
