import { Client, utils, type ConnectConfig, type ServerHostKeyAlgorithm } from 'ssh2';
import { HostKeyMismatch, SecretMalformed, TargetUnreachable } from '../../domain/errors';
import { fingerprint, fingerprintOf, parsePublicKey, type SshHost } from './definition';
import { classified, notRun } from './errors';

/** Far below a function's deadline, so that a security group that drops packets is told from a slow host. */
const loginTimeoutMs = 5_000;

/** More than a script of ours says; a forced command may say anything. */
const longestAnswer = 65_536;

/** As whom, by which key. */
export interface Login {
  readonly username: string;
  readonly privateKey: string;
}

/** What a command has written. */
export interface Answer {
  readonly output: string;
  readonly complaint: string;
}

/** A connection that is logged in. */
export interface Session {
  /** For messages: the host and the user. */
  readonly where: string;
  /** Runs a script by the host's /bin/sh, which gets it through its input: no shell sees it as an argument. */
  run(script: string): Promise<Answer>;
  close(): void;
}

/** Connects, checks the host's key, and logs in. HostKeyMismatch, CredentialRejected, TargetUnreachable. */
export async function open(
  host: SshHost,
  { username, privateKey }: Login,
  signal: AbortSignal,
): Promise<Session> {
  const port = Number(host.port ?? 22);
  const where = `${host.host}:${port} as ${username}`;
  if (signal.aborted) throw new TargetUnreachable(`${where}: no time left to connect`);
  const client = new Client();
  let mismatch: HostKeyMismatch | undefined;
  const expected = Buffer.from(parsePublicKey(host.hostKey).blob, 'base64');
  const config: ConnectConfig & { readonly ident: string } = {
    host: host.host,
    port,
    username,
    privateKey,
    // No login without a key is tried first: it could only fail.
    authHandler: ['publickey'],
    readyTimeout: loginTimeoutMs,
    algorithms: { serverHostKey: algorithmsOf(host) },
    hostVerifier: (key: Buffer) => {
      if (key.equals(expected)) return true;
      mismatch = new HostKeyMismatch(
        `${where}: the host shows key ${fingerprintOf(key)}, and the secret expects ${fingerprint(host.hostKey)}`,
      );
      return false;
    },
    // Shown in the host's log at its level DEBUG1.
    ident: 'rotor',
  };
  const abandon = () => client.destroy();
  signal.addEventListener('abort', abandon, { once: true });
  const close = () => {
    signal.removeEventListener('abort', abandon);
    client.end();
    // A host that does not answer the goodbye must not keep the connection open.
    client.destroy();
  };
  try {
    await new Promise<void>((resolve, reject) => {
      client.once('ready', resolve);
      // Stays for the whole connection: an error that nobody hears would end the process.
      client.on('error', reject);
      client.once('close', () => reject(new Error('connection closed by the host')));
      client.connect(config);
      // A login is a dozen small messages, each of which would wait for the acknowledgement of the one before.
      client.setNoDelay(true);
    });
  } catch (error) {
    close();
    throw mismatch ?? classified(error, where);
  }
  return { where, run: (script) => run(client, where, script), close };
}

/** Public half of a private key, as base64. SecretMalformed where it cannot be read; ssh2's words never quote it. */
export function publicBlob(privateKey: string, what: string): string {
  const parsed = utils.parseKey(privateKey);
  if (parsed instanceof Error) {
    if (/encrypted|passphrase/i.test(parsed.message))
      throw new SecretMalformed(`${what} is encrypted with a passphrase; a secret holds a key without one`);
    throw new SecretMalformed(`${what} cannot be read: ${parsed.message}`);
  }
  if (!parsed.isPrivateKey()) throw new SecretMalformed(`${what} is a public key`);
  return parsed.getPublicSSH().toString('base64');
}

/** The host shows one key of those that it has; only with the types of the expected one is that the expected one. */
function algorithmsOf({ hostKey }: SshHost): ServerHostKeyAlgorithm[] {
  const { type } = parsePublicKey(hostKey);
  switch (type) {
    case 'ssh-rsa':
      return ['rsa-sha2-512', 'rsa-sha2-256'];
    case 'ecdsa-sha2-nistp256':
    case 'ecdsa-sha2-nistp384':
    case 'ecdsa-sha2-nistp521':
      return [type];
    default:
      return ['ssh-ed25519'];
  }
}

function run(client: Client, where: string, script: string): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const lost = () => reject(new TargetUnreachable(`${where}: connection lost while the file was changed`));
    client.once('close', lost);
    client.exec('/bin/sh -s', (error, channel) => {
      if (error !== undefined) {
        reject(notRun(where, error.message));
        return;
      }
      let output = '';
      let complaint = '';
      channel.on('data', (chunk: Buffer) => {
        if (output.length < longestAnswer) output += chunk.toString();
      });
      channel.stderr.on('data', (chunk: Buffer) => {
        if (complaint.length < longestAnswer) complaint += chunk.toString();
      });
      channel.on('error', lost);
      channel.on('close', (_: unknown, ended: unknown) => {
        client.off('close', lost);
        // A host that goes down, or runs out of memory, ends what it runs.
        if (typeof ended === 'string')
          reject(new TargetUnreachable(`${where}: the host ended the script by signal ${ended}`));
        else resolve({ output, complaint });
      });
      channel.end(script);
    });
  });
}
