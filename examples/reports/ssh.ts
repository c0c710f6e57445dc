import { Client, type ConnectConfig } from 'ssh2';
import type { SecretMembers } from '../../client/secret-version';
import { reports, text } from './reports';

/** Counts the files in the user's home, at every host that the key opens, one after the other. */
export const handler = reports(async (credential, application) => {
  const hosts = Array.isArray(credential['hosts']) ? (credential['hosts'] as readonly SecretMembers[]) : [];
  let files = 0;
  for (const host of hosts) files += await countFiles(host, credential, application);
  return files;
});

async function countFiles(at: SecretMembers, credential: SecretMembers, ident: string): Promise<number> {
  const { host, port, hostKey } = at;
  const expected = Buffer.from(text(hostKey, 'hostKey').split(' ')[1] ?? '', 'base64');
  const config: ConnectConfig & { readonly ident: string } = {
    host: text(host, 'host'),
    port: Number(port ?? 22),
    username: text(credential['username'], 'username'),
    privateKey: text(credential['privateKey'], 'privateKey'),
    hostVerifier: (key: Buffer) => key.equals(expected),
    authHandler: ['publickey'],
    readyTimeout: 20_000,
    // What the host's log shows of a client.
    ident,
  };
  const client = new Client();
  try {
    return await new Promise<number>((resolve, reject) => {
      client.on('error', reject);
      client.once('close', () => reject(new Error('connection closed by the host')));
      client.once('ready', () => {
        client.exec('ls | wc -l', (error, channel) => {
          if (error !== undefined) reject(error);
          else channel.on('data', (chunk: Buffer) => resolve(Number(chunk.toString())));
        });
      });
      client.connect(config).setNoDelay(true);
    });
  } finally {
    client.destroy();
  }
}
