import { createHash } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';

/**
 * The hash of a function's code, in Base64 as AWS writes CodeSha256; of the files by their names, since there is no archive.
 *
 * A folder that is not there has the hash of nothing: what it should hold is missed when the function is invoked.
 */
export function codeHash(folder: string): string {
  const hash = createHash('sha256');
  for (const file of filesIn(folder)) hash.update(`${file}\n`).update(readFileSync(path.join(folder, file)));
  return hash.digest('base64');
}

function filesIn(folder: string): readonly string[] {
  try {
    return readdirSync(folder, { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile())
      .map((entry) => path.relative(folder, path.join(entry.parentPath, entry.name)))
      .sort();
  } catch {
    return [];
  }
}
