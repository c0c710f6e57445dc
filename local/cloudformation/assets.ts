import { existsSync, readFileSync, statSync } from 'node:fs';

/** Files and folders that were published from a cloud assembly, by bucket and key, each at its place on this disk. */
export class AssetStore {
  private readonly paths = new Map<string, string>();

  add(bucket: string, key: string, path: string): void {
    if (!existsSync(path)) throw new Error(`the asset ${key} should lie at ${path}, and nothing does`);
    this.paths.set(`${bucket}/${key}`, path);
  }

  /** The folder of an asset that is published as a zip; undefined when there is none. */
  locateCode(bucket: string, key: string): string | undefined {
    const path = this.paths.get(`${bucket}/${key}`);
    return path !== undefined && statSync(path).isDirectory() ? path : undefined;
  }

  /** The text of an asset that is a file. */
  read(bucket: string, key: string): string {
    const path = this.paths.get(`${bucket}/${key}`);
    if (path === undefined) throw new Error(`no asset was published as ${bucket}/${key}`);
    return readFileSync(path, 'utf8');
  }
}
