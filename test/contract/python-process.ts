import { spawn, spawnSync, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import path from 'node:path';
import { createInterface } from 'node:readline';
import type { SessionKeys } from '../../local/lambda/ports';

const folder = path.join(__dirname, '../../examples/python-consumer');

/** Whether boto3 is there; it comes with no package of npm. */
export function hasBoto(): boolean {
  return spawnSync('python3', ['-c', 'import boto3'], { stdio: 'ignore', timeout: 120_000 }).status === 0;
}

/** The Python consumer in a process of its own, and what it says. */
export class PythonProcess {
  readonly lines: string[] = [];
  readonly exited: Promise<unknown>;
  private readonly child: ChildProcess;

  constructor(endpoint: string, keys: SessionKeys, settings: Readonly<Record<string, string>>) {
    this.child = spawn('python3', ['-B', 'consumer.py'], {
      cwd: folder,
      env: {
        PATH: process.env['PATH'],
        HOME: process.env['HOME'],
        AWS_ENDPOINT_URL: endpoint,
        AWS_DEFAULT_REGION: 'us-east-1',
        AWS_ACCESS_KEY_ID: keys.accessKeyId,
        AWS_SECRET_ACCESS_KEY: keys.secretAccessKey,
        AWS_SESSION_TOKEN: keys.sessionToken,
        ...settings,
      },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    for (const stream of [this.child.stdout, this.child.stderr])
      if (stream !== null) createInterface(stream).on('line', (line) => this.lines.push(line));
    // With all that it has said: its exit alone may come before its last lines.
    this.exited = once(this.child, 'close');
  }

  /** How often it has said that something happened. */
  count(event: string): number {
    return this.lines.filter((line) => line.includes(`"event": "${event}"`)).length;
  }

  /** Asks it to end, as a container's host does; answers its exit code. */
  async terminate(): Promise<unknown> {
    this.child.kill('SIGTERM');
    const [code] = (await this.exited) as readonly unknown[];
    return code;
  }

  /** Ends it in any case. */
  async kill(): Promise<void> {
    if (this.child.exitCode !== null || this.child.signalCode !== null) return;
    this.child.kill('SIGKILL');
    await this.exited;
  }
}
